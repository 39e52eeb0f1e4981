//! The job: makes the store hold what the files say.
//!
//! ```text
//! a thread: read, cut --batches--> embed --documents--> store      (all at the same time)
//!      \______________\_______________\___________________\__ events -> the caller
//! ```
//!
//! Each channel holds one batch, so however many files there are, at most five batches are in memory: one being
//! made, one embedded, one stored, and two on their way.

mod event;
mod reading;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use qanda_core::ports::TokenCounter;
use qanda_core::{Documents, Embedder, ModelError, NewDocument, NewPassage, RequestContext, Upkeep};
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::task::spawn_blocking;

pub use self::event::{Event, Report, StepSeconds};
use self::reading::{BATCH, Reading};
use crate::IngestError;
use crate::document::{Prepared, Recipe};
use crate::folder::{self, Listing};

/// Events that may wait for the caller before the job waits for it.
const EVENTS: usize = 256;

/// Brings a store up to date with files and folders.
#[derive(Clone)]
pub struct Sync {
    /// Where documents go.
    pub documents: Arc<dyn Documents>,
    /// The same store, whose indexes are brought up to date at the end.
    pub upkeep: Arc<dyn Upkeep>,
    /// Makes their vectors.
    pub embedder: Arc<dyn Embedder>,
    /// Counts tokens as that embedder does.
    pub counter: Arc<dyn TokenCounter>,
    /// Most tokens of a passage under its headings. At most what the embedder reads, without its special tokens.
    pub budget: usize,
}

impl Sync {
    /// Reads what is new or changed under `paths` (files and folders), embeds it and stores it. With `prune`,
    /// documents under the given folders whose files are gone are removed. Needs a Tokio runtime; all work that
    /// keeps a processor busy is on other threads. Dropping the future ends the job; what was stored stays.
    ///
    /// # Errors
    /// [`IngestError`] when the store or the embedder fails. A file that fails does not end the job: it is in the
    /// report.
    pub async fn run(
        &self,
        paths: &[PathBuf],
        prune: bool,
        mut on_event: impl FnMut(Event),
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
        let (timings, report) = tokio::join!(self.job(paths.to_vec(), prune, events), listen);
        Ok(Report { timings: timings?, seconds: began.elapsed().as_secs_f64(), ..report })
    }

    async fn job(&self, paths: Vec<PathBuf>, prune: bool, events: Sender<Event>) -> Result<StepSeconds, IngestError> {
        let here = RequestContext::local();
        let (listing, stored) =
            tokio::join!(spawn_blocking(move || folder::find(&paths)), self.documents.fingerprints(&here));
        let (listing, stored) = (listing?, stored?);
        announce(&listing, &events).await;
        let Listing { files, folders, .. } = listing;
        let locations: Vec<String> = if prune { stored.keys().cloned().collect() } else { Vec::new() };

        let (batches, to_embed) = mpsc::channel(1);
        let (embedded, to_store) = mpsc::channel(1);
        let reading = Reading { recipe: self.recipe(), stored, events: events.clone(), batches };
        let reading = spawn_blocking(move || reading.run(&files));
        // If one of them fails, both are dropped, and the reading thread ends for want of a taker.
        let (embedding, storing) =
            tokio::try_join!(self.embed_all(to_embed, embedded, &events), self.store_all(to_store, &events))?;
        let reading = reading.await?;

        if prune {
            let gone = spawn_blocking(move || folder::gone(&folders, locations.iter())).await?;
            let documents = if gone.is_empty() { 0 } else { self.documents.remove(&here, gone).await? };
            tell(&events, Event::Removed { documents }).await;
        }
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

    fn recipe(&self) -> Recipe {
        let embedder = self.embedder.identity().name.clone();
        Recipe { counter: Arc::clone(&self.counter), budget: self.budget, embedder }
    }

    async fn embed_all(
        &self,
        mut batches: Receiver<Vec<Prepared>>,
        embedded: Sender<Vec<NewDocument>>,
        events: &Sender<Event>,
    ) -> Result<Duration, IngestError> {
        let mut busy = Duration::ZERO;
        while let Some(batch) = batches.recv().await {
            let began = Instant::now();
            let documents = self.embed(batch, events).await?;
            busy += began.elapsed();
            // The storing step only goes away with this future, or when it failed and says so itself.
            if embedded.send(documents).await.is_err() {
                break;
            }
        }
        Ok(busy)
    }

    /// Embeds a batch, at most [`BATCH`] texts at a time: one document may have very many.
    async fn embed(&self, batch: Vec<Prepared>, events: &Sender<Event>) -> Result<Vec<NewDocument>, ModelError> {
        let mut vectors = Vec::new();
        let mut texts = batch.iter().flat_map(Prepared::texts);
        loop {
            let some: Vec<String> = texts.by_ref().take(BATCH).collect();
            if some.is_empty() {
                break;
            }
            let passages = some.len();
            let new = self.embedder.embed_passages(&RequestContext::local(), some).await?;
            if new.len() != passages {
                let cause = format!("the embedder returned {} vectors", new.len());
                return Err(ModelError::failed(format!("embedding {passages} passages"), cause));
            }
            vectors.extend(new);
            tell(events, Event::Embedded { passages }).await;
        }
        drop(texts);
        Ok(with_vectors(batch, vectors))
    }

    async fn store_all(
        &self,
        mut batches: Receiver<Vec<NewDocument>>,
        events: &Sender<Event>,
    ) -> Result<Duration, IngestError> {
        let mut busy = Duration::ZERO;
        while let Some(batch) = batches.recv().await {
            let documents = batch.len();
            let passages = batch.iter().map(|document| document.passages.len()).sum();
            let began = Instant::now();
            self.documents.put(&RequestContext::local(), batch).await?;
            busy += began.elapsed();
            tell(events, Event::Stored { documents, passages }).await;
        }
        Ok(busy)
    }
}

fn with_vectors(batch: Vec<Prepared>, vectors: Vec<Vec<f32>>) -> Vec<NewDocument> {
    let mut vectors = vectors.into_iter();
    let document = |Prepared { document, chunks }| {
        let passage =
            |(chunk, vector): (crate::Chunk, _)| NewPassage { span: chunk.span, headings: chunk.headings, vector };
        NewDocument { document, passages: chunks.into_iter().zip(vectors.by_ref()).map(passage).collect() }
    };
    batch.into_iter().map(document).collect()
}

async fn announce(listing: &Listing, events: &Sender<Event>) {
    tell(events, Event::Planned { files: listing.files.len() }).await;
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
mod tests;
