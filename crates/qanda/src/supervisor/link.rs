//! The supervisor as a worker sees it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use rustix::process::{Signal, getppid, set_parent_process_death_signal};
use tokio::net::unix::pipe;
use tokio::time::{MissedTickBehavior, interval};

use super::message::Message;
use crate::terminal::sentence;

/// Environment variables that make a copy of the program a worker.
pub(super) const SUPERVISOR: &str = "QANDA_SUPERVISOR";
pub(super) const WORKER: &str = "QANDA_WORKER";
pub(super) const RUN_DIRECTORY: &str = "QANDA_RUN_DIRECTORY";

/// Between two signs of life.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// The state of a worker, looked at once for each sign of life.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    /// The part of it whose sign of life is latest, and by how much; none where all are in time.
    pub(crate) overdue: Option<(String, Duration)>,
    /// Why it cannot answer any more.
    pub(crate) unhealthy: Option<String>,
}

/// A worker's connection to its supervisor.
pub(crate) struct Link {
    pipe: File,
    /// Number of this worker.
    pub(crate) worker: u64,
    /// The folder in which workers put their figures.
    pub(crate) run: PathBuf,
}

impl Link {
    /// Takes what the supervisor has handed over, with the listener that all workers share; none if there is no
    /// supervisor.
    ///
    /// # Errors
    /// When the supervisor is gone already.
    pub(crate) fn take() -> anyhow::Result<Option<(TcpListener, Self)>> {
        let Some(supervisor) = std::env::var_os(SUPERVISOR) else { return Ok(None) };
        set_parent_process_death_signal(Some(Signal::TERM))?;
        let parent = getppid().map(|parent| parent.as_raw_nonzero().to_string());
        anyhow::ensure!(
            supervisor.to_str() == parent.as_deref(),
            "{SUPERVISOR} is set, but this process was not started by that supervisor; unset it"
        );
        let worker = std::env::var(WORKER).ok().and_then(|number| number.parse().ok());
        let listener = std::io::stdin().as_fd().try_clone_to_owned()?;
        let pipe = std::io::stdout().as_fd().try_clone_to_owned()?;
        // A listener is closed when all who hold it let go of it, and nothing else may end up in the pipe.
        let nothing = OpenOptions::new().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        let worker = worker.with_context(|| format!("{WORKER} is not set"))?;
        let run = std::env::var_os(RUN_DIRECTORY).with_context(|| format!("{RUN_DIRECTORY} is not set"))?.into();
        Ok(Some((listener.into(), Self { pipe: pipe.into(), worker, run })))
    }

    /// Tells the supervisor every second that this process lives, and in which condition; returns when the supervisor
    /// is gone.
    pub(crate) async fn beat(&self, mut condition: impl FnMut() -> Condition) -> anyhow::Result<()> {
        // Should the supervisor not read for hours, the pipe is full: that must not stop a worker.
        let pipe = pipe::Sender::from_file(self.pipe.try_clone()?)?;
        let mut pulse = interval(BEAT_INTERVAL);
        pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            pulse.tick().await;
            let message = message_of(condition());
            match pipe.try_write(format!("{message}\n").as_bytes()) {
                Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => return Ok(()),
                _ => {}
            }
        }
    }

    /// Says that questions can be answered.
    pub(crate) fn ready(&self) -> std::io::Result<()> {
        self.say(&Message::Ready)
    }

    /// Says why this process ends.
    pub(crate) fn failed(&self, reason: &str) {
        // Whoever would read it may be gone.
        let _ = self.say(&Message::Failed(reason.to_owned()));
    }

    fn say(&self, message: &Message) -> std::io::Result<()> {
        (&self.pipe).write_all(format!("{message}\n").as_bytes())
    }
}

/// Tells the supervisor, if this is a worker, why it fails before it serves. Whether it was told.
pub(crate) fn told_of_failure(error: &anyhow::Error) -> bool {
    let Ok(Some((_, link))) = Link::take() else { return false };
    link.failed(&sentence(error));
    true
}

fn message_of(condition: Condition) -> Message {
    match condition {
        Condition { unhealthy: Some(reason), .. } => Message::Unhealthy(reason),
        Condition { overdue: Some((part, overdue)), .. } => Message::Beat { overdue, part: Some(part) },
        Condition { overdue: None, unhealthy: None } => Message::Beat { overdue: Duration::ZERO, part: None },
    }
}
