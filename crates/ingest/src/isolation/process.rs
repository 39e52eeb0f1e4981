//! The job's side: processes that read, kept for many documents and replaced when one dies.

use std::io::{self, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::check::checked;
use super::watch::Watch;
use super::wire::{self, Request, Response};
use super::{Extractor, InProcess, Raw};
use crate::ReadError;
use crate::readers::Extracted;
use crate::unpacking::Member;

/// Bytes that are kept of what a process says on standard error, the last ones: they tell why it died.
const LAST_WORDS: usize = 4 << 10;

/// Time in which a process that was started is ready; there is no document in it yet.
const STARTING: Duration = Duration::from_secs(30);

/// Number of the signal of `abort`, on every Linux.
const SIGABRT: i32 = 6;

/// Number of the signal of `kill -9`, which is also the system's when memory runs out.
const SIGKILL: i32 = 9;

/// Reads each document in a process of its own making, which [`super::child::serve`]s.
pub struct Isolated {
    start: Box<dyn Fn() -> Command + Send + Sync>,
    limit: Duration,
    /// Processes that wait for a document.
    idle: Mutex<Vec<Process>>,
    /// Whether it was said that there is less protection than there should be.
    said: AtomicBool,
}

impl Isolated {
    /// Makes processes with a command; each document may take as long as `limit`.
    #[must_use]
    pub fn new(start: impl Fn() -> Command + Send + Sync + 'static, limit: Duration) -> Self {
        Self { start: Box::new(start), limit, idle: Mutex::default(), said: AtomicBool::new(false) }
    }

    /// A process that runs: one that waits, else a new one.
    fn process(&self) -> io::Result<Process> {
        while let Some(mut process) = self.waiting() {
            // It may have been killed meanwhile, which is no document's fault.
            if process.runs() {
                return Ok(process);
            }
        }
        let (process, without) = Process::start((self.start)(), self.limit)?;
        if !without.is_empty() && !self.said.swap(true, Ordering::Relaxed) {
            let without = without.join("; ");
            tracing::warn!(without, "documents are read in a process of their own, but with less protection");
        }
        Ok(process)
    }

    /// The same; none, said in the log, where none can be started.
    fn process_or_say(&self) -> Option<Process> {
        let started = self.process();
        if let Err(error) = &started
            && !self.said.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "no process can be started to read documents; they are read in this one");
        }
        started.ok()
    }

    /// Talks with a process about a document, and keeps it if it survives.
    fn exchange<T>(
        &self,
        mut process: Process,
        document: Raw<'_>,
        talk: impl FnOnce(&mut Process) -> io::Result<T>,
    ) -> Result<T, ReadError> {
        match talk(&mut process) {
            Ok(said) => {
                self.keep(process);
                Ok(said)
            }
            Err(error) => {
                let failure = process.post_mortem(&error);
                tracing::debug!(path = document.path, %error, %failure, "a process that read a document has died");
                Err(failure)
            }
        }
    }

    fn waiting(&self) -> Option<Process> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, process: Process) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(process);
    }
}

impl Extractor for Isolated {
    fn extract(&self, document: Raw<'_>) -> Result<Extracted, ReadError> {
        let Some(process) = self.process_or_say() else { return InProcess.extract(document) };
        let (path, media_type) = (document.path.to_owned(), document.media_type.map(str::to_owned));
        let request = Request::Extract { path, media_type };
        let (response, body) = self.exchange(process, document, |process| process.ask(&request, document.bytes))?;
        extracted(response, body)
    }

    fn members(&self, archive: Raw<'_>, take: &mut dyn FnMut(Member) -> bool) -> Result<(), ReadError> {
        let Some(process) = self.process_or_say() else { return InProcess.members(archive, take) };
        let request = Request::Members { path: archive.path.to_owned() };
        let end = self.exchange(process, archive, |process| {
            let mut answer = process.ask(&request, archive.bytes)?;
            while let (Response::Member { name, refused }, bytes) = answer {
                let bytes = match refused {
                    Some(reason) => Err(ReadError::Refused { reason, empty: false }),
                    None => Ok(bytes),
                };
                if !take(Member { name, bytes }) {
                    return Err(io::ErrorKind::Interrupted.into());
                }
                answer = process.listen()?;
            }
            Ok(answer.0)
        })?;
        match end {
            Response::Done => Ok(()),
            Response::Refused { reason, empty } => Err(ReadError::Refused { reason, empty }),
            _ => Err(ReadError::Panicked { message: "an answer to another question".to_owned() }),
        }
    }
}

fn extracted(response: Response, body: Vec<u8>) -> Result<Extracted, ReadError> {
    match response {
        Response::Extracted(extracted) => {
            let text = String::from_utf8(body)
                .map_err(|_| ReadError::Panicked { message: "its text is not UTF-8".to_owned() })?;
            checked(Extracted { text, ..extracted })
        }
        Response::Refused { reason, empty } => Err(ReadError::Refused { reason, empty }),
        Response::TooMuch => Err(ReadError::TooMuchText),
        _ => Err(ReadError::Panicked { message: "an answer to another question".to_owned() }),
    }
}

