//! Brings the indexes up to what is stored. One process does it at a time; the others go on searching, with a
//! longer tail to scan.

use std::fs::File;
use std::path::Path;

use qanda_core::StoreError;
use rusqlite::Connection;

use super::dense::{Graph, GraphBuilder, GraphFolder, WORTH_A_GRAPH};
use super::failure::{Failure, failed};
use super::lexical::IndexBuilder;
use super::vector::Vector;
use super::{entries, settings};

/// Brings both indexes up to date. Returns at once where another process is doing so.
pub(super) fn catch_up(directory: &Path, connection: &Connection) -> Result<(), StoreError> {
    let Some(_lock) = lock(directory)? else { return Ok(()) };
    let snapshot = connection.unchecked_transaction().map_err(failed("reading the store"))?;
    let sequence = settings::state(&snapshot)?.sequence;
    let lexical = catch_up_lexical(directory, &snapshot, sequence)?;
    let vectors = catch_up_vectors(directory, &snapshot, sequence)?;
    // Ends the snapshot: writing after reading in one transaction would fail whenever another process wrote.
    drop(snapshot);
    if lexical || vectors { settings::raise_generation(connection) } else { Ok(()) }
}

/// Taken by the process that writes the indexes; the system frees it when the process ends, however it ends.
fn lock(directory: &Path) -> Result<Option<File>, StoreError> {
    let fail = |cause: std::io::Error| StoreError::failed("locking the indexes", cause);
    std::fs::create_dir_all(directory.join("index")).map_err(fail)?;
    let file = File::create(directory.join("index").join("lock")).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(cause)) => Err(fail(cause)),
    }
}

fn catch_up_lexical(directory: &Path, snapshot: &Connection, sequence: i64) -> Result<bool, StoreError> {
    let (builder, since) = IndexBuilder::start(directory)?;
    if since >= sequence {
        return Ok(false);
    }
    builder.remove(&entries::removed_after(snapshot, since)?);
    let added = entries::each_entry_after::<Failure>(snapshot, since, |entry| Ok(builder.add(&entry)?));
    added.map_err(|failure| failure.of(failed("reading new passages")))?;
    builder.commit(sequence)?;
    Ok(true)
}

/// Vectors handed to the graph at a time.
const BATCH: usize = 8_192;

fn catch_up_vectors(directory: &Path, snapshot: &Connection, sequence: i64) -> Result<bool, StoreError> {
    let Some(dimension) = first_dimension(snapshot)? else { return Ok(false) };
    let folder = GraphFolder::new(directory, settings::vectors_epoch(snapshot)?);
    folder.remove_others();
    let since = Graph::newest_sequence(&folder).unwrap_or(0);
    if newer(snapshot, since)? < WORTH_A_GRAPH {
        return Ok(false);
    }
    let (builder, since) = GraphBuilder::start(folder, dimension)?;
    builder.remove(&entries::removed_after(snapshot, since)?)?;
    let mut batch = Vec::with_capacity(BATCH);
    let mut result = Ok(());
    entries::each_vector_after(snapshot, since, |id, kind, bytes| {
        batch.push((id, kind, Vector::from_bytes(bytes)));
        if batch.len() == BATCH && result.is_ok() {
            result = builder.add(&batch);
            batch.clear();
        }
    })?;
    result?;
    builder.add(&batch)?;
    builder.save(sequence)?;
    Ok(true)
}

fn first_dimension(connection: &Connection) -> Result<Option<usize>, StoreError> {
    let sql = "SELECT length(vector) FROM vectors LIMIT 1";
    let bytes: Result<i64, _> = connection.query_row(sql, [], |row| row.get(0));
    match bytes {
        Ok(bytes) => Ok(usize::try_from(bytes / 2).ok()),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(cause) => Err(failed("reading stored vectors")(cause)),
    }
}

fn newer(connection: &Connection, sequence: i64) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM changes WHERE sequence > ?1 AND added = 1";
    let count: i64 = connection.query_row(sql, [sequence], |row| row.get(0)).map_err(failed("counting changes"))?;
    Ok(count.unsigned_abs())
}
