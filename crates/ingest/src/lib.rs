//! From files to stored passages.
//!
//! ```text
//! source   a document as it comes: where from, its name, the way to its bytes
//! folder   PATHs                      -> the files that are there, as sources
//! pruning  those, and what is stored  -> what the folders have no more
//! readers  bytes of one source        -> its text, cut into blocks (decode: bytes -> characters)
//! unpacking bytes of an archive       -> its members, each a source
//! isolation the same, in a process that may die of it
//! chunker  text and blocks            -> passages within a budget (long blocks are cut at sentences)
//! document all of that, one source    -> a document with its fingerprint
//! job      sources and a store        -> only what changed is read, embedded and stored
//! originals bytes that are handed in   -> files of the data directory
//! intake   sources that are handed in -> jobs, one after the other, that can be followed
//! watch    folders and a store        -> the store, as the folders change
//! reembed  a store and an embedder    -> the store with that embedder's vectors
//! ```
//!
//! Each row uses only rows above it. Every position is a span of **bytes** in a document's extracted text; no
//! step changes that text after the reader made it, so a passage can always be found again in its document.
//!
//! Never here: reading on the asynchronous runtime, a file's failure that ends the job, a file that
//! is left out without a word.
#![forbid(unsafe_code)]

pub mod chunker;
pub mod decode;
pub mod document;
pub mod error;
pub mod folder;
pub mod intake;
pub mod isolation;
pub mod job;
mod originals;
pub mod pairs;
pub mod pruning;
pub mod readers;
pub mod reembed;
pub mod source;
pub mod unpacking;
mod watch;

pub use chunker::{Chunk, passages};
pub use document::{Prepared, Preparer};
pub use error::{IngestError, MAX_BYTES, ReadError};
pub use folder::Skipped;
pub use intake::{JobQueue, JobRunner, KeepOriginals, job_queue};
pub use isolation::{Extractor, InProcess, Isolated};
pub use job::{Event, FolderSync, Ingestion, Report, StepSeconds};
pub use pruning::{Doubt, Prune, stored_as};
pub use reembed::{ReembedReport, reembed};
pub use source::{Content, SourceDocument};
pub use watch::{Watch, Watched};
