//! Where the bytes of a document are read: the one step that a document's author has in hand.
//!
//! Whoever runs qanda did not write the documents, and readers of a dozen formats have faults. So bytes are read in a
//! process of their own ([`Isolated`]), which may compute and answer and nothing else, and which may die: that is the
//! failure of one document. [`InProcess`] reads them here, for tests and where no process can be started.
//!
//! ```text
//! job --Raw--> Isolated --frame (wire)--> child::serve --> readers
//!     <-Extracted-      <--frame--------
//! ```

mod check;
pub mod child;
mod process;
mod watch;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

pub use self::process::Isolated;
use crate::ReadError;
use crate::readers::{Extracted, Reader, reader_for, reader_for_type};
use crate::unpacking::{self, Member};

/// Document as it comes: bytes, and what says how they are to be read.
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a> {
    /// Its path, whose ending names the format.
    pub path: &'a str,
    /// Media type that came with it, which goes before the ending.
    pub media_type: Option<&'a str>,
    /// The bytes.
    pub bytes: &'a [u8],
}

impl Raw<'_> {
    /// The reader by the media type, else by the ending.
    ///
    /// # Errors
    /// [`ReadError::NoReader`].
    pub fn reader(&self) -> Result<&'static dyn Reader, ReadError> {
        match self.media_type {
            Some(media_type) => reader_for_type(media_type),
            None => reader_for(Path::new(self.path)),
        }
    }
}

/// Takes documents apart, here or elsewhere. Blocks.
pub trait Extractor: Send + Sync {
    /// Text and structure of a document.
    ///
    /// # Errors
    /// [`ReadError`], whatever the reader does: also where it panics, hangs, or takes its process along.
    fn extract(&self, document: Raw<'_>) -> Result<Extracted, ReadError>;

    /// Hands each member of an archive to `take`, until it wants no more.
    ///
    /// # Errors
    /// As [`Extractor::extract`], for the archive as a whole; what is wrong with a member is the member's.
    fn members(&self, archive: Raw<'_>, take: &mut dyn FnMut(Member) -> bool) -> Result<(), ReadError>;
}

/// Reads in this process, under its limits alone. A panic is a failure of the document; what is worse is not caught.
#[derive(Debug, Clone, Copy, Default)]
pub struct InProcess;

impl Extractor for InProcess {
    fn extract(&self, document: Raw<'_>) -> Result<Extracted, ReadError> {
        without_panic(|| document.reader()?.read(document.bytes, Path::new(document.path)))
    }

    fn members(&self, archive: Raw<'_>, take: &mut dyn FnMut(Member) -> bool) -> Result<(), ReadError> {
        without_panic(|| unpacking::members(Path::new(archive.path), archive.bytes, take))
    }
}

/// Runs what a document may make panic.
pub(crate) fn without_panic<T>(work: impl FnOnce() -> Result<T, ReadError>) -> Result<T, ReadError> {
    // Nothing is shared with the work but what it only reads, so nothing can be left half changed.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|message| (*message).to_owned()))
            .unwrap_or_default();
        Err(ReadError::Panicked { message })
    })
}
