use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use qanda_core::ports::TokenCounter;
use qanda_ingest::{Extractor, Ingestion};

use super::Time;
use crate::reading;
use crate::wiring::Search;

/// Tokens of a passage when nothing else is said. Chosen by what is found and how it is answered on development parts:
/// shorter passages of the same number hold less of what answers, longer ones take the reader longer and are answered no
/// better (docs/quality.md). The default embedder reads 254, and was trained on about half of that.
const PASSAGE_TOKENS: usize = 160;

/// Size of the passages that documents are cut into.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Documents")]
pub(crate) struct PassageArgs {
    /// Longest passage, in tokens of the embedder
    #[arg(long, value_name = "N", env = "QANDA_PASSAGE_TOKENS")]
    passage_tokens: Option<usize>,
    /// Longest time that reading one document may take; one that takes longer has failed
    #[arg(long, value_name = "TIME", env = "QANDA_DOCUMENT_TIMEOUT", default_value = "2m")]
    document_timeout: Time,
}

/// How documents are read and cut.
#[derive(Debug, Clone)]
pub(crate) struct PassageSettings {
    tokens: Option<usize>,
    timeout: Duration,
}

impl PassageArgs {
    /// Resolves the arguments.
    ///
    /// # Errors
    /// When a value cannot be used.
    pub(crate) fn resolve(&self) -> anyhow::Result<PassageSettings> {
        let timeout = self.document_timeout.to_wait("document-timeout")?;
        Ok(PassageSettings { tokens: self.passage_tokens, timeout })
    }
}

impl PassageSettings {
    /// What reads documents.
    pub(crate) fn extractor(&self) -> Arc<dyn Extractor> {
        reading::isolated(self.timeout)
    }

    /// What stores documents with these passages.
    ///
    /// # Errors
    /// When the embedder cannot read passages of that size.
    pub(crate) fn ingestion(&self, search: &Search, extractor: Arc<dyn Extractor>) -> anyhow::Result<Ingestion> {
        let Search { store, embedder, counter, .. } = search;
        Ok(Ingestion {
            documents: Arc::clone(store) as _,
            upkeep: Arc::clone(store) as _,
            extractor,
            embedder: Arc::clone(embedder),
            passage_tokens: self.fitting(&**counter)?,
            counter: Arc::clone(counter),
        })
    }

    fn fitting(&self, counter: &dyn TokenCounter) -> anyhow::Result<usize> {
        let most = counter.max_tokens();
        let tokens = self.tokens.unwrap_or(PASSAGE_TOKENS.min(most));
        anyhow::ensure!((32..=most).contains(&tokens), "--passage-tokens is {tokens}; it must be from 32 to {most}");
        Ok(tokens)
    }
}
