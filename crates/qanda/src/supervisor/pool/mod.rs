//! Decisions about workers: which are started, told to stop, or killed.
//!
//! Events go in with their time, actions come out. Nothing here starts a process or looks at a clock, so the tests
//! have a clock of their own.

mod reports;
mod worker;

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use self::worker::{State, Worker};
use super::Settings;
use super::backoff::Backoff;
use super::message::Message;
use crate::signals::Instruction;

/// Number of a worker; later ones have higher numbers, and none is used twice.
pub(super) type WorkerId = u64;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// Time has passed.
    Tick,
    /// The supervisor itself was stopped for a while, and has heard nobody meanwhile.
    Resumed,
    Instruction(Instruction),
    /// A worker that was to be started is a process now, with this number.
    Started(WorkerId, u32),
    /// A worker could not be started, for this reason.
    NotStarted(WorkerId, String),
    Message(WorkerId, Message),
    /// The process of a worker has ended, in this way.
    Ended(WorkerId, String),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// [`Event::Started`] or [`Event::NotStarted`] tells how it went.
    Start(WorkerId),
    /// Lets a worker finish what it has begun.
    Terminate(WorkerId),
    Kill(WorkerId),
    /// Nobody may connect any more.
    CloseListener,
    /// All is over: the exit code, or why the service failed.
    Finish(Result<u8, String>),
}

/// A worker ends by itself when its answers' time is over. This much later it is killed.
const MARGIN: Duration = Duration::from_secs(2);

/// The workers that there are and should be.
pub(super) struct Pool {
    settings: Settings,
    /// By number, so from old to new.
    workers: BTreeMap<WorkerId, Worker>,
    next_id: WorkerId,
    /// How many there should be.
    target: usize,
    /// Whether any worker has ever been ready.
    ever_ready: bool,
    backoff: Backoff,
    /// Workers that are still to be replaced.
    to_replace: VecDeque<WorkerId>,
    /// The result of the service, once everything ends.
    result: Option<Result<u8, String>>,
    actions: Vec<Action>,
}

