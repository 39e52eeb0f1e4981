//! Pairs among the hits of a search.

use crate::ports::Hit;
use crate::{EntryId, RequestContext, Search, StoreError};

/// Puts passages of documents in the place of pairs that were written for them: the pair was found by its question,
/// but the document is what backs an answer. Pairs whose answer is itself a place in a document, or for which no
/// passage is stored, stay. Nothing is there twice afterwards.
pub(crate) async fn backed_by_passages(
    store: &dyn Search,
    context: &RequestContext,
    hits: Vec<Hit>,
) -> Result<Vec<Hit>, StoreError> {
    let wanted: Vec<EntryId> = hits.iter().filter_map(written_for).collect();
    let mut backed: Vec<Hit> = Vec::with_capacity(hits.len());
    let passages = if wanted.is_empty() { Vec::new() } else { store.passages(context, wanted).await? };
    for hit in hits {
        let passage = written_for(&hit).and_then(|id| passages.iter().find(|passage| passage.id == id));
        let hit = match passage {
            Some(passage) => Hit { passage: passage.clone(), pair: None, ..hit },
            None => hit,
        };
        if !backed.iter().any(|other| other.passage.id == hit.passage.id) {
            backed.push(hit);
        }
    }
    Ok(backed)
}

/// The passage for which a pair was written, unless its answer stands in a document itself.
fn written_for(hit: &Hit) -> Option<EntryId> {
    let context = hit.pair.as_ref()?.context.clone();
    context.filter(|_| hit.passage.document.starts_with("qa:"))
}
