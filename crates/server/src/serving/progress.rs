//! Signs of life of the threads that take requests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::interval;

/// Between two signs of life of a thread.
const INTERVAL: Duration = Duration::from_secs(1);

/// Progress of the threads of a process that take requests. One that computes or blocks in the middle of a request
/// makes none, however well the rest of the process does; one that merely waits, for a model say, does.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Mutex<Vec<Arc<Thread>>>>);

#[derive(Debug)]
struct Thread {
    name: String,
    began: Instant,
    /// Milliseconds from its begin to its last sign of life.
    last: AtomicU64,
}

impl Progress {
    /// The thread whose sign of life is overdue for the longest time, and how long; none when all are in time.
    #[must_use]
    pub fn overdue(&self) -> Option<(String, Duration)> {
        let threads = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, overdue) = threads.iter().map(|thread| (&thread.name, thread.overdue())).max_by_key(|(_, o)| *o)?;
        (overdue > Duration::ZERO).then(|| (name.clone(), overdue))
    }

    /// Lets this thread, whose runtime calls this, give signs of life until what is returned is dropped.
    pub(super) fn of_this_thread(&self, name: &str) -> Signs {
        let thread = Arc::new(Thread { name: name.to_owned(), began: Instant::now(), last: AtomicU64::new(0) });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&thread));
        let beating = Arc::clone(&thread);
        let task = tokio::spawn(async move {
            let mut pulse = interval(INTERVAL);
            loop {
                pulse.tick().await;
                beating.is_alive();
            }
        });
        Signs { progress: self.clone(), thread, task: task.abort_handle() }
    }
}

impl Thread {
    fn is_alive(&self) {
        self.last.store(millis(self.began.elapsed()), Ordering::Relaxed);
    }

    fn overdue(&self) -> Duration {
        let last = Duration::from_millis(self.last.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last).saturating_sub(INTERVAL)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The signs of life of a thread that is expected to give some.
pub(super) struct Signs {
    progress: Progress,
    thread: Arc<Thread>,
    task: tokio::task::AbortHandle,
}

impl Drop for Signs {
    fn drop(&mut self) {
        self.task.abort();
        let mut threads = self.progress.0.lock().unwrap_or_else(PoisonError::into_inner);
        threads.retain(|thread| !Arc::ptr_eq(thread, &self.thread));
    }
}
