//! Errors of SQLite and of the file system as errors of the store.

use std::io;

use qanda_core::StoreError;
use rusqlite::ErrorCode;

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
pub(crate) fn failed(doing: impl Into<String>) -> impl Fn(rusqlite::Error) -> StoreError {
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

/// Whether an error of the operating system may pass: no file handles left, no memory, no permission. A file that is not
/// there, or whose bytes are wrong, stays so.
pub(super) fn may_pass(cause: &io::Error) -> bool {
    cause.raw_os_error().is_some() && cause.kind() != io::ErrorKind::NotFound
}

/// A derived index that cannot be read at the moment. Nothing is wrong with it, so nothing is done to it.
pub(super) fn unreadable_now(index: &str, cause: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Unavailable {
        message: format!("the {index} cannot be read at the moment: {cause}"),
        cause: Some(Box::new(cause)),
    }
}
