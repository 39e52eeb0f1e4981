//! Goals that a run must reach.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::condition::Comparison;
use crate::{Figures, time};

/// Names what must not be: `p99>2s`.
#[derive(Debug, Clone, PartialEq)]
pub struct Goal {
    text: String,
    metric: Metric,
    comparison: Comparison,
    limit: f64,
    /// Whether the limit is a share of all requests.
    share: bool,
}

/// Whether a goal was reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The goal as it was stated: the condition of a failure.
    pub fail_if: String,
    /// The measured value; seconds for times. None where nothing was answered.
    pub value: Option<f64>,
    /// Whether the goal was missed.
    pub missed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Metric {
    /// A time of the latencies, by its name.
    Latency(&'static str),
    Errors,
    Rate,
}

const METRICS: [(&str, Metric); 9] = [
    ("p50", Metric::Latency("p50")),
    ("p90", Metric::Latency("p90")),
    ("p95", Metric::Latency("p95")),
    ("p99", Metric::Latency("p99")),
    ("p999", Metric::Latency("p999")),
    ("max", Metric::Latency("max")),
    ("mean", Metric::Latency("mean")),
    ("errors", Metric::Errors),
    ("rate", Metric::Rate),
];

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, comparison, limit) = Comparison::split(text)?;
        let (_, metric) = METRICS.into_iter().find(|(known, _)| *known == name).ok_or_else(|| {
            let known = METRICS.map(|(name, _)| name).join(", ");
            format!("\"{name}\" is no figure; there are {known}")
        })?;
        let (limit, share) = self::limit(metric, limit)?;
        Ok(Self { text: text.trim().to_owned(), metric, comparison, limit, share })
    }
}

/// Reads a limit; with it, whether it is a share.
fn limit(metric: Metric, text: &str) -> Result<(f64, bool), String> {
    let number = |text: &str| text.trim_end().parse::<f64>().ok().filter(|n| n.is_finite() && *n >= 0.0);
    match metric {
        Metric::Latency(_) => time::parse(text).map(|time| (time.as_secs_f64(), false)),
        Metric::Errors => match text.strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| (percent / 100.0, true)),
            None => number(text).map(|count| (count, false)),
        }
        .ok_or_else(|| "errors are a number, or a share such as 1%".to_owned()),
        Metric::Rate => number(text.trim_end_matches("/s"))
            .map(|rate| (rate, false))
            .ok_or_else(|| "a rate is a number per second".to_owned()),
    }
}

impl Goal {
    /// Whether figures reach it. Where nothing was answered, no time can be good enough.
    #[must_use]
    pub fn judge(&self, figures: &Figures) -> Verdict {
        let value = self.value(figures);
        let too_much = |value: f64| self.comparison.holds(value, self.limit);
        Verdict { fail_if: self.text.clone(), value, missed: value.is_none_or(too_much) }
    }

    /// Whether it is about requests that fail.
    #[must_use]
    pub fn is_about_errors(&self) -> bool {
        self.metric == Metric::Errors
    }

    /// The measured value, for people.
    #[must_use]
    pub fn show(&self, verdict: &Verdict) -> String {
        match (verdict.value, self.metric) {
            (None, _) => "nothing was answered".to_owned(),
            (Some(seconds), Metric::Latency(name)) => format!("{name} is {}", time::show(seconds)),
            (Some(share), Metric::Errors) if self.share => format!("{:.2} % errors", share * 100.0),
            (Some(count), Metric::Errors) => format!("{count} errors"),
            (Some(rate), Metric::Rate) => format!("{rate:.1} answers per second"),
        }
    }

    fn value(&self, figures: &Figures) -> Option<f64> {
        match self.metric {
            Metric::Latency(wanted) => {
                let named = figures.latency?.named();
                named.into_iter().find(|(name, _)| *name == wanted).map(|(_, seconds)| seconds)
            }
            Metric::Errors if self.share => {
                let ended = figures.completed + figures.failed;
                (ended > 0).then(|| figures.failed as f64 / ended as f64)
            }
            Metric::Errors => Some(figures.failed as f64),
            Metric::Rate => Some(figures.rate),
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spread;

    fn figures() -> Figures {
        let latency = Spread { p50: 0.2, p99: 2.0, p999: 3.0, max: 4.0, mean: 0.5, ..Spread::default() };
        Figures { completed: 98, failed: 2, rate: 50.0, latency: Some(latency), ..Figures::default() }
    }

    #[test]
    fn goals_are_judged() {
        for (goal, missed) in [
            ("p99>2s", false),
            ("p99>=2s", true),
            ("p99 > 1999ms", true),
            ("p999>3.5", false),
            ("max<5s", true),
            ("mean<=500ms", true),
            ("p50<100ms", false),
            ("errors>0", true),
            ("errors>2", false),
            ("errors>1%", true),
            ("errors > 2 %", false),
            ("rate<50", false),
            ("rate<50.1/s", true),
        ] {
            let goal: Goal = goal.parse().expect("it is a goal");
            assert_eq!(goal.judge(&figures()).missed, missed, "{goal}");
        }
    }

    #[test]
    fn without_an_answer_no_time_is_good() {
        let goal: Goal = "p99>2s".parse().expect("it is a goal");
        let verdict = goal.judge(&Figures::default());
        assert!(verdict.missed && verdict.value.is_none());
        assert_eq!(goal.show(&verdict), "nothing was answered");
    }

    #[test]
    fn what_is_no_goal_is_refused_with_what_there_is() {
        for (wrong, words) in [
            ("", "must say"),
            ("p99", "must say"),
            ("p98>2s", "p999"),
            (">2s", "is no figure"),
            ("p99>fast", "must be a time"),
            ("p99>-1s", "must be a time"),
            ("p99>>2s", "must be a time"),
            ("errors>x", "a share"),
            ("rate<-1", "per second"),
            ("rate<inf", "per second"),
        ] {
            let error = wrong.parse::<Goal>().expect_err(wrong);
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
