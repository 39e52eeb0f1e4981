//! Several processes behind one listener: this one binds, starts copies of itself and looks after them. It serves
//! nothing, and has no async runtime.
//!
//! A worker finds the listener on its standard input and talks over its standard output, a pipe to here, as programs
//! under inetd do: nothing else is inherited, and both sides see at once when the other is gone.

mod deaths;
mod link;
mod restarts;
mod signals;
mod worker;

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

pub(crate) use self::link::Link;
use self::restarts::Restarts;
use self::signals::Wish;
use self::worker::{State, Word, Worker};
use crate::terminal::sentence;

/// What the workers are allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    /// Without a sign of life a worker hangs.
    pub(crate) timeout: Duration,
    /// Running answers have so long to finish.
    pub(crate) grace: Duration,
}

/// What the supervisor is told.
enum Event {
    Wish(Wish),
    Said(u64, Word),
}

/// Between two looks at the workers when nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// A worker ends by itself when its answers' time is over. This much later it is killed.
const MARGIN: Duration = Duration::from_secs(2);
/// Whoever wakes so much later than it meant to was stopped itself, and has heard nobody meanwhile.
const STOPPED: Duration = Duration::from_secs(2);

/// Serves with several workers until told to stop.
///
/// # Errors
/// When the workers cannot start, or die again and again.
pub(crate) fn run(listener: TcpListener, settings: Settings) -> anyhow::Result<ExitCode> {
    let (sender, events) = channel();
    signals::watch(sender.clone()).context("cannot wait for signals")?;
    let supervisor = Supervisor {
        program: std::env::current_exe().context("cannot find the program's own file")?,
        run: tempfile::Builder::new().prefix("qanda-").tempdir().context("cannot make a temporary folder")?,
        listener: Some(listener),
        settings,
        events: sender,
        workers: BTreeMap::new(),
        next: 1,
        target: settings.workers,
        ever_ready: false,
        restarts: Restarts::default(),
        reload: VecDeque::new(),
        ending: None,
    };
    supervisor.watch_over(&events)
}

struct Supervisor {
    program: PathBuf,
    /// Where the workers put their figures.
    run: TempDir,
    /// None once everything ends: nobody may connect any more.
    listener: Option<TcpListener>,
    settings: Settings,
    events: Sender<Event>,
    /// By number, so from old to new.
    workers: BTreeMap<u64, Worker>,
    next: u64,
    /// How many there should be.
    target: usize,
    /// Whether any worker has ever been ready.
    ever_ready: bool,
    restarts: Restarts,
    /// Those that are still to be replaced.
    reload: VecDeque<u64>,
    /// Set once everything ends.
    ending: Option<anyhow::Result<ExitCode>>,
}

impl Supervisor {
    fn watch_over(mut self, events: &Receiver<Event>) -> anyhow::Result<ExitCode> {
        loop {
            self.look(Instant::now())?;
            if self.workers.is_empty()
                && let Some(result) = self.ending.take()
            {
                if self.ever_ready {
                    tracing::info!("stopped");
                }
                return result;
            }
            let slept = Instant::now();
            match events.recv_timeout(TICK) {
                Ok(event) => self.handle(event)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the supervisor's own threads have ended"),
            }
            if slept.elapsed() > TICK + STOPPED {
                self.workers.values_mut().for_each(|worker| worker.heard = Instant::now());
            }
        }
    }

    fn handle(&mut self, event: Event) -> anyhow::Result<()> {
        match event {
            Event::Wish(Wish::Stop) if self.ending.is_some() => {
                tracing::warn!("stopping at once");
                self.workers.values_mut().for_each(Worker::kill);
            }
            Event::Wish(Wish::Stop) => {
                tracing::info!("stopping: running answers may finish");
                self.end(Ok(ExitCode::SUCCESS));
            }
            Event::Wish(_) if self.ending.is_some() => {}
            Event::Wish(Wish::Reload) => {
                tracing::info!("replacing all workers, one by one");
                self.reload = self.workers.values().filter(|worker| !worker.is_stopping()).map(|w| w.id).collect();
            }
            Event::Wish(Wish::More) => self.resize(self.target + 1),
            Event::Wish(Wish::Fewer) => self.resize(self.target.saturating_sub(1).max(1)),
            Event::Said(id, word) => self.hear(id, word)?,
        }
        Ok(())
    }

