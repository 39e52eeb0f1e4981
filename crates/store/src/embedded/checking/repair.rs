//! Making anew what is derived, and taking out what belongs to nothing.

use std::path::Path;

use qanda_core::StoreError;
use rusqlite::{Connection, Transaction, params};

use super::content::{Faulty, ORPHANS, UNANNOUNCED, faulty_documents, is_vector};
use super::{CheckReport, Part};
use crate::embedded::database::{self, Database};
use crate::embedded::entries::{self, PAIR, PASSAGE, bytes};
use crate::embedded::failure::{Failure, failed};
use crate::embedded::{catch_up, settings};

/// Repairs what [`super::check`] has found, also beside processes that use the store. A document that cannot be healed out
/// of what is stored is read again by the next ingest. Nothing is done about a database that SQLite itself finds damaged,
/// but for its own indexes: that is what backups are for. Blocks.
///
/// # Errors
/// [`StoreError`] when the store cannot be written. What was repaired before stays so.
pub fn repair(directory: &Path, found: &CheckReport) -> Result<(), StoreError> {
    let database = Database::open(directory)?;
    database.with(|connection| {
        if found.has(Part::Database) {
            connection.execute_batch("REINDEX").map_err(failed("making SQLite's indexes anew"))?;
        }
        if found.has(Part::Content) {
            database::write(connection, "repairing the store", content)?;
        }
        // What was wrong in the content may be in the indexes as well.
        if [Part::Content, Part::LexicalIndex, Part::VectorIndex].iter().any(|part| found.has(*part)) {
            catch_up::make_anew(directory, connection)?;
        }
        catch_up::catch_up(directory, connection)
    })
}

fn content(transaction: &Transaction<'_>) -> Result<(), Failure> {
    transaction.execute_batch(
        "UPDATE pairs SET context_id = NULL
         WHERE context_id IS NOT NULL AND context_id NOT IN (SELECT id FROM entries WHERE kind = 0)",
    )?;
    for (_, rows) in ORPHANS {
        match rows.strip_prefix("entries ") {
            // Entries go as changes, so that the indexes learn of it.
            Some(condition) => {
                for entry in ids(transaction, &format!("SELECT id FROM entries {condition}"))? {
                    entries::remove(transaction, entry)?;
                }
            }
            None => {
                transaction.execute(&format!("DELETE FROM {rows}"), [])?;
            }
        }
    }
    let announce = format!("INSERT INTO changes (entry_id, kind, added) SELECT id, kind, 1 FROM {UNANNOUNCED}");
    transaction.execute(&announce, [])?;
    for Faulty { row, text_is_right, .. } in faulty_documents(transaction)? {
        if !(text_is_right && cut_again(transaction, row)?) {
            read_again(transaction, row)?;
        }
    }
    unsound_vectors(transaction)
}

fn ids(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<i64>> {
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// Cuts the passages of a document out of its text again; false where one does not stand in it.
fn cut_again(transaction: &Transaction<'_>, document: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT text FROM document_texts WHERE document_id = ?1";
    let text: String = transaction.query_row(sql, [document], |row| row.get(0))?;
    let mut statement =
        transaction.prepare("SELECT id, start_byte, end_byte FROM entries WHERE document_id = ?1 AND kind = ?2")?;
    let passages: Vec<(i64, i64, i64)> = statement
        .query_map(params![document, PASSAGE], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    for (entry, start, end) in passages {
        let Some(words) = text.get(bytes(start)..bytes(end)) else { return Ok(false) };
        transaction.execute("UPDATE entries SET text = ?2 WHERE id = ?1", params![entry, words])?;
    }
    Ok(true)
}

/// Forgets what a document was made of, so that the next ingest reads it again.
fn read_again(transaction: &Transaction<'_>, document: i64) -> rusqlite::Result<()> {
    transaction.execute("UPDATE documents SET content_hash = NULL WHERE id = ?1", [document])?;
    Ok(())
}

/// Passages without a sound vector go, and their documents are read again; pairs without one go.
fn unsound_vectors(transaction: &Transaction<'_>) -> Result<(), Failure> {
    let dimension = settings::embedder(transaction)?.map(|embedder| embedder.dimension);
    let mut unsound = Vec::new();
    {
        let sql =
            "SELECT e.id, e.kind, e.document_id, v.vector FROM entries e LEFT JOIN vectors v ON v.entry_id = e.id";
        let mut statement = transaction.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if !row.get_ref(3)?.as_blob().is_ok_and(|stored| is_vector(stored, dimension)) {
                unsound.push((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?));
            }
        }
    }
    for (entry, kind, document) in unsound {
        entries::remove(transaction, entry)?;
        if kind != PAIR {
            read_again(transaction, document)?;
        }
    }
    Ok(())
}