impl Pool {
    /// No worker yet: the first event starts them.
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            workers: BTreeMap::new(),
            next_id: 1,
            target: settings.workers,
            ever_ready: false,
            backoff: Backoff::default(),
            to_replace: VecDeque::new(),
            result: None,
            actions: Vec::new(),
        }
    }

    /// Takes in what has happened and decides what is to be done, in this order.
    pub(super) fn handle(&mut self, now: Instant, event: Event) -> Vec<Action> {
        match event {
            Event::Tick => {}
            Event::Resumed => self.workers.values_mut().for_each(|worker| worker.alive = now),
            Event::Instruction(instruction) => self.follow(now, instruction),
            Event::Started(id, process) => {
                self.backoff.started();
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.process = Some(process);
                }
            }
            Event::NotStarted(id, reason) => self.take_refusal(now, id, reason),
            Event::Message(id, message) => self.hear(now, id, message),
            Event::Ended(id, status) => self.take_end(now, id, status),
        }
        self.check_times(now);
        if self.result.is_none() {
            self.adjust_number(now);
        }
        if self.workers.is_empty()
            && let Some(result) = self.result.clone()
        {
            if self.ever_ready {
                tracing::info!("stopped");
            }
            self.actions.push(Action::Finish(result));
        }
        std::mem::take(&mut self.actions)
    }

    fn follow(&mut self, now: Instant, instruction: Instruction) {
        match instruction {
            Instruction::Stop(signal) if self.result.is_some() => {
                tracing::warn!("stopping at once");
                self.result = Some(Ok(signal.exit_code()));
                self.ids(|_| true).into_iter().for_each(|id| self.kill(id));
            }
            Instruction::Stop(_) => {
                tracing::info!("stopping: running answers may finish");
                self.end(now, Ok(0));
            }
            _ if self.result.is_some() => {}
            Instruction::Reload => self.replace_all(now),
            Instruction::AddWorker => self.resize(self.target + 1),
            Instruction::RemoveWorker => self.resize(self.target.saturating_sub(1).max(1)),
        }
    }

    fn resize(&mut self, target: usize) {
        if target != self.target {
            tracing::info!(workers = target, "another number of workers");
        }
        self.target = target;
    }

    /// Replaces every worker. A replacement that is not ready yet had older settings: it gives way.
    fn replace_all(&mut self, now: Instant) {
        tracing::info!("replacing all workers, one by one");
        for id in self.ids(|worker| worker.replaces.is_some()) {
            self.stop(now, id);
        }
        self.to_replace = self.ids(Worker::is_active).into();
    }

    /// Kills workers that hang or do not stop, and tells of those that take long to start.
    fn check_times(&mut self, now: Instant) {
        let Settings { timeout, grace, .. } = self.settings;
        for id in self.ids(|worker| !worker.killed && worker.process.is_some()) {
            let Some(worker) = self.workers.get_mut(&id) else { continue };
            let process = worker.process;
            if worker.hangs(now, timeout) {
                let part = worker.silent_part.as_deref();
                tracing::error!(
                    worker = id,
                    process,
                    seconds = timeout.as_secs_f64(),
                    part,
                    "killing a worker that hangs"
                );
                self.kill(id);
            } else if worker.stops_too_late(now, grace + MARGIN) {
                tracing::warn!(worker = id, process, "killing a worker that does not stop");
                self.kill(id);
            } else if worker.starts_slowly(now, timeout) {
                worker.reported_as_slow = true;
                tracing::warn!(worker = id, process, seconds = timeout.as_secs_f64(), "a worker is still not ready");
            }
        }
    }

    /// Starts and stops workers until there are as many as there should be, then replaces the next one.
    fn adjust_number(&mut self, now: Instant) {
        let mut active = self.ids(Worker::is_active);
        match active.len().cmp(&self.target) {
            Ordering::Less if self.backoff.may_start(now) => {
                let missing = self.target - active.len();
                let attempts = if self.backoff.is_on_trial() { 1 } else { missing };
                (0..attempts).for_each(|_| self.start(now, None));
            }
            Ordering::Greater => {
                let too_many = active.len() - self.target;
                // Those that answer nobody yet go first, then the oldest.
                active.sort_by_key(|id| self.workers.get(id).is_some_and(|worker| worker.state == State::Ready));
                active.into_iter().take(too_many).for_each(|id| self.stop(now, id));
            }
            Ordering::Less => {}
            Ordering::Equal => self.replace_next(now),
        }
    }

    /// Starts the next replacement when the last one has taken over and the worker before it is gone.
    fn replace_next(&mut self, now: Instant) {
        if self.workers.values().any(|worker| worker.replaces.is_some() || worker.is_stopping()) {
            return;
        }
        while let Some(old) = self.to_replace.pop_front() {
            if self.workers.contains_key(&old) {
                return self.start(now, Some(old));
            }
        }
    }

    fn start(&mut self, now: Instant, replaces: Option<WorkerId>) {
        let id = self.next_id;
        self.next_id += 1;
        self.workers.insert(id, Worker::new(id, replaces, now));
        self.actions.push(Action::Start(id));
    }

    /// Lets a worker finish what it has begun. One that has begun nothing is killed.
    fn stop(&mut self, now: Instant, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let state = std::mem::replace(&mut worker.state, State::Stopping(now));
        match state {
            State::Starting => self.kill(id),
            State::Ready => self.actions.push(Action::Terminate(id)),
            State::Stopping(since) => worker.state = State::Stopping(since),
        }
    }

    fn kill(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id) {
            worker.killed = true;
            self.actions.push(Action::Kill(id));
        }
    }

    /// Begins the end: nobody may connect any more, and the workers finish what they have.
    fn end(&mut self, now: Instant, result: Result<u8, String>) {
        self.result = Some(result);
        self.actions.push(Action::CloseListener);
        self.ids(|_| true).into_iter().for_each(|id| self.stop(now, id));
    }

    /// Numbers of the workers of a kind, from old to new.
    fn ids(&self, kind: impl Fn(&Worker) -> bool) -> Vec<WorkerId> {
        self.workers.values().filter(|worker| kind(worker)).map(|worker| worker.id).collect()
    }
}
