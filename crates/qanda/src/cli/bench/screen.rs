//! Progress of a run that is under way.

use std::time::Duration;

use qanda_bench::{Plan, Progress, Request, Watch, time};

use crate::terminal::Bar;

/// Progress on a terminal, and a log.
pub(super) struct Screen {
    bar: Bar,
    log: bool,
    tasks: Option<usize>,
    duration: Option<Duration>,
}

impl Screen {
    pub(super) fn new(plan: &Plan, log: bool) -> Self {
        let bar = Bar::new("{bar:24.cyan} {wide_msg}", false);
        bar.set_message("warming up");
        Self { bar, log, tasks: plan.tasks, duration: plan.duration }
    }

    /// Takes the progress away.
    pub(super) fn clear(&self) {
        self.bar.clear();
    }

    /// Of all that is to be done, the share that is nearest to its end says when all is over.
    fn share(&self, progress: &Progress) -> f64 {
        let tasks = self.tasks.map_or(0.0, |tasks| progress.ended as f64 / tasks as f64);
        let time = self.duration.map_or(0.0, |duration| progress.elapsed.as_secs_f64() / duration.as_secs_f64());
        tasks.max(time).min(1.0)
    }
}

/// Length of the bar, in steps.
const STEPS: usize = 1_000;

impl Watch for Screen {
    fn begins(&self) {
        self.bar.set_length(STEPS);
    }

    fn sent(&self, number: usize, at: Duration) {
        if self.log {
            let (process, thread) = (std::process::id(), std::thread::current().id());
            let at = at.as_secs_f64();
            self.bar.line(format!("task {number} started at {at:.3} s in process {process}, {thread:?}"));
        }
    }

    fn ended(&self, request: &Request, progress: &Progress) {
        if !self.log {
            return;
        }
        let seconds = request.service().as_secs_f64();
        let status = match (request.status, request.error()) {
            (Some(status), None) => format!("status {status}"),
            (_, Some((kind, _))) => kind.to_string(),
            (None, None) => String::new(),
        };
        let waited = request.latency().saturating_sub(request.service());
        // The clock that wakes the sender ticks in milliseconds: less is no waiting.
        let waited = match waited > Duration::from_millis(5) {
            true => format!(", sent {} after it was due", time::show(waited.as_secs_f64())),
            false => String::new(),
        };
        self.bar.line(format!("task {}: {status} after {seconds:.3} s{waited}", request.number));
        let of = self.tasks.map_or(String::new(), |tasks| format!(" / {tasks}"));
        self.bar.line(format!("tasks completed: {}{of}", progress.ended));
    }

    fn progress(&self, progress: &Progress) {
        let of = self.tasks.map_or(String::new(), |tasks| format!(" / {tasks}"));
        let Progress { elapsed, sent, ended, failed, p50, p99 } = *progress;
        let (elapsed, p50, p99) = (elapsed.as_secs_f64(), time::show(p50), time::show(p99));
        let under_way = sent.saturating_sub(ended);
        self.bar.set_position((self.share(progress) * STEPS as f64) as usize);
        self.bar.set_message(&format!(
            "{elapsed:.1} s  {ended}{of} ended, {under_way} under way, {failed} failed  p50 {p50}  p99 {p99}"
        ));
    }
}
