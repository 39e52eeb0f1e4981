//! The search for a question: by its own words, by the talk before it, by what was pasted beside it.

use std::sync::Arc;

use futures::future::try_join_all;

use super::asked::Asked;
use super::copies::without_copies;
use super::fuse::{Ranking, fuse};
use super::rerank::{MOST, candidates, rerank};
use crate::language;
use crate::ports::{Hit, Mode, SearchQuery};
use crate::{AnswerError, Embedder, Filter, Moment, Question, RequestContext, Reranker, Search, Source, StoreError};

/// The words that stand for a question after the search: what passages and sentences are compared with.
#[derive(Debug, Clone)]
pub(crate) struct Sought {
    /// The stand-alone question.
    pub(crate) text: Arc<str>,
    /// Its embedding, with that of the talk before it where it leaves something out.
    pub(crate) vector: Vec<f32>,
}

/// Where and how far to search.
#[derive(Debug, Clone)]
pub(crate) struct Scope {
    /// Kind of text to search.
    pub(crate) source: Source,
    /// Metadata that every hit must have.
    pub(crate) filter: Filter,
    /// Hits wanted.
    pub(crate) limit: usize,
    /// Moment at which their documents must hold; now if there is none.
    pub(crate) as_of: Option<Moment>,
}

impl Scope {
    /// As a question says.
    pub(crate) fn of(question: &Question) -> Self {
        // Stored facts are composed as well.
        let composed = |text: &str| language::composed(text).into_owned();
        let filter = question.filter.iter().map(|(name, value)| (composed(name), composed(value))).collect();
        Self { source: question.source, filter, limit: question.n_results, as_of: question.as_of }
    }
}

/// Most hits that are looked at for as many different ones as are wanted.
const MOST_LOOKED_AT: usize = 256;

/// Hits of each of several searches: fusing needs to see what both of them like, not only what is best in one. Of 20, 50
/// and 100, 20 finds less on the development part of MTRAG, the others the same.
const FUSED: usize = 50;

/// The hits for a question, best first, that say different things; more are asked for only where copies took their
/// places. `vectors` are those of the texts.
pub(crate) async fn search(
    store: &dyn Search,
    context: &RequestContext,
    asked: &Asked,
    vectors: &[Vec<f32>],
    scope: Scope,
) -> Result<Vec<Hit>, StoreError> {
    let mut depth = if asked.texts.len() == 1 { scope.limit } else { scope.limit.max(FUSED) };
    loop {
        let searches = asked.texts.iter().zip(vectors).map(|(wording, vector)| {
            let query = SearchQuery {
                text: wording.text.clone(),
                vector: vector.clone(),
                mode: Mode::Hybrid,
                source: scope.source,
                filter: scope.filter.clone(),
                as_of: scope.as_of,
                limit: depth,
            };
            async move {
                let hits = store.search(context, query).await?;
                Ok(Ranking { hits, weight: wording.weight, says_it: wording.says_it })
            }
        });
        let rankings = try_join_all(searches).await?;
        let is_all = rankings.iter().all(|ranking| ranking.hits.len() < depth) || depth >= MOST_LOOKED_AT;
        let mut hits = without_copies(fuse(rankings));
        if is_all || hits.len() >= scope.limit {
            hits.truncate(scope.limit);
            return Ok(hits);
        }
        depth = (depth * 4).min(MOST_LOOKED_AT);
    }
}

/// Finds passages for a question and the turns before it as the pipelines do, without judging their relevance; for
/// measuring that by itself. Where there is a reranker, it puts the first 40 into its order; those after them keep their
/// place.
///
/// # Errors
/// When the embedder, the store or the reranker fails.
pub async fn find(
    store: &dyn Search,
    embedder: &dyn Embedder,
    reranker: Option<&dyn Reranker>,
    context: &RequestContext,
    question: &Question,
) -> Result<Vec<Hit>, AnswerError> {
    let asked = Asked::of(&question.content, &question.history);
    let vectors = embedder.embed_queries(context, &asked.to_embed()).await?;
    find_asked(store, reranker, context, question, &asked, &vectors).await
}

/// The same for a question that is embedded already; `vectors` are those of its texts.
pub(crate) async fn find_asked(
    store: &dyn Search,
    reranker: Option<&dyn Reranker>,
    context: &RequestContext,
    question: &Question,
    asked: &Asked,
    vectors: &[Vec<f32>],
) -> Result<Vec<Hit>, AnswerError> {
    let mut scope = Scope::of(question);
    let Some(reranker) = reranker else { return Ok(search(store, context, asked, vectors, scope).await?) };
    scope.limit = candidates(question.n_results);
    let mut hits = search(store, context, asked, vectors, scope).await?;
    let rest = hits.split_off(MOST.min(hits.len()));
    hits = rerank(reranker, context, &asked.standalone, hits, MOST).await?;
    hits.extend(rest);
    hits.truncate(question.n_results);
    Ok(hits)
}
