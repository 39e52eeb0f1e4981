//! Files in the form of BEIR (Thakur et al., 2021).

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::turns::KnownTurn;

/// A line of `corpus.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "_id")]
    pub(super) id: String,
    #[serde(default)]
    pub(super) title: String,
    pub(super) text: String,
}

/// A line of `queries.jsonl`.
#[derive(Debug, Deserialize)]
pub(super) struct Query {
    #[serde(rename = "_id")]
    pub(super) id: String,
    pub(super) text: String,
    /// The conversation before it.
    #[serde(default)]
    pub(super) history: Vec<KnownTurn>,
    /// Name of the queries that are kept in the same part of the set.
    #[serde(default)]
    pub(super) group: Option<String>,
}

/// Grade by document by query. Documents that are not listed are not relevant.
pub(super) type Judgements = HashMap<String, HashMap<String, f64>>;

/// Reads one JSON object a line.
pub(super) fn lines<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(n, line)| serde_json::from_str(line).with_context(|| format!("{}, line {}", path.display(), n + 1)))
        .collect()
}

/// Reads `query-id`, `corpus-id`, `score`, separated by tabs, below a line of headings.
pub(super) fn judgements(path: &Path) -> anyhow::Result<Judgements> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut judgements = Judgements::new();
    for (n, line) in text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}, line {}", path.display(), n + 1);
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, grade] = fields[..] else {
            anyhow::bail!("{}: three fields separated by tabs are needed", place());
        };
        let grade = grade.trim().parse().with_context(place)?;
        judgements.entry(query.to_owned()).or_default().insert(document.to_owned(), grade);
    }
    Ok(judgements)
}

/// Queries that have a relevant document; the others would count against every method alike.
pub(super) fn judged(queries: Vec<Query>, judgements: &Judgements) -> Vec<Query> {
    let known: HashSet<&String> =
        judgements.iter().filter(|(_, grades)| grades.values().any(|g| *g > 0.0)).map(|(query, _)| query).collect();
    queries.into_iter().filter(|query| known.contains(&query.id)).collect()
}
