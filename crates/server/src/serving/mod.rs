//! Accepting connections: all of them, or as many as there are threads.

mod connection;
mod progress;
mod threads;
mod write_timeout;

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::TcpListener as StdListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use self::connection::Reuse;
pub use self::progress::Progress;

/// How many requests a process takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Every one, on a few threads that wait for many at a time.
    Async,
    /// One at a time.
    Sync,
    /// So many at a time, each on a thread of its own.
    Gthread(NonZeroUsize),
}

impl Class {
    /// Its name, as people write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Async => "async",
            Self::Sync => "sync",
            Self::Gthread(_) => "gthread",
        }
    }
}

/// The way in which a process serves.
#[derive(Debug, Clone)]
pub struct Serving {
    /// Requests that it takes at a time.
    pub class: Class,
    /// Connections with which an asynchronous process is full.
    pub connections: usize,
    /// A caller that takes nothing of its answer for so long is left.
    pub write_timeout: Duration,
    /// Tells others how its threads do.
    pub progress: Progress,
}

/// More than this is not taken out of the queue of a listener that closes.
const QUEUE: usize = 4096;

/// Serves until `stopping` says so, then finishes the requests that run. The listener may be shared with other
/// processes: one that is full does not accept, and the next connection is another's, or waits.
///
/// # Errors
/// When the listener cannot be used, or a thread cannot be started.
pub async fn serve(
    listener: StdListener,
    app: Router,
    serving: Serving,
    stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let Serving { class, connections, write_timeout, progress } = serving;
    listener.set_nonblocking(true)?;
    let room = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
    let app = app.layer(from_fn_with_state((stopping.clone(), Arc::clone(&room)), close_connection_where_due));
    let threads = match class {
        Class::Async => return serve_all(listener, app, room, write_timeout, stopping).await,
        Class::Sync => 1,
        Class::Gthread(threads) => threads.get(),
    };
    threads::serve(listener, app, threads, write_timeout, progress, stopping).await
}

async fn serve_all(
    listener: StdListener,
    app: Router,
    room: Arc<Semaphore>,
    write_timeout: Duration,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    // Nothing is ever sent; receiving ends when the last connection has dropped its end.
    let (open, mut all_closed) = mpsc::channel::<Infallible>(1);
    let told = stopping.clone();
    let take = |stream: TcpStream, place: Option<OwnedSemaphorePermit>| {
        let (app, told, open) = (app.clone(), told.clone(), open.clone());
        tokio::spawn(async move {
            connection::serve(stream, app, Reuse::Always, write_timeout, told).await;
            drop((open, place));
        });
    };
    let mut full = false;
    let next = async |full: &mut bool| {
        if room.available_permits() == 0 && !std::mem::replace(full, true) {
            tracing::warn!("there are as many connections as open files allow; others wait to be accepted");
        }
        // It is never closed.
        let place = Arc::clone(&room).acquire_owned().await.ok();
        (accept(&listener).await, place)
    };
    loop {
        tokio::select! {
            (stream, place) = next(&mut full) => take(stream, place),
            () = stopped(&mut stopping) => break,
        }
    }
    // Whoever has connected already is served, too: closing the listener would turn them away.
    let listener = listener.into_std()?;
    for _ in 0..QUEUE {
        let place = Arc::clone(&room).acquire_owned().await.ok();
        let Ok((stream, _)) = listener.accept() else { break };
        stream.set_nonblocking(true)?;
        take(TcpStream::from_std(stream)?, place);
    }
    drop((listener, open));
    all_closed.recv().await;
    Ok(())
}

/// The next connection. What may pass is waited for, such as too many open files.
async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Without this, small events of a stream wait for each other. It is only slower if it fails.
                let _ = stream.set_nodelay(true);
                return stream;
            }
            Err(error) if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which only happens when everything ends.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Tells a request whether the process is about to end.
#[derive(Clone)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits so long, or until the process is about to end; returns whether it is.
    pub(crate) async fn comes_within(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, stopped(&mut self.0)).await.is_ok()
    }
}

/// Tells callers not to use their connection again once this process is about to end, so that none of them sends a
/// request into a connection that is being closed; and while it is full, as an idle connection would hold the place of
/// somebody who waits.
async fn close_connection_where_due(
    State((stopping, room)): State<(watch::Receiver<bool>, Arc<Semaphore>)>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(Stopping(stopping.clone()));
    let mut response = next.run(request).await;
    if *stopping.borrow() || room.available_permits() == 0 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
