//! Entries of SQLite: what is searched, passages and pairs alike, with their vectors and the sequence of changes that
//! the indexes follow.

use std::ops::Range;

use qanda_core::language::Language;
use qanda_core::{EntryId, Metadata, Span, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::failure::failed;
use super::vector::Vector;

/// Kind of an entry: a passage of a document.
pub(super) const PASSAGE: i64 = 0;
/// Kind of an entry: a question/answer pair.
pub(super) const PAIR: i64 = 1;

/// Items on a page of a list.
pub(super) const PAGE: usize = 1_000;

/// An entry as it is stored.
pub(super) struct NewEntry<'a> {
    pub(super) kind: i64,
    /// Row of its document; 0 for a pair without one.
    pub(super) document: i64,
    pub(super) span: Span,
    /// Headings as JSON.
    pub(super) headings: &'a str,
    pub(super) text: &'a str,
    /// Vector as stored.
    pub(super) vector: &'a [u8],
}

/// Inserts an entry with its vector, as a change; returns its row.
pub(super) fn insert(transaction: &Transaction<'_>, new: &NewEntry<'_>) -> rusqlite::Result<i64> {
    let NewEntry { kind, document, span: Span { start, end }, headings, text, vector } = new;
    transaction
        .prepare_cached(
            "INSERT INTO entries (kind, document_id, start_byte, end_byte, headings, text)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![kind, document, offset(*start), offset(*end), headings, text])?;
    let entry = transaction.last_insert_rowid();
    transaction.prepare_cached("INSERT INTO vectors VALUES (?1, ?2)")?.execute(params![entry, vector])?;
    let sql = "INSERT INTO changes (entry_id, kind, added) VALUES (?1, ?2, 1)";
    transaction.prepare_cached(sql)?.execute(params![entry, kind])?;
    Ok(entry)
}

/// Removes all entries of a document with their vectors, as changes.
pub(super) fn remove_of_document(transaction: &Transaction<'_>, document: i64) -> rusqlite::Result<()> {
    for sql in [
        "INSERT INTO changes (entry_id, kind, added) SELECT id, kind, 0 FROM entries WHERE document_id = ?1",
        "DELETE FROM vectors WHERE entry_id IN (SELECT id FROM entries WHERE document_id = ?1)",
        "DELETE FROM next_vectors WHERE entry_id IN (SELECT id FROM entries WHERE document_id = ?1)",
        "DELETE FROM pairs WHERE entry_id IN (SELECT id FROM entries WHERE document_id = ?1)",
        "DELETE FROM entries WHERE document_id = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([document])?;
    }
    Ok(())
}

/// Removes an entry with its vector, as a change.
pub(super) fn remove(transaction: &Transaction<'_>, entry: i64) -> rusqlite::Result<()> {
    for sql in [
        "INSERT INTO changes (entry_id, kind, added) SELECT id, kind, 0 FROM entries WHERE id = ?1",
        "DELETE FROM vectors WHERE entry_id = ?1",
        "DELETE FROM next_vectors WHERE entry_id = ?1",
        "DELETE FROM pairs WHERE entry_id = ?1",
        "DELETE FROM entries WHERE id = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([entry])?;
    }
    Ok(())
}

/// An entry as the indexes take it in.
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) kind: i64,
    pub(super) title: String,
    pub(super) headings: Vec<String>,
    pub(super) text: String,
    /// Language that it is searched in: its document's.
    pub(super) language: Language,
}

/// All changes after one.
pub(super) const fn after(sequence: i64) -> Range<i64> {
    sequence..i64::MAX
}

/// Calls `take` for every living entry that was added by some changes, in their order. Of a range of changes, as of all
/// of these, the first is not meant and the last is.
pub(super) fn each_entry_in<E: From<rusqlite::Error>>(
    connection: &Connection,
    changes: &Range<i64>,
    mut take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let sql = "SELECT e.id, e.kind, coalesce(d.title, ''), e.headings, e.text, d.language
               FROM changes c JOIN entries e ON e.id = c.entry_id LEFT JOIN documents d ON d.id = e.document_id
               WHERE c.sequence > ?1 AND c.sequence <= ?2 AND c.added = 1 ORDER BY c.sequence";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([changes.start, changes.end])?;
    while let Some(row) = rows.next()? {
        take(Entry {
            id: id(row.get(0)?),
            kind: row.get(1)?,
            title: row.get(2)?,
            headings: headings(&row.get::<_, String>(3)?),
            text: row.get(4)?,
            language: Language::of_tag(row.get::<_, Option<String>>(5)?.as_deref()),
        })?;
    }
    Ok(())
}

