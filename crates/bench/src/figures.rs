//! Figures of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::failure::FailureKind;
use crate::histogram::{histogram, record};
use crate::request::{Outcomes, Request};

/// Figures of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Requests sent.
    pub sent: usize,
    /// Requests answered.
    pub completed: usize,
    /// Requests that ended without an answer.
    pub failed: usize,
    /// Requests under way when the run was stopped.
    pub unfinished: usize,
    /// Whether the run was stopped before its time.
    pub stopped: bool,
    /// From the start to the end of the last request.
    pub seconds: f64,
    /// Requests answered per second of that time.
    pub rate: f64,
    /// Most requests that were under way at the same time.
    pub most_in_flight: usize,
    /// Seconds from when a request was to be sent to the end of its answer.
    pub latency: Option<Spread>,
    /// Seconds from when a request was sent to the end of its answer.
    pub service: Option<Spread>,
    /// Seconds from when a request was to be sent to the first piece of its answer, where it was streamed.
    pub first_token: Option<Spread>,
    /// Tokens of all answers.
    pub tokens: u64,
    /// Tokens of all answers over `seconds`.
    pub tokens_per_second: f64,
    /// Failures by kind, the most frequent first.
    pub errors: Vec<ErrorCount>,
}

/// Spread of a time over the answered requests, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Spread {
    /// The shortest.
    pub min: f64,
    /// Their sum over their number.
    pub mean: f64,
    /// Half of them took no longer.
    pub p50: f64,
    /// 90 in 100 took no longer.
    pub p90: f64,
    /// 95 in 100 took no longer.
    pub p95: f64,
    /// 99 in 100 took no longer.
    pub p99: f64,
    /// 999 in 1,000 took no longer.
    pub p999: f64,
    /// The longest.
    pub max: f64,
}

/// Requests that failed in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorCount {
    /// In which way.
    pub kind: FailureKind,
    /// Their number.
    pub count: usize,
    /// Details of the first of them.
    pub example: String,
}

impl Spread {
    /// The spread of some times; none without a time.
    pub(crate) fn of(times: impl Iterator<Item = Duration>) -> Option<Self> {
        let mut histogram = histogram();
        let (mut min, mut max, mut sum) = (Duration::MAX, Duration::ZERO, 0.0);
        for time in times {
            (min, max, sum) = (min.min(time), max.max(time), sum + time.as_secs_f64());
            record(&mut histogram, time);
        }
        let (min, max) = (min.as_secs_f64(), max.as_secs_f64());
        // A bucket's upper end may lie a thousandth above all that is in it.
        let at = |quantile| (histogram.value_at_quantile(quantile) as f64 / 1e6).clamp(min, max);
        (!histogram.is_empty()).then(|| Self {
            min,
            mean: sum / histogram.len() as f64,
            p50: at(0.5),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            max,
        })
    }

