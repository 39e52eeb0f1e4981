//! Brings the indexes up to what is stored. One process does it at a time; the others go on searching, with a
//! longer tail to scan.

use std::fs::File;
use std::path::Path;

use qanda_core::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::crash_point::crash_point;
use super::dense::{GraphBuilder, GraphFolder, WORTH_A_GRAPH};
use super::failure::{Failure, failed};
use super::lexical::{IndexBuilder, LexicalIndex};
use super::origin::Origin;
use super::vector::Vector;
use super::{database, entries, settings};

/// Brings both indexes up to date. Returns at once where another process is doing so.
pub(super) fn catch_up(directory: &Path, connection: &Connection) -> Result<(), StoreError> {
    let Some(_lock) = lock(directory)? else { return Ok(()) };
    let lexical = catch_up_lexical(directory, connection)?;
    let vectors = catch_up_vectors(directory, connection)?;
    if lexical || vectors {
        settings::raise_generation(connection)?;
    }
    compact(directory, connection)
}

/// Removals from which on changes are compacted.
const WORTH_COMPACTING: i64 = if cfg!(test) { 10 } else { 10_000 };

/// Forgets changes that every index includes and that lead to nothing: removals, and the additions of what was removed.
/// The last change stays, since its number is the next one's.
fn compact(directory: &Path, connection: &Connection) -> Result<(), StoreError> {
    let doing = "compacting the changes";
    let fail = failed(doing);
    let Some(lexical) = LexicalIndex::open(directory)?.and_then(|index| index.origin().cloned()) else { return Ok(()) };
    if !lexical.is_of(connection)? {
        return Ok(());
    }
    let folder = GraphFolder::new(directory, settings::vectors_epoch(connection)?);
    let until = folder.newest_sequence(connection)?.map_or(lexical.sequence, |graph| graph.min(lexical.sequence));
    let removals = "SELECT count(*) FROM changes WHERE sequence <= ?1 AND added = 0";
    let removals: i64 = connection.query_row(removals, [until], |row| row.get(0)).map_err(&fail)?;
    if removals < WORTH_COMPACTING {
        return Ok(());
    }
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(&fail)?;
    let work = || -> rusqlite::Result<()> {
        transaction.execute(
            "DELETE FROM changes WHERE sequence <= ?1 AND sequence < (SELECT max(sequence) FROM changes)
             AND (added = 0 OR entry_id NOT IN (SELECT id FROM entries))",
            [until],
        )?;
        // What the indexes are bound to stays.
        transaction.execute("DELETE FROM marks WHERE sequence < ?1", [until])?;
        settings::set(&transaction, "compacted", &until.to_string())?;
        settings::raise(&transaction, "generation")
    };
    work().map_err(&fail)?;
    crash_point("before the changes are compacted");
    transaction.commit().map_err(&fail)?;
    crash_point("after the changes are compacted");
    Ok(())
}

/// Deletes the indexes, so that they are made anew. Those who search scan everything meanwhile.
///
/// # Errors
/// [`StoreError::Unavailable`] when another process is writing them.
pub(super) fn make_anew(directory: &Path, connection: &Connection) -> Result<(), StoreError> {
    let Some(_lock) = lock(directory)? else {
        let message = "another process is bringing the indexes up to date; try again when it is done".to_owned();
        return Err(StoreError::Unavailable { message, cause: None });
    };
    let fail = |cause: std::io::Error| StoreError::failed("deleting the indexes", cause);
    for folder in std::fs::read_dir(directory.join("index")).map_err(fail)? {
        let path = folder.map_err(fail)?.path();
        if path.is_dir() {
            std::fs::remove_dir_all(&path).map_err(fail)?;
        }
    }
    settings::raise_generation(connection)
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

/// Changes that are taken in at a time. Each step reads one snapshot of the store: one for a whole build would keep the
/// write-ahead log from being emptied until its end.
const STEP: i64 = 10_000;

/// Vectors from which on they are added to the graph that there is.
const WORTH_ADDING: u64 = 10_000;

fn catch_up_lexical(directory: &Path, connection: &Connection) -> Result<bool, StoreError> {
    let (mut builder, mut since) = IndexBuilder::start(directory, connection)?;
    let mut wrote = false;
    while let Some(step) = Step::after(connection, since)? {
        let Step { snapshot, until } = &step;
        let changes = since..until.sequence;
        builder.remove(&entries::removed_in(snapshot, &changes)?);
        let added = entries::each_entry_in::<Failure>(snapshot, &changes, |entry| Ok(builder.add(&entry)?));
        added.map_err(|failure| failure.of(failed("reading new passages")))?;
        builder.commit(until)?;
        (since, wrote) = (until.sequence, true);
    }
    builder.finish()?;
    Ok(wrote)
}

fn catch_up_vectors(directory: &Path, connection: &Connection) -> Result<bool, StoreError> {
    let Some(dimension) = first_dimension(connection)? else { return Ok(false) };
    let epoch = settings::vectors_epoch(connection)?;
    let folder = GraphFolder::new(directory, epoch);
    folder.remove_others();
    let since = folder.newest_sequence(connection)?;
    let worth_it = if since.is_some() { WORTH_ADDING } else { WORTH_A_GRAPH };
    if newer(connection, since.unwrap_or(0))? < worth_it {
        return Ok(false);
    }
    let (builder, mut since) = GraphBuilder::start(folder, dimension, connection)?;
    let mut reached = None;
    while let Some(step) = Step::after(connection, since)? {
        let Step { snapshot, until } = step;
        if settings::vectors_epoch(&snapshot)? != epoch {
            // All vectors have become others; whoever made them so catches up itself.
            return Ok(false);
        }
        let changes = since..until.sequence;
        builder.remove(&entries::removed_in(&snapshot, &changes)?)?;
        let mut vectors = Vec::new();
        entries::each_vector_in(&snapshot, &changes, |id, kind, bytes| {
            vectors.push((id, kind, Vector::from_bytes(bytes)));
        })?;
        drop(snapshot);
        builder.add(&vectors)?;
        since = until.sequence;
        reached = Some(until);
    }
    match reached {
        Some(origin) => builder.save(&origin).map(|()| true),
        None => Ok(false),
    }
}

/// Some of the changes that an index has not seen.
struct Step<'a> {
    snapshot: Transaction<'a>,
    /// State after the last of them.
    until: Origin,
}

impl<'a> Step<'a> {
    /// The next step after a change; none at the end.
    fn after(connection: &'a Connection, since: i64) -> Result<Option<Self>, StoreError> {
        let snapshot = database::snapshot(connection)?;
        let until = match Origin::reaching(&snapshot, since + STEP)? {
            Some(until) => Some(until),
            None => Origin::of(&snapshot)?,
        };
        Ok(until.filter(|until| until.sequence > since).map(|until| Self { snapshot, until }))
    }
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
