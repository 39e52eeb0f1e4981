//! Putting hits into the order of a model that reads the question together with each of them.

use crate::ports::Hit;
use crate::{ModelError, RequestContext, Reranker};

/// Hits that are looked at for each one that is wanted.
const LOOKED_AT: usize = 4;

/// Most hits that are looked at where fewer are wanted: each takes about as long as embedding it.
pub(super) const MOST: usize = 40;

/// Hits to search for where so many are wanted after reranking.
pub(crate) fn candidates(wanted: usize) -> usize {
    (LOOKED_AT * wanted).min(MOST).max(wanted)
}

/// The best `wanted` of the hits in the reranker's order, with its scores. Those that score the same stay in theirs.
///
/// # Errors
/// When the reranker fails: the search's order in its place would pass for what was asked for.
pub(crate) async fn rerank(
    reranker: &dyn Reranker,
    context: &RequestContext,
    question: &str,
    mut hits: Vec<Hit>,
    wanted: usize,
) -> Result<Vec<Hit>, ModelError> {
    let texts: Vec<String> = hits.iter().map(text).collect();
    let scores = reranker.score(context, question, texts).await?;
    if scores.len() != hits.len() {
        let what = format!("it gave {} scores for {} passages", scores.len(), hits.len());
        return Err(ModelError::failed("reranking", what));
    }
    for (hit, score) in hits.iter_mut().zip(scores) {
        hit.score = score;
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    hits.truncate(wanted);
    Ok(hits)
}

/// A hit as the reranker reads it: a passage under its title and headings, a pair's answer under its question.
fn text(hit: &Hit) -> String {
    match &hit.pair {
        Some(pair) => format!("{}\n{}", pair.question, hit.passage.text),
        None => hit.passage.with_context(),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;

    use super::*;
    use crate::{Metadata, Passage, Span};

    /// Scores by length, as far as it gets.
    struct ByLength {
        most: usize,
    }

    #[async_trait]
    impl Reranker for ByLength {
        fn name(&self) -> &str {
            "by length"
        }

        async fn score(&self, _: &RequestContext, _: &str, texts: Vec<String>) -> Result<Vec<f32>, ModelError> {
            Ok(texts.iter().take(self.most).map(|text| text.len() as f32).collect())
        }
    }

    fn hits(texts: &[&str]) -> Vec<Hit> {
        let hit = |text: &&str| Hit {
            passage: Passage {
                id: 1.into(),
                document: String::new(),
                title: String::new(),
                headings: Vec::new(),
                text: (*text).to_owned(),
                span: Span::new(0, text.len()),
                metadata: Metadata::new(),
                pages: None,
            },
            pair: None,
            score: 0.5,
            cosine: Some(0.1),
        };
        texts.iter().map(hit).collect()
    }

    async fn reranked(most: usize, wanted: usize) -> Result<Vec<String>, ModelError> {
        let (context, hits) = (RequestContext::local(), hits(&["a", "ccc", "bb", "ddd"]));
        let hits = rerank(&ByLength { most }, &context, "?", hits, wanted).await?;
        Ok(hits.into_iter().map(|hit| hit.passage.text).collect())
    }

    #[tokio::test]
    async fn the_best_are_kept_in_the_rerankers_order_and_equals_in_the_searchs() {
        assert_eq!(reranked(9, 3).await.expect("scores"), ["ccc", "ddd", "bb"]);
    }

    #[tokio::test]
    async fn too_few_scores_are_a_failure() {
        assert!(reranked(3, 3).await.is_err());
    }

    #[test]
    fn more_are_looked_at_than_wanted_within_bounds() {
        assert_eq!([1, 5, 10, 20, 100].map(candidates), [4, 20, 40, 40, 100]);
    }
}
