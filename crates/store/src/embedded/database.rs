//! Connections to SQLite, and the one way to write.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use qanda_core::StoreError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use super::crash_point::crash_point;
use super::{schema, settings};

/// Time that a writer waits for another one.
const WRITER_WAITS: Duration = Duration::from_secs(60);

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
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A commit is on the disk when it returns, even if the power goes.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "mmap_size", 1_i64 << 30)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(())
    };
    configure().map_err(|cause| failed(doing())(cause))?;
    Ok(connection)
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
    settings::raise(&transaction, "version").map_err(&fail)?;
    crash_point("before the commit");
    transaction.commit().map_err(&fail)?;
    crash_point("after the commit");
    Ok(result)
}

/// Failure of work that deals with SQLite and with other things.
pub(super) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// Something else did, and says what.
    Store(StoreError),
}

impl Failure {
    /// The store's error, told by `fail` for one of SQLite.
    pub(super) fn of(self, fail: impl Fn(rusqlite::Error) -> StoreError) -> StoreError {
        match self {
            Self::Sqlite(cause) => fail(cause),
            Self::Store(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(cause: rusqlite::Error) -> Self {
        Self::Sqlite(cause)
    }
}

impl From<StoreError> for Failure {
    fn from(cause: StoreError) -> Self {
        Self::Store(cause)
    }
}

/// Turns an error of SQLite into one of the store, a full disk into the sentence that says so.
pub(super) fn failed(doing: impl Into<String>) -> impl Fn(rusqlite::Error) -> StoreError {
    let doing = doing.into();
    move |cause| match cause.sqlite_error_code() {
        _ if no_room(&cause) => StoreError::DiskFull { place: "the store".to_owned() },
        Some(ErrorCode::DiskFull) => StoreError::DiskFull { place: "the store".to_owned() },
        Some(ErrorCode::DatabaseBusy) => StoreError::Unavailable {
            message: "another process has been writing to it for more than a minute; try again".to_owned(),
            cause: Some(Box::new(cause)),
        },
        _ => StoreError::failed(doing.clone(), cause),
    }
}

/// SQLite needs a little room even to read: the file that processes share their place in the log by.
fn no_room(cause: &rusqlite::Error) -> bool {
    cause.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}
