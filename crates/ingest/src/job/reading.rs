//! The job's first step, on a thread of its own: sources into batches of documents with passages.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use qanda_core::document::{Fingerprint, Relocation, StoredVersion};
use tokio::sync::mpsc::Sender;

use super::Event;
use crate::document::{Prepared, Preparer};
use crate::isolation::Raw;
use crate::readers::{ending_of, reader_for};
use crate::unpacking::{MAX_DEPTH, MAX_MEMBERS, MAX_TOTAL, Member, archive_of, inside};
use crate::{ReadError, Skipped, SourceDocument};

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

/// What came out of an archive, and of those in it.
#[derive(Default)]
struct Unpacked {
    bytes: u64,
    members: usize,
    /// Documents that something was told of.
    told: usize,
    /// Members that are passed over, counted by reason.
    skipped: BTreeMap<Skipped, usize>,
}

impl Unpacked {
    const fn is_too_much(&self) -> bool {
        self.bytes > MAX_TOTAL || self.members > MAX_MEMBERS
    }
}

pub(super) struct Reading {
    preparer: Preparer,
    /// Stored versions, by location.
    stored: HashMap<String, StoredVersion>,
    /// Locations of what is stored, by the hash of its content.
    by_content: HashMap<String, Vec<String>>,
    /// Locations of what is stored of files that have no text any more.
    emptied: Vec<String>,
    /// What came out of the archive that is being read.
    unpacked: Unpacked,
    /// Time spent reading and cutting.
    busy: Duration,
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
        Self {
            preparer,
            stored,
            by_content,
            emptied: Vec::new(),
            unpacked: Unpacked::default(),
            busy: Duration::ZERO,
            events,
            batches,
        }
    }

    /// Reads the sources one after the other. Returns the locations of what is stored of files that have no text any
    /// more, and how long it took, without the time in which the next step was behind. Ends early when nobody takes the
    /// batches any more. Blocks.
    pub(super) fn run(mut self, sources: Vec<SourceDocument>) -> (Vec<String>, Duration) {
        let mut batch = Batch::default();
        for source in sources {
            let taken = if source.is_archive() {
                self.take_archive(&source, &mut batch)
            } else {
                self.take(source, &mut batch)
            };
            if !taken {
                return (self.emptied, self.busy);
            }
        }
        if !batch.is_empty() {
            // Nobody there to take it means that the job has failed elsewhere, and says so there.
            let _ = self.batches.blocking_send(batch);
        }
        (self.emptied, self.busy)
    }

    /// Reads one source, and hands on the batch when it is full. False when nobody takes it any more.
    fn take(&mut self, source: SourceDocument, batch: &mut Batch) -> bool {
        let began = Instant::now();
        let outcome = self.read(&source);
        self.busy += began.elapsed();
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
        if event.is_some_and(|event| !self.tell(event)) {
            return false;
        }
        !batch.is_full() || self.batches.blocking_send(std::mem::take(batch)).is_ok()
    }

    /// Reads the members of an archive, each as a document, and those of archives in it.
    fn take_archive(&mut self, archive: &SourceDocument, batch: &mut Batch) -> bool {
        self.unpacked = Unpacked::default();
        let taken = self.take_members(archive, 1, batch);
        let (path, nothing) = (archive.path.clone(), self.unpacked.told == 0);
        for (reason, files) in std::mem::take(&mut self.unpacked.skipped) {
            self.tell(Event::Skipped { reason, files });
        }
        if taken && self.unpacked.is_too_much() {
            let reason = format!("more than {MAX_MEMBERS} members or {} MiB come out of it", MAX_TOTAL >> 20);
            return self.fail(path, &ReadError::Archive { reason });
        }
        taken && (!nothing || self.tell(Event::Empty { path, reason: "no document in it".to_owned() }))
    }

    /// The same of one that may lie in others: `depth` is 1 for the outermost, and one more for each around it. What is
    /// stored of members that it has no more is to go.
    fn take_members(&mut self, archive: &SourceDocument, depth: usize, batch: &mut Batch) -> bool {
        if depth > MAX_DEPTH {
            let reason = format!("more than {MAX_DEPTH} of them lie in one another");
            return self.fail(archive.path.clone(), &ReadError::Archive { reason });
        }
        let extractor = Arc::clone(&self.preparer.extractor);
        let (mut there, mut listened_to) = (HashSet::new(), true);
        let outcome = archive.bytes().and_then(|bytes| {
            let raw = Raw { path: &archive.path, media_type: None, bytes: &bytes };
            extractor.members(raw, &mut |member| {
                there.insert(member.name.clone());
                listened_to = self.take_member(archive, member, depth, batch);
                listened_to
            })
        });
        match outcome {
            _ if !listened_to => return false,
            Ok(()) => self.forget_others(archive, &there),
            Err(error) => return self.fail(archive.path.clone(), &error),
        }
        true
    }

    fn take_member(
        &mut self,
        archive: &SourceDocument,
        Member { name, bytes }: Member,
        depth: usize,
        batch: &mut Batch,
    ) -> bool {
        self.unpacked.members += 1;
        self.unpacked.bytes += bytes.as_ref().map_or(0, Vec::len) as u64;
        if self.unpacked.is_too_much() {
            return true;
        }
        let member = match bytes {
            Ok(bytes) => archive.member(&name, bytes),
            Err(error) => return self.fail(inside(&archive.path, &name), &error),
        };
        let path = Path::new(&name);
        if member.is_archive() {
            self.take_members(&member, depth + 1, batch)
        } else if reader_for(path).is_err() {
            let reason = path.extension().map_or(Skipped::NoEnding, |_| Skipped::Ending(ending_of(path)));
            *self.unpacked.skipped.entry(reason).or_default() += 1;
            true
        } else {
            self.count_member() && self.take(member, batch)
        }
    }

    /// Tells that something of an archive, or all of it, cannot be read.
    fn fail(&mut self, path: String, error: &ReadError) -> bool {
        self.count_member() && self.tell(Event::Failed { path, reason: error.to_string() })
    }

    /// Counts one of an archive's documents, before what becomes of it is told: the first is the planned one.
    fn count_member(&mut self) -> bool {
        self.unpacked.told += 1;
        self.unpacked.told == 1 || self.tell(Event::Found { files: 1 })
    }

    /// Notes that what is stored of an archive is to go, but for the members that are `there`.
    fn forget_others(&mut self, archive: &SourceDocument, there: &HashSet<String>) {
        let start = inside(&archive.location, "");
        let gone = self.stored.keys().filter(|location| {
            let member = location.strip_prefix(&start);
            // What is inside of a member that is an archive itself was looked at with that one.
            member.is_some_and(|member| !there.contains(archive_of(member).unwrap_or(member)))
        });
        self.emptied.extend(gone.cloned());
    }

    /// False when nobody listens any more.
    fn tell(&self, event: Event) -> bool {
        self.events.blocking_send(event).is_ok()
    }

    fn read(&mut self, source: &SourceDocument) -> Result<Outcome, ReadError> {
        let stored = self.stored.get(&source.location);
        // Most documents of most runs are unchanged, so a file is not held whole before it is known to have changed.
        if let Some(Fingerprint { content, recipe }) = stored.and_then(|version| version.fingerprint.as_ref())
            && *recipe == self.preparer.recipe(source)
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