    /// All figures, by the names that goals and tables use.
    #[must_use]
    pub const fn named(&self) -> [(&'static str, f64); 8] {
        let Self { min, mean, p50, p90, p95, p99, p999, max } = *self;
        [
            ("min", min),
            ("mean", mean),
            ("p50", p50),
            ("p90", p90),
            ("p95", p95),
            ("p99", p99),
            ("p999", p999),
            ("max", max),
        ]
    }
}

impl Figures {
    /// The times of failures are in no spread: a refusal is quick, and a server that refuses would look fast.
    pub(crate) fn of(run: &Outcomes) -> Self {
        let requests = &run.requests;
        let answered = || requests.iter().filter(|request| request.failure.is_none());
        let completed = answered().count();
        let seconds = run.took.as_secs_f64();
        let per_second = |count: f64| if seconds > 0.0 { count / seconds } else { 0.0 };
        let tokens: u64 = answered().map(|request| request.tokens).sum();
        let first = |request: &Request| request.first_token.map(|at| at.saturating_sub(request.due));
        Self {
            sent: run.sent,
            completed,
            failed: requests.len() - completed,
            unfinished: run.sent.saturating_sub(requests.len()),
            stopped: run.stopped,
            seconds,
            rate: per_second(completed as f64),
            most_in_flight: most_in_flight(requests),
            latency: Spread::of(answered().map(Request::latency)),
            service: Spread::of(answered().map(Request::service)),
            first_token: Spread::of(answered().filter_map(first)),
            tokens,
            tokens_per_second: per_second(tokens as f64),
            errors: errors(requests),
        }
    }
}

fn errors(requests: &[Request]) -> Vec<ErrorCount> {
    let mut kinds = BTreeMap::new();
    for failure in requests.iter().filter_map(|request| request.failure.as_ref()) {
        let (count, _) = kinds.entry(failure.kind).or_insert((0, &failure.detail));
        *count += 1;
    }
    let count = |(kind, (count, example)): (FailureKind, (usize, &String))| ErrorCount {
        kind,
        count,
        example: example.clone(),
    };
    let mut errors: Vec<_> = kinds.into_iter().map(count).collect();
    errors.sort_by_key(|error| std::cmp::Reverse(error.count));
    errors
}

fn most_in_flight(requests: &[Request]) -> usize {
    // Where one ends as another is sent, the end comes first.
    let mut changes: Vec<(Duration, isize)> =
        requests.iter().flat_map(|request| [(request.sent, 1), (request.end, -1)]).collect();
    changes.sort_unstable();
    let under_way = changes.iter().scan(0, |count, (_, change)| {
        *count += change;
        Some(*count)
    });
    under_way.max().and_then(|most| usize::try_from(most).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn percentiles_are_exact_to_a_thousandth() {
        let spread = Spread::of((1..=10_000).map(Duration::from_millis)).expect("there are times");
        for (found, right) in [
            (spread.min, 0.001),
            (spread.mean, 5.0005),
            (spread.p50, 5.0),
            (spread.p90, 9.0),
            (spread.p95, 9.5),
            (spread.p99, 9.9),
            (spread.p999, 9.99),
            (spread.max, 10.0),
        ] {
            assert!((found / right - 1.0).abs() < 1.1e-3, "{found} should be {right}");
        }
        let one = Spread::of(std::iter::once(Duration::from_micros(1_234_567))).expect("there is a time");
        assert!(one.named().iter().all(|(_, seconds)| *seconds == 1.234_567), "{one:?}");
        assert_eq!(Spread::of(std::iter::empty()), None);
    }

    fn request(number: usize, sent: u64, end: u64, failure: Option<FailureKind>) -> Request {
        Request {
            number,
            due: Duration::from_millis(sent / 2),
            sent: Duration::from_millis(sent),
            end: Duration::from_millis(end),
            first_token: None,
            tokens: 10,
            status: None,
            failure: failure.map(|kind| Failure::new(kind, format!("of {number}"))),
        }
    }

    #[test]
    fn failures_are_counted_and_their_times_are_not() {
        let requests = vec![
            request(0, 0, 1000, None),
            request(1, 1000, 2000, None),
            request(2, 1500, 1501, Some(FailureKind::Status(503))),
            request(3, 1500, 1501, Some(FailureKind::Connect)),
            request(4, 1600, 1601, Some(FailureKind::Status(503))),
        ];
        let took = Duration::from_secs(2);
        let figures = Figures::of(&Outcomes { requests, sent: 6, took, stopped: true });
        assert_eq!((figures.sent, figures.completed, figures.failed, figures.unfinished), (6, 2, 3, 1));
        assert_eq!((figures.rate, figures.tokens, figures.most_in_flight), (1.0, 20, 3));
        assert_eq!(figures.latency.map(|latency| latency.max), Some(1.5));
        assert_eq!(figures.service.map(|service| (service.min, service.max)), Some((1.0, 1.0)));
        let errors: Vec<_> = figures.errors.iter().map(|e| (e.kind, e.count, e.example.as_str())).collect();
        assert_eq!(errors, [(FailureKind::Status(503), 2, "of 2"), (FailureKind::Connect, 1, "of 3")]);
    }
}
