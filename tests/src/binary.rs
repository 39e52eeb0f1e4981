//! The release binary, run as people run it.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::data;

/// Nothing a test starts takes this long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// The release binary: `QANDA_BIN`, else the one that was built into the same target directory.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn path() -> PathBuf {
    if let Some(given) = std::env::var_os("QANDA_BIN") {
        return PathBuf::from(given);
    }
    let test = std::env::current_exe().expect("the test knows its own file");
    let built = test.parent().and_then(Path::parent).map(|release| release.join("qanda"));
    let built = built.filter(|binary| binary.is_file());
    built.unwrap_or_else(|| panic!("there is no qanda beside {}: run `make test`", test.display()))
}

/// A command of the binary, in the workspace's folder, with none of the settings of whoever runs the tests.
///
/// Models get one thread each: servers of several tests may run side by side, and more threads than cores only take
/// turns.
#[must_use]
pub fn command(arguments: &[&str]) -> Command {
    prepared(Command::new(path()), arguments)
}

/// The same for a process that a line of shell has prepared, such as a limit.
#[must_use]
pub fn command_after(line: &str, arguments: &[&str]) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{line} && exec \"$0\" \"$@\"")]).arg(path());
    prepared(shell, arguments)
}

/// A command that runs the binary in another way, or a copy of it, prepared like [`command`].
#[must_use]
pub fn prepared(mut command: Command, arguments: &[&str]) -> Command {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        let setting = name.starts_with("QANDA_") && name != "QANDA_MODELS_DIR";
        if setting
            || name.starts_with("CHROMADB_")
            || name == "EMBEDDING_MODEL"
            || name.starts_with("OPENAI_")
            || name.starts_with("HF_")
            || name.starts_with("RUST_")
        {
            command.env_remove(name);
        }
    }
    command
        .env("QANDA_CONFIG", "/dev/null")
        .env("QANDA_ENV_FILE", "/dev/null")
        .env("QANDA_MODEL_THREADS", "1")
        .env("QANDA_LLM_THREADS", "1");
    command.current_dir(data::workspace()).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs the binary to its end. Nothing that it says may tell of a panic.
#[must_use]
pub fn qanda(arguments: &[&str]) -> Finished {
    Process::start(command(arguments)).finish()
}

/// Sends a process a signal by name; false if there is no such process.
pub fn signal(process: u32, name: &str) -> bool {
    let mut kill = Command::new("kill");
    kill.args([&format!("-{name}"), &process.to_string()]).stderr(Stdio::null());
    kill.status().expect("there is a `kill`").success()
}

/// Whether a process runs. One that has ended may stay in the list until somebody asks how.
#[must_use]
pub fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Whether a process stands still until it is told to go on.
#[must_use]
pub fn is_stopped(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

/// A process of the binary. Killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Standard output line by line; ends with the process.
    lines: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
    readers: Vec<thread::JoinHandle<()>>,
}

impl Process {
    /// Starts a command.
    #[must_use]
    pub fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the binary starts");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().expect("standard output is a pipe"));
        let mut errors = BufReader::new(child.stderr.take().expect("standard error is a pipe"));
        let stderr = Arc::new(Mutex::new(String::new()));
        let said = Arc::clone(&stderr);
        let readers = vec![
            thread::spawn(move || stdout.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)))),
            thread::spawn(move || {
                let mut line = Vec::new();
                while errors.by_ref().read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
                    said.lock().unwrap_or_else(PoisonError::into_inner).push_str(&String::from_utf8_lossy(&line));
                    line.clear();
                }
            }),
        ];
        Self { child, lines: Mutex::new(lines), stderr, readers }
    }

    /// Its next line on standard output.
    #[must_use]
    pub fn line(&self) -> String {
        match self.lines.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(LIMIT) {
            Ok(line) => line,
            Err(RecvTimeoutError::Timeout) => panic!("nothing was printed in {LIMIT:?}: {}", self.stderr()),
            Err(RecvTimeoutError::Disconnected) => panic!("it ended before its time: {}", self.stderr()),
        }
    }

    /// Its words on standard error so far.
    #[must_use]
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it says something on standard error.
    pub fn wait_to_say(&mut self, words: &str) {
        let began = Instant::now();
        while !self.stderr().contains(words) {
            let ended = self.child.try_wait().expect("the process can be asked");
            assert!(ended.is_none() || self.stderr().contains(words), "it ended without {words:?}: {}", self.stderr());
            assert!(began.elapsed() < LIMIT, "no {words:?} in {LIMIT:?}: {}", self.stderr());
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Its number.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal by name, like `TERM`.
    pub fn signal(&self, name: &str) {
        assert!(signal(self.id(), name), "the signal {name} could not be sent");
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the process can be waited for") {
                return status;
            }
            assert!(began.elapsed() < LIMIT, "it did not end in {LIMIT:?}: {}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end, however long it takes within reason, and does something again and again meanwhile.
    pub fn watch(&mut self, mut each_time: impl FnMut(u32)) {
        let began = Instant::now();
        while self.child.try_wait().expect("the process can be waited for").is_none() {
            each_time(self.child.id());
            assert!(began.elapsed() < 5 * LIMIT, "it does not end: {}", self.stderr());
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end and takes all that it said.
    #[must_use]
    pub fn finish(mut self) -> Finished {
        let code = self.wait().code();
        self.readers.drain(..).for_each(|reader| reader.join().expect("a pipe is read"));
        let lines = self.lines.get_mut().unwrap_or_else(PoisonError::into_inner);
        let stdout: String = lines.iter().map(|line| line + "\n").collect();
        let stderr = self.stderr();
        assert!(!format!("{stdout}{stderr}").contains("panicked"), "a panic: {stdout}{stderr}");
        Finished { code, stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that has ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit code; none after a signal.
    pub code: Option<i32>,
    /// All of standard output.
    pub stdout: String,
    /// All of standard error.
    pub stderr: String,
}

impl Finished {
    /// Itself, if all went well.
    #[must_use]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Its standard output as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// All of standard error, if it failed with exit code 1 as it should: one sentence for people, and below it a hint
    /// where there is one.
    #[must_use]
    pub fn failure(&self) -> &str {
        self.failure_in(&self.stderr)
    }

    /// The same of a command that says on its way what it does.
    #[must_use]
    pub fn failure_after_notes(&self) -> &str {
        let notes = self.stderr.find("\nerror: ").map_or(0, |end| end + 1);
        self.failure_in(&self.stderr[notes..])
    }

    fn failure_in<'s>(&self, said: &'s str) -> &'s str {
        assert_eq!(self.code, Some(1), "{self:?}");
        let said = said.trim_end();
        let (sentence, hint) = said.split_once('\n').unwrap_or((said, "hint: "));
        assert!(sentence.starts_with("error: "), "not one sentence: {self:?}");
        assert!(hint.starts_with("hint: ") && !hint.contains('\n'), "not one hint: {self:?}");
        said
    }
}
