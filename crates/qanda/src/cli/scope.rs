//! What of the documents is searched.

use clap::Args;
use qanda_core::{Moment, Question, Source};

/// Where and how far to search.
#[derive(Debug, Clone, Args)]
pub(super) struct ScopeArgs {
    /// Passages to retrieve
    #[arg(long, value_name = "N", default_value_t = Question::DEFAULT_RESULTS, value_parser = n_results)]
    n_results: usize,
    /// Search in: context (passages), QA (question/answer pairs) or all
    #[arg(long, default_value = "context")]
    source: Source,
    /// Search only documents with this metadata; can be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = name_value)]
    filter: Vec<(String, String)>,
    /// Search what held on this day, like 2025-06-30, instead of what holds today
    #[arg(long, value_name = "DATE", value_parser = date)]
    as_of: Option<Moment>,
}

impl ScopeArgs {
    /// A question in these bounds.
    pub(super) fn question(self, content: String) -> Question {
        Question {
            n_results: self.n_results,
            source: self.source,
            filter: self.filter.into_iter().collect(),
            as_of: self.as_of,
            ..Question::new(content)
        }
    }
}

fn n_results(given: &str) -> Result<usize, String> {
    let number = given.parse().ok().filter(|number| (1..=Question::MOST_RESULTS).contains(number));
    number.ok_or_else(|| format!("it must be a whole number from 1 to {}", Question::MOST_RESULTS))
}

fn date(given: &str) -> Result<Moment, String> {
    Moment::first_of(given).map_err(|error| format!("it {error}"))
}

fn name_value(given: &str) -> Result<(String, String), String> {
    let (name, value) = given.split_once('=').ok_or("it must look like topic=diabetes")?;
    Ok((name.to_owned(), value.to_owned()))
}
