//! Pairs read from SQLite: as hits, by the passages that they were written for, and one after the other.

use qanda_core::document::{Pages, Span};
use qanda_core::ports::{Page, PairLink};
use qanda_core::{EntryId, Metadata, Pair, Passage, StoreError};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::embedded::dense::DenseView;
use crate::embedded::entries::{self, PAGE, cursor, metadata_of, row_id};
use crate::embedded::failure::failed;
use crate::embedded::vector::Vector;
use crate::embedded::{database, documents};
use crate::fusion::sort;

/// A pair's rest, and the pair as a passage that can be cited.
pub(in super::super) fn as_passage(
    connection: &Connection,
    entry: u64,
) -> rusqlite::Result<Option<(Passage, PairLink)>> {
    let sql = "SELECT e.text, p.answer, p.key, p.context_id, d.path, d.title, e.start_byte, e.end_byte, e.document_id,
                      substr(CAST(t.text AS BLOB), e.start_byte + 1, e.end_byte - e.start_byte), d.pages
               FROM entries e JOIN pairs p ON p.entry_id = e.id
               LEFT JOIN documents d ON d.id = e.document_id LEFT JOIN document_texts t ON t.document_id = d.id
               WHERE e.id = ?1";
    let read = |row: &Row<'_>| {
        let (question, answer, key): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let context = row.get::<_, Option<i64>>(3)?.map(|id| EntryId::from(id.unsigned_abs()));
        let span = Span::new(entries::bytes(row.get(6)?), entries::bytes(row.get(7)?));
        let link = PairLink { question: question.clone(), context };
        let quoted = row.get::<_, Option<Vec<u8>>>(9)?.and_then(|bytes| String::from_utf8(bytes).ok());
        let starts = documents::page_starts(row.get(10)?);
        let (document, title, headings, text, span, pages) = match (row.get(4)?, row.get(5)?, quoted) {
            (Some(path), Some(title), Some(text)) if !span.is_empty() => {
                (path, title, vec![question], text, span, Pages::of(&starts, span))
            }
            _ => (format!("qa:{key}"), question, Vec::new(), answer.clone(), Span::new(0, answer.len()), None),
        };
        let metadata = Metadata::new();
        let passage = Passage { id: entry.into(), document, title, headings, text, span, metadata, pages };
        Ok((passage, link, row.get::<_, i64>(8)?))
    };
    let found = connection.prepare_cached(sql)?.query_row([entry.cast_signed()], read).optional()?;
    let Some((mut passage, link, document)) = found else { return Ok(None) };
    passage.metadata = metadata_of(connection, document)?;
    Ok(Some((passage, link)))
}

/// The pairs written for any of these passages, the nearest questions first.
pub(in super::super) fn written_for(
    connection: &Connection,
    dense: &DenseView,
    contexts: &[EntryId],
    vector: &Vector,
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    let connection = &*database::snapshot(connection)?;
    let ids = written(connection, contexts).map_err(failed("reading pairs"))?;
    let mut found = dense.cosines(connection, vector, ids.into_iter())?;
    sort(&mut found);
    found.truncate(limit);
    let read = |(id, _): (u64, f32)| one(connection, id.cast_signed());
    found.into_iter().map(read).collect::<Result<_, _>>().map_err(failed("reading pairs"))
}

fn written(connection: &Connection, contexts: &[EntryId]) -> rusqlite::Result<Vec<u64>> {
    let ids: Vec<i64> = contexts.iter().filter_map(row_id).collect();
    let places = vec!["?"; ids.len()].join(", ");
    let sql = format!("SELECT entry_id FROM pairs WHERE context_id IN ({places})");
    let mut statement = connection.prepare_cached(&sql)?;
    let id = |row: &Row<'_>| Ok(row.get::<_, i64>(0)?.unsigned_abs());
    statement.query_map(rusqlite::params_from_iter(ids), id)?.collect()
}

const PAIR_COLUMNS: &str = "SELECT p.key, e.text, p.answer, p.context_id, coalesce(d.path, p.document), p.written_by,
                                   e.document_id, e.id
                            FROM pairs p JOIN entries e ON e.id = p.entry_id LEFT JOIN documents d ON d.id = e.document_id";

fn one(connection: &Connection, entry: i64) -> rusqlite::Result<Pair> {
    let sql = format!("{PAIR_COLUMNS} WHERE e.id = ?1");
    let (pair, document, _) = connection.prepare_cached(&sql)?.query_row([entry], pair)?;
    Ok(Pair { metadata: metadata_of(connection, document)?, ..pair })
}

fn pair(row: &Row<'_>) -> rusqlite::Result<(Pair, i64, i64)> {
    let pair = Pair {
        key: row.get(0)?,
        question: row.get(1)?,
        answer: row.get(2)?,
        context: row.get::<_, Option<i64>>(3)?.map(|id| EntryId::from(id.unsigned_abs())),
        document: row.get(4)?,
        written_by: row.get(5)?,
        metadata: Metadata::new(),
    };
    Ok((pair, row.get(6)?, row.get(7)?))
}

/// All pairs in the order in which they came, page by page.
pub(in super::super) fn list(connection: &Connection, after: Option<&str>) -> Result<Page<Pair>, StoreError> {
    let read = || -> rusqlite::Result<Page<Pair>> {
        let sql = format!("{PAIR_COLUMNS} WHERE e.id > ?1 ORDER BY e.id LIMIT {PAGE}");
        let mut statement = connection.prepare_cached(&sql)?;
        let found: Vec<_> = statement.query_map([cursor(after)], pair)?.collect::<Result<_, _>>()?;
        let next = found.last().filter(|_| found.len() == PAGE).map(|(_, _, id)| id.to_string());
        let whole = |(pair, document, _)| Ok(Pair { metadata: metadata_of(connection, document)?, ..pair });
        Ok(Page { items: found.into_iter().map(whole).collect::<rusqlite::Result<_>>()?, next })
    };
    read().map_err(failed("listing pairs"))
}
