//! What the job tells while it runs, and at its end.

use crate::Skipped;

/// Something that happened, as soon as it happened. Paths are as people see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The files are listed; each of them will be one of `Unchanged`, `Read` and `Failed`.
    Planned {
        /// How many there are.
        files: usize,
    },
    /// Files in the folders were passed over, all for the same reason.
    Skipped {
        /// Why.
        reason: Skipped,
        /// How many there are.
        files: usize,
    },
    /// A file is stored already as it is.
    Unchanged {
        /// The file.
        path: String,
    },
    /// A file was read; its passages are on their way.
    Read {
        /// The file.
        path: String,
        /// Its passages.
        passages: usize,
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
        /// How many, since the last such event.
        passages: usize,
    },
    /// Documents were committed; searches find them from now on.
    Stored {
        /// How many, since the last such event.
        documents: usize,
        /// Their passages.
        passages: usize,
    },
    /// Documents were removed because their files are gone.
    Removed {
        /// How many.
        documents: usize,
    },
    /// Everything is stored; the indexes are catching up.
    Indexing,
}

/// What the job did.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// Documents stored now, new or changed.
    pub documents: usize,
    /// Documents that were stored already as they are.
    pub unchanged: usize,
    /// Documents removed.
    pub removed: usize,
    /// Passages stored now.
    pub passages: usize,
    /// What was not read: path and reason.
    pub failures: Vec<(String, String)>,
    /// Files in the folders that no reader takes.
    pub skipped: usize,
    /// Duration of the whole job.
    pub seconds: f64,
    /// Where the time went. The steps overlap, so their sum may be more than `seconds`.
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
            Event::Failed { path, reason } => self.failures.push((path.clone(), reason.clone())),
            Event::Stored { documents, passages } => {
                self.documents += documents;
                self.passages += passages;
            }
            Event::Removed { documents } => self.removed += documents,
            Event::Planned { .. } | Event::Read { .. } | Event::Embedded { .. } | Event::Indexing => {}
        }
    }
}
