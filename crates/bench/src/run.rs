//! Sends requests when the plan says so, and notes what became of each.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, sleep_until, timeout};

use crate::ask::{Ask, Outcome};
use crate::failure::{Failure, FailureKind};
use crate::histogram::{histogram, record};
use crate::request::{Outcomes, Request};
use crate::{Pace, Plan};

/// Progress of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Progress {
    /// Since its start.
    pub elapsed: Duration,
    /// Requests sent.
    pub sent: usize,
    /// Of those, that have ended.
    pub ended: usize,
    /// Of those, without an answer.
    pub failed: usize,
    /// Seconds that half of the answers took at most.
    pub p50: f64,
    /// Seconds that 99 in 100 answers took at most.
    pub p99: f64,
}

/// A listener that hears of everything while it happens.
pub trait Watch: Send + Sync + 'static {
    /// The load that counts begins; what came before was for warming up.
    fn begins(&self) {}
    /// A request is sent now, by the thread that calls.
    fn sent(&self, _number: usize, _at: Duration) {}
    /// A request has ended.
    fn ended(&self, _request: &Request, _progress: &Progress) {}
    /// Some times a second.
    fn progress(&self, _progress: &Progress) {}
}

/// Completes when the run is to end early.
pub(crate) type Stop<'a> = Pin<&'a mut (dyn Future<Output = ()> + Send)>;

/// Between two looks at a run under way.
const LOOK: Duration = Duration::from_millis(200);

/// Sends what the plan says and waits for the end of each, or for `stop`.
pub(crate) async fn run<A: Ask>(plan: &Plan, ask: Arc<A>, watch: Arc<dyn Watch>, stop: Stop<'_>) -> Outcomes {
    let (results, ended) = unbounded_channel();
    let start = Instant::now();
    let sent = Arc::new(AtomicUsize::new(0));
    let sender = Sender { plan: plan.clone(), ask, watch: Arc::clone(&watch), start, sent: Arc::clone(&sent), results };
    let sending = tokio::spawn(match plan.pace {
        Pace::Answers => futures::future::Either::Left(Arc::new(sender).by_answers()),
        _ => futures::future::Either::Right(Arc::new(sender).by_the_clock()),
    });
    let mut collector = Collector { ended, start, sent, watch: &*watch, progress: Progress::default() };
    let (mut requests, stopped) = collector.collect(stop).await;
    // What is still under way goes with the task that owns it.
    sending.abort();
    requests.sort_by_key(|request| request.number);
    Outcomes { requests, sent: collector.sent.load(Ordering::Relaxed), took: start.elapsed(), stopped }
}

/// Sends requests.
struct Sender<A> {
    plan: Plan,
    ask: Arc<A>,
    watch: Arc<dyn Watch>,
    start: Instant,
    sent: Arc<AtomicUsize>,
    results: UnboundedSender<Request>,
}

impl<A: Ask> Sender<A> {
    /// The open model: what is due is sent, however the server fares. What finds no place waits for one, and the
    /// time it waits is part of its latency; so a server (or a client's limit) that stalls shows in every request
    /// that came due meanwhile, not only in those under way.
    async fn by_the_clock(self: Arc<Self>) {
        let places = Arc::new(Semaphore::new(self.plan.concurrency.unwrap_or(Semaphore::MAX_PERMITS)));
        let mut running = JoinSet::new();
        for number in 0.. {
            let Some(due) = self.plan.due(number) else { break };
            sleep_until(self.start + due).await;
            let (sender, places) = (Arc::clone(&self), Arc::clone(&places));
            running.spawn(async move {
                let place = places.acquire().await;
                sender.send(number, due).await;
                drop(place);
            });
            // A task that has ended keeps its memory until it is looked at.
            while running.try_join_next().is_some() {}
        }
        while running.join_next().await.is_some() {}
    }

    /// The closed model: each of so many callers sends its next one when it has the answer to the last.
    async fn by_answers(self: Arc<Self>) {
        let next = Arc::new(AtomicUsize::new(0));
        let tasks = self.plan.tasks.unwrap_or(usize::MAX);
        let mut callers = JoinSet::new();
        for _ in 0..self.plan.concurrency.unwrap_or(1).min(tasks) {
            let (sender, next) = (Arc::clone(&self), Arc::clone(&next));
            callers.spawn(async move {
                while sender.plan.duration.is_none_or(|duration| sender.start.elapsed() < duration) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= tasks {
                        break;
                    }
                    sender.send(number, sender.start.elapsed()).await;
                }
            });
        }
        while callers.join_next().await.is_some() {}
    }

    async fn send(&self, number: usize, due: Duration) {
        let sent = self.start.elapsed();
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.watch.sent(number, sent);
        let outcome = match timeout(self.plan.timeout, self.ask.ask(number)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let detail = format!("no whole answer in {}", crate::time::show(self.plan.timeout.as_secs_f64()));
                Outcome { failure: Some(Failure::new(FailureKind::Timeout, detail)), ..Outcome::default() }
            }
        };
        let end = self.start.elapsed();
        let first_token = outcome.first_token.map(|at| at.saturating_duration_since(self.start));
        let Outcome { tokens, status, failure, .. } = outcome;
        // The receiver has gone when the run was stopped.
        let _ = self.results.send(Request { number, due, sent, end, first_token, tokens, status, failure });
    }
}

/// Collects what ended and tells how far the run is.
struct Collector<'a> {
    ended: UnboundedReceiver<Request>,
    start: Instant,
    sent: Arc<AtomicUsize>,
    watch: &'a dyn Watch,
    progress: Progress,
}

impl Collector<'_> {
    /// Collects until all have ended, or the run is stopped.
    async fn collect(&mut self, mut stop: Stop<'_>) -> (Vec<Request>, bool) {
        let mut requests = Vec::new();
        let mut latencies = histogram();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                request = self.ended.recv() => match request {
                    Some(request) => self.take(request, &mut requests, &mut latencies),
                    None => return (requests, false),
                },
                _ = looks.tick() => self.look(&latencies),
                () = &mut stop => break,
            }
        }
        self.ended.close();
        while let Ok(request) = self.ended.try_recv() {
            self.take(request, &mut requests, &mut latencies);
        }
        (requests, true)
    }

    fn take(&mut self, request: Request, requests: &mut Vec<Request>, latencies: &mut Histogram<u64>) {
        self.progress.ended += 1;
        if request.failure.is_some() {
            self.progress.failed += 1;
        } else {
            record(latencies, request.latency());
        }
        self.watch.ended(&request, &self.progress);
        requests.push(request);
    }

    fn look(&mut self, latencies: &Histogram<u64>) {
        self.progress.elapsed = self.start.elapsed();
        self.progress.sent = self.sent.load(Ordering::Relaxed);
        self.progress.p50 = latencies.value_at_quantile(0.5) as f64 / 1e6;
        self.progress.p99 = latencies.value_at_quantile(0.99) as f64 / 1e6;
        self.watch.progress(&self.progress);
    }
}

#[cfg(test)]
mod tests;
