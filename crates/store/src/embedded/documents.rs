//! Documents in SQLite: stored whole or not at all, replaced, moved, listed.

use std::collections::HashMap;

use qanda_core::document::{Details, DocumentState, Fingerprint, Recipe, Relocation, StoredDocument, StoredVersion};
use qanda_core::ports::{DocumentQuery, Page};
use qanda_core::{Document, DocumentId, Metadata, Moment, NewDocument, NewPassage, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use sha2::{Digest, Sha256};

use super::entries::{self, NewEntry, PAGE, PAIR, PASSAGE, cursor, metadata_of};
use super::failure::failed;
use super::pairs::follow;
use super::staging;
use super::validity::Statements;
use super::vector::Vector;
use crate::validity::Successors;

/// Stores documents.
pub(super) fn put(transaction: &Transaction<'_>, documents: &[NewDocument]) -> rusqlite::Result<()> {
    let mut waiting = follow::take_waiting(transaction, documents)?;
    documents.iter().try_for_each(|new| {
        let pairs = waiting.remove(&new.document.location).unwrap_or_default();
        replace(transaction, new, pairs)
    })
}

/// Stores a document, in place of the version that is stored, with the pairs that waited for it, and puts back the pairs
/// that still hold.
fn replace(transaction: &Transaction<'_>, new: &NewDocument, waiting: Vec<follow::Kept>) -> rusqlite::Result<()> {
    let stored = row_of(transaction, &new.document.location)?;
    let mut kept = waiting;
    if let Some(row) = stored {
        kept.extend(follow::take(transaction, row)?);
        clear(transaction, row)?;
    }
    let row = write_record(transaction, stored, &new.document)?;
    for passage in &new.passages {
        insert_passage(transaction, row, &new.document.text, passage)?;
    }
    staging::forget(transaction, &new.document.location)?;
    follow::put_back(transaction, row, kept)
}

fn row_of(connection: &Connection, location: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT id FROM documents WHERE location = ?1";
    connection.prepare_cached(sql)?.query_row([location], |row| row.get(0)).optional()
}

/// Removes everything of a document but its record.
fn clear(transaction: &Transaction<'_>, row: i64) -> rusqlite::Result<()> {
    entries::remove_of_document(transaction, row)?;
    transaction.prepare_cached("DELETE FROM document_metadata WHERE document_id = ?1")?.execute([row])?;
    transaction.prepare_cached("DELETE FROM document_texts WHERE document_id = ?1")?.execute([row])?;
    Ok(())
}

/// Writes a document's record, text and metadata, over the record at `stored` if there is one; returns its row.
fn write_record(transaction: &Transaction<'_>, stored: Option<i64>, document: &Document) -> rusqlite::Result<i64> {
    let path = free_path(transaction, &document.path, &document.location, &document.location)?;
    let Fingerprint { content, recipe: Recipe { chunker, passage_tokens, embedder } } = &document.fingerprint;
    let Details { media_type, language, valid_from, valid_until, superseded_by, pages } = &document.details;
    let pages = (!pages.is_empty()).then(|| serde_json::Value::from(pages.as_slice()).to_string());
    // An id that is NULL becomes a new one.
    let sql = "INSERT INTO documents (id, location, path, title, content_hash, chunker, passage_tokens, embedder,
                                      media_type, language, valid_from, valid_until, superseded_by, pages,
                                      text_hash)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
               ON CONFLICT (id) DO UPDATE SET
                   path = excluded.path, title = excluded.title, content_hash = excluded.content_hash,
                   chunker = excluded.chunker, passage_tokens = excluded.passage_tokens, embedder = excluded.embedder,
                   media_type = excluded.media_type, language = excluded.language, valid_from = excluded.valid_from,
                   valid_until = excluded.valid_until, superseded_by = excluded.superseded_by, pages = excluded.pages,
                   text_hash = excluded.text_hash";
    transaction.prepare_cached(sql)?.execute(params![
        stored,
        document.location,
        path,
        document.title,
        content,
        chunker,
        entries::offset(*passage_tokens),
        embedder,
        media_type,
        language,
        valid_from.map(|moment| moment.to_string()),
        valid_until.map(|moment| moment.to_string()),
        superseded_by,
        pages,
        text_hash(&document.text)
    ])?;
    let row = stored.unwrap_or_else(|| transaction.last_insert_rowid());
    transaction.prepare_cached("INSERT INTO document_texts VALUES (?1, ?2)")?.execute(params![row, document.text])?;
    for (name, value) in &document.metadata {
        let sql = "INSERT INTO document_metadata VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![row, name, value])?;
    }
    Ok(row)
}

