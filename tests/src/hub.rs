//! A server that speaks as a hub of models does, with faults to order.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The commit that all repositories are at.
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A hub with one repository. Its files are on another server, as those of large hubs are.
pub struct Hub {
    /// Address without a path.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    repository: String,
    files: Mutex<BTreeMap<String, File>>,
    /// Address of the server that has the files.
    storage: String,
    /// Bytes after which each download breaks off; 0 for none.
    break_after: AtomicUsize,
    requests: Mutex<Vec<Request>>,
}

struct File {
    bytes: Vec<u8>,
    sha256: String,
}

/// A request that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path with its query.
    pub path: String,
    /// The header `Range`.
    pub range: Option<String>,
    /// The header `Authorization`.
    pub authorization: Option<String>,
}

impl Hub {
    /// Starts one with a repository and its files. It ends with the test's process.
    #[must_use]
    pub fn start(repository: &str, files: &[(&str, &[u8])]) -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
        let (front, storage) = (listen(), listen());
        let address = |listener: &TcpListener| format!("http://{}", listener.local_addr().expect("an address"));
        let url = address(&front);
        let files = files.iter().map(|(path, bytes)| {
            let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            ((*path).to_owned(), File { bytes: bytes.to_vec(), sha256 })
        });
        let shared = Arc::new(Shared {
            repository: repository.to_owned(),
            files: Mutex::new(files.collect()),
            storage: address(&storage),
            ..Shared::default()
        });
        for listener in [front, storage] {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    // A caller that goes away is no fault of the server's.
                    thread::spawn(move || drop(shared.answer(stream)));
                }
            });
        }
        Self { url, shared }
    }

    /// Lets each download break off after so many bytes; 0 for none.
    pub fn break_after(&self, bytes: usize) {
        self.shared.break_after.store(bytes, Ordering::Relaxed);
    }

    /// Replaces the bytes of a file, but not the hash that is told of it.
    pub fn falsify(&self, path: &str) {
        let mut files = self.shared.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.get_mut(path).expect("the file").bytes[0] ^= 1;
    }

    /// SHA-256 of a file.
    #[must_use]
    pub fn sha256(&self, path: &str) -> String {
        self.shared.files.lock().unwrap_or_else(PoisonError::into_inner)[path].sha256.clone()
    }

    /// Requests since the last call.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut *self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shared {
    fn answer(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = read(&stream)?;
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        let listing = format!("/api/models/{}/revision/main?blobs=true", self.repository);
        if request.path == listing {
            let body = self.listing().to_string();
            return reply(&mut stream, "200 OK", &[("Content-Type", "application/json")], body.as_bytes());
        }
        let at_commit = format!("/{}/resolve/{COMMIT}/", self.repository);
        if let Some(file) = request.path.strip_prefix(&at_commit) {
            let place = format!("{}/blobs/{file}", self.storage);
            return reply(&mut stream, "302 Found", &[("Location", &place)], b"");
        }
        match request.path.strip_prefix("/blobs/") {
            Some(file) => self.send(&mut stream, file, request.range.as_deref()),
            None => reply(&mut stream, "404 Not Found", &[], b"{\"error\":\"Repository not found\"}"),
        }
    }

    /// As a hub lists it: only large files have a hash.
    fn listing(&self) -> Value {
        let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let files: Vec<_> = files
            .iter()
            .map(|(path, file)| {
                let size = file.bytes.len();
                if path.ends_with(".json") {
                    json!({ "rfilename": path, "size": size, "blobId": "aa" })
                } else {
                    let lfs = json!({ "sha256": file.sha256, "size": size, "pointerSize": 135 });
                    json!({ "rfilename": path, "size": size, "blobId": "aa", "lfs": lfs })
                }
            })
            .collect();
        json!({ "id": self.repository, "sha": COMMIT, "tags": ["gguf", "license:apache-2.0"], "siblings": files })
    }

    fn send(&self, stream: &mut TcpStream, path: &str, range: Option<&str>) -> std::io::Result<()> {
        let bytes = self.files.lock().unwrap_or_else(PoisonError::into_inner)[path].bytes.clone();
        let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok());
        let start: usize = start.unwrap_or(0);
        let rest = &bytes[start..];
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: {range}\r\n\r\n", rest.len())?;
        match self.break_after.load(Ordering::Relaxed) {
            0 => stream.write_all(rest),
            most => {
                stream.write_all(&rest[..most.min(rest.len())])?;
                stream.flush()?;
                stream.shutdown(Shutdown::Both)
            }
        }
    }
}

fn read(stream: &TcpStream) -> std::io::Result<Request> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut request = Request { path, range: None, authorization: None };
    for line in lines {
        let line = line?;
        match line.split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("range") => request.range = Some(value.to_owned()),
            Some((name, value)) if name.eq_ignore_ascii_case("authorization") => {
                request.authorization = Some(value.to_owned());
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(request)
}

fn reply(stream: &mut TcpStream, status: &str, headers: &[(&str, &str)], body: &[u8]) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len())?;
    for (name, value) in headers {
        write!(stream, "{name}: {value}\r\n")?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(body)
}
