//! Threads that take one request at a time. Each accepts for itself, and only while it has nothing to do; so a
//! connection never waits behind a request while another thread or process is free.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Barrier, mpsc, watch};

use super::connection::{self, Reuse};
use super::{Progress, accept, stopped};

/// Serves on so many threads. Dropping this future cuts off what still runs.
pub(super) async fn serve(
    listener: StdListener,
    app: Router,
    threads: usize,
    write_timeout: Duration,
    progress: Progress,
    stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let (cut, cutting) = watch::channel(());
    let (failed, mut failures) = mpsc::channel(threads);
    let last = Arc::new(Barrier::new(threads));
    let mut running = Threads { cut: Some(cut), handles: Vec::with_capacity(threads) };
    for number in 0..threads {
        let thread = RequestThread {
            name: format!("request-{number}"),
            listener: listener.try_clone()?,
            app: app.clone(),
            write_timeout,
            progress: progress.clone(),
            stopping: stopping.clone(),
            cutting: cutting.clone(),
            last: Arc::clone(&last),
        };
        let failed = failed.clone();
        let name = thread.name.clone();
        let run = move || {
            if let Err(error) = thread.run() {
                // There is room for one error of each thread.
                let _ = failed.try_send(error);
            }
        };
        running.handles.push(thread::Builder::new().name(name).spawn(run)?);
    }
    drop((listener, failed));
    // Nothing comes when all of them have ended well.
    match failures.recv().await {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// A thread with a runtime of its own.
struct RequestThread {
    name: String,
    listener: StdListener,
    app: Router,
    write_timeout: Duration,
    progress: Progress,
    stopping: watch::Receiver<bool>,
    /// Changes, or closes, when nothing may run any more.
    cutting: watch::Receiver<()>,
    /// The threads wait for each other here in the end.
    last: Arc<Barrier>,
}

impl RequestThread {
    fn run(self) -> std::io::Result<()> {
        let Self { name, listener, app, write_timeout, progress, mut stopping, mut cutting, last } = self;
        let serving = async {
            let _signs = progress.of_this_thread(&name);
            let listener = TcpListener::from_std(listener)?;
            loop {
                let stream = tokio::select! {
                    stream = accept(&listener) => stream,
                    () = stopped(&mut stopping) => break,
                };
                let connection = connection::serve(stream, app.clone(), Reuse::Never, write_timeout, stopping.clone());
                // As a task, so that a panic ends one connection and not the thread.
                let _ = tokio::spawn(connection).await;
            }
            drop(listener);
            // Clients share connections to a model's endpoint, which live on the thread that opened them: no thread
            // may end while another one still uses one of its connections.
            last.wait().await;
            Ok(())
        };
        Builder::new_current_thread().enable_all().build()?.block_on(async {
            tokio::select! {
                served = serving => served,
                _ = cutting.changed() => Ok(()),
            }
        })
    }
}

/// All threads; dropping it ends them.
struct Threads {
    cut: Option<watch::Sender<()>>,
    handles: Vec<JoinHandle<()>>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        self.cut.take();
        for handle in self.handles.drain(..) {
            // A thread that has panicked has said so itself.
            let _ = handle.join();
        }
    }
}
