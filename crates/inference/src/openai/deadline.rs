use std::time::Duration;

use qanda_core::RequestContext;
use tokio::time::Instant;

/// Moment until which an endpoint is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deadline {
    pub(crate) at: Instant,
    /// Whether it is the request's own, after which an answer is of no use.
    pub(crate) is_final: bool,
}

impl Deadline {
    /// The moment when a time that begins now is over, or the request's deadline where that is earlier.
    pub(crate) fn within(time: Duration, request: Option<Instant>) -> Self {
        Self { at: Instant::now() + time, is_final: false }.or_earlier(request)
    }

    /// This one, or the request's where that is earlier.
    pub(crate) fn or_earlier(self, request: Option<Instant>) -> Self {
        match request {
            Some(at) if at <= self.at => Self { at, is_final: true },
            _ => self,
        }
    }
}

/// The moment at which a request's time is over.
pub(crate) fn end_of(context: &RequestContext) -> Option<Instant> {
    context.deadline.map(Instant::from_std)
}
