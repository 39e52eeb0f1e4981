//! Making all vectors anew, by another embedder.
//!
//! The new ones are gathered in `next_vectors`, in as many transactions as it takes. One transaction then puts that
//! table in place of `vectors` and raises the epoch, which the files of the vector index belong to: at every moment all
//! vectors in use are by one embedder.

use qanda_core::document::with_context;
use qanda_core::ports::{EmbedderIdentity, ReembeddingProgress};
use qanda_core::{EntryId, StoreError};
use rusqlite::{Connection, Transaction, params};

use super::crash_point::crash_point;
use super::entries::{PASSAGE, headings, id, offset, row_id};
use super::failure::{Failure, failed};
use super::settings::{self, raise, set};
use super::vector::Vector;

/// Begins or goes on; none when the vectors are by this embedder already.
pub(super) fn begin(
    transaction: &Transaction<'_>,
    embedder: &EmbedderIdentity,
) -> Result<Option<ReembeddingProgress>, Failure> {
    if settings::embedder(transaction)?.as_ref() == Some(embedder) {
        return Ok(None);
    }
    if settings::next_embedder(transaction)?.as_ref() != Some(embedder) {
        transaction.execute("DELETE FROM next_vectors", [])?;
        set(transaction, "next_embedder", &embedder.name)?;
        set(transaction, "next_dimension", &embedder.dimension.to_string())?;
    }
    let count = |table: &str| -> rusqlite::Result<u64> {
        transaction.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| Ok(id(row.get(0)?)))
    };
    Ok(Some(ReembeddingProgress { done: count("next_vectors")?, total: count("entries")? }))
}

const PENDING: &str = "FROM entries e LEFT JOIN next_vectors n ON n.entry_id = e.id WHERE n.entry_id IS NULL";

/// Entries without a new vector, with what is embedded of them: a passage under its headings, the question of a pair.
pub(super) fn pending(connection: &Connection, limit: usize) -> Result<Vec<(EntryId, String)>, StoreError> {
    let read = || -> rusqlite::Result<_> {
        let sql = format!(
            "SELECT e.id, e.kind, (SELECT title FROM documents d WHERE d.id = e.document_id), e.headings, e.text
             {PENDING} ORDER BY e.id LIMIT ?1"
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let entry = |row: &rusqlite::Row<'_>| -> rusqlite::Result<(EntryId, String)> {
            let (title, text) = (row.get::<_, Option<String>>(2)?.unwrap_or_default(), row.get::<_, String>(4)?);
            let is_passage = row.get::<_, i64>(1)? == PASSAGE;
            let headings = headings(&row.get::<_, String>(3)?);
            let text = if is_passage { with_context(&title, &headings, &text) } else { text };
            Ok((EntryId::from(id(row.get(0)?)), text))
        };
        statement.query_map([offset(limit)], entry)?.collect()
    };
    read().map_err(failed("reading what is to be embedded"))
}

/// Keeps new vectors; those of entries that went meanwhile are left out.
pub(super) fn put_vectors(transaction: &Transaction<'_>, vectors: &[(EntryId, Vec<f32>)]) -> Result<(), Failure> {
    let sql = "INSERT OR REPLACE INTO next_vectors SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM entries WHERE id = ?1)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (entry, vector) in vectors {
        statement.execute(params![row_id(entry), Vector::from_f32(vector).to_bytes()])?;
    }
    Ok(())
}

/// Puts the new vectors in place of the old ones, if there is one for every entry.
pub(super) fn switch_over(transaction: &Transaction<'_>) -> Result<bool, Failure> {
    let Some(next) = settings::next_embedder(transaction)? else { return Ok(true) };
    let pending: bool = transaction.query_row(&format!("SELECT EXISTS (SELECT 1 {PENDING})"), [], |row| row.get(0))?;
    if pending {
        return Ok(false);
    }
    transaction.execute_batch(
        "DROP TABLE vectors;
         ALTER TABLE next_vectors RENAME TO vectors;
         CREATE TABLE next_vectors (entry_id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
         DELETE FROM settings WHERE name IN ('next_embedder', 'next_dimension');",
    )?;
    transaction.execute("UPDATE documents SET embedder = ?1 WHERE embedder IS NOT NULL", [&next.name])?;
    set(transaction, "embedder", &next.name)?;
    set(transaction, "dimension", &next.dimension.to_string())?;
    settings::renew_vectors_epoch(transaction)?;
    raise(transaction, "generation")?;
    crash_point("before the switch-over");
    Ok(true)
}
