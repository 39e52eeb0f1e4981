//! Several processes behind one listener: this one binds, starts copies of itself and looks after them. It serves
//! nothing, and has no async runtime.
//!
//! A worker finds the listener on its standard input and talks over its standard output, a pipe to here, as programs
//! under inetd do: nothing else is inherited, and both sides see at once when the other is gone.
//!
//! [`pool`] decides what is done; here are the processes, signals and pipes to do it with.

mod backoff;
mod link;
mod message;
mod pool;
mod process;

use std::collections::{BTreeMap, VecDeque};
use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use tempfile::TempDir;

pub(crate) use self::link::{Condition, Link, told_of_failure};
use self::message::Message;
use self::pool::{Action, Event, Pool, WorkerId};
use self::process::{Launcher, Process};
use crate::signals::{Caught, Instruction};
use crate::terminal::sentence;

/// How many workers there are, and how much time they have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) workers: usize,
    /// Without a sign of life a worker hangs.
    pub(crate) timeout: Duration,
    /// Running answers have so long to finish.
    pub(crate) grace: Duration,
}

/// Something that the supervisor's own threads pass on.
enum Input {
    Instruction(Instruction),
    Message(WorkerId, Message),
    /// A worker says nothing more: it has ended, or is about to.
    PipeClosed(WorkerId),
}

/// Between two looks at the workers when nothing happens.
const TICK: Duration = Duration::from_millis(100);
/// A supervisor that wakes so much later than it meant to was stopped itself, and has heard nobody meanwhile.
const STOPPED: Duration = Duration::from_secs(2);

/// Serves with several workers until told to stop. `read_anew` are variables that each worker reads from `.env` itself.
///
/// # Errors
/// When the workers cannot start, or die again and again.
pub(crate) fn run(
    listener: TcpListener,
    signals: Caught,
    settings: Settings,
    read_anew: Vec<String>,
) -> anyhow::Result<ExitCode> {
    let (sender, inputs) = channel();
    let instructions = sender.clone();
    let pass_on = move |instruction| {
        // Nobody receives any more once everything has ended.
        let _ = instructions.send(Input::Instruction(instruction));
    };
    signals.follow(pass_on).context("cannot wait for signals")?;
    let supervisor = Supervisor {
        pool: Pool::new(settings),
        processes: BTreeMap::new(),
        launcher: Launcher::new(read_anew, sender)?,
        run: tempfile::Builder::new().prefix("qanda-").tempdir().context("cannot make a temporary folder")?,
        listener: Some(listener),
    };
    let code = supervisor.watch_over(&inputs)?.map_err(anyhow::Error::msg)?;
    Ok(ExitCode::from(code))
}

struct Supervisor {
    pool: Pool,
    processes: BTreeMap<WorkerId, Process>,
    launcher: Launcher,
    /// The folder in which the workers put their figures.
    run: TempDir,
    /// Dropped once everything ends: nobody may connect any more.
    listener: Option<TcpListener>,
}

impl Supervisor {
    /// Goes on until the service has ended, and returns how.
    fn watch_over(mut self, inputs: &Receiver<Input>) -> anyhow::Result<Result<u8, String>> {
        let mut events = VecDeque::from([Event::Tick]);
        loop {
            while let Some(event) = events.pop_front() {
                for action in self.pool.handle(Instant::now(), event) {
                    match action {
                        Action::Start(worker) => events.push_back(self.start(worker)),
                        Action::Terminate(worker) => self.terminate(worker),
                        Action::Kill(worker) => self.kill(worker),
                        Action::CloseListener => self.listener = None,
                        Action::Finish(result) => return Ok(result),
                    }
                }
            }
            let slept = Instant::now();
            match inputs.recv_timeout(TICK) {
                Ok(Input::Instruction(instruction)) => events.push_back(Event::Instruction(instruction)),
                Ok(Input::Message(worker, message)) => events.push_back(Event::Message(worker, message)),
                Ok(Input::PipeClosed(worker)) => {
                    if let Some(process) = self.processes.get_mut(&worker) {
                        process.pipe_closed = true;
                    }
                }
                Err(RecvTimeoutError::Timeout) => events.push_back(Event::Tick),
                Err(RecvTimeoutError::Disconnected) => anyhow::bail!("the supervisor's own threads have ended"),
            }
            if slept.elapsed() > TICK + STOPPED {
                events.push_front(Event::Resumed);
            }
            self.take_in_ended(&mut events)?;
        }
    }

    fn start(&mut self, worker: WorkerId) -> Event {
        let Some(listener) = &self.listener else {
            return Event::NotStarted(worker, "the service ends".to_owned());
        };
        match self.launcher.start(worker, listener, self.run.path()) {
            Ok(process) => {
                let number = process.id();
                self.processes.insert(worker, process);
                Event::Started(worker, number)
            }
            Err(error) => Event::NotStarted(worker, sentence(&error)),
        }
    }

    fn terminate(&mut self, worker: WorkerId) {
        let Some(process) = self.processes.get_mut(&worker) else { return };
        if let Err(error) = process.terminate() {
            tracing::warn!(%error, "a worker could not be told to stop");
            process.kill();
        }
    }

    fn kill(&mut self, worker: WorkerId) {
        if let Some(process) = self.processes.get_mut(&worker) {
            process.kill();
        }
    }

    /// Waits for the processes that have ended and said all that they had to say.
    fn take_in_ended(&mut self, events: &mut VecDeque<Event>) -> anyhow::Result<()> {
        let mut ended = Vec::new();
        for (worker, process) in &mut self.processes {
            if let Some(status) = process.ended()? {
                ended.push((*worker, status));
            }
        }
        for (worker, status) in ended {
            self.processes.remove(&worker);
            qanda_server::worker_ended(self.run.path(), worker);
            events.push_back(Event::Ended(worker, status.to_string()));
        }
        Ok(())
    }
}
