//! Connections to SQLite, and the one way to write.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use qanda_core::StoreError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::crash_point::crash_point;
use super::failure::{Failure, failed};
use super::{origin, schema, settings};

/// Time that a writer waits for another one.
pub(super) const WRITER_WAITS: Duration = Duration::from_secs(60);

/// A pool of connections to one file.
pub(super) struct Database {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens or creates `qanda.sqlite` in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let doing = || format!("opening the store in {}", directory.display());
        std::fs::create_dir_all(directory).map_err(|cause| StoreError::failed(doing(), cause))?;
        let database = Self { path: directory.join("qanda.sqlite"), idle: Mutex::default() };
        database.with(|connection| schema::bring_up(connection, &doing()))?;
        Ok(database)
    }

    /// Lends a connection for a piece of work.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path)?,
        };
        let result = work(&mut connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let doing = || format!("opening {}", path.display());
    let connection = Connection::open(path).map_err(|cause| StoreError::failed(doing(), cause))?;
    let configure = || -> rusqlite::Result<()> {
        connection.busy_timeout(WRITER_WAITS)?;
        keep_a_log(&connection)?;
        // A commit is on the disk when it returns, even if the power goes.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        // A log that grew while somebody read for long is cut again.
        connection.pragma_update(None, "journal_size_limit", 64_i64 << 20)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    };
    configure().map_err(|cause| failed(doing())(cause))?;
    Ok(connection)
}

/// Switches the file to a write-ahead log, which it stays with. Processes that do so to a new file at the same time
/// stand in each other's way, and SQLite tells them at once that it is locked, however long they would wait.
pub(crate) fn keep_a_log(connection: &Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(cause)
                if cause.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && began.elapsed() < WRITER_WAITS =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// One state of the store, to read several things of it. Nothing else may be begun on the connection meanwhile.
pub(super) fn snapshot(connection: &Connection) -> Result<Transaction<'_>, StoreError> {
    connection.unchecked_transaction().map_err(failed("reading the store"))
}

/// Writes in one transaction: all of the work is stored, or nothing of it. Raises the store's version.
pub(super) fn write<T>(
    connection: &mut Connection,
    doing: &str,
    work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>,
) -> Result<T, StoreError> {
    let fail = failed(doing);
    // From the start a writer: one that reads first would fail whenever another process wrote meanwhile.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    let result = work(&transaction).map_err(|failure| failure.of(&fail))?;
    settings::raise(&transaction, "version").and_then(|()| origin::mark(&transaction)).map_err(&fail)?;
    crash_point("before the commit");
    transaction.commit().map_err(&fail)?;
    crash_point("after the commit");
    Ok(result)
}
