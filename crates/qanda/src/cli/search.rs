use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use qanda_core::RequestContext;
use qanda_core::retrieval::{Finder, Ranked};
use qanda_server::hits_json;

use super::place::list;
use super::scope::ScopeArgs;
use crate::config::{RerankerArgs, SearchArgs};
use crate::terminal::{self, CYAN, DIM, Text};
use crate::wiring::Patience;
use crate::{logging, wiring};

/// See the passages that a question finds, without an answer
///
/// Each with its rank by meaning and by words, and whether it is near enough to be read: the way to see why an answer came
/// out as it did.
#[derive(Debug, Args)]
pub(crate) struct Search {
    /// The question
    question: String,
    /// Print one JSON object, the same as over HTTP
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    scope: ScopeArgs,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    reranker: RerankerArgs,
}

impl Search {
    pub(crate) fn run(self) -> anyhow::Result<ExitCode> {
        logging::start("warn");
        let question = self.scope.question(self.question);
        question.validate()?;
        let reranker = self.reranker.resolve(self.search.embedder.threads()?)?;
        let settings = self.search.resolve()?;
        super::runtime()?.block_on(async {
            let reranker = wiring::reranker(reranker).await?;
            let wiring::Search { store, embedder, .. } = wiring::search(settings, Patience::None).await?;
            let finder = Finder { search: Arc::clone(&store) as _, embedder, reranker };
            let hits = finder.ranked(&RequestContext::local(), &question).await?;
            if self.json {
                return terminal::pretty_json(&hits_json(&hits));
            }
            if hits.is_empty() {
                terminal::note("nothing found");
            }
            for (number, hit) in (1..).zip(&hits) {
                list(Text::styled(CYAN, format!("{number}.")), &hit.place, store.as_ref()).await?;
                terminal::line(Text::styled(DIM, format!("    {}", standing(hit))));
            }
            Ok(())
        })?;
        Ok(ExitCode::SUCCESS)
    }
}

/// How a passage came to be found.
fn standing(hit: &Ranked) -> String {
    let rank = |rank: Option<usize>| rank.map_or_else(|| "not among the first".to_owned(), |rank| format!("{rank}."));
    let (dense, lexical) = (rank(hit.dense), rank(hit.lexical));
    let read = if hit.read { "" } else { "; too far from the question to be read" };
    format!("by meaning {dense}, by words {lexical}, score {:.3}{read}", hit.place.score)
}
