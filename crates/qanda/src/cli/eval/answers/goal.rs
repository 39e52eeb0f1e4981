//! Goals that answers must reach, in the language of `qanda bench`.

use std::fmt;
use std::str::FromStr;

use qanda_bench::Comparison;

use super::figures::{self, Figures};

/// A figure that must not be so: `right<0.8`, or of one kind of question, `table.right<0.5`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Goal {
    text: String,
    /// The kind of question it is about; all where none is named.
    kind: Option<String>,
    figure: String,
    comparison: Comparison,
    limit: f64,
}

impl Goal {
    /// A goal about one of these figures.
    ///
    /// # Errors
    /// When it is no comparison of a known figure with a number.
    pub(crate) fn parse(text: &str, known: &[&str]) -> Result<Self, String> {
        let (name, comparison, limit) = Comparison::split(text)?;
        let (kind, figure) = match name.rsplit_once('.') {
            Some((kind, figure)) => (Some(kind.to_owned()), figure),
            None => (None, name),
        };
        if !known.contains(&figure) {
            return Err(format!("\"{figure}\" is no figure; there are {}", known.join(", ")));
        }
        let number = |text: &str| text.trim_end().parse::<f64>().ok().filter(|number| number.is_finite());
        let limit = match limit.strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(limit.trim_end_matches('s')),
        };
        let limit = limit.ok_or("the limit must be a number, such as 0.8 or 80%")?;
        Ok(Self { text: text.trim().to_owned(), kind, figure: figure.to_owned(), comparison, limit })
    }

    /// The measured value and whether it misses the goal. A value that was not measured does.
    pub(crate) fn judge(&self, value: impl FnOnce(Option<&str>, &str) -> Option<f64>) -> (Option<f64>, bool) {
        let value = value(self.kind.as_deref(), &self.figure);
        (value, value.is_none_or(|value| self.comparison.holds(value, self.limit)))
    }

    /// Whether it is about questions that got no answer at all.
    pub(crate) fn is_about_failures(&self) -> bool {
        self.figure == "failed"
    }
}

impl FromStr for Goal {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text, &figures::names().collect::<Vec<_>>())
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Looks up a figure of all questions, or of a kind.
pub(crate) fn lookup<'a>(
    all: &'a Figures,
    kinds: &'a [(String, Figures)],
) -> impl Fn(Option<&str>, &str) -> Option<f64> + 'a {
    move |kind, figure| match kind {
        None => all.get(figure),
        Some(kind) => kinds.iter().find(|(name, _)| name == kind).and_then(|(_, figures)| figures.get(figure)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(goal: &str) -> (Option<f64>, bool) {
        let goal: Goal = goal.parse().expect("it is a goal");
        goal.judge(|kind, figure| match (kind, figure) {
            (None, "right") => Some(0.8),
            (Some("table"), "right") => Some(0.4),
            (None, "seconds_median") => Some(1.5),
            _ => None,
        })
    }

    #[test]
    fn goals_are_judged_over_all_or_over_a_kind() {
        for (goal, missed) in [
            ("right<0.8", false),
            ("right<=80%", true),
            ("table.right < 0.5", true),
            ("table.right<0.4", false),
            ("seconds_median>1.4s", true),
            // Without a value nothing is reached.
            ("list.right<0.1", true),
            ("ece>1", true),
        ] {
            assert_eq!(judged(goal).1, missed, "{goal}");
        }
    }

    #[test]
    fn what_is_no_goal_is_refused() {
        for (wrong, words) in [("right", "must say"), ("wrong<1", "false_answers"), ("right<x", "a number")] {
            let error = wrong.parse::<Goal>().expect_err(wrong);
            assert!(error.contains(words), "{wrong}: {error}");
        }
    }
}