/// SHA-256 of a document's text, in hexadecimal digits: whoever checks the store computes it again.
pub(super) fn text_hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The wanted path for the document at `location`, if no other document has it; else the fallback, with a number where
/// that is needed.
fn free_path(connection: &Connection, wanted: &str, location: &str, fallback: &str) -> rusqlite::Result<String> {
    let sql = "SELECT EXISTS (SELECT 1 FROM documents WHERE path = ?1 AND location <> ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut path = wanted.to_owned();
    let mut number = 1;
    while statement.query_row([path.as_str(), location], |row| row.get(0))? {
        path = if number == 1 { fallback.to_owned() } else { format!("{fallback} ({number})") };
        number += 1;
    }
    Ok(path)
}

fn insert_passage(
    transaction: &Transaction<'_>,
    document: i64,
    text: &str,
    NewPassage { span, headings, vector }: &NewPassage,
) -> rusqlite::Result<()> {
    let headings = serde_json::Value::from(headings.as_slice()).to_string();
    let vector = Vector::from_f32(vector).to_bytes();
    let text = &text[span.start..span.end];
    let new = NewEntry { kind: PASSAGE, document, span: *span, headings: &headings, text, vector: &vector };
    entries::insert(transaction, &new)?;
    Ok(())
}

/// Removes documents by location; returns how many there were.
pub(super) fn remove(transaction: &Transaction<'_>, locations: &[String]) -> rusqlite::Result<usize> {
    let mut removed = 0;
    for location in locations {
        staging::forget(transaction, location)?;
        if let Some(row) = row_of(transaction, location)? {
            clear(transaction, row)?;
            removed += transaction.prepare_cached("DELETE FROM documents WHERE id = ?1")?.execute([row])?;
        }
    }
    Ok(removed)
}

/// Moves documents; returns how many were moved.
pub(super) fn relocate(transaction: &Transaction<'_>, moves: &[Relocation]) -> rusqlite::Result<usize> {
    let mut moved = 0;
    for Relocation { from, to, path } in moves {
        let path = free_path(transaction, path, from, to)?;
        let sql = "UPDATE OR IGNORE documents SET location = ?2, path = ?3 WHERE location = ?1";
        moved += transaction.prepare_cached(sql)?.execute(params![from, to, path])?;
    }
    Ok(moved)
}

/// Version by location.
pub(super) fn versions(connection: &Connection) -> Result<HashMap<String, StoredVersion>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let sql = "SELECT content_hash, chunker, passage_tokens, embedder, location, path, title FROM documents";
        let mut statement = connection.prepare_cached(sql)?;
        let version = |row: &Row<'_>| -> rusqlite::Result<(String, StoredVersion)> {
            let version = StoredVersion { fingerprint: fingerprint(row)?, path: row.get(5)?, title: row.get(6)? };
            Ok((row.get(4)?, version))
        };
        statement.query_map([], version)?.collect()
    };
    read().map_err(failed("reading the stored documents"))
}

/// A fingerprint of the first four columns; none for a document that an older version stored.
fn fingerprint(row: &Row<'_>) -> rusqlite::Result<Option<Fingerprint>> {
    let (content, chunker): (Option<String>, Option<u32>) = (row.get(0)?, row.get(1)?);
    let (tokens, embedder): (Option<i64>, Option<String>) = (row.get(2)?, row.get(3)?);
    let (Some(content), Some(chunker), Some(tokens), Some(embedder)) = (content, chunker, tokens, embedder) else {
        return Ok(None);
    };
    let recipe = Recipe { chunker, passage_tokens: entries::bytes(tokens), embedder };
    Ok(Some(Fingerprint { content, recipe }))
}

const COLUMNS: &str = "content_hash, chunker, passage_tokens, embedder, id, location, path, title,
                       media_type, language, valid_from, valid_until, superseded_by, pages,
                       (SELECT count(*) FROM entries e WHERE e.document_id = documents.id AND e.kind = 0),
                       (SELECT count(*) FROM entries e WHERE e.document_id = documents.id AND e.kind = 1)";

