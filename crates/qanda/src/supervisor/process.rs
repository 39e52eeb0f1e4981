//! A worker's process as the supervisor sees it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use super::message::Message;
use super::pool::WorkerId;
use super::{Input, link};

/// The means to start a worker: copies of this program with the same arguments.
pub(super) struct Launcher {
    program: PathBuf,
    /// Variables that came from `.env`. A worker reads the file itself, and only sets those that are not set: what the
    /// file said when the supervisor started must not be handed on.
    read_anew: Vec<String>,
    inputs: Sender<Input>,
}

/// A process that was started and not yet waited for.
pub(super) struct Process {
    child: Child,
    /// Its pipe is closed: it has ended, or is about to.
    pub(super) pipe_closed: bool,
}

impl Launcher {
    pub(super) fn new(read_anew: Vec<String>, inputs: Sender<Input>) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot find the program's own file")?;
        Ok(Self { program, read_anew, inputs })
    }

    /// Starts a worker.
    pub(super) fn start(&self, id: WorkerId, listener: &TcpListener, run: &Path) -> anyhow::Result<Process> {
        let mut command = Command::new(&self.program);
        command.args(std::env::args_os().skip(1));
        for variable in &self.read_anew {
            command.env_remove(variable);
        }
        let mut child = command
            .env(link::SUPERVISOR, std::process::id().to_string())
            .env(link::WORKER, id.to_string())
            .env(link::RUN_DIRECTORY, run)
            .stdin(Stdio::from(OwnedFd::from(listener.try_clone()?)))
            .stdout(Stdio::piped())
            // Ctrl-C on a terminal goes to a whole group. It is for the supervisor, which tells the workers.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot run {}", self.program.display()))?;
        let pipe = child.stdout.take();
        let process = Process { child, pipe_closed: false };
        let pipe = pipe.context("a worker has no pipe")?;
        let inputs = self.inputs.clone();
        thread::Builder::new().name(format!("worker-{id}")).spawn(move || listen(id, pipe, &inputs))?;
        Ok(process)
    }
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Lets it finish what it has begun.
    pub(super) fn terminate(&self) -> anyhow::Result<()> {
        // Until it is waited for, its number is nobody else's.
        kill_process(Pid::from_child(&self.child), Signal::TERM).context("cannot stop a worker")
    }

    pub(super) fn kill(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
    }

    /// How it has ended; none while it runs, or while its last messages may still be on their way.
    pub(super) fn ended(&mut self) -> anyhow::Result<Option<ExitStatus>> {
        if !self.pipe_closed {
            return Ok(None);
        }
        self.child.try_wait().context("cannot wait for a worker")
    }
}

impl Drop for Process {
    /// Nobody is left behind, however the supervisor ends.
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill();
            let _ = self.child.wait();
        }
    }
}

/// Passes on the messages of a worker, until its pipe is closed.
fn listen(worker: WorkerId, pipe: impl Read, inputs: &Sender<Input>) {
    let messages = BufReader::new(pipe).lines().map_while(Result::ok).filter_map(|line| Message::parse(&line));
    let inputs_in_order = messages.map(|message| Input::Message(worker, message)).chain([Input::PipeClosed(worker)]);
    for input in inputs_in_order {
        if inputs.send(input).is_err() {
            return;
        }
    }
}
