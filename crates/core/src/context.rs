//! Circumstances of a request: who asks, for what, until when.

use std::sync::Arc;
use std::time::{Duration, Instant};

/// Name of a collection: documents, pairs and answers of one never meet those of another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Collection(Arc<str>);

impl Collection {
    /// Name of the collection for callers that name none.
    pub const DEFAULT: &str = "default";

    /// A collection by its name.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// Its name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Collection {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

/// The one on whose behalf a call is made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Caller {
    /// A command on this machine, or the service itself.
    #[default]
    Local,
    /// A request over HTTP without a key.
    Anonymous,
}

/// Circumstances of one request, handed to every port that works for it.
///
/// Cancellation needs no field here: dropping a port's future ends its work.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestContext {
    /// Identity of the request in logs; empty for commands.
    pub request_id: Arc<str>,
    /// The one on whose behalf the call is made.
    pub caller: Caller,
    /// The collection that the call is for.
    pub collection: Collection,
    /// Moment at which the answer is of no use any more; none for work that may take as long as it needs.
    pub deadline: Option<Instant>,
}

impl RequestContext {
    /// Circumstances of a command: the default collection, no deadline.
    #[must_use]
    pub fn local() -> Self {
        Self::default()
    }

    /// Time left until the deadline, zero after it; none without one.
    #[must_use]
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether the deadline has passed: work that begins now would be for nobody.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.time_left().is_some_and(|left| left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_runs_out_at_the_deadline() {
        let now = Instant::now();
        let until = |deadline| RequestContext { deadline, ..RequestContext::local() };
        assert!(!until(None).is_late() && until(None).time_left().is_none());
        assert!(!until(Some(now + Duration::from_secs(60))).is_late());
        assert!(until(Some(now)).is_late());
    }
}