/// Where pages begin, as the column keeps it: a JSON list of bytes, none for a document without pages.
pub(super) fn page_starts(json: Option<String>) -> Vec<usize> {
    json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

/// A moment, as its column keeps it.
fn moment(text: Option<String>) -> Option<Moment> {
    text?.parse().ok()
}

fn stored(row: &Row<'_>) -> rusqlite::Result<(i64, StoredDocument)> {
    let id: i64 = row.get(4)?;
    let document = StoredDocument {
        id: DocumentId::from(id.to_string()),
        location: row.get(5)?,
        path: row.get(6)?,
        title: row.get(7)?,
        metadata: Metadata::new(),
        details: Details {
            media_type: row.get(8)?,
            language: row.get(9)?,
            valid_from: moment(row.get(10)?),
            valid_until: moment(row.get(11)?),
            superseded_by: row.get(12)?,
            pages: page_starts(row.get(13)?),
        },
        fingerprint: fingerprint(row)?,
        passages: entries::id(row.get(14)?),
        pairs: entries::id(row.get(15)?),
    };
    Ok((id, document))
}

/// A document by its id.
pub(super) fn get(connection: &Connection, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
    let statements = Statements::load(connection)?;
    let successors = statements.successors(Moment::now());
    let read = || -> rusqlite::Result<Option<StoredDocument>> {
        let Ok(row) = id.as_str().parse::<i64>() else { return Ok(None) };
        let sql = format!("SELECT {COLUMNS} FROM documents WHERE id = ?1");
        let found = connection.prepare_cached(&sql)?.query_row([row], stored).optional()?;
        found.map(|found| with_metadata(connection, found, &successors)).transpose()
    };
    read().map_err(failed("reading a document"))
}

/// Documents in the order in which they came, page by page.
pub(super) fn list(connection: &Connection, query: &DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
    let limit = query.limit.clamp(1, PAGE);
    let now = Moment::now();
    let statements = Statements::load(connection)?;
    let successors = statements.successors(now);
    // What a document states about itself is read of those only that are asked for by name.
    let named = DocumentQuery { state: None, ..query.clone() };
    let read = || -> rusqlite::Result<Page<StoredDocument>> {
        let sql = format!("SELECT {COLUMNS} FROM documents WHERE id > ?1 AND coalesce(path = ?2, 1) ORDER BY id");
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![cursor(query.after.as_deref()), query.path])?;
        let mut page = Page { items: Vec::new(), next: None };
        while let Some(row) = rows.next()? {
            let (row, document) = stored(row)?;
            let may_be_out_of_force = statements.is_of(row) || successors.of(&document.path).is_some();
            let is_out_of_question =
                query.state.is_some_and(|state| state != DocumentState::Current) && !may_be_out_of_force;
            if is_out_of_question || !named.admits(&document, now) {
                continue;
            }
            let document = with_metadata(connection, (row, document), &successors)?;
            if !query.admits(&document, now) {
                continue;
            }
            if page.items.len() == limit {
                page.next = page.items.last().map(|last: &StoredDocument| last.id.to_string());
                break;
            }
            page.items.push(document);
        }
        Ok(page)
    };
    read().map_err(failed("listing documents"))
}

/// The extracted text of a document.
pub(super) fn text(connection: &Connection, id: &DocumentId) -> Result<Option<String>, StoreError> {
    let Ok(row) = id.as_str().parse::<i64>() else { return Ok(None) };
    let read = || {
        let mut statement = connection.prepare_cached("SELECT text FROM document_texts WHERE document_id = ?1")?;
        statement.query_row([row], |row| row.get(0)).optional()
    };
    read().map_err(failed("reading a document's text"))
}

/// The document with its metadata, and what follows of it and of the others'.
fn with_metadata(
    connection: &Connection,
    (row, document): (i64, StoredDocument),
    successors: &Successors<'_>,
) -> rusqlite::Result<StoredDocument> {
    let mut document = StoredDocument { metadata: metadata_of(connection, row)?, ..document }.dated();
    document.details.superseded_by = successors.of(&document.path).map(str::to_owned);
    Ok(document)
}

/// Media types whose extracted text is the file's own, line by line.
const VERBATIM: [&str; 7] = [
    "text/plain",
    "text/markdown",
    "text/x-markdown",
    "text/x-rst",
    "text/prs.fallenstein.rst",
    "text/asciidoc",
    "text/x-source",
];

/// The line on which a byte of a document stands, from 1; none for a document that is not read as it is.
pub(super) fn line(connection: &Connection, path: &str, byte: usize) -> Result<Option<usize>, StoreError> {
    let read = || -> rusqlite::Result<Option<usize>> {
        let sql = "SELECT d.media_type, substr(CAST(t.text AS BLOB), 1, ?2)
                   FROM documents d JOIN document_texts t ON t.document_id = d.id WHERE d.path = ?1";
        let found = connection.prepare_cached(sql)?.query_row(params![path, entries::offset(byte)], |row| {
            Ok((row.get::<_, Option<String>>(0)?, row.get::<_, Vec<u8>>(1)?))
        });
        let Some((Some(media_type), before)) = found.optional()? else { return Ok(None) };
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let lines = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        Ok(Some(lines).filter(|_| VERBATIM.contains(&essence.as_str())))
    };
    read().map_err(failed("finding a line"))
}

/// Counts of documents, passages and pairs.
pub(super) fn counts(connection: &Connection) -> Result<[u64; 3], StoreError> {
    let count = |sql: &str| -> Result<u64, StoreError> {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(failed("counting"))?;
        Ok(count.unsigned_abs())
    };
    Ok([
        count("SELECT count(*) FROM documents")?,
        count(&format!("SELECT count(*) FROM entries WHERE kind = {PASSAGE}"))?,
        count(&format!("SELECT count(*) FROM entries WHERE kind = {PAIR}"))?,
    ])
}
