//! A whole store in one file, and back, both while others use the store.
//!
//! The file is an SQLite database: a copy of the store at one moment, without the indexes, which are made anew, and with
//! the originals of uploads in a table of their own. Restoring puts all of it in place in one transaction: until its
//! commit everybody sees the old store, from then on the restored one. The restored store has an id of its own, so no
//! index of the old one is taken for its.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use qanda_core::StoreError;
use rusqlite::backup::Backup as Copying;
use rusqlite::{Connection, OpenFlags, Transaction, params};

use super::crash_point::crash_point;
use super::database::{Database, snapshot};
use super::failure::failed;
use super::{documents, schema, settings};

/// Folder, below the store's, with the bytes of what was uploaded, each file named by their hash.
const ORIGINALS: &str = "originals";
/// File in that folder that is locked, shared, by whoever needs that nothing there is swept away.
const LOCK: &str = "lock";
/// Ending of files there that are being written.
const UNFINISHED: &str = "tmp";

/// Pages copied at a time.
const PAGES: i32 = 1_000;
/// Time between two tries while another process writes.
const PAUSE: Duration = Duration::from_millis(5);

/// What a backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupReport {
    /// Documents.
    pub documents: u64,
    /// Passages.
    pub passages: u64,
    /// Question/answer pairs.
    pub pairs: u64,
    /// Originals of uploads.
    pub originals: u64,
    /// Size of the file, in bytes.
    pub bytes: u64,
}

/// Writes a backup of the store in `directory` to `file`, which appears when it is complete; one that is there already
/// is replaced then. Blocks.
///
/// # Errors
/// [`StoreError`] when the store cannot be read, or the file not be written. Nothing is left of it then.
pub fn back_up(directory: &Path, file: &Path) -> Result<BackupReport, StoreError> {
    let doing = format!("writing the backup {}", file.display());
    let database = Database::open(directory)?;
    let own = [directory.join("qanda.sqlite"), file.to_owned()].map(|path| path.canonicalize().ok());
    if own[0].is_some() && own[0] == own[1] {
        return Err(StoreError::failed(doing, "that is the store itself"));
    }
    let mut name = file.as_os_str().to_owned();
    name.push(".unfinished");
    let unfinished = PathBuf::from(name);
    let written = database.with(|connection| copy_out(directory, connection, &unfinished, &doing));
    let finished = written.and_then(|mut report| {
        report.bytes = put_in_place(&unfinished, file).map_err(|cause| io_error(&doing, cause))?;
        Ok(report)
    });
    if finished.is_err() {
        // The first error is the one to tell.
        let _ = fs::remove_file(&unfinished);
    }
    finished
}

fn copy_out(
    directory: &Path,
    connection: &Connection,
    unfinished: &Path,
    doing: &str,
) -> Result<BackupReport, StoreError> {
    let fail = failed(doing);
    match fs::remove_file(unfinished) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => return Err(io_error(doing, cause)),
        _ => {}
    }
    // Before the snapshot, so that no original of it is swept away.
    let _kept = keep_originals(directory).map_err(|cause| io_error(doing, cause))?;
    let snapshot = snapshot(connection)?;
    let mut copy = Connection::open(unfinished).map_err(&fail)?;
    Copying::new(&snapshot, &mut copy)
        .and_then(|copying| copying.run_to_completion(PAGES, PAUSE, None))
        .map_err(&fail)?;
    drop(snapshot);
    // One file, without a log beside it.
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(&fail)?;
    let transaction = copy.transaction().map_err(&fail)?;
    transaction
        .execute_batch("CREATE TABLE originals (name TEXT PRIMARY KEY, bytes BLOB NOT NULL) WITHOUT ROWID")
        .map_err(&fail)?;
    let originals = take_originals(directory, &transaction, doing)?;
    let [documents, passages, pairs] = documents::counts(&transaction)?;
    transaction.commit().map_err(&fail)?;
    copy.close().map_err(|(_, cause)| fail(cause))?;
    Ok(BackupReport { documents, passages, pairs, originals, bytes: 0 })
}

