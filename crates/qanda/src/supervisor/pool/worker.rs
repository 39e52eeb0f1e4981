use std::time::{Duration, Instant};

use super::WorkerId;

/// The part of its life that a worker is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Loads its models and accepts nobody yet.
    Starting,
    Ready,
    /// Was told to stop at that time.
    Stopping(Instant),
}

/// A worker as it is known from what it said and was told.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) id: WorkerId,
    /// Number of its process, once it has one.
    pub(super) process: Option<u32>,
    pub(super) state: State,
    pub(super) started: Instant,
    /// Last time at which all of its parts were alive.
    pub(super) alive: Instant,
    /// The part of it that has been silent longest.
    pub(super) silent_part: Option<String>,
    /// The worker that is told to stop when this one is ready.
    pub(super) replaces: Option<WorkerId>,
    /// Why it ends, in its own words.
    pub(super) failure: Option<String>,
    pub(super) killed: bool,
    /// It was said that this one takes long to start.
    pub(super) reported_as_slow: bool,
}

impl Worker {
    pub(super) fn new(id: WorkerId, replaces: Option<WorkerId>, now: Instant) -> Self {
        Self {
            id,
            process: None,
            state: State::Starting,
            started: now,
            alive: now,
            silent_part: None,
            replaces,
            failure: None,
            killed: false,
            reported_as_slow: false,
        }
    }

    /// Whether it is one of those that there should be: neither on its way out nor a replacement that is not ready.
    pub(super) fn is_active(&self) -> bool {
        !self.is_stopping() && !self.killed && self.replaces.is_none()
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping(_))
    }

    /// Whether it has given no sign of life for longer than it may.
    pub(super) fn hangs(&self, now: Instant, timeout: Duration) -> bool {
        now.saturating_duration_since(self.alive) > timeout
    }

    /// Whether it was told to stop longer ago than it may take.
    pub(super) fn stops_too_late(&self, now: Instant, limit: Duration) -> bool {
        matches!(self.state, State::Stopping(since) if now.saturating_duration_since(since) > limit)
    }

    /// Whether it has been loading for longer than anyone expects, and nobody was told yet.
    pub(super) fn starts_slowly(&self, now: Instant, limit: Duration) -> bool {
        let starting = self.state == State::Starting && !self.killed && !self.reported_as_slow;
        starting && now.saturating_duration_since(self.started) > limit
    }
}
