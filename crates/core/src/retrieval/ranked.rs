//! Passages for a question without an answer: what was found, by which search, and what of it goes on to be read.

use std::collections::HashMap;
use std::sync::Arc;

use futures::future::try_join;

use super::asked::Asked;
use super::relevance::relevant;
use super::search::find_asked;
use crate::answer::Place;
use crate::compute::compute;
use crate::ports::{Hit, Mode, SearchQuery};
use crate::{AnswerError, Embedder, EntryId, Question, RequestContext, Reranker, Search, StoreError};

/// Passages of each search alone that are looked through for a passage's rank.
const RANKED: usize = 100;

/// All that finding passages takes.
#[derive(Clone)]
pub struct Finder {
    /// The store.
    pub search: Arc<dyn Search>,
    /// The model that embedded its passages.
    pub embedder: Arc<dyn Embedder>,
    /// Puts what was found into a better order, if there is one.
    pub reranker: Option<Arc<dyn Reranker>>,
}

/// A passage that was found for a question.
#[derive(Debug, Clone, PartialEq)]
pub struct Ranked {
    /// The passage.
    pub place: Place,
    /// Its rank in the search by meaning alone, from 1; none beyond the first hundred.
    pub dense: Option<usize>,
    /// Its rank in the search by words alone, likewise; none over a store that has no such search.
    pub lexical: Option<usize>,
    /// Whether it is near enough to the question to be read by whatever answers.
    pub read: bool,
}

impl Finder {
    /// The passages that a pipeline would find for the question, best first, with what is known of each.
    ///
    /// # Errors
    /// When the embedder, the store or the reranker fails.
    pub async fn ranked(&self, context: &RequestContext, question: &Question) -> Result<Vec<Ranked>, AnswerError> {
        let (content, history) = (question.content.clone(), question.history.clone());
        let asked = compute(move || Asked::of(&content, &history)).await;
        let vectors = self.embedder.embed_queries(context, &asked.to_embed()).await?;
        let reranker = self.reranker.as_deref();
        let hits = find_asked(&*self.search, reranker, context, question, &asked, &vectors).await?;
        let (text, vector) = (Arc::<str>::from(&*asked.standalone), asked.mean(&vectors));
        let alone = |mode| {
            let query = SearchQuery {
                text: text.to_string(),
                vector: vector.clone(),
                mode,
                source: question.source,
                filter: question.filter.clone(),
                as_of: question.as_of,
                limit: RANKED,
            };
            self.ranks(context, query)
        };
        let (dense, lexical) = try_join(alone(Mode::Dense), alone(Mode::Lexical)).await?;
        let (all, words, floor) = (hits.clone(), Arc::clone(&text), self.embedder.relevance_floor());
        let read = compute(move || relevant(&words, all, floor)).await;
        let ranked = |hit: &Hit| {
            let id = &hit.passage.id;
            let read = read.iter().any(|read| read.passage.id == *id);
            Ranked { place: Place::whole(hit), dense: dense.get(id).copied(), lexical: lexical.get(id).copied(), read }
        };
        Ok(hits.iter().map(ranked).collect())
    }

    async fn ranks(&self, context: &RequestContext, query: SearchQuery) -> Result<HashMap<EntryId, usize>, StoreError> {
        if query.mode == Mode::Lexical && !self.search.ranks_by_words() {
            return Ok(HashMap::new());
        }
        let hits = self.search.search(context, query).await?;
        Ok(hits.into_iter().map(|hit| hit.passage.id).zip(1..).collect())
    }
}
