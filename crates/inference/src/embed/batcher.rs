//! Joins texts that arrive together into batches, on threads of its own.
//!
//! Questions go before passages, so that an ingest that runs beside a server delays a question by one batch at
//! most.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use qanda_core::ModelError;
use tokio::sync::oneshot;

/// What computes: called from the batcher's threads, one batch at a time on each. Shape of the result:
/// `[texts.len()][dimension]`.
pub(super) type Compute = dyn Fn(&[String]) -> Vec<Vec<f32>> + Send + Sync;

/// Text of one batch, in bytes: about 1,000 tokens, enough for the matrix kernel to run at full speed, and little
/// enough (some 0.4 s on one core at the rate of docs/benchmarks.md) that nobody waits long behind it.
const BATCH_BYTES: usize = 4096;

/// Questions that may wait; more than this cannot be answered in a time that anyone waits.
const MOST_WAITING: usize = 4096;

struct Job {
    text: String,
    reply: oneshot::Sender<Vec<f32>>,
}

#[derive(Default)]
struct Queue {
    questions: VecDeque<Job>,
    passages: VecDeque<Job>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

/// Urgency of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Somebody waits for it.
    Question,
    /// Part of an ingest.
    Passage,
}

/// The queue and its threads. Dropping it lets the threads finish what was asked and end.
pub(super) struct Batcher {
    shared: Arc<Shared>,
}

impl Batcher {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(super) fn start(threads: usize, compute: Arc<Compute>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { queue: Mutex::default(), arrived: Condvar::new() });
        for number in 0..threads.max(1) {
            let (shared, compute) = (Arc::clone(&shared), Arc::clone(&compute));
            thread::Builder::new().name(format!("embed-{number}")).spawn(move || work(&shared, &*compute))?;
        }
        Ok(Self { shared })
    }

    /// Embeds texts; the vectors come in the order of the texts.
    ///
    /// # Errors
    /// [`ModelError::Overloaded`] when too many questions wait, [`ModelError::Stopped`] when a batch failed.
    pub(super) async fn embed(&self, texts: Vec<String>, class: Class) -> Result<Vec<Vec<f32>>, ModelError> {
        let mut replies = Vec::with_capacity(texts.len());
        {
            let mut queue = self.shared.lock();
            if class == Class::Question && queue.is_full() {
                return Err(ModelError::Overloaded { waiting: queue.questions.len() });
            }
            for text in texts {
                let (reply, receiver) = oneshot::channel();
                let job = Job { text, reply };
                match class {
                    Class::Question => queue.questions.push_back(job),
                    Class::Passage => queue.passages.push_back(job),
                }
                replies.push(receiver);
            }
        }
        self.shared.arrived.notify_all();
        let mut vectors = Vec::with_capacity(replies.len());
        for reply in replies {
            vectors.push(reply.await.map_err(|_| ModelError::Stopped)?);
        }
        Ok(vectors)
    }
}

impl Drop for Batcher {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
    }
}

