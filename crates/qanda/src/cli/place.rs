//! Places in documents, as people name them.

use qanda_core::document::heading_path;
use qanda_core::{Place, RequestContext, Store};

use crate::terminal::{self, DIM, Text, one_line};

/// Most characters of a place's words that are shown.
const MOST_SHOWN: usize = 400;

/// A place in a document, as people name it, and its words.
pub(super) async fn list(mark: Text, place: &Place, store: &dyn Store) -> anyhow::Result<()> {
    let heading = one_line(&heading_path(&place.title, &place.headings));
    let spot = spot(place, store).await?;
    terminal::line(mark.and(format!(" {heading}  ")).and_styled(DIM, format!("{}, {spot}", one_line(&place.document))));
    let words = place.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown: String = words.chars().take(MOST_SHOWN).collect();
    let more = if shown.len() < words.len() { " …" } else { "" };
    terminal::line(format!("    {shown}{more}"));
    Ok(())
}

/// Where in its document a place is: its page or its line, and for a document with neither the bytes of its text.
async fn spot(place: &Place, store: &dyn Store) -> anyhow::Result<String> {
    if let Some(page) = place.page {
        return Ok(format!("page {page}"));
    }
    let line = store.line(&RequestContext::local(), &place.document, place.span.start).await?;
    Ok(line.map_or_else(|| format!("bytes {}-{}", place.span.start, place.span.end), |line| format!("line {line}")))
}
