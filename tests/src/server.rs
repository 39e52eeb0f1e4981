//! A running server.

use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::answer::assert_holds;
use crate::binary::{Process, command, command_after};
use crate::data::{argument, samples};
use crate::events::Events;

/// Until a server is ready.
const START: Duration = Duration::from_secs(60);
/// Until a request is answered.
const REQUEST: Duration = Duration::from_secs(90);

/// `qanda serve` on a free port of this machine. Killed when dropped.
#[derive(Debug)]
pub struct Server {
    process: Process,
    url: String,
    client: Client,
    /// A store that is this server's own.
    _data: Option<TempDir>,
}

impl Server {
    /// Starts a server over the store in `data` and waits until questions can be answered.
    #[must_use]
    pub fn start(data: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::launch(data, arguments);
        server.wait_until_ready();
        server
    }

    /// Starts a server and waits only until it listens.
    #[must_use]
    pub fn launch(data: &Path, arguments: &[&str]) -> Self {
        Self::run(command(&Self::arguments(data, arguments)))
    }

    /// Starts a server that a line of shell has prepared, such as a limit, and waits until questions can be answered.
    #[must_use]
    pub fn start_after(line: &str, data: &Path, arguments: &[&str]) -> Self {
        let mut server = Self::run(command_after(line, &Self::arguments(data, arguments)));
        server.wait_until_ready();
        server
    }

    /// The arguments of a server on a free port over the store in `data`.
    #[must_use]
    pub fn arguments<'a>(data: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
        [&["serve", "--listen", "127.0.0.1:0", "--data-dir", argument(data)], more].concat()
    }

    /// Starts a server by a command that was prepared, and waits only until it listens.
    #[must_use]
    pub fn run(command: Command) -> Self {
        let process = Process::start(command);
        let line = process.line();
        let url = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("unexpected: {line}")).to_owned();
        let client = crate::client(REQUEST);
        Self { process, url, client, _data: None }
    }

    /// Starts a server over a store of its own with the sample documents.
    #[must_use]
    pub fn over_samples(arguments: &[&str]) -> Self {
        let data = samples();
        let mut server = Self::start(data.path(), arguments);
        server._data = Some(data);
        server
    }

    /// A server over the sample documents with short answers, shared by the tests that run at the same time.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let server = Arc::new(Self::over_samples(&["--max-tokens", "32", "--context-tokens", "96"]));
            *shared = Arc::downgrade(&server);
            server
        })
    }

    /// Waits until questions can be answered.
    pub fn wait_until_ready(&mut self) {
        let began = Instant::now();
        while !self.get("/readyz").send().is_ok_and(|response| response.status() == 200) {
            assert!(began.elapsed() < START, "not ready after {START:?}: {}", self.process.stderr());
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// A GET request.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    /// A POST request.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// A PUT request.
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.client.put(format!("{}{path}", self.url))
    }

    /// A DELETE request.
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.client.delete(format!("{}{path}", self.url))
    }

    /// Sends a question.
    #[must_use]
    pub fn ask(&self, question: &Value) -> Response {
        self.post("/apis/q-and-a/q").json(question).send().expect("the server responds")
    }

    /// Sends only the beginning of a question: the server has something to wait for, for thirty seconds.
    #[must_use]
    pub fn begin_question(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).expect("connects");
        write!(stream, "POST /apis/q-and-a/q HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{{").expect("is sent");
        stream
    }

    /// The answer to a question, with its citations checked.
    #[must_use]
    pub fn answer(&self, question: &Value) -> Value {
        let response = self.ask(question);
        let status = response.status();
        let answer: Value = response.json().expect("an answer is JSON");
        assert_eq!(status, 200, "{answer:#}");
        assert_holds(&answer);
        answer
    }

    /// The answer to a question as a stream.
    #[must_use]
    pub fn stream(&self, content: &str, documents: bool) -> Events {
        Events::of(self.ask(&json!({"content": content, "query_option": documents, "stream": true})))
    }

    /// Its address: `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    /// Number of its process.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits until it says something on standard error.
    pub fn wait_to_say(&mut self, words: &str) {
        self.process.wait_to_say(words);
    }

    /// Sends it a signal by name, like `TERM`.
    pub fn signal(&self, name: &str) {
        self.process.signal(name);
    }

    /// Numbers of its worker processes, from old to new.
    #[must_use]
    pub fn workers(&self) -> Vec<u32> {
        let id = self.process.id();
        let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        children.split_whitespace().map(|child| child.parse().expect("a number")).collect()
    }

    /// Its words on standard error so far.
    #[must_use]
    pub fn said(&self) -> String {
        self.process.stderr()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait()
    }

    /// It answers, and nothing in it has panicked.
    pub fn assert_healthy(&self) {
        let response = self.get("/readyz").send().expect("the server responds");
        assert_eq!(response.status(), 200);
        assert!(!self.process.stderr().contains("panicked"), "a panic: {}", self.process.stderr());
    }
}

impl Drop for Server {
    #[allow(clippy::print_stderr)]
    fn drop(&mut self) {
        let said = self.process.stderr();
        if thread::panicking() {
            let last: Vec<&str> = said.lines().rev().filter(|line| !line.contains("/readyz")).take(20).collect();
            eprintln!("the server's last words:\n{}", last.into_iter().rev().collect::<Vec<_>>().join("\n"));
        } else {
            assert!(!said.contains("panicked"), "a panic in the server: {said}");
        }
    }
}
