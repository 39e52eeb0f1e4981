//! The vectors of a whole store made anew by another embedder, out of the texts that are stored.

use std::time::Instant;

use qanda_core::ports::{Reembedding, ReembeddingProgress, TokenCounter};
use qanda_core::{Embedder, EntryId, RequestContext};

use crate::IngestError;
use crate::job::embed_all_of;

/// Texts embedded at a time.
const BATCH: usize = 256;

/// Report of a re-embedding.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ReembedReport {
    /// Whether the vectors were by this embedder already, and nothing had to be done.
    pub already: bool,
    /// Vectors made now.
    pub embedded: u64,
    /// Vectors that an earlier run had made.
    pub resumed: u64,
    /// Texts that have more tokens than the embedder reads: it ignores the rest of them.
    pub too_long: u64,
    /// Duration.
    pub seconds: f64,
}

/// Embeds every passage and question of a store anew and changes to the new vectors, all at once. Passages stay as
/// they are, and so do the pairs. Whoever stops in between goes on later where it was; the old vectors are in use until
/// the end.
///
/// # Errors
/// [`IngestError`] when the store or the embedder fails.
pub async fn reembed(
    store: &dyn Reembedding,
    embedder: &dyn Embedder,
    counter: &dyn TokenCounter,
    mut on_progress: impl FnMut(ReembeddingProgress),
) -> Result<ReembedReport, IngestError> {
    let began = Instant::now();
    let Some(mut progress) = store.begin(embedder.identity().clone()).await? else {
        return Ok(ReembedReport { already: true, ..ReembedReport::default() });
    };
    let mut report = ReembedReport { resumed: progress.done, ..ReembedReport::default() };
    on_progress(progress);
    loop {
        let pending = store.pending(BATCH).await?;
        if pending.is_empty() {
            // What others store meanwhile is embedded, too, before the change.
            if store.switch_over().await? {
                return Ok(ReembedReport { seconds: began.elapsed().as_secs_f64(), ..report });
            }
            continue;
        }
        let (ids, texts): (Vec<EntryId>, Vec<String>) = pending.into_iter().unzip();
        let long = texts.iter().filter(|text| counter.count_tokens(text) > counter.max_tokens());
        report.too_long += long.count() as u64;
        report.embedded += texts.len() as u64;
        progress.done += texts.len() as u64;
        progress.total = progress.total.max(progress.done);
        let vectors = embed_all_of(embedder, &RequestContext::local(), texts).await?;
        store.put_vectors(ids.into_iter().zip(vectors).collect()).await?;
        on_progress(progress);
    }
}

#[cfg(test)]
mod tests;
