//! Failures of requests, by kind.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A request without an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    /// Its description, in the words of whoever noticed.
    pub(crate) detail: String,
}

/// Kinds of failures, each of which points at another cause. In files and in print they are text: `status 503`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum FailureKind {
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

impl FailureKind {
    /// Kinds that have a name of their own.
    const NAMED: [(Self, &'static str); 6] = [
        (Self::Connect, "connect"),
        (Self::OpenFiles, "too many open files"),
        (Self::Timeout, "timeout"),
        (Self::Closed, "connection closed"),
        (Self::Cut, "cut stream"),
        (Self::ErrorEvent, "error event"),
    ];
}

impl fmt::Display for FailureKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Status(status) = self {
            return write!(formatter, "status {status}");
        }
        let name = Self::NAMED.iter().find(|(kind, _)| kind == self).map_or("failure", |(_, name)| name);
        formatter.write_str(name)
    }
}

impl FromStr for FailureKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((kind, _)) = Self::NAMED.iter().find(|(_, name)| *name == text) {
            return Ok(*kind);
        }
        let status = text.strip_prefix("status ").and_then(|status| status.parse().ok());
        status.map(Self::Status).ok_or_else(|| format!("\"{text}\" is no kind of failure"))
    }
}

impl From<FailureKind> for String {
    fn from(kind: FailureKind) -> Self {
        kind.to_string()
    }
}

impl TryFrom<String> for FailureKind {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// The system's number for "too many open files" of a process.
const EMFILE: i32 = 24;

impl Failure {
    pub(crate) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// A request that got no response.
    pub(crate) fn of_sending(error: &reqwest::Error) -> Self {
        let files = causes(error)
            .any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|e| e.raw_os_error() == Some(EMFILE)));
        let kind = match error.is_connect() {
            _ if files => FailureKind::OpenFiles,
            true => FailureKind::Connect,
            false => FailureKind::Closed,
        };
        Self::new(kind, innermost(error))
    }

    /// An answer that broke off.
    pub(crate) fn of_reading(error: &reqwest::Error) -> Self {
        Self::new(FailureKind::Cut, innermost(error))
    }
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
}

/// The last cause says what happened; those before it only say to whom.
fn innermost(error: &reqwest::Error) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::FailureKind;

    #[test]
    fn every_kind_is_read_as_it_is_written() {
        let named = FailureKind::NAMED.map(|(kind, _)| kind);
        for kind in named.into_iter().chain([FailureKind::Status(429)]) {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for wrong in ["", "status", "status x", "Timeout"] {
            assert!(wrong.parse::<FailureKind>().is_err(), "{wrong}");
        }
    }
}
