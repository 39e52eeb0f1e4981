use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::stopped;
use super::write_timeout::WriteTimeout;

/// Whether a connection is used again after its first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reuse {
    /// For as many requests as its caller likes.
    Always,
    /// It holds a place that others wait for.
    Never,
}

/// A process that stops still reads from its open connections for so long. A request that was on its way is answered
/// then (and its caller told to connect anew), which closing at once would lose.
const LINGER: Duration = Duration::from_secs(1);

/// Time for the head of a request on a connection that holds a place.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// A connection that is kept may be idle for so long, as many proxies have it, so that idle ones do not use up the
/// places of a process.
const IDLE_TIMEOUT: Duration = Duration::from_secs(75);

/// Serves one connection to its end. A caller that takes nothing of its answer for so long as `write_timeout` is left.
pub(super) async fn serve(
    stream: TcpStream,
    app: Router,
    reuse: Reuse,
    write_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) {
    let mut http = http1::Builder::new();
    // This time runs from the end of the request before.
    match reuse {
        Reuse::Always => http.timer(TokioTimer::new()).header_read_timeout(IDLE_TIMEOUT),
        Reuse::Never => http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT),
    };
    let stream = TokioIo::new(WriteTimeout::new(stream, write_timeout));
    let mut connection = pin!(http.serve_connection(stream, TowerToHyperService::new(app)));
    // A connection that breaks is its caller's affair; what was answered stands in the access log.
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stopped(&mut stopping) => {}
    }
    tokio::select! {
        _ = connection.as_mut() => return,
        () = tokio::time::sleep(LINGER) => connection.as_mut().graceful_shutdown(),
    }
    let _ = connection.await;
}
