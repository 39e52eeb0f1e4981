//! Vectors of documents that take several batches to embed: kept until the document is stored, so that a run that was
//! killed goes on where it was.

use qanda_core::StoreError;
use rusqlite::{Connection, Transaction, params};

use super::entries::offset;
use super::failure::failed;
use super::vector::Vector;

/// Keeps vectors of the passages from number `first` on. Those of other texts of the document go.
pub(super) fn stage(
    transaction: &Transaction<'_>,
    location: &str,
    texts: &str,
    first: usize,
    vectors: &[Vec<f32>],
) -> rusqlite::Result<()> {
    let others = "DELETE FROM staged_vectors WHERE location = ?1 AND texts <> ?2";
    transaction.prepare_cached(others)?.execute([location, texts])?;
    let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO staged_vectors VALUES (?1, ?2, ?3, ?4)")?;
    for (number, vector) in (first..).zip(vectors) {
        insert.execute(params![location, offset(number), texts, Vector::from_f32(vector).to_bytes()])?;
    }
    Ok(())
}

/// The vectors of the first passages, for these texts.
pub(super) fn staged(connection: &Connection, location: &str, texts: &str) -> Result<Vec<Vec<f32>>, StoreError> {
    let read = || -> rusqlite::Result<Vec<Vec<f32>>> {
        let sql = "SELECT vector FROM staged_vectors WHERE location = ?1 AND texts = ?2 ORDER BY number";
        let mut statement = connection.prepare_cached(sql)?;
        let vectors = statement
            .query_map([location, texts], |row| Ok(Vector::from_bytes(row.get_ref(0)?.as_blob()?).to_f32()))?;
        vectors.collect()
    };
    read().map_err(failed("reading staged vectors"))
}

/// Forgets what was staged of a document.
pub(super) fn forget(transaction: &Transaction<'_>, location: &str) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM staged_vectors WHERE location = ?1")?.execute([location])?;
    Ok(())
}
