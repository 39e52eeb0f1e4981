//! What is read from and written to SQLite.

use std::collections::HashMap;
use std::path::Path;

use qanda_core::document::Span;
use qanda_core::ports::{EmbedderIdentity, IndexStatus, StoreStatus};
use qanda_core::{Filter, Metadata, NewDocument, Passage, StoreError};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use super::database::failed;
use super::dense::Vector;
use super::pairs;

/// Kind of an entry: a passage of a document.
pub(super) const PASSAGE: i64 = 0;
/// Kind of an entry: a question/answer pair.
pub(super) const PAIR: i64 = 1;

/// What a view of the indexes has to cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    /// Number of the last committed change.
    pub(super) sequence: i64,
    /// Raised whenever an index has caught up.
    pub(super) generation: i64,
}

/// The state as it is now.
pub(super) fn state(connection: &Connection) -> Result<State, StoreError> {
    let read = || -> rusqlite::Result<State> {
        let sql = "SELECT (SELECT coalesce(max(sequence), 0) FROM changes),
                          (SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM settings WHERE name = 'generation')";
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| Ok(State { sequence: row.get(0)?, generation: row.get(1)? }))
    };
    read().map_err(failed("reading the state of the store"))
}

/// Tells every process that an index has caught up.
pub(super) fn raise_generation(connection: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO settings VALUES ('generation', '1')
               ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1";
    connection.execute(sql, []).map(drop).map_err(failed("writing the state of the store"))
}

fn stored_embedder(connection: &Connection) -> Result<Option<EmbedderIdentity>, StoreError> {
    let setting = |name: &str| -> rusqlite::Result<Option<String>> {
        connection.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).optional()
    };
    let read = || -> rusqlite::Result<_> { Ok((setting("embedder")?, setting("dimension")?)) };
    let (name, dimension) = read().map_err(failed("reading the store's settings"))?;
    let dimension = dimension.and_then(|dimension| dimension.parse().ok());
    Ok(name.zip(dimension).map(|(name, dimension)| EmbedderIdentity { name, dimension }))
}

/// Refuses an embedder other than the one whose vectors are stored.
pub(super) fn check_embedder(
    connection: &Connection,
    directory: &Path,
    given: &EmbedderIdentity,
) -> Result<(), StoreError> {
    match stored_embedder(connection)? {
        Some(stored) if stored != *given => Err(StoreError::OtherEmbedder {
            place: directory.display().to_string(),
            stored: stored.name,
            stored_dimension: stored.dimension,
            given: given.name.clone(),
            given_dimension: given.dimension,
        }),
        _ => Ok(()),
    }
}

/// Records the embedder of a store that has none yet.
pub(super) fn claim_embedder(
    connection: &mut Connection,
    directory: &Path,
    given: &EmbedderIdentity,
) -> Result<(), StoreError> {
    let fail = failed("recording the embedder");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    check_embedder(&transaction, directory, given)?;
    let sql = "INSERT OR IGNORE INTO settings VALUES ('embedder', ?1), ('dimension', ?2)";
    transaction.execute(sql, params![given.name, given.dimension.to_string()]).map_err(&fail)?;
    transaction.commit().map_err(&fail)
}

/// Stores documents, all or none.
pub(super) fn put(connection: &mut Connection, documents: &[NewDocument]) -> Result<(), StoreError> {
    let fail = failed("storing documents");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    for new in documents {
        replace(&transaction, new).map_err(&fail)?;
    }
    transaction.commit().map_err(&fail)
}

/// Removes the version that is stored, stores this one, and puts back the pairs that still hold.
fn replace(transaction: &Transaction<'_>, new: &NewDocument) -> rusqlite::Result<()> {
    let find = "SELECT id FROM documents WHERE location = ?1";
    let stored: Option<i64> =
        transaction.prepare_cached(find)?.query_row([&new.document.location], |row| row.get(0)).optional()?;
    let mut kept = pairs::keep_waiting(transaction, &new.document.path)?;
    if let Some(stored) = stored {
        kept.extend(pairs::keep(transaction, stored)?);
        remove_one(transaction, &new.document.location)?;
    }
    let id = insert(transaction, new)?;
    pairs::put_back(transaction, id, kept)
}

