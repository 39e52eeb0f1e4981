//! Requests that have ended: what a run collects and all figures are made of.

use std::time::Duration;

use crate::failure::{Failure, FailureKind};

/// A request that has ended. All times count from the start of the run.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its place in the plan, from 0.
    pub number: usize,
    /// Time at which it was to be sent.
    pub due: Duration,
    /// Time at which it was sent.
    pub sent: Duration,
    /// Time at which it ended.
    pub end: Duration,
    /// Time of the first piece of its answer, if that was streamed.
    pub first_token: Option<Duration>,
    /// Tokens of its answer, as the server tells.
    pub tokens: u64,
    /// The response's status, if there was one.
    pub status: Option<u16>,
    pub(crate) failure: Option<Failure>,
}

impl Request {
    /// Kind and details of its failure, if it failed.
    #[must_use]
    pub fn error(&self) -> Option<(FailureKind, &str)> {
        self.failure.as_ref().map(|failure| (failure.kind, failure.detail.as_str()))
    }

    /// From when it was to be sent to its end.
    #[must_use]
    pub fn latency(&self) -> Duration {
        self.end.saturating_sub(self.due)
    }

    /// From when it was sent to its end.
    #[must_use]
    pub fn service(&self) -> Duration {
        self.end.saturating_sub(self.sent)
    }
}

/// The requests of a run.
pub(crate) struct Outcomes {
    /// The ones that ended, in the order of the plan.
    pub(crate) requests: Vec<Request>,
    /// Number of requests that were sent.
    pub(crate) sent: usize,
    /// Until the last one ended, or the run was stopped.
    pub(crate) took: Duration,
    /// Whether it was stopped.
    pub(crate) stopped: bool,
}
