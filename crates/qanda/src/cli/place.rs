//! Places in documents, as people name them.

use qanda_core::document::{DocumentState, heading_path};
use qanda_core::{Place, RequestContext, Store};

use crate::terminal::{self, DIM, Text, one_line};

/// Most characters of a place's words that are shown.
const MOST_SHOWN: usize = 400;

/// A place in a document, as people name it, and its words.
pub(super) async fn list(mark: Text, place: &Place, store: &dyn Store) -> anyhow::Result<()> {
    let heading = one_line(&heading_path(&place.title, &place.headings));
    let spot = spot(place, store).await?;
    let document = one_line(&place.document);
    let validity = place.validity.as_deref().cloned().unwrap_or_default();
    let said = |stated: Option<String>| one_line(&stated.unwrap_or_default());
    let state = match place.state() {
        DocumentState::Current => String::new(),
        DocumentState::Upcoming => format!(", holds from {}", said(validity.valid_from)),
        DocumentState::Expired => format!(", held until {}", said(validity.valid_until)),
        DocumentState::Superseded => format!(", superseded by {}", said(validity.superseded_by)),
    };
    terminal::line(mark.and(format!(" {heading}  ")).and_styled(DIM, format!("{document}, {spot}{state}")));
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
