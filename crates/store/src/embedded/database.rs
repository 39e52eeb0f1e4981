//! Connections to SQLite and the schema.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use qanda_core::StoreError;
use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

/// Version of the schema, in `PRAGMA user_version`.
const SCHEMA_VERSION: i64 = 2;

/// Entries are what is searched: passages (`kind` 0) and question/answer pairs (`kind` 1). Ids are never used
/// twice, so an index that still knows a removed entry can do no harm.
pub(super) const SCHEMA: &str = "
    CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE documents (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        location    TEXT NOT NULL UNIQUE,
        path        TEXT NOT NULL,
        title       TEXT NOT NULL,
        fingerprint TEXT NOT NULL
    );
    CREATE TABLE document_texts (document_id INTEGER PRIMARY KEY, text TEXT NOT NULL);
    CREATE TABLE document_metadata (
        document_id INTEGER NOT NULL,
        name        TEXT NOT NULL,
        value       TEXT NOT NULL,
        PRIMARY KEY (document_id, name)
    ) WITHOUT ROWID;
    CREATE INDEX document_metadata_by_value ON document_metadata (name, value);
    CREATE TABLE entries (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        kind        INTEGER NOT NULL,
        document_id INTEGER NOT NULL,
        start_byte  INTEGER NOT NULL,
        end_byte    INTEGER NOT NULL,
        headings    TEXT NOT NULL,
        text        TEXT NOT NULL
    );
    CREATE INDEX entries_by_document ON entries (document_id);
    CREATE INDEX pairs ON entries (id) WHERE kind = 1;
    CREATE TABLE vectors (entry_id INTEGER PRIMARY KEY, vector BLOB NOT NULL);
    CREATE TABLE changes (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        entry_id INTEGER NOT NULL,
        kind     INTEGER NOT NULL,
        added    INTEGER NOT NULL
    );
";

/// What version 2 added: the rest of a pair, whose question is the text of its entry. `document` is the path that it
/// was imported for.
const PAIRS: &str = "
    DROP INDEX pairs;
    CREATE INDEX entries_that_are_pairs ON entries (id) WHERE kind = 1;
    CREATE TABLE pairs (
        entry_id   INTEGER PRIMARY KEY,
        key        TEXT NOT NULL UNIQUE,
        answer     TEXT NOT NULL,
        context_id INTEGER,
        document   TEXT,
        written_by TEXT
    );
    CREATE INDEX pairs_by_context ON pairs (context_id);
    CREATE INDEX pairs_by_document ON pairs (document);
";

/// How long a writer waits for another one.
const WRITER_PATIENCE: Duration = Duration::from_secs(60);

/// A pool of connections to one file.
pub(super) struct Database {
    path: std::path::PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Database {
    /// Opens or creates `qanda.sqlite` in `directory`.
    pub(super) fn open(directory: &Path) -> Result<Self, StoreError> {
        let doing = || format!("opening the store in {}", directory.display());
        std::fs::create_dir_all(directory).map_err(|cause| StoreError::failed(doing(), cause))?;
        let database = Self { path: directory.join("qanda.sqlite"), idle: Mutex::default() };
        database.with(|connection| create_schema(connection, &doing()))?;
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
        connection.busy_timeout(WRITER_PATIENCE)?;
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

fn create_schema(connection: &mut Connection, doing: &str) -> Result<(), StoreError> {
    let version = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let fail = failed(doing);
    let found: i64 = version(connection).map_err(&fail)?;
    if found > SCHEMA_VERSION {
        let newer = format!("it was made by a newer version of qanda (schema {found}); update qanda");
        return Err(StoreError::failed(doing, newer));
    }
    if found == SCHEMA_VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
    // Another process may have been quicker.
    let found: i64 = version(&transaction).map_err(&fail)?;
    if found < SCHEMA_VERSION {
        if found == 0 {
            transaction.execute_batch(SCHEMA).map_err(&fail)?;
        }
        transaction.execute_batch(PAIRS).map_err(&fail)?;
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(&fail)?;
    }
    transaction.commit().map_err(&fail)
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