/// Gives a complete file its name, for good; returns its size.
fn put_in_place(unfinished: &Path, file: &Path) -> std::io::Result<u64> {
    let written = File::open(unfinished)?;
    written.sync_all()?;
    crash_point("before the backup is renamed");
    fs::rename(unfinished, file)?;
    crash_point("after the backup is renamed");
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(written.metadata()?.len())
}

/// Keeps originals from being swept away, where there are any.
fn keep_originals(directory: &Path) -> std::io::Result<Option<File>> {
    let folder = directory.join(ORIGINALS);
    if !folder.is_dir() {
        return Ok(None);
    }
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    lock.lock_shared()?;
    Ok(Some(lock))
}

fn take_originals(directory: &Path, transaction: &Transaction<'_>, doing: &str) -> Result<u64, StoreError> {
    let Ok(files) = fs::read_dir(directory.join(ORIGINALS)) else { return Ok(0) };
    let mut taken = 0;
    for file in files.flatten() {
        let (name, path) = (file.file_name(), file.path());
        let Some(name) = name.to_str() else { continue };
        if name == LOCK || path.extension().is_some_and(|ending| ending == UNFINISHED) || !path.is_file() {
            continue;
        }
        let bytes = fs::read(&path).map_err(|cause| io_error(doing, cause))?;
        transaction.execute("INSERT INTO originals VALUES (?1, ?2)", params![name, bytes]).map_err(failed(doing))?;
        taken += 1;
    }
    Ok(taken)
}

/// Puts a backup in place of the store in `directory`, which may be in use, or not be there yet. The indexes are still to
/// be made then. Blocks.
///
/// # Errors
/// [`StoreError`] when the file is no backup, or the store cannot be written. The store is as it was then.
pub fn restore(directory: &Path, file: &Path) -> Result<BackupReport, StoreError> {
    let doing = format!("restoring {}", file.display());
    fs::create_dir_all(directory).map_err(|cause| io_error(&doing, cause))?;
    let prepared = directory.join("restoring.sqlite");
    let restored = prepare(file, &prepared, &doing).and_then(|mut copy| {
        let originals = put_originals(directory, &copy, &doing)?;
        let database = open_or_set_aside(directory)?;
        database.with(|live| replace(live, &mut copy, &doing))?;
        let [documents, passages, pairs] = database.with(|live| documents::counts(live))?;
        let bytes = fs::metadata(file).map_or(0, |metadata| metadata.len());
        Ok(BackupReport { documents, passages, pairs, originals, bytes })
    });
    let _ = fs::remove_file(&prepared);
    restored
}

/// Opens the store that is to be replaced. One that is too damaged for that is set aside, and a new one made.
fn open_or_set_aside(directory: &Path) -> Result<Database, StoreError> {
    let damaged = match Database::open(directory) {
        Err(error @ StoreError::Failed { .. }) => error,
        opened => return opened,
    };
    let name = |ending: &str| directory.join(format!("qanda.sqlite{ending}"));
    tracing::warn!(%damaged, "the store that is replaced cannot be opened; it is kept as qanda.sqlite.damaged");
    fs::rename(name(""), name(".damaged"))
        .map_err(|cause| StoreError::failed("setting the damaged store aside", cause))?;
    for ending in ["-wal", "-shm"] {
        // They belong to the damaged one, and would be taken for the new one's.
        let _ = fs::remove_file(name(ending));
    }
    Database::open(directory)
}

/// Copies a backup and makes a store of this version of it; the backup stays as it is.
fn prepare(file: &Path, prepared: &Path, doing: &str) -> Result<Connection, StoreError> {
    let fail = failed(doing);
    let _ = fs::remove_file(prepared);
    let backup = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(&fail)?;
    check(&backup, doing)?;
    let mut copy = Connection::open(prepared).map_err(&fail)?;
    Copying::new(&backup, &mut copy)
        .and_then(|copying| copying.run_to_completion(PAGES, PAUSE, None))
        .map_err(&fail)?;
    copy.pragma_update(None, "journal_mode", "DELETE").map_err(&fail)?;
    schema::bring_up(&mut copy, doing)?;
    Ok(copy)
}

