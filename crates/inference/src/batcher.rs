//! Joins what arrives together into batches, on threads of its own.
//!
//! Questions go before passages, so that an ingest that runs beside a server delays a question by one batch at
//! most.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use qanda_core::ModelError;
use tokio::sync::oneshot;

/// The computation: called from the batcher's threads, one batch at a time on each. It gives as many results as there
/// are inputs, in their order.
pub(crate) type Compute<I, O> = dyn Fn(&[I]) -> Vec<O> + Send + Sync;

/// The batches that a batcher makes.
pub(crate) struct Limits<I> {
    /// Name of the threads.
    pub(crate) name: &'static str,
    /// Most of one batch, by `size`; a single input may be larger.
    pub(crate) batch: usize,
    /// Size of an input.
    pub(crate) size: fn(&I) -> usize,
}

/// Questions that may wait; more than this cannot be answered in a time that anyone waits.
const MOST_WAITING: usize = 4096;

struct Job<I, O> {
    input: I,
    reply: oneshot::Sender<O>,
}

struct Queue<I, O> {
    questions: VecDeque<Job<I, O>>,
    passages: VecDeque<Job<I, O>>,
    closed: bool,
}

struct Shared<I, O> {
    limits: Limits<I>,
    queue: Mutex<Queue<I, O>>,
    arrived: Condvar,
}

/// Urgency of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody waits for it.
    Question,
    /// Part of an ingest.
    Passage,
}

/// The queue and its threads. Dropping it lets the threads finish what was asked and end.
pub(crate) struct Batcher<I, O> {
    shared: Arc<Shared<I, O>>,
}

impl<I: Send + 'static, O: Send + 'static> Batcher<I, O> {
    /// Starts `threads` threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start(threads: usize, limits: Limits<I>, compute: Arc<Compute<I, O>>) -> std::io::Result<Self> {
        Self::start_workers(threads, limits, move |work: &Work<I, O>| work.serve(&mut |inputs| compute(inputs)))
    }

    /// Starts `threads` threads that make what they compute with themselves: each runs `worker`, which has to serve the
    /// work that it is given.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start_workers(
        threads: usize,
        limits: Limits<I>,
        worker: impl Fn(&Work<I, O>) + Clone + Send + 'static,
    ) -> std::io::Result<Self> {
        let name = limits.name;
        let queue = Queue { questions: VecDeque::new(), passages: VecDeque::new(), closed: false };
        let shared = Arc::new(Shared { limits, queue: Mutex::new(queue), arrived: Condvar::new() });
        for number in 0..threads.max(1) {
            let (work, worker) = (Work { shared: Arc::clone(&shared) }, worker.clone());
            thread::Builder::new().name(format!("{name}-{number}")).spawn(move || worker(&work))?;
        }
        Ok(Self { shared })
    }

    /// Computes the results of inputs, in their order.
    ///
    /// # Errors
    /// [`ModelError::Overloaded`] when too many questions wait, [`ModelError::Stopped`] when a batch failed.
    pub(crate) async fn compute(&self, inputs: Vec<I>, class: Class) -> Result<Vec<O>, ModelError> {
        let mut replies = Vec::with_capacity(inputs.len());
        {
            let mut queue = self.shared.lock();
            if class == Class::Question && queue.is_full() {
                return Err(ModelError::Overloaded { waiting: queue.questions.len() });
            }
            for input in inputs {
                let (reply, receiver) = oneshot::channel();
                let job = Job { input, reply };
                match class {
                    Class::Question => queue.questions.push_back(job),
                    Class::Passage => queue.passages.push_back(job),
                }
                replies.push(receiver);
            }
        }
        self.shared.arrived.notify_all();
        let mut results = Vec::with_capacity(replies.len());
        for reply in replies {
            results.push(reply.await.map_err(|_| ModelError::Stopped)?);
        }
        Ok(results)
    }
}

impl<I, O> Drop for Batcher<I, O> {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.arrived.notify_all();
    }
}

