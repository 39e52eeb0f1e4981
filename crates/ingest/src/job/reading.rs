//! The job's first step, on a thread of its own: sources into batches of documents with passages.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use qanda_core::document::{Fingerprint, Recipe, Relocation, StoredVersion};
use tokio::sync::mpsc::Sender;

use super::Event;
use crate::document::{Prepared, Preparer};
use crate::{ReadError, SourceDocument};

/// Passages from which on a batch is full. A document is never parted, so a batch may hold more.
pub(super) const BATCH: usize = 256;

/// Documents on their way from the reader to the store.
#[derive(Default)]
pub(super) struct Batch {
    /// Documents to embed and store.
    pub(super) documents: Vec<Prepared>,
    /// Documents that are stored already, at a place where they are not any more.
    pub(super) moves: Vec<Move>,
    passages: usize,
}

/// A stored document whose file has another place now.
pub(super) struct Move {
    pub(super) relocation: Relocation,
    /// The document, for a store that cannot move it.
    pub(super) prepared: Prepared,
    /// Whether its passages and vectors are the stored ones.
    pub(super) same: bool,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.passages >= BATCH
    }

    fn is_empty(&self) -> bool {
        self.documents.is_empty() && self.moves.is_empty()
    }
}

/// Outcome of reading one source.
enum Outcome {
    Unchanged,
    New(Prepared),
    Moved(Move),
}

pub(super) struct Reading {
    preparer: Preparer,
    recipe: Recipe,
    /// Stored versions, by location.
    stored: HashMap<String, StoredVersion>,
    /// Locations of what is stored, by the hash of its content.
    by_content: HashMap<String, Vec<String>>,
    /// Locations of what is stored of files that have no text any more.
    emptied: Vec<String>,
    pub(super) events: Sender<Event>,
    pub(super) batches: Sender<Batch>,
}

impl Reading {
    pub(super) fn new(
        preparer: Preparer,
        stored: HashMap<String, StoredVersion>,
        events: Sender<Event>,
        batches: Sender<Batch>,
    ) -> Self {
        let mut by_content: HashMap<String, Vec<String>> = HashMap::new();
        for (location, version) in &stored {
            if let Some(Fingerprint { content, .. }) = &version.fingerprint {
                by_content.entry(content.clone()).or_default().push(location.clone());
            }
        }
        Self { recipe: preparer.recipe(), preparer, stored, by_content, emptied: Vec::new(), events, batches }
    }

    /// Reads the sources one after the other. Returns the locations of what is stored of files that have no text any
    /// more, and how long it took, without the time in which the next step was behind. Ends early when nobody takes the
    /// batches any more. Blocks.
    pub(super) fn run(mut self, sources: Vec<SourceDocument>) -> (Vec<String>, Duration) {
        let mut busy = Duration::ZERO;
        let mut batch = Batch::default();
        for source in sources {
            let began = Instant::now();
            let outcome = self.read(&source);
            busy += began.elapsed();
            let event = match outcome {
                Ok(Outcome::Unchanged) => Some(Event::Unchanged { path: source.path }),
                Ok(Outcome::New(prepared)) => {
                    let (path, passages) = (prepared.document.path.clone(), prepared.chunks.len());
                    batch.passages += passages;
                    batch.documents.push(prepared);
                    Some(Event::Read { path, passages })
                }
                // It is told once it has been moved.
                Ok(Outcome::Moved(moved)) => {
                    batch.passages += moved.prepared.chunks.len();
                    batch.moves.push(moved);
                    None
                }
                // Of an upload, what is stored already is better than nothing.
                Err(error) if error.is_empty() && SourceDocument::uploaded_as(&source.location).is_none() => {
                    if self.stored.contains_key(&source.location) {
                        self.emptied.push(source.location);
                    }
                    Some(Event::Empty { path: source.path, reason: error.to_string() })
                }
                Err(error) => Some(Event::Failed { path: source.path, reason: error.to_string() }),
            };
            if event.is_some_and(|event| self.events.blocking_send(event).is_err()) {
                return (self.emptied, busy);
            }
            if batch.is_full() && self.batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                return (self.emptied, busy);
            }
        }
        if !batch.is_empty() {
            // Nobody there to take it means that the job has failed elsewhere, and says so there.
            let _ = self.batches.blocking_send(batch);
        }
        (self.emptied, busy)
    }

    fn read(&mut self, source: &SourceDocument) -> Result<Outcome, ReadError> {
        let stored = self.stored.get(&source.location);
        // Most documents of most runs are unchanged, so a file is not held whole before it is known to have changed.
        if let Some(Fingerprint { content, recipe }) = stored.and_then(|version| version.fingerprint.as_ref())
            && *recipe == self.recipe
            && *content == source.content_hash()?
        {
            return Ok(Outcome::Unchanged);
        }
        let mut prepared = self.preparer.prepare(source, &source.bytes()?)?;
        match stored {
            // Once a document has a path, it keeps it.
            Some(version) => prepared.document.path.clone_from(&version.path),
            None => {
                if let Some(from) = self.take_moved(&prepared.document.fingerprint.content) {
                    return Ok(Outcome::Moved(self.moved(from, prepared)));
                }
            }
        }
        Ok(Outcome::New(prepared))
    }

    /// The location of a stored document with this content whose file is gone. Each is taken once: of two copies of a
    /// moved file one is new.
    fn take_moved(&mut self, content: &str) -> Option<String> {
        let locations = self.by_content.get_mut(content)?;
        let gone = locations.iter().position(|location| SourceDocument::is_gone(location))?;
        Some(locations.swap_remove(gone))
    }

    fn moved(&self, from: String, prepared: Prepared) -> Move {
        let version = &self.stored[&from];
        let document = &prepared.document;
        // A title may be the file's name, and stands above every passage.
        let same = version.title == document.title && version.fingerprint.as_ref() == Some(&document.fingerprint);
        let relocation = Relocation { from, to: document.location.clone(), path: document.path.clone() };
        Move { relocation, prepared, same }
    }
}
