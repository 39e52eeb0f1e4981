//! Messages of a worker to its supervisor, a line each.

use std::fmt::{self, Display, Formatter};
use std::time::Duration;

const BEAT: &str = "beat";
const READY: &str = "ready";
const UNHEALTHY: &str = "unhealthy";
const FAILED: &str = "failed";

/// A message of a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Message {
    /// It is alive.
    Beat {
        /// Time by which the sign of life of one of its parts is late: of the part that is latest.
        overdue: Duration,
        /// Name of that part.
        part: Option<String>,
    },
    /// It can answer questions.
    Ready,
    /// It runs, but cannot answer any more, for this reason.
    Unhealthy(String),
    /// It ends for this reason.
    Failed(String),
}

impl Message {
    /// Reads a line; none if it is no message.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            BEAT => {
                let (overdue, part) = rest.split_once(' ').unwrap_or((rest, ""));
                Some(Self::Beat {
                    overdue: Duration::from_millis(overdue.parse().ok()?),
                    part: Some(part.to_owned()).filter(|part| !part.is_empty()),
                })
            }
            READY => Some(Self::Ready),
            UNHEALTHY => Some(Self::Unhealthy(rest.to_owned())),
            FAILED => Some(Self::Failed(rest.to_owned())),
            _ => None,
        }
    }
}

impl Display for Message {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.replace('\n', " ");
        match self {
            Self::Beat { overdue, part } => {
                write!(formatter, "{BEAT} {}", overdue.as_millis())?;
                part.iter().try_for_each(|part| write!(formatter, " {}", one_line(part)))
            }
            Self::Ready => formatter.write_str(READY),
            Self::Unhealthy(reason) => write!(formatter, "{UNHEALTHY} {}", one_line(reason)),
            Self::Failed(reason) => write!(formatter, "{FAILED} {}", one_line(reason)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let beat = |millis, part: Option<&str>| Message::Beat {
            overdue: Duration::from_millis(millis),
            part: part.map(ToOwned::to_owned),
        };
        for message in [
            beat(0, None),
            beat(12_345, Some("thread request-3")),
            Message::Ready,
            Message::Unhealthy("the model's thread has ended".to_owned()),
            Message::Failed("there is no such file".to_owned()),
        ] {
            assert_eq!(Message::parse(&message.to_string()), Some(message));
        }
        assert_eq!(Message::Failed("two\nlines".to_owned()).to_string(), "failed two lines");
    }

    #[test]
    fn lines_that_are_no_message_are_passed_over() {
        for line in ["", "beat", "beat soon", "hello", "readyx"] {
            assert_eq!(Message::parse(line), None, "{line}");
        }
    }
}