/// Refuses what is not a store, or not whole.
fn check(backup: &Connection, doing: &str) -> Result<(), StoreError> {
    let tables =
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('settings', 'documents', 'changes')";
    // A file that is no database fails here.
    let no_store = |_| StoreError::failed(doing, "it is no backup of a store");
    let found: i64 = backup.query_row(tables, [], |row| row.get(0)).map_err(no_store)?;
    if found != 3 {
        return Err(StoreError::failed(doing, "it is no backup of a store"));
    }
    let sound: String = backup.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(failed(doing))?;
    if sound != "ok" {
        return Err(StoreError::failed(doing, format!("it is damaged: {sound}")));
    }
    Ok(())
}

/// Writes the originals of a backup beside those that are there: the names say what is in them, and those that nothing
/// needs are swept away by the service.
fn put_originals(directory: &Path, copy: &Connection, doing: &str) -> Result<u64, StoreError> {
    let fail = failed(doing);
    let there = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'originals')";
    // A plain copy of a store has none.
    if !copy.query_row(there, [], |row| row.get::<_, bool>(0)).map_err(&fail)? {
        return Ok(0);
    }
    let folder = directory.join(ORIGINALS);
    let mut put = 0;
    {
        let mut statement = copy.prepare("SELECT name, bytes FROM originals").map_err(&fail)?;
        let mut rows = statement.query([]).map_err(&fail)?;
        while let Some(row) = rows.next().map_err(&fail)? {
            let (name, bytes): (String, Vec<u8>) =
                row.get(0).and_then(|name| Ok((name, row.get(1)?))).map_err(&fail)?;
            if name.is_empty() || name.contains(['/', '\\']) || name.starts_with('.') {
                return Err(StoreError::failed(doing, format!("an original in it has the name {name:?}")));
            }
            write_original(&folder, &name, &bytes).map_err(|cause| io_error(doing, cause))?;
            put += 1;
        }
    }
    copy.execute_batch("DROP TABLE originals").map_err(&fail)?;
    Ok(put)
}

fn write_original(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let lock = File::options().create(true).truncate(false).write(true).open(folder.join(LOCK))?;
    lock.lock_shared()?;
    let unfinished = folder.join(format!("restored-{name}.{UNFINISHED}"));
    fs::write(&unfinished, bytes)?;
    File::open(&unfinished)?.sync_all()?;
    fs::rename(&unfinished, folder.join(name))?;
    File::open(folder)?.sync_all()
}

/// Puts a prepared copy in place of the live store, in one transaction.
fn replace(live: &mut Connection, copy: &mut Connection, doing: &str) -> Result<(), StoreError> {
    let fail = failed(doing);
    // Of a damaged store the number may be lost; it only tells those who cache that something has changed.
    let version = settings::version(live).unwrap_or(0).max(settings::version(copy)?) + 1;
    let renew = |copy: &Connection| -> rusqlite::Result<()> {
        copy.execute("INSERT OR REPLACE INTO settings VALUES (?1, lower(hex(randomblob(8))))", [settings::STORE])?;
        settings::set(copy, "version", &version.to_string())
    };
    renew(copy).map_err(&fail)?;
    crash_point("before the restored store is put in place");
    Copying::new(copy, live).and_then(|copying| run_at_once(&copying)).map_err(&fail)?;
    crash_point("after the restored store is put in place");
    Ok(())
}

/// Copies everything in one transaction, once no other process writes.
fn run_at_once(copying: &Copying<'_, '_>) -> rusqlite::Result<()> {
    use rusqlite::backup::StepResult::Done;
    let began = std::time::Instant::now();
    while copying.step(-1)? != Done {
        if began.elapsed() > super::database::WRITER_WAITS {
            return Err(rusqlite::Error::SqliteFailure(
                rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
                Some("another process is writing".to_owned()),
            ));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn io_error(doing: &str, cause: std::io::Error) -> StoreError {
    match cause.kind() {
        std::io::ErrorKind::StorageFull => StoreError::DiskFull { place: "a backup".to_owned() },
        _ => StoreError::failed(doing, cause),
    }
}
