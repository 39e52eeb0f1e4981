//! Hints: what to do about an error, in the words of the command line.
//!
//! The rooms below say what is wrong and know nothing of flags and commands; errors of the command line itself bring
//! their hint along ([`WithHint`]).

use std::error::Error;
use std::fmt;

use qanda_core::{AnswerError, StoreError};
use qanda_ingest::IngestError;

/// What to do about an error, where that is known.
pub(crate) fn of(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let own = cause.downcast_ref::<Hinted>().map(|hinted| hinted.hint.clone());
        own.or_else(|| store_error(cause).and_then(about_store))
    })
}

/// The store's error in an error, which some wrap without a trace in the chain.
fn store_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a StoreError> {
    if let Some(AnswerError::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    if let Some(IngestError::Store(error)) = error.downcast_ref() {
        return Some(error);
    }
    error.downcast_ref()
}

fn about_store(error: &StoreError) -> Option<String> {
    match error {
        StoreError::OtherEmbedder { .. } => Some(
            "start with --embedder for the stored one, or run `qanda reembed` to make all vectors with this one (with \
             --store chroma: ingest into another --chroma-collection)"
                .to_owned(),
        ),
        StoreError::NoCollection { .. } => Some("`qanda ingest --store chroma` makes it".to_owned()),
        _ => None,
    }
}

/// Adds a hint to an error.
pub(crate) trait WithHint<T> {
    /// The same, with a hint for the case that it failed.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> WithHint<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| anyhow::Error::new(Hinted { error: error.into(), hint: hint.into() }))
    }
}

/// An error with a hint of its own. In the chain of causes it stands for the error.
#[derive(Debug)]
struct Hinted {
    error: anyhow::Error,
    hint: String,
}

impl fmt::Display for Hinted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(formatter)
    }
}

impl Error for Hinted {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;
    use crate::terminal::sentence;

    #[test]
    fn hints_are_found_below_any_context_and_are_no_part_of_the_sentence() {
        let missing = Err::<(), _>(std::io::Error::other("gone")).context("cannot open the file").hint("look again");
        let error = missing.context("cannot start").expect_err("it failed");
        assert_eq!(sentence(&error), "cannot start: cannot open the file: gone");
        assert_eq!(of(&error).as_deref(), Some("look again"));
        assert_eq!(of(&anyhow::anyhow!("something else")), None);
    }

    #[test]
    fn an_error_of_the_store_has_its_hint_whoever_passes_it_on() {
        let missing = || StoreError::NoCollection { name: "a".to_owned(), place: "b".to_owned() };
        for error in [missing().into(), AnswerError::from(missing()).into(), IngestError::from(missing()).into()] {
            assert!(of(&error).is_some_and(|hint| hint.contains("qanda ingest")), "{error:?}");
        }
    }

    #[test]
    fn a_cause_is_said_once() {
        let inner = std::io::Error::other("the disk is on fire");
        let error = anyhow::Error::new(StoreError::failed("writing", inner)).context("cannot store a.md");
        assert_eq!(sentence(&error), "cannot store a.md: writing failed: the disk is on fire");
    }
}
