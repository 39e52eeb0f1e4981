//! The job: makes the store hold what the sources say.
//!
//! ```text
//! a thread: read, cut --batches--> move, embed, store      (both at the same time)
//!      \______________\__________________\_____\__ events -> the caller
//! ```
//!
//! The channel holds one batch, so however many documents there are, at most three batches are in memory: one being
//! made, one being embedded and stored, and one on its way. A batch is stored before the next one is embedded: storing
//! takes a hundredth of the time, and whoever is killed has lost the embedding of one batch at most.

mod embedding;
mod event;
mod indexing;
mod reading;
mod removal;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use qanda_core::ports::TokenCounter;
use qanda_core::{Documents, Embedder, ModelError, NewDocument, RequestContext, StoreError, Upkeep};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

use self::embedding::groups_of;
pub use self::event::{Event, Report, StepSeconds};
use self::indexing::Indexing;
use self::reading::{Batch, Reading};
use crate::document::{Prepared, Preparer};
use crate::folder::{self, Listing};
use crate::pruning::{Folders, Prune};
use crate::unpacking::archive_of;
use crate::watch::Touched;
use crate::{Extractor, IngestError, SourceDocument};

/// Events that may wait for the caller before the job waits for it.
const EVENTS: usize = 256;

/// How the store is brought in step with folders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FolderSync {
    /// What happens to stored documents that the folders have no more.
    pub prune: Prune,
    /// Whether what a `.gitignore` names is passed over.
    pub gitignore: bool,
    /// Whether the job only tells what it would do.
    pub dry_run: bool,
}

/// Brings a store up to date with documents, wherever they come from.
#[derive(Clone)]
pub struct Ingestion {
    /// Store that the documents go to.
    pub documents: Arc<dyn Documents>,
    /// The same store, whose indexes are brought up to date at the end.
    pub upkeep: Arc<dyn Upkeep>,
    /// Reads their bytes.
    pub extractor: Arc<dyn Extractor>,
    /// Makes their vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Counts tokens as that embedder does.
    pub counter: Arc<dyn TokenCounter>,
    /// Most tokens of a passage under its headings. At most what the embedder reads, without its special tokens.
    pub passage_tokens: usize,
}

impl Ingestion {
    /// Reads what is new or changed under `paths` (files and folders), embeds it and stores it, and removes what the
    /// folders have no more if `sync` says so. With `dry_run` it only tells what it would do. Needs a Tokio runtime; all work that
    /// keeps a processor busy is on other threads. Dropping the future ends the job; what was stored stays.
    ///
    /// # Errors
    /// [`IngestError`] when the store or the embedder fails. A file that fails does not end the job: it is in the
    /// report.
    pub async fn run(
        &self,
        context: &RequestContext,
        paths: &[PathBuf],
        sync: FolderSync,
        on_event: impl FnMut(Event),
    ) -> Result<Report, IngestError> {
        self.run_on(context, paths, sync, Touched::All, on_event).await
    }

    /// The same where it is known which files may have changed: of those that are stored, only these are read.
    pub(crate) async fn run_on(
        &self,
        context: &RequestContext,
        paths: &[PathBuf],
        sync: FolderSync,
        touched: Touched,
        on_event: impl FnMut(Event),
    ) -> Result<Report, IngestError> {
        let base = self.documents.base_folder(context, folder::current()).await?;
        let paths = paths.to_vec();
        let listing = spawn_blocking(move || folder::find(&paths, &base, sync.gitignore)).await?;
        self.watched(on_event, |events| self.work(context, listing, touched, sync, events)).await
    }

    /// Stores documents that are at hand already; otherwise like [`Ingestion::run`].
    ///
    /// # Errors
    /// As [`Ingestion::run`].
    pub async fn store(
        &self,
        context: &RequestContext,
        documents: Vec<SourceDocument>,
        on_event: impl FnMut(Event),
    ) -> Result<Report, IngestError> {
        let listing = Listing { documents, ..Listing::default() };
        self.watched(on_event, |events| self.work(context, listing, Touched::All, FolderSync::default(), events)).await
    }

    /// Runs the work, tells the caller of its events, and counts them.
    async fn watched<W: Future<Output = Result<StepSeconds, IngestError>>>(
        &self,
        mut on_event: impl FnMut(Event),
        work: impl FnOnce(Sender<Event>) -> W,
    ) -> Result<Report, IngestError> {
        let began = Instant::now();
        let (events, mut inbox) = mpsc::channel(EVENTS);
        let listen = async {
            let mut report = Report::default();
            while let Some(event) = inbox.recv().await {
                report.add(&event);
                on_event(event);
            }
            report
        };
        let (timings, report) = tokio::join!(work(events), listen);
        Ok(Report { timings: timings?, seconds: began.elapsed().as_secs_f64(), ..report })
    }