/// Returns the document's row id.
fn insert(transaction: &Transaction<'_>, new: &NewDocument) -> rusqlite::Result<i64> {
    let document = &new.document;
    transaction
        .prepare_cached("INSERT INTO documents (location, path, title, fingerprint) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![document.location, document.path, document.title, document.fingerprint])?;
    let id = transaction.last_insert_rowid();
    transaction.prepare_cached("INSERT INTO document_texts VALUES (?1, ?2)")?.execute(params![id, document.text])?;
    for (name, value) in &document.metadata {
        let sql = "INSERT INTO document_metadata VALUES (?1, ?2, ?3)";
        transaction.prepare_cached(sql)?.execute(params![id, name, value])?;
    }
    for passage in &new.passages {
        let Span { start, end } = passage.span;
        let headings = serde_json::Value::from(passage.headings.clone()).to_string();
        transaction
            .prepare_cached(
                "INSERT INTO entries (kind, document_id, start_byte, end_byte, headings, text)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![PASSAGE, id, offset(start), offset(end), headings, &document.text[start..end]])?;
        let entry = transaction.last_insert_rowid();
        let vector = Vector::from_f32(&passage.vector).to_bytes();
        transaction.prepare_cached("INSERT INTO vectors VALUES (?1, ?2)")?.execute(params![entry, vector])?;
        let sql = "INSERT INTO changes (entry_id, kind, added) VALUES (?1, ?2, 1)";
        transaction.prepare_cached(sql)?.execute(params![entry, PASSAGE])?;
    }
    Ok(id)
}

/// Removes documents by location; returns how many there were.
pub(super) fn remove(connection: &mut Connection, locations: &[String]) -> Result<usize, StoreError> {
    let fail = failed("removing documents");
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let mut removed = 0;
    for location in locations {
        removed += usize::from(remove_one(&transaction, location).map_err(&fail)?);
    }
    transaction.commit().map_err(&fail)?;
    Ok(removed)
}

fn remove_one(transaction: &Transaction<'_>, location: &str) -> rusqlite::Result<bool> {
    let find = "SELECT id FROM documents WHERE location = ?1";
    let id: Option<i64> = transaction.prepare_cached(find)?.query_row([location], |row| row.get(0)).optional()?;
    let Some(id) = id else { return Ok(false) };
    for sql in [
        "INSERT INTO changes (entry_id, kind, added) SELECT id, kind, 0 FROM entries WHERE document_id = ?1",
        "DELETE FROM vectors WHERE entry_id IN (SELECT id FROM entries WHERE document_id = ?1)",
        "DELETE FROM pairs WHERE entry_id IN (SELECT id FROM entries WHERE document_id = ?1)",
        "DELETE FROM entries WHERE document_id = ?1",
        "DELETE FROM document_metadata WHERE document_id = ?1",
        "DELETE FROM document_texts WHERE document_id = ?1",
        "DELETE FROM documents WHERE id = ?1",
    ] {
        transaction.prepare_cached(sql)?.execute([id])?;
    }
    Ok(true)
}

/// Fingerprint by location.
pub(super) fn fingerprints(connection: &Connection) -> Result<HashMap<String, String>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let mut statement = connection.prepare_cached("SELECT location, fingerprint FROM documents")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    };
    read().map_err(failed("reading the stored documents"))
}

/// An entry as the indexes take it in.
pub(super) struct Entry {
    pub(super) id: u64,
    pub(super) kind: i64,
    pub(super) title: String,
    pub(super) headings: Vec<String>,
    pub(super) text: String,
    pub(super) metadata: Metadata,
}

/// Calls `take` for every living entry that was added after a change, in the order of the changes.
pub(super) fn each_entry_after<E: From<rusqlite::Error>>(
    connection: &Connection,
    sequence: i64,
    mut take: impl FnMut(Entry) -> Result<(), E>,
) -> Result<(), E> {
    let sql = "SELECT e.id, e.kind, coalesce(d.title, ''), e.headings, e.text, e.document_id
               FROM changes c JOIN entries e ON e.id = c.entry_id LEFT JOIN documents d ON d.id = e.document_id
               WHERE c.sequence > ?1 AND c.added = 1 ORDER BY c.sequence";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([sequence])?;
    // Entries of one document follow each other.
    let mut metadata: (i64, Metadata) = (0, Metadata::new());
    while let Some(row) = rows.next()? {
        let document: i64 = row.get(5)?;
        if metadata.0 != document {
            metadata = (document, metadata_of(connection, document)?);
        }
        take(Entry {
            id: id(row.get(0)?),
            kind: row.get(1)?,
            title: row.get(2)?,
            headings: headings(&row.get::<_, String>(3)?),
            text: row.get(4)?,
            metadata: metadata.1.clone(),
        })?;
    }
    Ok(())
}

