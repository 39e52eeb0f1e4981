//! Facts that the store remembers about itself.

use std::path::Path;

use qanda_core::StoreError;
use qanda_core::ports::EmbedderIdentity;
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::failure::{Failure, failed};

/// Name of the setting with the store's id, which is another one after a backup was put back.
pub(super) const STORE: &str = "store";

/// State that a view of the indexes has to cover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Id of the store.
    pub(super) store: String,
    /// Number of the last committed change.
    pub(super) sequence: i64,
    /// Raised whenever an index has caught up, or all vectors are others.
    pub(super) generation: i64,
}

/// The state as it is now.
pub(super) fn state(connection: &Connection) -> Result<State, StoreError> {
    let read = || -> rusqlite::Result<State> {
        let sql = "SELECT (SELECT coalesce(max(sequence), 0) FROM changes),
                          (SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM settings WHERE name = 'generation'),
                          (SELECT coalesce(max(value), '') FROM settings WHERE name = 'store')";
        let mut statement = connection.prepare_cached(sql)?;
        statement.query_row([], |row| Ok(State { sequence: row.get(0)?, generation: row.get(1)?, store: row.get(2)? }))
    };
    read().map_err(failed("reading the state of the store"))
}

/// Tells every process that there is an index to be read anew.
pub(super) fn raise_generation(connection: &Connection) -> Result<(), StoreError> {
    raise(connection, "generation").map_err(failed("writing the state of the store"))
}

/// Number of the vectors as a whole: another, random one after each re-embedding, so that it is not met again in a backup
/// that was put back. 0 before the first.
pub(super) fn vectors_epoch(connection: &Connection) -> Result<i64, StoreError> {
    number(connection, "vectors_epoch").map_err(failed("reading the store's settings"))
}

/// Change up to which removals are not told any more: every index includes them.
pub(super) fn compacted(connection: &Connection) -> Result<i64, StoreError> {
    number(connection, "compacted").map_err(failed("reading the store's settings"))
}

/// Number of the last commit.
pub(super) fn version(connection: &Connection) -> Result<u64, StoreError> {
    number(connection, "version").map(i64::unsigned_abs).map_err(failed("reading the store's settings"))
}

/// The embedder that made the stored vectors.
pub(super) fn embedder(connection: &Connection) -> Result<Option<EmbedderIdentity>, StoreError> {
    identity(connection, "embedder", "dimension").map_err(failed("reading the store's settings"))
}

/// The embedder that a re-embedding was begun with.
pub(super) fn next_embedder(connection: &Connection) -> Result<Option<EmbedderIdentity>, StoreError> {
    identity(connection, "next_embedder", "next_dimension").map_err(failed("reading the store's settings"))
}

fn identity(connection: &Connection, name: &str, dimension: &str) -> rusqlite::Result<Option<EmbedderIdentity>> {
    let name = text(connection, name)?;
    let dimension = text(connection, dimension)?.and_then(|dimension| dimension.parse().ok());
    Ok(name.zip(dimension).map(|(name, dimension)| EmbedderIdentity { name, dimension }))
}

/// Makes the vectors as a whole others.
pub(super) fn renew_vectors_epoch(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO settings VALUES ('vectors_epoch', abs(random() / 2) + 1)";
    transaction.execute(sql, [])?;
    Ok(())
}

/// Refuses an embedder other than the one whose vectors are stored.
pub(super) fn check_embedder(
    connection: &Connection,
    directory: &Path,
    given: &EmbedderIdentity,
) -> Result<(), StoreError> {
    match embedder(connection)? {
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
    transaction: &Transaction<'_>,
    directory: &Path,
    given: &EmbedderIdentity,
) -> Result<(), Failure> {
    check_embedder(transaction, directory, given)?;
    let sql = "INSERT OR IGNORE INTO settings VALUES ('embedder', ?1), ('dimension', ?2)";
    transaction.execute(sql, params![given.name, given.dimension.to_string()])?;
    Ok(())
}

/// The folder that paths are relative to: the remembered one, else the proposed one from now on.
pub(super) fn base_folder(transaction: &Transaction<'_>, proposed: &str) -> rusqlite::Result<String> {
    transaction.execute("INSERT OR IGNORE INTO settings VALUES ('base_folder', ?1)", [proposed])?;
    Ok(text(transaction, "base_folder")?.unwrap_or_else(|| proposed.to_owned()))
}

/// A setting in words.
pub(super) fn text(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut statement = connection.prepare_cached("SELECT value FROM settings WHERE name = ?1")?;
    statement.query_row([name], |row| row.get(0)).optional()
}

/// A setting that counts; 0 before it was first raised.
fn number(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    Ok(text(connection, name)?.and_then(|value| value.parse().ok()).unwrap_or(0))
}

/// Sets a setting.
pub(super) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection.prepare_cached("INSERT OR REPLACE INTO settings VALUES (?1, ?2)")?.execute([name, value])?;
    Ok(())
}

/// Adds one to a setting that counts.
pub(super) fn raise(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO settings VALUES (?1, '1')
               ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1";
    connection.prepare_cached(sql)?.execute([name])?;
    Ok(())
}