/// A process that reads, with two threads: one ends it when a document takes too long, one hears its last words.
struct Process {
    child: Arc<Mutex<std::process::Child>>,
    /// None once it is told that nothing more will come.
    requests: Option<ChildStdin>,
    responses: BufReader<ChildStdout>,
    watch: Watch,
    limit: Duration,
    last_words: Option<JoinHandle<Vec<u8>>>,
}

impl Process {
    /// Starts one and waits until it is ready. Also returns the protections that it does not have.
    fn start(mut command: Command, limit: Duration) -> io::Result<(Self, Vec<String>)> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(requests), Some(responses), Some(errors)) = pipes else {
            return Err(io::Error::other("the process has no pipes"));
        };
        let child = Arc::new(Mutex::new(child));
        let watched = Arc::clone(&child);
        let kill = move || drop(watched.lock().unwrap_or_else(PoisonError::into_inner).kill());
        let watch = Watch::start(kill)?;
        let last_words = thread::Builder::new().name("reading-errors".to_owned()).spawn(move || listen(errors))?;
        let responses = BufReader::new(responses);
        let last_words = Some(last_words);
        let mut process = Self { child, requests: Some(requests), responses, watch, limit, last_words };
        let ready = process.in_time(STARTING, |process| wire::read(&mut process.responses));
        match ready.map(|frame| frame.map(|(response, _)| response)) {
            Ok(Some(Response::Ready { without })) => Ok((process, without)),
            Ok(_) => Err(io::Error::other("it is not ready to read")),
            Err(error) => Err(error),
        }
    }

    fn runs(&mut self) -> bool {
        matches!(self.child.lock().unwrap_or_else(PoisonError::into_inner).try_wait(), Ok(None))
    }

    /// Asks and waits for the answer. An error means that the process is of no use any more.
    fn ask(&mut self, request: &Request, bytes: &[u8]) -> io::Result<(Response, Vec<u8>)> {
        self.in_time(self.limit, |process| {
            let requests = process.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
            wire::write(requests, request, bytes)?;
            match wire::read(&mut process.responses)? {
                None => Err(io::ErrorKind::UnexpectedEof.into()),
                Some((Response::Ready { .. }, _)) => Err(io::Error::other("an answer to another question")),
                Some(answer) => Ok(answer),
            }
        })
    }

    /// Waits for one more answer.
    fn listen(&mut self) -> io::Result<(Response, Vec<u8>)> {
        self.in_time(self.limit, |process| {
            wire::read(&mut process.responses)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
        })
    }

    /// Does what may block; the process is killed when it takes too long, and then nothing blocks any more.
    fn in_time<T>(&mut self, limit: Duration, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        self.watch.begin(limit);
        let done = work(self);
        self.watch.end();
        done
    }

    /// Ends the process and says why it failed a document.
    fn post_mortem(mut self, error: &io::Error) -> ReadError {
        let status = self.end();
        let last_words = self.last_words.take().and_then(|listener| listener.join().ok()).unwrap_or_default();
        let last_words = String::from_utf8_lossy(&last_words);
        let died_of = status.and_then(|status| status.signal());
        if self.watch.is_late() {
            ReadError::TooSlow { seconds: self.limit.as_secs_f64() }
        } else if error.kind() == io::ErrorKind::FileTooLarge {
            ReadError::TooMuchText
        } else if died_of == Some(SIGABRT) && last_words.contains("memory allocation of") {
            ReadError::OutOfMemory
        } else if died_of == Some(SIGABRT) && last_words.contains("overflowed its stack") {
            ReadError::TooDeep
        } else {
            let how = match died_of {
                Some(SIGKILL) => "its process was killed, perhaps because the system ran out of memory".to_owned(),
                Some(signal) => format!("its process died of signal {signal}"),
                None => format!("its process cannot be understood: {error}"),
            };
            ReadError::Crashed { how }
        }
    }

    /// Ends the process, if it has not ended, and takes its status.
    fn end(&mut self) -> Option<ExitStatus> {
        self.requests = None;
        let mut child = self.child.lock().unwrap_or_else(PoisonError::into_inner);
        // A process that has just died of itself is to be asked, not killed: its pipes close before it can be waited
        // for, so it is given a moment.
        for _ in 0..100 {
            match child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) => thread::sleep(Duration::from_millis(5)),
                Err(_) => break,
            }
        }
        let _ = child.kill();
        let _ = child.wait();
        None
    }
}

impl Drop for Process {
    /// It ends when its input does; what reads without end is killed.
    fn drop(&mut self) {
        self.end();
    }
}

/// Takes what a process says, so that it never waits to be heard; returns the end of it.
fn listen(mut errors: ChildStderr) -> Vec<u8> {
    let mut words = Vec::new();
    let mut some = [0; 1024];
    while let Ok(read @ 1..) = errors.read(&mut some) {
        words.extend_from_slice(&some[..read]);
        words.drain(..words.len().saturating_sub(LAST_WORDS));
    }
    words
}

#[cfg(test)]
mod tests;