    async fn work(
        &self,
        context: &RequestContext,
        mut listing: Listing,
        touched: Touched,
        sync: FolderSync,
        events: Sender<Event>,
    ) -> Result<StepSeconds, IngestError> {
        let stored = self.documents.versions(context).await?;
        listing.note_vanished(&stored);
        let folders = Folders::of(&listing);
        if touched != Touched::All {
            let archives: HashSet<&str> = stored.keys().filter_map(|location| archive_of(location)).collect();
            listing.documents.retain(|SourceDocument { location, .. }| {
                let is_known = stored.get(location).is_some_and(|version| version.fingerprint.is_some());
                !is_known && !archives.contains(location.as_str()) || touched.includes(location)
            });
        }
        announce(&listing, &events).await;
        let documents = listing.documents;
        if sync.dry_run {
            return self.rehearse(documents, stored, folders, sync.prune, &events).await;
        }

        let (batches, to_embed) = mpsc::channel(1);
        let reading = Reading::new(self.preparer(), stored, events.clone(), batches);
        let reading = spawn_blocking(move || reading.run(documents));
        // If this fails, the channel is dropped, and the reading thread ends for want of a taker.
        let (embedding, storing) = self.take_in(context, to_embed, &events).await?;
        let (emptied, reading) = reading.await?;
        self.remove(context, folders, emptied, sync.prune, &events).await?;
        tell(&events, Event::Indexing).await;
        let began = Instant::now();
        self.upkeep.optimise().await?;
        Ok(StepSeconds {
            reading: reading.as_secs_f64(),
            embedding: embedding.as_secs_f64(),
            storing: storing.as_secs_f64(),
            indexing: began.elapsed().as_secs_f64(),
        })
    }

    fn preparer(&self) -> Preparer {
        let embedder = self.embedder.identity().name.clone();
        let (extractor, counter) = (Arc::clone(&self.extractor), Arc::clone(&self.counter));
        Preparer { extractor, counter, passage_tokens: self.passage_tokens, embedder }
    }

    /// Embeds and stores the batches, one after the other; returns how long each took.
    async fn take_in(
        &self,
        context: &RequestContext,
        mut batches: Receiver<Batch>,
        events: &Sender<Event>,
    ) -> Result<(Duration, Duration), IngestError> {
        let (mut embedding, mut storing) = (Duration::ZERO, Duration::ZERO);
        let mut indexing = Indexing::new(Arc::clone(&self.upkeep));
        while let Some(batch) = batches.recv().await {
            for group in groups_of(self.relocate(context, batch, events).await?) {
                let began = Instant::now();
                let documents = self.embed(context, group, events).await?;
                embedding += began.elapsed();
                let began = Instant::now();
                let passages = documents.iter().map(|document| document.passages.len()).sum();
                self.put(context, documents, events).await?;
                storing += began.elapsed();
                indexing.stored(passages).await?;
            }
        }
        indexing.finish().await?;
        Ok((embedding, storing))
    }

    /// Moves what has moved; returns what is to be embedded: new documents, moved ones whose passages are others
    /// now, and all of them where the store has not moved every one.
    async fn relocate(
        &self,
        context: &RequestContext,
        batch: Batch,
        events: &Sender<Event>,
    ) -> Result<Vec<Prepared>, StoreError> {
        let Batch { mut documents, moves, .. } = batch;
        if moves.is_empty() {
            return Ok(documents);
        }
        let relocations: Vec<_> = moves.iter().map(|moved| moved.relocation.clone()).collect();
        let all = self.documents.relocate(context, relocations).await? == moves.len();
        for moved in moves {
            let path = moved.relocation.path;
            if all && moved.same {
                tell(events, Event::Moved { path }).await;
            } else {
                tell(events, Event::Read { path, passages: moved.prepared.chunks.len() }).await;
                documents.push(moved.prepared);
            }
        }
        Ok(documents)
    }

    /// Stores documents; those that the store refuses by themselves have failed.
    async fn put(
        &self,
        context: &RequestContext,
        documents: Vec<NewDocument>,
        events: &Sender<Event>,
    ) -> Result<(), StoreError> {
        if documents.is_empty() {
            return Ok(());
        }
        // Only a refusal needs them a second time, one by one.
        let again = documents.clone();
        match self.put_together(context, documents, events).await {
            Err(StoreError::Refused { .. }) => {}
            done => return done,
        }
        for document in again {
            let path = document.document.path.clone();
            match self.put_together(context, vec![document], events).await {
                Err(StoreError::Refused { reason, .. }) => {
                    let reason = format!("the store refuses it: {reason}");
                    tell(events, Event::Failed { path, reason }).await;
                }
                done => done?,
            }
        }
        Ok(())
    }

    async fn put_together(
        &self,
        context: &RequestContext,
        batch: Vec<NewDocument>,
        events: &Sender<Event>,
    ) -> Result<(), StoreError> {
        let documents = batch.len();
        let passages = batch.iter().map(|document| document.passages.len()).sum();
        self.documents.put(context, batch).await?;
        tell(events, Event::Stored { documents, passages }).await;
        Ok(())
    }
}

/// A vector for every text, or an error that says how many there were.
pub(crate) async fn embed_all_of(
    embedder: &dyn Embedder,
    context: &RequestContext,
    texts: Vec<String>,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let wanted = texts.len();
    let vectors = embedder.embed_passages(context, texts).await?;
    if vectors.len() != wanted {
        let cause = format!("the embedder returned {} vectors", vectors.len());
        return Err(ModelError::failed(format!("embedding {wanted} passages"), cause));
    }
    Ok(vectors)
}

async fn announce(listing: &Listing, events: &Sender<Event>) {
    tell(events, Event::Planned { files: listing.documents.len() }).await;
    for (reason, files) in &listing.skipped {
        tell(events, Event::Skipped { reason: reason.clone(), files: *files }).await;
    }
    for (path, error) in &listing.failures {
        tell(events, Event::Failed { path: path.clone(), reason: error.to_string() }).await;
    }
}

/// The listener lives as long as the job, so an event is always taken.
async fn tell(events: &Sender<Event>, event: Event) {
    let _ = events.send(event).await;
}

#[cfg(test)]
mod resilience_tests;
#[cfg(test)]
pub(crate) mod tests;
