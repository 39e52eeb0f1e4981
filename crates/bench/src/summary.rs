use std::time::Duration;

use serde::Serialize;

use crate::load::Sample;

/// What a load showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Questions sent.
    pub tasks: usize,
    /// Questions answered.
    pub completed: usize,
    /// From the first question to the last answer.
    pub seconds: f64,
    /// Seconds from a question to the first piece of its answer.
    pub first_token: Spread,
    /// Seconds from a question to the end of its answer.
    pub total: Spread,
    /// Tokens generated for all questions, over `seconds`.
    pub tokens_per_second: f64,
    /// What went wrong, question by question.
    pub failures: Vec<String>,
}

/// Seconds, over the answered questions.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Spread {
    /// Half of them took no longer.
    pub median: f64,
    /// The longest.
    pub slowest: f64,
}

impl Spread {
    fn of(mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let at = |index: usize| seconds.get(index).copied().unwrap_or_default();
        Self { median: at(seconds.len().saturating_sub(1) / 2), slowest: at(seconds.len().saturating_sub(1)) }
    }
}

impl Summary {
    pub(crate) fn of(samples: Vec<anyhow::Result<Sample>>, took: Duration) -> Self {
        let tasks = samples.len();
        let (answered, failed): (Vec<_>, Vec<_>) = samples.into_iter().partition(Result::is_ok);
        let answered: Vec<Sample> = answered.into_iter().flatten().collect();
        let seconds = took.as_secs_f64();
        let spread =
            |time: fn(&Sample) -> Duration| Spread::of(answered.iter().map(|s| time(s).as_secs_f64()).collect());
        Self {
            tasks,
            completed: answered.len(),
            seconds,
            first_token: spread(|sample| sample.first_token),
            total: spread(|sample| sample.total),
            tokens_per_second: answered.iter().map(|sample| sample.tokens).sum::<u64>() as f64 / seconds,
            failures: failed
                .into_iter()
                .filter_map(|failure| failure.err().map(|error| format!("{error:#}")))
                .collect(),
        }
    }
}