/// Calls `take` with id, kind and vector of every living entry that was added by some changes.
pub(super) fn each_vector_in(
    connection: &Connection,
    changes: &Range<i64>,
    mut take: impl FnMut(u64, i64, &[u8]),
) -> Result<(), StoreError> {
    let mut read = || -> rusqlite::Result<()> {
        let sql = "SELECT c.entry_id, c.kind, v.vector FROM changes c JOIN vectors v ON v.entry_id = c.entry_id
                   WHERE c.sequence > ?1 AND c.sequence <= ?2 AND c.added = 1 ORDER BY c.sequence";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([changes.start, changes.end])?;
        while let Some(row) = rows.next()? {
            take(id(row.get(0)?), row.get(1)?, row.get_ref(2)?.as_blob()?);
        }
        Ok(())
    };
    read().map_err(failed("reading stored vectors"))
}

/// Ids of the entries that were removed by some changes.
pub(super) fn removed_in(connection: &Connection, changes: &Range<i64>) -> Result<Vec<u64>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let sql = "SELECT entry_id FROM changes WHERE sequence > ?1 AND sequence <= ?2 AND added = 0";
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_map([changes.start, changes.end], |row| Ok(id(row.get(0)?)))?.collect()
    };
    read().map_err(failed("reading removed passages"))
}

/// Those of some scored entries that are of a kind.
pub(super) fn of_kind(
    connection: &Connection,
    scored: Vec<(u64, f32)>,
    kind: i64,
) -> Result<Vec<(u64, f32)>, StoreError> {
    let read = || -> rusqlite::Result<Vec<(u64, f32)>> {
        let mut statement =
            connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM entries WHERE id = ?1 AND kind = ?2)")?;
        let mut kept = Vec::with_capacity(scored.len());
        for (id, score) in &scored {
            if statement.query_row(params![id.cast_signed(), kind], |row| row.get(0))? {
                kept.push((*id, *score));
            }
        }
        Ok(kept)
    };
    read().map_err(failed("reading passages"))
}

/// The vector of an entry; `None` if it has been removed.
pub(super) fn vector(connection: &Connection, entry: u64) -> Result<Option<Vector>, StoreError> {
    let read = || -> rusqlite::Result<Option<Vector>> {
        let mut statement = connection.prepare_cached("SELECT vector FROM vectors WHERE entry_id = ?1")?;
        let read = |row: &rusqlite::Row<'_>| Ok(Vector::from_bytes(row.get_ref(0)?.as_blob()?));
        statement.query_row([entry.cast_signed()], read).optional()
    };
    read().map_err(failed("reading a vector"))
}

/// Whether there are question/answer pairs; without any, a search for passages needs no condition.
pub(super) fn has_pairs(connection: &Connection) -> Result<bool, StoreError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM entries WHERE kind = 1)";
    let read = || connection.prepare_cached(sql)?.query_row([], |row| row.get(0));
    read().map_err(failed("looking for pairs"))
}

/// Metadata of a document.
pub(super) fn metadata_of(connection: &Connection, document: i64) -> rusqlite::Result<Metadata> {
    let sql = "SELECT name, value FROM document_metadata WHERE document_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([document], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Row ids count up from 1.
pub(super) fn id(row: i64) -> u64 {
    row.unsigned_abs()
}

/// The row of an id that this store gave out.
pub(super) fn row_id(id: &EntryId) -> Option<i64> {
    id.as_str().parse().ok()
}

/// The row after which a page of a list begins.
pub(super) fn cursor(after: Option<&str>) -> i64 {
    after.and_then(|id| id.parse().ok()).unwrap_or(0)
}

/// Byte offsets are far below 2^63.
pub(super) fn offset(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn bytes(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

pub(super) fn headings(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
