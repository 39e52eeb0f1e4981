//! `qanda eval claims`: the verification of statements by itself.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use qanda_core::verification::backs;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answers::goal::Goal;
use super::answers::{MISSED, cannot_write, goals_missed};
use super::beir;
use super::parts::Selection;
use crate::terminal::{self, BOLD, Text};

/// Check statements against the text that they cite: which are certified, and how many of those contradict it
///
/// Each line has "claim", "evidence" and "label" (supports, refutes or contradicts, neutral or neither), and may have
/// "id", "group" (kept in one part), "kind" or else "source" (figures are given by it), and "split".
#[derive(Debug, Args)]
pub(super) struct Claims {
    /// Statements with their evidence: one JSON object a line
    #[arg(long, value_name = "FILE", default_value = "../shared/data/claims/claims.jsonl")]
    claims: PathBuf,
    /// Only statements with this "split", such as unseen
    #[arg(long, value_name = "NAME")]
    split: Option<String>,
    /// Write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Exit with 4 if this comes true, such as precision<0.9 or contradictions>2%
    #[arg(long, value_name = "GOAL", value_parser = |text: &str| Goal::parse(text, &NAMES))]
    fail_if: Vec<Goal>,
    #[command(flatten)]
    selection: Selection,
}

#[derive(Debug, Deserialize)]
struct Claim {
    #[serde(default)]
    id: String,
    #[serde(default)]
    group: Option<String>,
    #[serde(default)]
    source: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    split: String,
    claim: String,
    evidence: String,
    label: Label,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Label {
    Supports,
    #[serde(alias = "contradicts")]
    Refutes,
    #[serde(alias = "neither")]
    Neutral,
}

impl Claim {
    fn key(&self) -> &str {
        self.group.as_deref().unwrap_or(&self.id)
    }

    /// What its figures are given by.
    fn sort(&self) -> &str {
        if self.kind.is_empty() { &self.source } else { &self.kind }
    }

    /// Whether a marker would be let stand.
    fn is_certified(&self) -> bool {
        backs(&self.evidence, &self.claim)
    }
}

const NAMES: [&str; 6] = ["claims", "precision", "recall", "contradictions", "neutral", "milliseconds"];

/// Figures by name: see [`NAMES`].
type Figures = [Option<f64>; NAMES.len()];

fn figures(judged: &[(Label, bool)], milliseconds: Option<f64>) -> Figures {
    let count = |label: Label| judged.iter().filter(|(known, _)| *known == label).count();
    let certified = |label: Label| judged.iter().filter(|(known, certified)| *known == label && *certified).count();
    let share = |part: usize, whole: usize| (whole > 0).then(|| part as f64 / whole as f64);
    let all = judged.iter().filter(|(_, certified)| *certified).count();
    [
        Some(judged.len() as f64),
        share(certified(Label::Supports), all),
        share(certified(Label::Supports), count(Label::Supports)),
        share(certified(Label::Refutes), count(Label::Refutes)),
        share(certified(Label::Neutral), count(Label::Neutral)),
        milliseconds,
    ]
}

impl Claims {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let mut claims: Vec<Claim> = beir::lines(&self.claims)?;
        claims.retain(|claim| self.split.as_ref().is_none_or(|split| claim.split == *split));
        let claims = self.selection.of(claims, |claim| &claim.id, Claim::key)?;
        let began = Instant::now();
        let judged: Vec<(Label, bool)> = claims.iter().map(|claim| (claim.label, claim.is_certified())).collect();
        let milliseconds = began.elapsed().as_secs_f64() * 1e3 / claims.len() as f64;
        let all = figures(&judged, Some(milliseconds));
        let sources = by_source(&claims, &judged);
        show(&all, &sources);
        if let Some(path) = &self.json {
            let by_source: Map<String, Value> = sources.iter().map(|(name, f)| (name.clone(), named(f))).collect();
            let report = json!({"part": self.selection.part.name(), "all": named(&all), "sources": by_source});
            std::fs::write(path, report.to_string() + "\n").with_context(|| cannot_write(path))?;
        }
        let find = |figures: &Figures, name: &str| figures[NAMES.iter().position(|known| *known == name)?];
        let value = |source: Option<&str>, name: &str| match source {
            None => find(&all, name),
            Some(source) => sources.iter().find(|(known, _)| known == source).and_then(|(_, f)| find(f, name)),
        };
        Ok(if goals_missed(&self.fail_if, value) { ExitCode::from(MISSED) } else { ExitCode::SUCCESS })
    }
}

fn by_source(claims: &[Claim], judged: &[(Label, bool)]) -> Vec<(String, Figures)> {
    let mut names: Vec<&str> = claims.iter().map(Claim::sort).collect();
    names.sort_unstable();
    names.dedup();
    let of = |name: &str| {
        let own = claims.iter().zip(judged).filter(|(claim, _)| claim.sort() == name);
        figures(&own.map(|(_, judged)| *judged).collect::<Vec<_>>(), None)
    };
    names.into_iter().map(|name| (name.to_owned(), of(name))).collect()
}

fn named(figures: &Figures) -> Value {
    let known = NAMES.iter().zip(figures).filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.into())));
    Value::Object(known.collect())
}

fn show(all: &Figures, sources: &[(String, Figures)]) {
    let row = |name: &str, figures: &Figures| {
        let cell = |(place, value): (usize, &Option<f64>)| match value {
            None => format!("{:>15}", "-"),
            Some(number) if place == 0 => format!("{number:>15.0}"),
            Some(value) => format!("{value:>15.3}"),
        };
        terminal::line(format!("{name:<26}{}", figures.iter().enumerate().map(cell).collect::<String>()));
    };
    let heads: String = NAMES.iter().map(|name| format!("{name:>15}")).collect();
    terminal::line(Text::styled(BOLD, format!("{:<26}{heads}", "")));
    if sources.len() > 1 {
        sources.iter().for_each(|(name, figures)| row(name, figures));
    }
    row("all", all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_certified_is_counted_by_label() {
        let certified = |label, yes: usize, no: usize| {
            std::iter::repeat_n((label, true), yes).chain(std::iter::repeat_n((label, false), no))
        };
        let judged: Vec<_> = certified(Label::Supports, 6, 2)
            .chain(certified(Label::Refutes, 1, 3))
            .chain(certified(Label::Neutral, 1, 9))
            .collect();
        let found = figures(&judged, None);
        assert_eq!(found, [Some(22.0), Some(0.75), Some(0.75), Some(0.25), Some(0.1), None]);
        assert_eq!(figures(&judged[..8], None)[3], None);
    }

    #[test]
    fn a_claim_in_the_words_of_its_evidence_is_certified_and_one_about_something_else_is_not() {
        let claim = |claim: &str| {
            let evidence = "Amlodipine is started with 5 mg once a day in adults.";
            let json = json!({"claim": claim, "evidence": evidence, "label": "supports"});
            serde_json::from_value::<Claim>(json).expect("a claim").is_certified()
        };
        assert!(claim("Amlodipine is started with 5 mg once a day."));
        assert!(!claim("Ramipril lowers the pressure of the blood at night."));
    }
}