    fn resize(&mut self, target: usize) {
        self.target = target;
        tracing::info!(workers = target, "another number of workers");
    }

    fn hear(&mut self, id: u64, word: Word) -> anyhow::Result<()> {
        let Some(worker) = self.workers.get_mut(&id) else { return Ok(()) };
        worker.heard = Instant::now();
        match word {
            Word::Beat => {}
            Word::Failed(sentence) => worker.failure = Some(sentence),
            Word::Ended => worker.silent = true,
            Word::Ready => {
                tracing::info!(worker = id, process = worker.process(), "worker ready");
                if !worker.is_stopping() {
                    worker.state = State::Ready;
                }
                self.ever_ready = true;
                if let Some(old) = worker.replaces.take()
                    && let Some(old) = self.workers.get_mut(&old)
                {
                    old.stop()?;
                }
            }
        }
        Ok(())
    }

    /// Brings things to where they should be.
    fn look(&mut self, now: Instant) -> anyhow::Result<()> {
        self.bury(now)?;
        for worker in self.workers.values_mut() {
            worker.kill_if_overdue(now, self.settings.timeout, self.settings.grace + MARGIN);
        }
        if self.ending.is_some() {
            return Ok(());
        }
        let active: Vec<u64> = self.workers.values().filter(|worker| worker.is_active()).map(|w| w.id).collect();
        match active.len().cmp(&self.target) {
            Ordering::Less if self.restarts.may_start(now) => {
                for _ in active.len()..self.target {
                    self.start(None)?;
                    if !self.restarts.may_start(now) {
                        break;
                    }
                }
            }
            Ordering::Greater => {
                for id in &active[..active.len() - self.target] {
                    self.workers.get_mut(id).map_or(Ok(()), Worker::stop)?;
                }
            }
            Ordering::Less | Ordering::Equal => self.replace_next()?,
        }
        Ok(())
    }

    /// Starts the next replacement when the last one has taken over and the worker before it is gone.
    fn replace_next(&mut self) -> anyhow::Result<()> {
        if self.workers.values().any(|worker| worker.replaces.is_some() || worker.is_stopping()) {
            return Ok(());
        }
        while let Some(old) = self.reload.pop_front() {
            if self.workers.contains_key(&old) {
                return self.start(Some(old));
            }
        }
        Ok(())
    }

    fn start(&mut self, replaces: Option<u64>) -> anyhow::Result<()> {
        let Some(listener) = &self.listener else { return Ok(()) };
        let id = self.next;
        self.next += 1;
        match Worker::start(id, &self.program, listener, self.run.path(), &self.events, replaces) {
            Ok(worker) => drop(self.workers.insert(id, worker)),
            Err(error) if !self.ever_ready => return Err(error.context("cannot start a worker")),
            // The program's file may be exchanged at this moment.
            Err(error) => {
                tracing::error!(error = sentence(&error), "a worker could not be started; the others stay");
                self.reload.clear();
                if replaces.is_none() {
                    self.count_death(Duration::ZERO, &sentence(&error));
                }
            }
        }
        Ok(())
    }

    /// Begins the end: nobody may connect any more, and the workers finish what they have.
    fn end(&mut self, result: anyhow::Result<ExitCode>) {
        self.listener = None;
        self.ending = Some(result);
        for worker in self.workers.values_mut() {
            if let Err(error) = worker.stop() {
                tracing::warn!(%error, "a worker could not be told to stop");
                worker.kill();
            }
        }
    }
}

impl Drop for Supervisor {
    /// Nobody is left behind, however this ends.
    fn drop(&mut self) {
        for worker in self.workers.values_mut() {
            worker.kill();
            let _ = worker.child.wait();
        }
    }
}
