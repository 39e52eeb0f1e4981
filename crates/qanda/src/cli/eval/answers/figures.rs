//! Figures over judged questions.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::judge::{Judged, Verdict};

/// Figure that is the mean over the questions that have a value for it.
pub(crate) struct Mean {
    pub(crate) name: &'static str,
    /// Name for people.
    pub(crate) label: &'static str,
    /// Whether more of it is better, where one is.
    pub(crate) more_is_better: Option<bool>,
    pub(crate) of: fn(&Judged) -> Option<f64>,
}

const fn mean(
    name: &'static str,
    label: &'static str,
    more_is_better: Option<bool>,
    of: fn(&Judged) -> Option<f64>,
) -> Mean {
    Mean { name, label, more_is_better, of }
}

/// All figures that are means, in the order in which they are shown.
pub(crate) const MEANS: [Mean; 12] = [
    // Right answers and right refusals.
    mean("correct", "correct", Some(true), |judged| one_if(judged.verdict.is_good())),
    mean("right", "right answers", Some(true), |judged| of_answerable(judged, Verdict::Right)),
    mean("f1", "token F1", Some(true), |judged| judged.f1),
    mean("false_refusals", "false refusals", Some(false), |judged| of_answerable(judged, Verdict::FalseRefusal)),
    mean("false_answers", "false answers", Some(false), |judged| {
        (!judged.answerable).then_some(())?;
        one_if(judged.verdict == Verdict::FalseAnswer)
    }),
    mean("citation_precision", "citation precision", Some(true), |judged| judged.citation_precision),
    mean("citation_recall", "citation recall", Some(true), |judged| judged.citation_recall),
    mean("unsupported", "unsupported statements", Some(false), |judged| {
        judged.reply.answered.then_some(judged.reply.unsupported as f64)
    }),
    mean("prompt_tokens", "prompt tokens", None, |judged| judged.reply.prompt_tokens),
    mean("tokens", "tokens", None, |judged| judged.reply.tokens),
    mean("seconds", "seconds", Some(false), |judged| Some(judged.reply.seconds)),
    mean("failed", "failed", Some(false), |judged| one_if(judged.verdict == Verdict::Failed)),
];

/// Figures that are no means.
const OTHERS: [&str; 5] = ["questions", "seconds_median", "seconds_p90", "ece", "auc"];

#[allow(clippy::unnecessary_wraps)] // It is the form that all of them have.
fn one_if(condition: bool) -> Option<f64> {
    Some(if condition { 1.0 } else { 0.0 })
}

fn of_answerable(judged: &Judged, verdict: Verdict) -> Option<f64> {
    judged.answerable.then(|| if judged.verdict == verdict { 1.0 } else { 0.0 })
}

/// Names of all figures.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    MEANS.iter().map(|mean| mean.name).chain(OTHERS)
}

/// Figures of some questions, by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Figures(Vec<(&'static str, Option<f64>)>);

impl Figures {
    pub(crate) fn over(judged: &[&Judged]) -> Self {
        let means = MEANS.iter().map(|mean| (mean.name, average(judged.iter().filter_map(|one| (mean.of)(one)))));
        let mut seconds: Vec<f64> = judged.iter().map(|one| one.reply.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let others = [
            ("questions", Some(judged.len() as f64)),
            ("seconds_median", quantile(&seconds, 0.5)),
            ("seconds_p90", quantile(&seconds, 0.9)),
            ("ece", calibration_error(judged)),
            ("auc", separation(judged)),
        ];
        Self(means.chain(others).collect())
    }

    /// A figure by its name; none where no question has it.
    pub(crate) fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value)
    }

    /// All that there are, rounded: more digits would say nothing.
    pub(crate) fn json(&self) -> Value {
        let rounded = |value: f64| (value * 1e4).round() / 1e4;
        let known = self.0.iter().filter_map(|(name, value)| Some(((*name).to_owned(), rounded((*value)?).into())));
        Value::Object(known.collect::<Map<_, _>>())
    }
}

/// The mean; none of nothing.
pub(crate) fn average(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f64)
}

/// The smallest of sorted values that at least this share of them do not exceed.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied()
}

const BINS: usize = 10;

/// Expected calibration error of the answers that were given: the distance between the share of right ones and the mean
/// confidence in ten bins of equal width, weighted by their number.
fn calibration_error(judged: &[&Judged]) -> Option<f64> {
    let mut bins = [(0.0, 0.0); BINS];
    let mut all = 0.0;
    for one in judged.iter().filter(|one| one.reply.answered) {
        let Some(confidence) = one.reply.confidence else { continue };
        let bin = &mut bins[((confidence * BINS as f64) as usize).min(BINS - 1)];
        // How far the sum of what was right is from the sum of what was promised.
        bin.0 += if one.verdict == Verdict::Right { 1.0 } else { 0.0 };
        bin.1 += confidence;
        all += 1.0;
    }
    (all > 0.0).then(|| bins.iter().map(|(right, promised)| (right - promised).abs()).sum::<f64>() / all)
}

/// Power of the confidence to part questions that the documents answer from those that they do not: the share of pairs
/// of one of each that it puts in the right order (the area under the ROC curve).
fn separation(judged: &[&Judged]) -> Option<f64> {
    let of = |answerable: bool| {
        let chosen = judged.iter().filter(move |one| one.answerable == answerable);
        chosen.filter_map(|one| one.reply.confidence).collect::<Vec<_>>()
    };
    let (answerable, others) = (of(true), of(false));
    let order = |a: &f64, b: &f64| match a.total_cmp(b) {
        Ordering::Greater => 1.0,
        Ordering::Equal => 0.5,
        Ordering::Less => 0.0,
    };
    average(answerable.iter().flat_map(|a| others.iter().map(move |b| order(a, b))))
}

#[cfg(test)]
#[path = "figures_tests.rs"]
mod tests;
