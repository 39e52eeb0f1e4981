//! Callers that do not read, callers that leave, and threads that are stuck: over real connections.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener as StdListener, TcpStream as StdStream};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::get;
use futures::stream;
use tokio::sync::{Notify, watch};

use super::{Class, Progress, Serving, serve};

/// Nothing takes this long, unless it hangs.
const LIMIT: Duration = Duration::from_secs(30);
/// More than the system holds for two ends of a connection.
const LARGE: usize = 64 << 20;

/// A server that ends with the test.
struct Server {
    address: SocketAddr,
    progress: Progress,
    _stop: watch::Sender<bool>,
}

/// Serves on a thread of its own until dropped.
fn start(class: Class, write_timeout: Duration, app: Router) -> Server {
    let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopping) = watch::channel(false);
    let progress = Progress::default();
    let serving = Serving { class, connections: 100, write_timeout, progress: progress.clone() };
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        runtime.expect("a runtime").block_on(serve(listener, app, serving, stopping))
    });
    Server { address, progress, _stop: stop }
}

/// Sends a request, of which nothing is read yet.
fn request(server: &Server, path: &str) -> StdStream {
    let mut stream = StdStream::connect(server.address).expect("connects");
    stream.set_read_timeout(Some(LIMIT)).expect("is set");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("is sent");
    stream
}

/// Reads an answer to its end: how many bytes came, and whether the connection broke.
fn read(mut stream: StdStream) -> (usize, bool) {
    let mut bytes = Vec::new();
    let broke = stream.read_to_end(&mut bytes).is_err();
    (bytes.len(), broke)
}

fn answers(server: &Server, path: &str) -> bool {
    let mut answer = String::new();
    request(server, path).read_to_string(&mut answer).is_ok() && answer.starts_with("HTTP/1.1 200")
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Says that it was dropped.
struct Told(Sender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// So many bytes, made when they are wanted. `dropped` learns when nobody wants them any more.
fn large(size: usize, dropped: Sender<()>) -> Response {
    const PIECE: usize = 1 << 16;
    let state = (size / PIECE, Told(dropped));
    let pieces = stream::unfold(state, |(left, told)| async move {
        let left = left.checked_sub(1)?;
        Some((Ok::<_, Infallible>(Bytes::from_static(&[b'x'; PIECE])), (left, told)))
    });
    Response::new(Body::from_stream(pieces))
}

#[test]
fn a_caller_that_does_not_read_is_left_and_its_place_is_free() {
    for class in [Class::Async, Class::Sync] {
        let (sender, dropped) = channel();
        let app = Router::new()
            .route("/large", get(move || async move { large(LARGE, sender.clone()) }))
            .route("/small", get(|| async { "small" }));
        let server = start(class, Duration::from_millis(300), app);
        let silent = request(&server, "/large");
        assert!(answers(&server, "/small"), "{class:?}");
        dropped.recv_timeout(LIMIT).expect("the answer is given up");
        let (length, broke) = read(silent);
        assert!(broke && length < LARGE, "{class:?}: {length} bytes, {broke}");
    }
}

#[test]
fn a_caller_that_reads_slowly_gets_all_of_its_answer() {
    let limit = Duration::from_secs(2);
    let size = 16 << 20;
    let (sender, _dropped) = channel();
    let app = Router::new().route("/large", get(move || async move { large(size, sender.clone()) }));
    let server = start(Class::Async, limit, app);
    let mut stream = request(&server, "/large");
    let began = Instant::now();
    let mut piece = vec![0; 1 << 20];
    let mut length = 0;
    loop {
        thread::sleep(Duration::from_millis(150));
        match stream.read(&mut piece).expect("the connection holds") {
            0 => break,
            read => length += read,
        }
    }
    assert!(length > size, "{length} bytes");
    assert!(began.elapsed() > limit, "longer in all than a write may wait");
}

#[test]
fn callers_that_left_hold_no_place() {
    for class in [Class::Sync, Class::Gthread(NonZeroUsize::MIN.saturating_add(1))] {
        let app = Router::new()
            .route("/forever", get(|| async { std::future::pending::<&str>().await }))
            .route("/small", get(|| async { "small" }));
        let server = start(class, LIMIT, app);
        // The first ones are being answered when they leave, the others wait to be accepted.
        let callers: Vec<_> = (0..20).map(|_| request(&server, "/forever")).collect();
        thread::sleep(Duration::from_millis(100));
        drop(callers);
        assert!(answers(&server, "/small"), "{class:?}");
    }
}

#[test]
fn a_thread_that_is_stuck_makes_no_progress_and_one_that_waits_does() {
    let (release, stuck) = channel::<()>();
    let stuck = Arc::new(std::sync::Mutex::new(stuck));
    let block = move || async move {
        let _ = stuck.lock().expect("nobody panics").recv_timeout(LIMIT);
        "released"
    };
    let finish = Arc::new(Notify::new());
    let finished = Arc::clone(&finish);
    let wait = move || async move {
        finished.notified().await;
        "finished"
    };
    let app = Router::new().route("/block", get(block)).route("/wait", get(wait));
    let server = start(Class::Gthread(NonZeroUsize::MIN), LIMIT, app);

    let waiting = request(&server, "/wait");
    // Longer than a sign of life takes to be overdue.
    thread::sleep(Duration::from_secs(3));
    wait_until("a thread that waits is in time", || server.progress.overdue().is_none());
    finish.notify_one();
    assert!(read(waiting).0 > 0);

    let blocked = request(&server, "/block");
    let is_overdue = |(name, overdue): (String, Duration)| name == "request-0" && overdue > Duration::from_millis(500);
    wait_until("the stuck thread is overdue", || server.progress.overdue().is_some_and(is_overdue));
    release.send(()).expect("it waits");
    assert!(read(blocked).0 > 0);
    wait_until("it is in time again", || server.progress.overdue().is_none());
}
