//! Stores: where documents are kept and passages found.
//!
//! [`embedded`] keeps everything in one directory: SQLite is the truth, two derived indexes make it quick.
//! [`chroma`] keeps everything in a collection of a Chroma server, which other programs may share.
//! [`jobs`] keeps the list of jobs, beside either of them.

#![forbid(unsafe_code)]

mod analysis;
mod bm25;
pub mod chroma;
pub mod embedded;
mod fusion;
pub mod jobs;
mod validity;

pub use fusion::Fusion;
use qanda_core::{Collection, RequestContext, StoreError};

/// Refuses a collection that there is not: a store has one, the default.
fn check_collection(context: &RequestContext) -> Result<(), StoreError> {
    match context.collection.as_str() {
        Collection::DEFAULT => Ok(()),
        other => Err(StoreError::NoSuchCollection { collection: other.to_owned() }),
    }
}
