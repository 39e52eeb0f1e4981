use std::pin::pin;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::stopped;

/// How long a connection is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// For as many requests as its caller likes.
    Kept,
    /// For one request: it holds a place that others wait for.
    Once,
}

/// A process that stops still reads from its open connections for so long. A request that was on its way is answered
/// then (and its caller told to connect anew), which closing at once would lose.
const LINGER: Duration = Duration::from_secs(1);

/// Whoever holds a place has so long to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

/// A connection that is kept may be idle for so long, as many proxies have it, so that idle ones do not use up the
/// places of a process.
const IDLE: Duration = Duration::from_secs(75);

/// Serves one connection to its end.
pub(super) async fn serve(stream: TcpStream, app: Router, style: Style, mut stopping: watch::Receiver<bool>) {
    let mut http = http1::Builder::new();
    // This time runs from the end of the request before.
    match style {
        Style::Kept => http.timer(TokioTimer::new()).header_read_timeout(IDLE),
        Style::Once => http.keep_alive(false).timer(TokioTimer::new()).header_read_timeout(HEAD),
    };
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)));
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
