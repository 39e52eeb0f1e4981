//! The job's last step, and the rehearsal of all: what goes.

use std::collections::HashMap;

use qanda_core::RequestContext;
use qanda_core::document::StoredVersion;
use tokio::sync::mpsc::{self, Sender};
use tokio::task::spawn_blocking;

use super::reading::{Batch, Reading};
use super::{Event, Ingestion, StepSeconds, tell};
use crate::pruning::{Folders, Prune};
use crate::{IngestError, SourceDocument};

impl Ingestion {
    /// Removes what is stored of emptied files, and what the folders have no more.
    pub(super) async fn remove(
        &self,
        context: &RequestContext,
        folders: Folders,
        emptied: Vec<String>,
        prune: Prune,
        events: &Sender<Event>,
    ) -> Result<(), IngestError> {
        let mut gone = emptied;
        if prune != Prune::Keep {
            // Asked for again: what has moved is no more where it was.
            let stored = self.documents.versions(context).await?;
            gone.extend(plan(folders, prune, &stored, events).await?);
        }
        if !gone.is_empty() {
            let documents = self.documents.remove(context, gone).await?;
            tell(events, Event::Removed { documents }).await;
        }
        Ok(())
    }

    /// Tells what the job would do, and does nothing.
    pub(super) async fn rehearse(
        &self,
        documents: Vec<SourceDocument>,
        mut stored: HashMap<String, StoredVersion>,
        folders: Folders,
        prune: Prune,
        events: &Sender<Event>,
    ) -> Result<StepSeconds, IngestError> {
        let (batches, mut read) = mpsc::channel(1);
        let reading = Reading::new(self.preparer(), stored.clone(), events.clone(), batches);
        let reading = spawn_blocking(move || reading.run(documents));
        while let Some(Batch { moves, .. }) = read.recv().await {
            for moved in moves {
                stored.remove(&moved.relocation.from);
                tell(events, Event::Moved { path: moved.relocation.path }).await;
            }
        }
        let (emptied, reading) = reading.await?;
        let planned = plan(folders, prune, &stored, events).await?;
        let documents = emptied.len() + planned.len();
        tell(events, Event::Removed { documents }).await;
        Ok(StepSeconds { reading: reading.as_secs_f64(), ..StepSeconds::default() })
    }
}

/// Locations that are to be removed, told one by one; folders that lack too much are told, too.
async fn plan(
    folders: Folders,
    prune: Prune,
    stored: &HashMap<String, StoredVersion>,
    events: &Sender<Event>,
) -> Result<Vec<String>, IngestError> {
    let locations: Vec<String> = stored.keys().cloned().collect();
    let plan = spawn_blocking(move || folders.plan(prune, locations.iter())).await?;
    for doubt in plan.doubts {
        tell(events, Event::Doubted(doubt)).await;
    }
    for location in &plan.remove {
        let path = stored.get(location).map_or(location, |version| &version.path);
        tell(events, Event::Gone { path: path.clone() }).await;
    }
    Ok(plan.remove)
}