/// Calls `take` with id, kind and vector of every living entry that was added after a change.
pub(super) fn each_vector_after(
    connection: &Connection,
    sequence: i64,
    mut take: impl FnMut(u64, i64, &[u8]),
) -> Result<(), StoreError> {
    let mut read = || -> rusqlite::Result<()> {
        let sql = "SELECT c.entry_id, c.kind, v.vector FROM changes c JOIN vectors v ON v.entry_id = c.entry_id
                   WHERE c.sequence > ?1 AND c.added = 1 ORDER BY c.sequence";
        let mut statement = connection.prepare_cached(sql)?;
        let mut rows = statement.query([sequence])?;
        while let Some(row) = rows.next()? {
            take(id(row.get(0)?), row.get(1)?, row.get_ref(2)?.as_blob()?);
        }
        Ok(())
    };
    read().map_err(failed("reading stored vectors"))
}

/// Ids of the entries that were removed after a change.
pub(super) fn removed_after(connection: &Connection, sequence: i64) -> Result<Vec<u64>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let sql = "SELECT entry_id FROM changes WHERE sequence > ?1 AND added = 0";
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_map([sequence], |row| Ok(id(row.get(0)?)))?.collect()
    };
    read().map_err(failed("reading removed passages"))
}

/// Ids of the entries of a kind (`None`: of both) whose document has all the metadata of the filter.
pub(super) fn matching(connection: &Connection, filter: &Filter, kind: Option<i64>) -> Result<Vec<u64>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let one = "SELECT document_id FROM document_metadata WHERE name = ? AND value = ?";
        let all = vec![one; filter.len()].join(" INTERSECT ");
        let kinds = kind.map_or(format!("{PASSAGE}, {PAIR}"), |kind| kind.to_string());
        let sql = format!("SELECT id FROM entries WHERE document_id IN ({all}) AND kind IN ({kinds})");
        let mut statement = connection.prepare_cached(&sql)?;
        let parameters = filter.iter().flat_map(|(name, value)| [name, value]);
        statement.query_map(rusqlite::params_from_iter(parameters), |row| Ok(id(row.get(0)?)))?.collect()
    };
    read().map_err(failed("reading metadata"))
}

/// A passage by its id; `None` if it has been removed.
pub(super) fn passage(connection: &Connection, entry: u64) -> Result<Option<Passage>, StoreError> {
    let read = || -> rusqlite::Result<Option<Passage>> {
        let sql = "SELECT d.path, d.title, e.headings, e.text, e.start_byte, e.end_byte, d.id
                   FROM entries e JOIN documents d ON d.id = e.document_id WHERE e.id = ?1 AND e.kind = 0";
        let found = connection.prepare_cached(sql)?.query_row([entry.cast_signed()], |row| {
            let passage = Passage {
                id: entry.into(),
                document: row.get(0)?,
                title: row.get(1)?,
                headings: headings(&row.get::<_, String>(2)?),
                text: row.get(3)?,
                span: Span::new(bytes(row.get(4)?), bytes(row.get(5)?)),
                metadata: Metadata::new(),
            };
            Ok((passage, row.get::<_, i64>(6)?))
        });
        let Some((mut passage, document)) = found.optional()? else { return Ok(None) };
        passage.metadata = metadata_of(connection, document)?;
        Ok(Some(passage))
    };
    read().map_err(failed("reading a passage"))
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

/// Counts of everything.
pub(super) fn status(connection: &Connection, indexes: Vec<IndexStatus>) -> Result<StoreStatus, StoreError> {
    let count = |sql: &str| -> Result<u64, StoreError> {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).map_err(failed("counting"))?;
        Ok(count.unsigned_abs())
    };
    Ok(StoreStatus {
        documents: count("SELECT count(*) FROM documents")?,
        passages: count(&format!("SELECT count(*) FROM entries WHERE kind = {PASSAGE}"))?,
        pairs: count(&format!("SELECT count(*) FROM entries WHERE kind = {PAIR}"))?,
        embedder: stored_embedder(connection)?.map(|embedder| (embedder.name, embedder.dimension)),
        indexes,
    })
}

pub(super) fn metadata_of(connection: &Connection, document: i64) -> rusqlite::Result<Metadata> {
    let sql = "SELECT name, value FROM document_metadata WHERE document_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([document], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// Row ids count up from 1.
fn id(row: i64) -> u64 {
    row.unsigned_abs()
}

/// Byte offsets are far below 2^63.
pub(super) fn offset(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

pub(super) fn bytes(offset: i64) -> usize {
    usize::try_from(offset).unwrap_or(0)
}

fn headings(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
