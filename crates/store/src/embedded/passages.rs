//! Passages read from SQLite.

use qanda_core::document::Pages;
use qanda_core::ports::Page;
use qanda_core::{DocumentId, Metadata, Passage, Span, StoreError};
use rusqlite::{Connection, OptionalExtension};

use super::entries::{PAGE, PASSAGE, bytes, cursor, headings, metadata_of};
use super::failure::failed;

/// A passage by its id; `None` if it has been removed.
pub(super) fn passage(connection: &Connection, entry: u64) -> Result<Option<Passage>, StoreError> {
    let read = || -> rusqlite::Result<Option<Passage>> {
        let sql = "SELECT d.path, d.title, e.headings, e.text, e.start_byte, e.end_byte, d.id, d.pages
                   FROM entries e JOIN documents d ON d.id = e.document_id WHERE e.id = ?1 AND e.kind = 0";
        let found = connection.prepare_cached(sql)?.query_row([entry.cast_signed()], |row| {
            let span = Span::new(bytes(row.get(4)?), bytes(row.get(5)?));
            let starts = super::documents::page_starts(row.get(7)?);
            let passage = Passage {
                id: entry.into(),
                document: row.get(0)?,
                title: row.get(1)?,
                headings: headings(&row.get::<_, String>(2)?),
                text: row.get(3)?,
                span,
                metadata: Metadata::new(),
                pages: Pages::of(&starts, span),
            };
            Ok((passage, row.get::<_, i64>(6)?))
        });
        let Some((mut passage, document)) = found.optional()? else { return Ok(None) };
        passage.metadata = metadata_of(connection, document)?;
        Ok(Some(passage))
    };
    read().map_err(failed("reading a passage"))
}

/// Passages of a document in the order of its text, page by page.
pub(super) fn of_document(
    connection: &Connection,
    id: &DocumentId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Passage>, StoreError> {
    let Ok(document) = id.as_str().parse::<i64>() else { return Ok(Page { items: Vec::new(), next: None }) };
    let limit = limit.clamp(1, PAGE);
    let read = || -> rusqlite::Result<Vec<i64>> {
        // One more than asked for tells whether there are more.
        let sql = format!(
            "SELECT id FROM entries WHERE document_id = ?1 AND kind = {PASSAGE} AND id > ?2 ORDER BY id LIMIT {}",
            limit + 1
        );
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([document, cursor(after)], |row| row.get(0))?.collect()
    };
    let ids = read().map_err(failed("listing a document's passages"))?;
    let next = (ids.len() > limit).then(|| ids[limit - 1].to_string());
    let passages = ids.into_iter().take(limit).map(|id| passage(connection, id.unsigned_abs()));
    Ok(Page { items: passages.filter_map(Result::transpose).collect::<Result<_, _>>()?, next })
}

/// All passages in the order in which they came, page by page.
pub(super) fn list(connection: &Connection, after: Option<&str>) -> Result<Page<Passage>, StoreError> {
    let read = || -> rusqlite::Result<Vec<i64>> {
        let sql = format!("SELECT id FROM entries WHERE kind = {PASSAGE} AND id > ?1 ORDER BY id LIMIT {PAGE}");
        let mut statement = connection.prepare_cached(&sql)?;
        statement.query_map([cursor(after)], |row| row.get(0))?.collect()
    };
    let ids = read().map_err(failed("listing passages"))?;
    let next = ids.last().filter(|_| ids.len() == PAGE).map(ToString::to_string);
    let passages = ids.into_iter().map(|id| passage(connection, id.unsigned_abs()));
    Ok(Page { items: passages.filter_map(Result::transpose).collect::<Result<_, _>>()?, next })
}
