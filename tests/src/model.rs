//! Models that cost nothing: `qanda mock-llm`, and an endpoint that remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;

use serde_json::{Value, json};

use crate::binary::{Process, command};

/// `qanda mock-llm` on a free port: chat and embeddings. Killed when dropped.
#[derive(Debug)]
pub struct MockModel {
    base_url: String,
    _process: Process,
}

impl MockModel {
    /// Starts one.
    #[must_use]
    pub fn start(arguments: &[&str]) -> Self {
        let process = Process::start(command(&[&["mock-llm", "--listen", "127.0.0.1:0"], arguments].concat()));
        let line = process.line();
        let url = line.strip_prefix("mock model listening on ").unwrap_or_else(|| panic!("unexpected: {line}"));
        Self { base_url: format!("{url}/v1"), _process: process }
    }

    /// One that answers at once, shared by the tests that run at the same time.
    #[must_use]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<MockModel>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let model = Arc::new(Self::start(&["--latency", "0", "--embedding-latency", "0"]));
            *shared = Arc::downgrade(&model);
            model
        })
    }

    /// Its address, up to and with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Arguments that make it both models of a server, which then loads nothing.
    #[must_use]
    pub fn arguments(&self) -> [&str; 6] {
        ["--llm", "openai", "--embedder", "openai", "--openai-base-url", &self.base_url]
    }
}

/// An endpoint for chat that says one word, and remembers each request. It ends with the test's process.
#[derive(Debug)]
pub struct Recorder {
    base_url: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Recorder {
    /// Starts one on a free port.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if let Some(request) = answer(stream) {
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                }
            }
        });
        Self { base_url, requests }
    }

    /// Its address, up to and with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The requests so far.
    #[must_use]
    pub fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads a request's body and answers; none if the connection breaks.
fn answer(mut stream: TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            // The first line.
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let chunk =
        |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    let (said, end) = (chunk(json!({"content": "Noted."}), Value::Null), chunk(json!({}), "stop".into()));
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    write!(stream, "{head}data: {said}\n\ndata: {end}\n\ndata: [DONE]\n\n").ok()?;
    serde_json::from_slice(&body).ok()
}
