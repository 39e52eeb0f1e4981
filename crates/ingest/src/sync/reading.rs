//! The job's first step, on a thread of its own: files into batches of documents with passages.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use super::Event;
use crate::document::{Prepared, Recipe, hex};
use crate::folder::Found;
use crate::{MAX_BYTES, ReadError};

/// Passages from which on a batch is full. A document is never parted, so a batch may hold more.
pub(super) const BATCH: usize = 256;

pub(super) struct Reading {
    pub(super) recipe: Recipe,
    /// Fingerprint by location of what is stored.
    pub(super) stored: HashMap<String, String>,
    pub(super) events: Sender<Event>,
    pub(super) batches: Sender<Vec<Prepared>>,
}

impl Reading {
    /// Reads the files one after the other and returns how long that took, without the time in which the next
    /// step was behind. Ends early when nobody takes the batches any more. Blocks.
    pub(super) fn run(self, files: &[Found]) -> Duration {
        let mut busy = Duration::ZERO;
        let mut batch = Vec::new();
        let mut passages = 0;
        for found in files {
            let began = Instant::now();
            let outcome = self.file(found);
            busy += began.elapsed();
            let path = found.path.clone();
            let event = match outcome {
                Ok(None) => Event::Unchanged { path },
                Ok(Some(prepared)) => {
                    let new = prepared.chunks.len();
                    passages += new;
                    batch.push(prepared);
                    Event::Read { path, passages: new }
                }
                Err(error) => Event::Failed { path, reason: error.to_string() },
            };
            if self.events.blocking_send(event).is_err() {
                return busy;
            }
            if passages >= BATCH {
                passages = 0;
                if self.batches.blocking_send(std::mem::take(&mut batch)).is_err() {
                    return busy;
                }
            }
        }
        if !batch.is_empty() {
            // Nobody there to take it means that the job has failed elsewhere, and says so there.
            let _ = self.batches.blocking_send(batch);
        }
        busy
    }

    /// `None` if the file is stored as it is.
    fn file(&self, found: &Found) -> Result<Option<Prepared>, ReadError> {
        let path = Path::new(&found.location);
        if let Some(stored) = self.stored.get(&found.location)
            && *stored == self.fingerprint(path)?
        {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        open(path)?.read_to_end(&mut bytes)?;
        self.recipe.prepare(found, &bytes).map(Some)
    }

    /// Most files of most runs are unchanged, so this never holds more than a buffer of one.
    fn fingerprint(&self, path: &Path) -> Result<String, ReadError> {
        let mut hasher = self.recipe.hasher();
        io::copy(&mut open(path)?, &mut hasher)?;
        Ok(hex(hasher))
    }
}

/// A file's bytes, up to one more than is allowed: it may grow after its size was asked for.
fn open(path: &Path) -> Result<io::Take<File>, ReadError> {
    let file = File::open(path)?;
    if file.metadata()?.len() > MAX_BYTES {
        return Err(ReadError::TooLarge);
    }
    Ok(file.take(MAX_BYTES + 1))
}