impl<I, O> Shared<I, O> {
    /// A thread that panicked held the lock only around queue operations, so the queue is whole.
    fn lock(&self) -> MutexGuard<'_, Queue<I, O>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for work and takes a batch; `None` when the batcher is gone and the queue empty.
    fn next_batch(&self) -> Option<Vec<Job<I, O>>> {
        let mut queue = self.lock();
        loop {
            let batch = queue.take(&self.limits);
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

impl<I, O> Queue<I, O> {
    /// Whether no further question may wait. Those whose callers have left meanwhile hold no place.
    fn is_full(&mut self) -> bool {
        if self.questions.len() >= MOST_WAITING {
            self.questions.retain(|job| !job.reply.is_closed());
        }
        self.questions.len() >= MOST_WAITING
    }

    /// Questions first; passages only when no question waits. Jobs that nobody waits for any more are dropped.
    fn take(&mut self, limits: &Limits<I>) -> Vec<Job<I, O>> {
        let mut batch = Vec::new();
        let mut taken = 0;
        let fits = |taken: usize, job: &Job<I, O>| taken == 0 || taken + (limits.size)(&job.input) <= limits.batch;
        for line in [&mut self.questions, &mut self.passages] {
            while let Some(job) = line.pop_front_if(|job| fits(taken, job)) {
                if !job.reply.is_closed() {
                    taken += (limits.size)(&job.input).max(1);
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

/// The batches, as one of the threads sees them.
pub(crate) struct Work<I, O> {
    shared: Arc<Shared<I, O>>,
}

impl<I, O> Work<I, O> {
    /// Computes batch after batch until the batcher is gone.
    pub(crate) fn serve(&self, compute: &mut dyn FnMut(&[I]) -> Vec<O>) {
        while let Some(batch) = self.shared.next_batch() {
            let (inputs, replies): (Vec<_>, Vec<_>) = batch.into_iter().map(|job| (job.input, job.reply)).unzip();
            // A panic (a fault of ours) costs this batch, whose callers see that their reply was dropped.
            let results = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| compute(&inputs)));
            let Ok(results) = results else {
                tracing::error!(threads = self.shared.limits.name, inputs = inputs.len(), "computing a batch panicked");
                continue;
            };
            for (reply, result) in replies.into_iter().zip(results) {
                // The caller may have gone away meanwhile.
                let _ = reply.send(result);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const BATCH: usize = 100;
    const LIMITS: Limits<String> = Limits { name: "test", batch: BATCH, size: String::len };

    /// The length of each text.
    fn lengths(texts: &[String]) -> Vec<Vec<f32>> {
        texts.iter().map(|text| vec![text.len() as f32]).collect()
    }

    #[tokio::test]
    async fn results_come_in_the_order_of_the_inputs() {
        let batcher = Batcher::start(3, LIMITS, Arc::new(lengths)).expect("threads");
        let texts: Vec<String> = (0..500).map(|n| "x".repeat(n)).collect();
        let results = batcher.compute(texts, Class::Passage).await.expect("computes");
        assert!(results.iter().enumerate().all(|(n, vector)| vector == &[n as f32]));
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
        let batcher = Arc::new(Batcher::start(1, LIMITS, Arc::new(compute)).expect("thread"));
        let ask = |text: &str, count: usize, class| {
            let (batcher, texts) = (Arc::clone(&batcher), vec![text.repeat(BATCH); count]);
            tokio::spawn(async move { batcher.compute(texts, class).await })
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
        question.await.expect("task").expect("computes");
        passages.await.expect("task").expect("computes");
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
        let batcher = Arc::new(Batcher::start(1, LIMITS, Arc::new(compute)).expect("thread"));
        let ask = || {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.compute(vec!["x".repeat(BATCH)], Class::Question).await })
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
        let batcher = Batcher::start(1, LIMITS, Arc::new(compute)).expect("thread");
        let first = batcher.compute(vec!["a".to_owned()], Class::Question).await;
        assert!(matches!(first, Err(ModelError::Stopped)));
        assert!(batcher.compute(vec!["a".to_owned()], Class::Question).await.is_ok());
    }
}
