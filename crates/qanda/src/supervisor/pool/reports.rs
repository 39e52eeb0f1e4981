//! Reports about single workers: what they say, how they end.

use std::time::{Duration, Instant};

use super::worker::State;
use super::{Pool, WorkerId};
use crate::supervisor::message::Message;

impl Pool {
    /// A worker says something.
    pub(super) fn hear(&mut self, now: Instant, id: WorkerId, message: Message) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.alive = now;
        worker.silent_part = None;
        match message {
            Message::Beat { overdue, part } => {
                worker.alive = now.checked_sub(overdue).unwrap_or(worker.started);
                worker.silent_part = part;
            }
            Message::Failed(reason) => worker.failure = Some(reason),
            Message::Unhealthy(reason) => self.retire(now, id, reason),
            // One that was told to stop while it loaded takes nobody's place.
            Message::Ready if worker.state != State::Starting => {}
            Message::Ready => {
                tracing::info!(worker = id, process = worker.process, "worker ready");
                self.ever_ready = true;
                worker.state = State::Ready;
                if let Some(old) = worker.replaces.take() {
                    self.stop(now, old);
                }
            }
        }
    }

    /// A worker that cannot answer any more finishes what it can, and another one takes its place at once.
    fn retire(&mut self, now: Instant, id: WorkerId, reason: String) {
        let Some(worker) = self.workers.get_mut(&id).filter(|worker| !worker.is_stopping()) else { return };
        let (process, lived) = (worker.process, now.saturating_duration_since(worker.started));
        let is_replacement = worker.replaces.is_some();
        tracing::error!(worker = id, process, reason, "a worker cannot answer any more; another one takes its place");
        self.stop(now, id);
        if is_replacement {
            self.to_replace.clear();
        } else {
            self.count_death(now, lived, &reason);
        }
    }

    /// The process of a worker has ended.
    pub(super) fn take_end(&mut self, now: Instant, id: WorkerId, status: String) {
        let Some(worker) = self.workers.remove(&id) else { return };
        let (process, lived) = (worker.process, now.saturating_duration_since(worker.started));
        if self.result.is_some() || worker.is_stopping() {
            // Where nothing has begun, why it did not is enough to say.
            if self.ever_ready {
                tracing::info!(worker = id, process, status, "worker stopped");
            }
            return;
        }
        if worker.replaces.is_some() {
            let reason = worker.failure.unwrap_or(status);
            tracing::error!(worker = id, process, reason, "a new worker could not start; the old ones stay");
            self.to_replace.clear();
        } else if self.ever_ready {
            let reason = worker.failure.unwrap_or(status);
            tracing::warn!(worker = id, process, reason, "a worker died; another one takes its place");
            self.promote_replacement_of(id);
            self.count_death(now, lived, &reason);
        } else {
            let reason = worker.failure.unwrap_or_else(|| format!("a worker ended before it was ready ({status})"));
            self.end(now, Err(reason));
        }
    }

    /// A replacement of a worker that is gone is one of those that there should be.
    fn promote_replacement_of(&mut self, gone: WorkerId) {
        for worker in self.workers.values_mut().filter(|worker| worker.replaces == Some(gone)) {
            worker.replaces = None;
        }
    }

    /// The system has refused a process. It may be short of memory for a moment, or the program's file is being
    /// exchanged: while others serve, that is no reason to end.
    pub(super) fn take_refusal(&mut self, now: Instant, id: WorkerId, reason: String) {
        let Some(worker) = self.workers.remove(&id) else { return };
        if self.result.is_some() {
            return;
        }
        if !self.ever_ready {
            return self.end(now, Err(format!("cannot start a worker: {reason}")));
        }
        let refused = self.backoff.refused(now);
        if worker.replaces.is_some() {
            tracing::error!(reason, "a new worker could not be started; the old ones stay");
            self.to_replace.clear();
        } else if let Err(too_many) = refused
            && self.workers.is_empty()
        {
            self.end(now, Err(format!("{}; the last time: {reason}", too_many.of_refusals())));
        } else {
            tracing::error!(reason, "a worker could not be started; this is tried again");
        }
    }

    /// Lets a worker that is gone be replaced, unless too many have died.
    fn count_death(&mut self, now: Instant, lived: Duration, reason: &str) {
        if let Err(too_many) = self.backoff.died(now, lived) {
            self.end(now, Err(format!("{}; the last one: {reason}", too_many.of_deaths())));
        }
    }
}
