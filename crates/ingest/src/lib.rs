//! From files to stored passages.
//!
//! ```text
//! folder   PATHs                  -> which files are there
//! readers  bytes of one file      -> its text, cut into blocks (decode: bytes -> characters)
//! chunker  text and blocks        -> passages within a token budget (long blocks are cut at sentences)
//! document all of that, one file  -> a document with its fingerprint
//! sync     PATHs and a store      -> the job: only what changed is read, embedded and stored
//! ```
//!
//! Each row uses only rows above it. Every position is a span of **bytes** in a document's extracted text; no
//! step changes that text after the reader made it, so a passage can always be found again in its document.
//!
//! What never happens here: reading on the asynchronous runtime, a file's failure that ends the job, a file that
//! is left out without a word.
#![forbid(unsafe_code)]

pub mod chunker;
pub mod decode;
pub mod document;
pub mod error;
pub mod folder;
pub mod pairs;
pub mod readers;
pub mod sync;

pub use chunker::{Chunk, passages};
pub use document::{Prepared, Recipe};
pub use error::{IngestError, MAX_BYTES, ReadError};
pub use folder::{Found, Skipped};
pub use sync::{Event, Report, StepSeconds, Sync};
