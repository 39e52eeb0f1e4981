//! A worker as the supervisor sees it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use super::Event;
use super::link;

/// What a worker says, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Word {
    /// It is alive.
    Beat,
    /// It can answer questions.
    Ready,
    /// It ends because of this.
    Failed(String),
    /// Nothing more: its pipe is closed.
    Ended,
}

impl Word {
    fn parse(line: &str) -> Option<Self> {
        match line.split_once(' ').unwrap_or((line, "")) {
            (link::BEAT, _) => Some(Self::Beat),
            (link::READY, _) => Some(Self::Ready),
            (link::FAILED, why) => Some(Self::Failed(why.to_owned())),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Loads its models and accepts nobody yet.
    Starting,
    Ready,
    /// Was told to stop then.
    Stopping(Instant),
}

pub(super) struct Worker {
    pub(super) id: u64,
    pub(super) child: Child,
    pub(super) state: State,
    pub(super) born: Instant,
    /// Last sign of life.
    pub(super) heard: Instant,
    /// The worker that is told to stop when this one is ready.
    pub(super) replaces: Option<u64>,
    /// Why it ends, in its own words.
    pub(super) failure: Option<String>,
    killed: bool,
    /// Its pipe is closed: it has ended, or is about to.
    pub(super) silent: bool,
}

impl Worker {
    /// Starts a copy of this program with the same arguments.
    pub(super) fn start(
        id: u64,
        program: &Path,
        listener: &TcpListener,
        run: &Path,
        events: &Sender<Event>,
        replaces: Option<u64>,
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(link::SUPERVISOR, std::process::id().to_string())
            .env(link::WORKER, id.to_string())
            .env(link::RUN_DIRECTORY, run)
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone()?)))
            .stdout(Stdio::piped())
            // Ctrl-C on a terminal goes to a whole group. It is for the supervisor, which tells the workers.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let pipe = child.stdout.take().context("a worker has no pipe")?;
        let events = events.clone();
        thread::Builder::new().name(format!("worker-{id}")).spawn(move || listen(id, pipe, &events))?;
        let now = Instant::now();
        Ok(Self {
            id,
            child,
            state: State::Starting,
            born: now,
            heard: now,
            replaces,
            failure: None,
            killed: false,
            silent: false,
        })
    }

    pub(super) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is one of those that there should be: neither on its way out nor a replacement that is not ready.
    pub(super) fn is_active(&self) -> bool {
        !self.is_stopping() && !self.killed && self.replaces.is_none()
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping(_))
    }

    /// Lets it finish what it has begun. One that has begun nothing is killed.
    pub(super) fn stop(&mut self) -> anyhow::Result<()> {
        match self.state {
            State::Starting => {
                self.kill();
                // It was wanted so.
                self.state = State::Stopping(Instant::now());
            }
            State::Ready => {
                self.state = State::Stopping(Instant::now());
                // Until it is waited for, its number is nobody else's.
                kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot stop a worker")?;
            }
            State::Stopping(_) => {}
        }
        Ok(())
    }

    pub(super) fn kill(&mut self) {
        self.killed = true;
        // It may have ended already.
        let _ = self.child.kill();
    }

    /// Kills it if it gives no sign of life, or does not end.
    pub(super) fn kill_if_overdue(&mut self, now: Instant, timeout: Duration, grace: Duration) {
        let (worker, process) = (self.id, self.process());
        if self.killed {
            return;
        }
        let late = matches!(self.state, State::Stopping(since) if now.saturating_duration_since(since) > grace);
        if now.saturating_duration_since(self.heard) > timeout {
            tracing::error!(worker, process, seconds = timeout.as_secs_f64(), "killing a worker that hangs");
        } else if late {
            tracing::warn!(worker, process, "killing a worker that does not stop");
        } else {
            return;
        }
        self.kill();
    }
}

/// Passes on what a worker says, until it ends.
fn listen(id: u64, pipe: impl Read, events: &Sender<Event>) {
    let words = BufReader::new(pipe).lines().map_while(Result::ok).filter_map(|line| Word::parse(&line));
    for word in words.chain([Word::Ended]) {
        if events.send(Event::Said(id, word)).is_err() {
            return;
        }
    }
}
