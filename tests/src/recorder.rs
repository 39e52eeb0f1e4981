//! An endpoint that remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

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
