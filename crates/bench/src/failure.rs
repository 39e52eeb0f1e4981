//! What can go wrong with a request, by kind.

use std::error::Error;
use std::fmt;

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// What was said about it.
    pub(crate) detail: String,
}

/// Kinds that mean different things for whoever looks for the cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// No connection.
    Connect,
    /// No connection, because this process may not open more files.
    OpenFiles,
    /// No whole answer in time.
    Timeout,
    /// The connection ended before there was a response.
    Closed,
    /// A response that says no.
    Status(u16),
    /// An answer that ended before its end.
    Cut,
    /// A stream that ended in an `error` event.
    ErrorEvent,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect => f.write_str("connect"),
            Self::OpenFiles => f.write_str("too many open files"),
            Self::Timeout => f.write_str("timeout"),
            Self::Closed => f.write_str("connection closed"),
            Self::Status(status) => write!(f, "status {status}"),
            Self::Cut => f.write_str("cut stream"),
            Self::ErrorEvent => f.write_str("error event"),
        }
    }
}

/// The system's number for "too many open files" of a process.
const EMFILE: i32 = 24;

impl Failure {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// A request that got no response.
    pub(crate) fn of_sending(error: &reqwest::Error) -> Self {
        let files = causes(error)
            .any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.raw_os_error() == Some(EMFILE)));
        let kind = match error.is_connect() {
            _ if files => Kind::OpenFiles,
            true => Kind::Connect,
            false => Kind::Closed,
        };
        Self::new(kind, innermost(error))
    }

    /// An answer that broke off.
    pub(crate) fn of_reading(error: &reqwest::Error) -> Self {
        Self::new(Kind::Cut, innermost(error))
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
}

/// The last cause says what happened; those before it only say to whom.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}
