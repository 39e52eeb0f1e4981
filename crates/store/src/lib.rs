//! Stores: where documents are kept and passages found.
//!
//! [`embedded`] keeps everything in one directory: SQLite is the truth, two derived indexes make it quick.

#![forbid(unsafe_code)]

pub mod chroma;
pub mod embedded;