impl Shared {
    /// A thread that panicked held the lock only around queue operations, so the queue is whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work and takes a batch; `None` when the batcher is gone and the queue empty.
    fn next_batch(&self) -> Option<Vec<Job>> {
        let mut queue = self.lock();
        loop {
            let batch = queue.take();
            if !batch.is_empty() {
                return Some(batch);
            }
            if queue.closed {
                return None;
            }
            queue = self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Queue {
    /// Whether no further question may wait. Those whose callers have left meanwhile hold no place.
    fn is_full(&mut self) -> bool {
        if self.questions.len() >= MOST_WAITING {
            self.questions.retain(|job| !job.reply.is_closed());
        }
        self.questions.len() >= MOST_WAITING
    }

    /// Questions first; passages only when no question waits. Jobs that nobody waits for any more are dropped.
    fn take(&mut self) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        for line in [&mut self.questions, &mut self.passages] {
            while let Some(job) = line.pop_front_if(|job| bytes == 0 || bytes + job.text.len() <= BATCH_BYTES) {
                if !job.reply.is_closed() {
                    bytes += job.text.len().max(1);
                    batch.push(job);
                }
            }
            if !batch.is_empty() {
                break;
            }
        }
        batch
    }
}

fn work(shared: &Shared, compute: &Compute) {
    while let Some(batch) = shared.next_batch() {
        let (texts, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.text, job.reply)).unzip();
        // A panic (a fault of ours) costs this batch, whose callers see that their reply was dropped.
        let vectors = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compute(&texts)));
        let Ok(vectors) = vectors else {
            tracing::error!(texts = texts.len(), "embedding a batch panicked");
            continue;
        };
        for (reply, vector) in replies.into_iter().zip(vectors) {
            // The caller may have gone away meanwhile.
            let _ = reply.send(vector);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Embeds a text as its length.
    fn lengths(texts: &[String]) -> Vec<Vec<f32>> {
        texts.iter().map(|text| vec![text.len() as f32]).collect()
    }

    #[tokio::test]
    async fn vectors_come_in_the_order_of_the_texts() {
        let batcher = Batcher::start(3, Arc::new(lengths)).expect("threads");
        let texts: Vec<String> = (0..500).map(|n| "x".repeat(n)).collect();
        let vectors = batcher.embed(texts, Class::Passage).await.expect("embeds");
        assert!(vectors.iter().enumerate().all(|(n, vector)| vector == &[n as f32]));
    }

    #[tokio::test]
    async fn a_question_overtakes_waiting_passages() {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let order = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&order);
        let compute = move |texts: &[String]| {
            gate.lock().expect("gate").recv().expect("released");
            seen.lock().expect("order").extend(texts.iter().map(|text| text.chars().next()));
            lengths(texts)
        };
        let batcher = Arc::new(Batcher::start(1, Arc::new(compute)).expect("thread"));
        let ask = |text: &str, count: usize, class| {
            let (batcher, texts) = (Arc::clone(&batcher), vec![text.repeat(BATCH_BYTES); count]);
            tokio::spawn(async move { batcher.embed(texts, class).await })
        };
        let passages = ask("p", 4, Class::Passage);
        while !batcher.shared.lock().passages.len().eq(&3) {
            tokio::task::yield_now().await;
        }
        let question = ask("q", 1, Class::Question);
        while batcher.shared.lock().questions.is_empty() {
            tokio::task::yield_now().await;
        }
        (0..5).for_each(|_| release.send(()).expect("worker waits"));
        question.await.expect("task").expect("embeds");
        passages.await.expect("task").expect("embeds");
        assert_eq!(order.lock().expect("order").iter().flatten().collect::<String>(), "pqppp");
    }

    #[tokio::test]
    async fn callers_that_left_hold_no_place_in_the_queue() {
        let (release, gate) = std::sync::mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let (begun, computing) = tokio::sync::watch::channel(false);
        let compute = move |texts: &[String]| {
            begun.send_replace(true);
            let _ = gate.lock().expect("gate").recv();
            lengths(texts)
        };
        let batcher = Arc::new(Batcher::start(1, Arc::new(compute)).expect("thread"));
        let ask = || {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.embed(vec!["x".repeat(BATCH_BYTES)], Class::Question).await })
        };
        let waiting = async |number: usize| {
            let reached = async {
                while batcher.shared.lock().questions.len() != number {
                    tokio::task::yield_now().await;
                }
            };
            let reached = tokio::time::timeout(std::time::Duration::from_secs(30), reached).await;
            reached.unwrap_or_else(|_| panic!("{number} never wait, but {}", batcher.shared.lock().questions.len()));
        };
        let _computed = ask();
        computing.clone().wait_for(|begun| *begun).await.expect("it computes");
        let callers: Vec<_> = (0..MOST_WAITING).map(|_| ask()).collect();
        waiting(MOST_WAITING).await;
        assert!(matches!(ask().await.expect("task"), Err(ModelError::Overloaded { .. })), "all of them still wait");
        for caller in callers {
            caller.abort();
            let _ = caller.await;
        }
        let last = ask();
        waiting(1).await;
        drop(release);
        assert!(last.await.expect("task").is_ok());
    }

    #[tokio::test]
    async fn a_panic_costs_one_batch_only() {
        let calls = AtomicUsize::new(0);
        let compute = move |texts: &[String]| {
            assert!(calls.fetch_add(1, Ordering::SeqCst) > 0, "the first batch fails");
            lengths(texts)
        };
        let batcher = Batcher::start(1, Arc::new(compute)).expect("thread");
        let first = batcher.embed(vec!["a".to_owned()], Class::Question).await;
        assert!(matches!(first, Err(ModelError::Stopped)));
        assert!(batcher.embed(vec!["a".to_owned()], Class::Question).await.is_ok());
    }
}
