//! The way to the engine's thread, and its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use qanda_core::ModelError;

use super::request::Request;

/// The engine as its callers see it.
///
/// Dropping it lets running answers finish and waits for the thread: a process must not end while llama.cpp
/// computes.
pub(super) struct EngineHandle<S> {
    /// Taken in `drop`: the engine ends when no sender is left.
    requests: Option<SyncSender<Request<S>>>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
}

/// The state of the engine.
#[derive(Default)]
struct Shared {
    /// Requests without a slot.
    waiting: AtomicUsize,
    ended: AtomicBool,
}

/// The engine's end of the way. Dropping it, also by a panic, says that the engine has ended.
pub(super) struct Inbox<S> {
    requests: Receiver<Request<S>>,
    shared: Arc<Shared>,
}

/// The next thing to do for the engine.
pub(super) enum Next<S> {
    Request(Request<S>),
    /// No request for now.
    Nothing,
    /// No more requests.
    Closed,
}

/// Says that the engine is ready, or why it cannot be.
pub(super) type Ready = SyncSender<Result<(), ModelError>>;

impl<S: Send + 'static> EngineHandle<S> {
    /// Starts the thread, which has to run an engine on its inbox, and waits until it is ready. `queue` requests may
    /// wait.
    ///
    /// # Errors
    /// When there is no thread, or the thread says why it cannot run.
    pub(super) fn start(queue: usize, run: impl FnOnce(Inbox<S>, Ready) + Send + 'static) -> Result<Self, ModelError> {
        let (sender, requests) = sync_channel(queue.max(1));
        let shared = Arc::<Shared>::default();
        let inbox = Inbox { requests, shared: Arc::clone(&shared) };
        let (ready, started) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("llm".to_owned())
            .spawn(move || run(inbox, ready))
            .map_err(|cause| ModelError::failed("starting the model's thread", cause))?;
        started.recv().map_err(|_| ModelError::Stopped)??;
        Ok(Self { requests: Some(sender), thread: Some(thread), shared })
    }

    /// Hands a request to the engine.
    ///
    /// # Errors
    /// When too many wait, or the engine has ended.
    pub(super) fn submit(&self, request: Request<S>) -> Result<(), ModelError> {
        let requests = self.requests.as_ref().ok_or(ModelError::Stopped)?;
        let waiting = &self.shared.waiting;
        waiting.fetch_add(1, Ordering::Relaxed);
        requests.try_send(request).map_err(|error| {
            waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => ModelError::Overloaded { waiting: waiting.load(Ordering::Relaxed) },
                TrySendError::Disconnected(_) => ModelError::Stopped,
            }
        })
    }

    /// Whether the engine runs.
    ///
    /// # Errors
    /// [`ModelError::Stopped`] when it has ended, which only a fault of ours or of llama.cpp's makes it do.
    pub(super) fn check(&self) -> Result<(), ModelError> {
        if self.shared.ended.load(Ordering::Acquire) { Err(ModelError::Stopped) } else { Ok(()) }
    }
}

impl<S> Drop for EngineHandle<S> {
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            // It only fails when the engine panicked, which its callers have seen.
            let _ = thread.join();
        }
    }
}

impl<S> Inbox<S> {
    /// The next request in the order in which they came; `wait` sleeps until there is one.
    pub(super) fn next(&self, wait: bool) -> Next<S> {
        let next = match wait {
            true => self.requests.recv().map_err(|_| TryRecvError::Disconnected),
            false => self.requests.try_recv(),
        };
        match next {
            Ok(request) => {
                self.shared.waiting.fetch_sub(1, Ordering::Relaxed);
                Next::Request(request)
            }
            Err(TryRecvError::Empty) => Next::Nothing,
            Err(TryRecvError::Disconnected) => Next::Closed,
        }
    }
}

impl<S> Drop for Inbox<S> {
    fn drop(&mut self) {
        // Before the requests that wait are dropped, so that whoever sees an answer fail finds the engine ended.
        self.shared.ended.store(true, Ordering::Release);
    }
}
