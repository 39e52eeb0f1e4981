//! An endpoint that does exactly what a test tells it, byte by byte.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// One thing that the endpoint does.
#[derive(Clone)]
pub(crate) enum Act {
    Send(Vec<u8>),
    Wait(Duration),
}

/// Acts with which it answers one request, before it closes the connection.
pub(crate) type Reply = Vec<Act>;

/// An endpoint on a port of its own.
pub(crate) struct Scripted {
    pub(crate) base_url: String,
    requests: Arc<Mutex<Vec<String>>>,
    closed_early: Arc<Mutex<usize>>,
}

impl Scripted {
    /// Gives these replies, one a request; the last one again and again.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let closed_early = Arc::new(Mutex::new(0));
        let (seen, closed) = (Arc::clone(&requests), Arc::clone(&closed_early));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, closed, replies) = (Arc::clone(&seen), Arc::clone(&closed), replies.clone());
                tokio::spawn(async move {
                    let Some(request) = read_request(&mut stream).await else { return };
                    let number = {
                        let mut seen = seen.lock().expect("no panic");
                        seen.push(request);
                        seen.len() - 1
                    };
                    if perform(&mut stream, replies[number.min(replies.len() - 1)].clone()).await.is_err() {
                        *closed.lock().expect("no panic") += 1;
                    }
                });
            }
        });
        Self { base_url, requests, closed_early }
    }

    /// The requests so far, head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no panic").clone()
    }

    /// The body of a request.
    pub(crate) fn body(&self, number: usize) -> serde_json::Value {
        let request = &self.requests()[number];
        serde_json::from_str(request.split_once("\r\n\r\n").expect("a body").1).expect("JSON")
    }

    /// Waits until the other side has closed a connection before its reply was complete.
    pub(crate) async fn wait_for_a_closed_connection(&self) {
        for _ in 0..500 {
            if *self.closed_early.lock().expect("no panic") > 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the connection is still open");
    }
}

async fn perform(stream: &mut TcpStream, reply: Reply) -> std::io::Result<()> {
    for act in reply {
        match act {
            Act::Send(bytes) => stream.write_all(&bytes).await?,
            Act::Wait(time) => {
                let mut byte = [0];
                // Nothing more is sent by a client, so whatever is read here is the end of the connection.
                if tokio::time::timeout(time, stream.read(&mut byte)).await.is_ok() {
                    return Err(std::io::ErrorKind::ConnectionReset.into());
                }
            }
        }
        stream.flush().await?;
    }
    stream.shutdown().await
}

async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if bytes.len() >= head.len() + 4 + length.unwrap_or(0) {
                return Some(text);
            }
        }
        let mut piece = [0; 4096];
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => return None,
        }
    }
}

/// A whole answer with a status, further header lines and a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\n{headers}\r\n");
    vec![Act::Send((head + body).into_bytes())]
}

/// An error as OpenAI sends it.
pub(crate) fn error(status: &str, message: &str) -> Reply {
    answer(status, "", &serde_json::json!({"error": {"message": message, "type": "t", "code": null}}).to_string())
}

/// The head of a stream of events; its end is the end of the connection.
pub(crate) fn stream_head() -> Act {
    Act::Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec())
}

/// A stream of events, sent in one piece.
pub(crate) fn stream(body: &str) -> Reply {
    vec![stream_head(), Act::Send(body.as_bytes().to_vec())]
}

/// An event with a piece of text.
pub(crate) fn token(text: &str) -> String {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n")
}

/// An event with a delta and a reason for the end.
pub(crate) fn chunk(delta: &serde_json::Value, finish: Option<&str>) -> String {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    format!("data: {chunk}\n\n")
}

/// How a complete answer ends.
pub(crate) const END: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: {\"choices\":[],\"usage\":{\"total_tokens\":3}}\n\n",
    "data: [DONE]\n\n",
);

/// A complete answer.
pub(crate) fn good(text: &str) -> Reply {
    stream(&(token(text) + END))
}
