//! Ends what takes too long, from a thread of its own.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Watch over one exchange after the other. Its thread is woken when an exchange must be over before it looks again
/// anyhow, which is once for many short ones.
pub(super) struct Watch(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// When the exchange under way must be over.
    deadline: Option<Instant>,
    /// When the thread looks again; none while it waits to be woken.
    looks: Option<Instant>,
    /// Whether one was not over in time.
    late: bool,
    /// Whether nobody asks any more.
    gone: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks until one exchange is late, which returns true, or nobody asks any more.
    fn look(&self) -> bool {
        let mut state = self.state();
        while !state.gone {
            let now = Instant::now();
            if state.deadline.is_some_and(|deadline| deadline <= now) {
                state.late = true;
                return true;
            }
            state.looks = state.deadline;
            state = match state.deadline {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    self.changed.wait_timeout(state, deadline - now).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        false
    }
}

impl Watch {
    /// Starts the thread, which calls `end` when an exchange is late, and looks no more then.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(super) fn start(end: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let watched = Arc::clone(&shared);
        let look = move || {
            if watched.look() {
                end();
            }
        };
        thread::Builder::new().name("reading-limit".to_owned()).spawn(look)?;
        Ok(Self(shared))
    }

    /// An exchange begins, which may take as long as `limit`.
    pub(super) fn begin(&self, limit: Duration) {
        let mut state = self.0.state();
        let deadline = Instant::now() + limit;
        state.deadline = Some(deadline);
        if state.looks.is_none_or(|looks| deadline < looks) {
            self.0.changed.notify_one();
        }
    }

    /// It is over.
    pub(super) fn end(&self) {
        self.0.state().deadline = None;
    }

    /// Whether an exchange was late.
    pub(super) fn is_late(&self) -> bool {
        self.0.state().late
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.state().gone = true;
        self.0.changed.notify_one();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_is_late_is_ended_whatever_came_before_it() {
        let (sender, ended) = channel();
        let watch = Watch::start(move || sender.send(()).unwrap()).unwrap();
        for _ in 0..100 {
            watch.begin(Duration::from_secs(600));
            watch.end();
        }
        assert!(!watch.is_late());
        // A shorter limit than the one that the thread waits for.
        watch.begin(Duration::from_millis(1));
        ended.recv().unwrap();
        assert!(watch.is_late());
    }

    #[test]
    fn nothing_is_ended_when_nobody_asks_any_more() {
        let (sender, ended) = channel::<()>();
        let watch = Watch::start(move || sender.send(()).unwrap()).unwrap();
        watch.begin(Duration::from_secs(600));
        drop(watch);
        // The thread ends, and its sender with it.
        assert!(ended.recv().is_err());
    }
}
