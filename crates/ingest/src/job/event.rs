//! Events that the job tells while it runs, and the report at its end.

use crate::{Doubt, Skipped};

/// Something that happened, as soon as it happened. Paths are as people see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The documents are listed; each of them will be one of `Unchanged`, `Moved`, `Read`, `Empty` and `Failed`.
    Planned {
        /// Number of them.
        files: usize,
    },
    /// An archive turned out to hold more documents than the one that was planned for it.
    Found {
        /// Number of the others, since the last such event.
        files: usize,
    },
    /// Files in the folders that are passed over.
    Skipped {
        /// Reason that they are passed over.
        reason: Skipped,
        /// Number of them.
        files: usize,
    },
    /// A file is stored already as it is.
    Unchanged {
        /// The file.
        path: String,
    },
    /// A file that is stored has another place now; its passages, vectors and pairs are kept.
    Moved {
        /// The file, at its new place.
        path: String,
    },
    /// A file was read; its passages are on their way.
    Read {
        /// The file.
        path: String,
        /// Its passages.
        passages: usize,
    },
    /// A file has no text. What an earlier run stored of it goes.
    Empty {
        /// The file.
        path: String,
        /// In what way, in a sentence for people.
        reason: String,
    },
    /// A file, or a path that was asked for, was not read. What an earlier run stored of it stays.
    Failed {
        /// The file.
        path: String,
        /// Why, in a sentence for people.
        reason: String,
    },
    /// Passages were embedded.
    Embedded {
        /// Number of them since the last such event.
        passages: usize,
    },
    /// Documents were committed; searches find them from now on.
    Stored {
        /// Number of them since the last such event.
        documents: usize,
        /// Their passages.
        passages: usize,
    },
    /// A document is to be removed.
    Gone {
        /// The document.
        path: String,
    },
    /// So much of a folder is missing that nothing was removed.
    Doubted(Doubt),
    /// Documents were removed because the folders have them no more.
    Removed {
        /// Number of them.
        documents: usize,
    },
    /// Everything is stored; the indexes are catching up.
    Indexing,
}

/// Report of what the job did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Documents stored now, new or changed.
    pub documents: usize,
    /// Documents that were stored already as they are.
    pub unchanged: usize,
    /// Documents whose files have another place now.
    pub moved: usize,
    /// Documents removed.
    pub removed: usize,
    /// Passages stored now.
    pub passages: usize,
    /// Paths that were not read, with the reason.
    pub failures: Vec<(String, String)>,
    /// Files without text, with the reason.
    pub empty: Vec<(String, String)>,
    /// Folders of which nothing was removed, as too much of them is missing.
    pub doubts: Vec<Doubt>,
    /// Files in the folders that were passed over.
    pub skipped: usize,
    /// Duration of the whole job.
    pub seconds: f64,
    /// Time that each step was busy. The steps overlap, so their sum may be more than `seconds`.
    pub timings: StepSeconds,
}

/// Seconds that each step was busy.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepSeconds {
    /// Reading files and cutting them into passages.
    pub reading: f64,
    /// Embedding.
    pub embedding: f64,
    /// Storing.
    pub storing: f64,
    /// Bringing the indexes up to what is stored.
    pub indexing: f64,
}

impl Report {
    /// Counts an event.
    pub(super) fn add(&mut self, event: &Event) {
        match event {
            Event::Skipped { files, .. } => self.skipped += files,
            Event::Unchanged { .. } => self.unchanged += 1,
            Event::Moved { .. } => self.moved += 1,
            Event::Empty { path, reason } => self.empty.push((path.clone(), reason.clone())),
            Event::Doubted(doubt) => self.doubts.push(doubt.clone()),
            Event::Failed { path, reason } => self.failures.push((path.clone(), reason.clone())),
            Event::Stored { documents, passages } => {
                self.documents += documents;
                self.passages += passages;
            }
            Event::Removed { documents } => self.removed += documents,
            Event::Planned { .. }
            | Event::Found { .. }
            | Event::Read { .. }
            | Event::Embedded { .. }
            | Event::Gone { .. }
            | Event::Indexing => {}
        }
    }
}
