//! Workers that have ended, and what is done about it.

use std::process::ExitStatus;
use std::time::{Duration, Instant};

use anyhow::Context;

use super::Supervisor;
use super::worker::Worker;

impl Supervisor {
    /// Takes in all that have ended and said so.
    pub(super) fn bury(&mut self, now: Instant) -> anyhow::Result<()> {
        let mut ended = Vec::new();
        for worker in self.workers.values_mut().filter(|worker| worker.silent) {
            if let Some(status) = worker.child.try_wait().context("cannot wait for a worker")? {
                ended.push((worker.id, status));
            }
        }
        for (id, status) in ended {
            qanda_server::worker_ended(self.run.path(), id);
            if let Some(worker) = self.workers.remove(&id) {
                self.mourn(&worker, status, now);
            }
        }
        Ok(())
    }

    /// Decides what the end of a worker means.
    fn mourn(&mut self, worker: &Worker, status: ExitStatus, now: Instant) {
        let (id, process) = (worker.id, worker.process());
        let why = worker.failure.clone();
        if self.ending.is_some() || worker.is_stopping() {
            // Where nothing has begun, why it did not is enough to say.
            if self.ever_ready {
                tracing::info!(worker = id, process, %status, "worker stopped");
            }
        } else if worker.replaces.is_some() {
            let why = why.unwrap_or_else(|| status.to_string());
            tracing::error!(worker = id, process, why, "a new worker could not start; the old ones stay");
            self.reload.clear();
        } else if !self.ever_ready {
            let why = why.unwrap_or_else(|| format!("a worker ended before it was ready ({status})"));
            self.end(Err(anyhow::anyhow!(why)));
        } else {
            let why = why.unwrap_or_else(|| status.to_string());
            tracing::warn!(worker = id, process, why, "a worker died; another one takes its place");
            self.count_death(now - worker.born, &why);
        }
    }

    /// Replaces a worker that has lived so long, unless too many have died.
    pub(super) fn count_death(&mut self, lived: Duration, why: &str) {
        if let Err(limit) = self.restarts.died(Instant::now(), lived) {
            self.end(Err(anyhow::anyhow!("{limit}; the last one: {why}")));
        }
    }
}
