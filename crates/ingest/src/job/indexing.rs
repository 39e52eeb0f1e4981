//! Bringing the indexes up while the job goes on, so that those who search meanwhile never scan much.

use std::sync::Arc;

use qanda_core::{StoreError, Upkeep};
use tokio::task::JoinHandle;

use crate::IngestError;

/// Passages that are stored before the indexes are brought up to them. While they are, as many again may be stored.
const STEP: usize = 10_000;

/// The indexing beside a job.
pub(super) struct Indexing {
    upkeep: Arc<dyn Upkeep>,
    unindexed: usize,
    running: Option<JoinHandle<Result<(), StoreError>>>,
}

impl Indexing {
    pub(super) fn new(upkeep: Arc<dyn Upkeep>) -> Self {
        Self { upkeep, unindexed: 0, running: None }
    }

    /// Notes that passages were stored; waits if the indexes are too far behind.
    pub(super) async fn stored(&mut self, passages: usize) -> Result<(), IngestError> {
        self.unindexed += passages;
        if self.unindexed < STEP {
            return Ok(());
        }
        self.finish().await?;
        self.unindexed = 0;
        let upkeep = Arc::clone(&self.upkeep);
        self.running = Some(tokio::spawn(async move { upkeep.optimise().await }));
        Ok(())
    }

    /// Waits for what is under way.
    pub(super) async fn finish(&mut self) -> Result<(), IngestError> {
        match self.running.take() {
            Some(running) => Ok(running.await??),
            None => Ok(()),
        }
    }
}
