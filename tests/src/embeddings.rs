//! An endpoint for embeddings that remembers every text it was given.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// Numbers of a vector.
const DIMENSION: u64 = 16;

/// An endpoint that makes vectors out of the bytes of texts. It ends with the test's process.
#[derive(Debug)]
pub struct Embeddings {
    base_url: String,
    texts: Arc<Mutex<HashMap<String, usize>>>,
}

impl Embeddings {
    /// Starts one on a free port, that takes so long for each request, and refuses requests with a text that holds this
    /// word.
    #[must_use]
    pub fn start(latency: Duration, refused: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let texts: Arc<Mutex<HashMap<String, usize>>> = Arc::default();
        let seen = Arc::clone(&texts);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let seen = Arc::clone(&seen);
                thread::spawn(move || answer(stream, latency, refused, &seen));
            }
        });
        Self { base_url, texts }
    }

    /// Its address, up to and with `/v1`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// A command of the binary that embeds here.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = crate::binary::command(arguments);
        command.env("OPENAI_BASE_URL", self.base_url()).env("OPENAI_EMBEDDING_MODEL", "m");
        command.env("QANDA_EMBEDDER", "openai").env("OPENAI_API_KEY", "none");
        command
    }

    /// Every text so far, with the number of times that it was sent.
    #[must_use]
    pub fn texts(&self) -> HashMap<String, usize> {
        self.texts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Reads a request, waits, and answers; none if the connection breaks.
fn answer(mut stream: TcpStream, latency: Duration, refused: &str, seen: &Mutex<HashMap<String, usize>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.trim().parse().ok()?,
            None if line.trim_end().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body: Value = serde_json::from_slice(&body).ok()?;
    let texts: Vec<String> = match &body["input"] {
        Value::String(text) => vec![text.clone()],
        list => list.as_array()?.iter().filter_map(|text| text.as_str().map(ToOwned::to_owned)).collect(),
    };
    thread::sleep(latency);
    let (status, answer) = if texts.iter().any(|text| !refused.is_empty() && text.contains(refused)) {
        ("400 Bad Request", json!({"error": {"message": "this text is not taken", "type": "invalid_request_error"}}))
    } else {
        let datum =
            |(index, text): (usize, &String)| json!({"object": "embedding", "index": index, "embedding": vector(text)});
        let data: Vec<Value> = texts.iter().enumerate().map(datum).collect();
        (
            "200 OK",
            json!({"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
        )
    };
    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    for text in texts {
        *seen.entry(text).or_default() += 1;
    }
    drop(seen);
    let answer = answer.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}", answer.len());
    write!(stream, "{head}\r\nconnection: close\r\n\r\n{answer}").ok()
}

/// Numbers that depend on the text alone, of a vector of length 1.
fn vector(text: &str) -> Vec<f64> {
    let mut state = text
        .bytes()
        .fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    let numbers: Vec<f64> = (0..DIMENSION)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % 2_001) as f64 / 1_000.0 - 1.0
        })
        .collect();
    let length = numbers.iter().map(|number| number * number).sum::<f64>().sqrt().max(1e-9);
    numbers.iter().map(|number| number / length).collect()
}
