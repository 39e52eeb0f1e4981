//! The list of jobs, in a SQLite file of its own: it is there whatever store the documents go to.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use qanda_core::ports::{Added, JobDocument, JobFailure, JobId, JobState, JobStatus, NewJob};
use qanda_core::{Jobs, Metadata, Moment, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};
use serde_json::{Value, json};

use crate::embedded::failed;

/// Time that a process waits for another one that writes.
const WAITS: Duration = Duration::from_secs(10);

/// Jobs that are remembered after their end.
const REMEMBERED: i64 = 1_000;

/// Version of the tables, in `PRAGMA user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE jobs (
        number   INTEGER PRIMARY KEY AUTOINCREMENT,
        id       TEXT NOT NULL UNIQUE,
        key      TEXT UNIQUE,
        request  TEXT NOT NULL,
        state    TEXT NOT NULL,
        done     INTEGER NOT NULL DEFAULT 0,
        begun    INTEGER NOT NULL DEFAULT 0,
        failures TEXT NOT NULL DEFAULT '[]',
        created  TEXT NOT NULL,
        ended    TEXT
    );
    CREATE INDEX jobs_that_wait ON jobs (number) WHERE ended IS NULL;
    CREATE TABLE job_documents (
        job        INTEGER NOT NULL,
        position   INTEGER NOT NULL,
        name       TEXT NOT NULL,
        media_type TEXT,
        metadata   TEXT NOT NULL,
        content    TEXT NOT NULL,
        withdrawn  INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (job, position)
    ) WITHOUT ROWID;
";

/// The list of jobs in `jobs.sqlite`. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct JobList(Arc<Mutex<Connection>>);

impl JobList {
    /// Opens the list in `directory` and makes it where there is none.
    ///
    /// # Errors
    /// When the directory cannot be used, or a newer version of qanda made the list.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let doing = format!("opening the list of jobs in {}", directory.display());
        std::fs::create_dir_all(directory).map_err(|cause| StoreError::failed(&*doing, cause))?;
        let open = || -> rusqlite::Result<Connection> {
            let connection = Connection::open(directory.join("jobs.sqlite"))?;
            connection.busy_timeout(WAITS)?;
            crate::embedded::keep_a_log(&connection)?;
            // What was taken is kept, even if the power goes.
            connection.pragma_update(None, "synchronous", "FULL")?;
            Ok(connection)
        };
        Self::over(open().map_err(failed(&*doing))?, &doing)
    }

    /// A list that ends with this process.
    ///
    /// # Errors
    /// When SQLite cannot be used at all.
    pub fn in_memory() -> Result<Self, StoreError> {
        let doing = "making a list of jobs";
        Self::over(Connection::open_in_memory().map_err(failed(doing))?, doing)
    }

    fn over(mut connection: Connection, doing: &str) -> Result<Self, StoreError> {
        let mut make = || -> rusqlite::Result<i64> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut version = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
            if version == 0 {
                transaction.execute_batch(TABLES)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
                version = VERSION;
            }
            transaction.commit()?;
            Ok(version)
        };
        let version = make().map_err(failed(doing))?;
        if version > VERSION {
            let newer = format!("it was made by a newer version of qanda (version {version}); update qanda");
            return Err(StoreError::failed(doing, newer));
        }
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Works on the list in one transaction, off the async runtime.
    async fn with<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.0);
        let task = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let result = work(&transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        task.await.map_err(|cause| StoreError::failed(doing, cause))?.map_err(failed(doing))
    }

    /// Reads the list off the async runtime, without a turn among those who write.
    async fn read<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let connection = Arc::clone(&self.0);
        let task =
            tokio::task::spawn_blocking(move || work(&connection.lock().unwrap_or_else(PoisonError::into_inner)));
        task.await.map_err(|cause| StoreError::failed(doing, cause))?.map_err(failed(doing))
    }
}

#[async_trait]
impl Jobs for JobList {
    async fn add(&self, job: NewJob, most: usize) -> Result<Added, StoreError> {
        self.with("taking a job", move |transaction| add(transaction, &job, most)).await
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobStatus>, StoreError> {
        let id = id.clone();
        self.read("reading a job", move |connection| get(connection, id.as_str())).await
    }

    async fn list(&self, limit: usize) -> Result<Vec<JobStatus>, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.read("listing jobs", move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM jobs ORDER BY number DESC LIMIT ?1");
            let mut statement = connection.prepare_cached(&sql)?;
            let found: Vec<_> = statement.query_map([limit], status)?.collect::<rusqlite::Result<_>>()?;
            found.into_iter().map(|found| with_documents(connection, found)).collect()
        })
        .await
    }

    async fn begin_next(&self) -> Result<Option<(JobStatus, Vec<JobDocument>, u32)>, StoreError> {
        // Asked often, and mostly there is nothing to do.
        let waits = "SELECT number FROM jobs WHERE ended IS NULL ORDER BY number LIMIT 1";
        let next = self.read("looking for a job", move |connection| {
            connection.prepare_cached(waits)?.query_row([], |row| row.get::<_, i64>(0)).optional()
        });
        let Some(number) = next.await? else { return Ok(None) };
        self.with("beginning a job", move |transaction| begin(transaction, number)).await.map(Some)
    }

    async fn update(&self, status: &JobStatus) -> Result<(), StoreError> {
        let status = status.clone();
        self.with("keeping how far a job has come", move |transaction| {
            let sql = "UPDATE jobs SET state = ?2, done = ?3, failures = ?4, ended = ?5 WHERE id = ?1";
            let ended = status.ended.map(|ended| ended.to_string());
            let failures: Vec<Value> = status.failures.iter().map(failure_json).collect();
            let done = i64::try_from(status.done).unwrap_or(i64::MAX);
            let fields =
                params![status.id.as_str(), status.state.as_str(), done, Value::from(failures).to_string(), ended];
            transaction.prepare_cached(sql)?.execute(fields)?;
            if status.state.is_end() { forget_old(transaction) } else { Ok(()) }
        })
        .await
    }

    async fn withdraw(&self, name: &str) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.with("taking a document out of jobs", move |transaction| {
            let sql = "UPDATE job_documents SET withdrawn = 1
                       WHERE name = ?1 AND job IN (SELECT number FROM jobs WHERE ended IS NULL)";
            transaction.execute(sql, [name]).map(drop)
        })
        .await
    }

    async fn withdrawn(&self, id: &JobId) -> Result<Vec<String>, StoreError> {
        let id = id.clone();
        self.read("reading the documents of a job", move |connection| {
            let sql = "SELECT name FROM job_documents
                       WHERE withdrawn = 1 AND job = (SELECT number FROM jobs WHERE id = ?1) ORDER BY position";
            connection.prepare_cached(sql)?.query_map([id.as_str()], |row| row.get(0))?.collect()
        })
        .await
    }

    async fn unfinished(&self) -> Result<HashSet<String>, StoreError> {
        self.read("reading the documents of jobs", |connection| {
            // Of a job that runs also what was withdrawn: it may be read at this moment.
            let sql = "SELECT content FROM job_documents d JOIN jobs j ON j.number = d.job
                       WHERE j.ended IS NULL AND (d.withdrawn = 0 OR j.state = 'running')";
            connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect()
        })
        .await
    }
}

fn add(transaction: &Transaction<'_>, job: &NewJob, most: usize) -> rusqlite::Result<Added> {
    if let Some(key) = &job.key {
        let mut same = transaction.prepare_cached("SELECT id, request FROM jobs WHERE key = ?1")?;
        let found = same.query_row([key], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).optional()?;
        if let Some((id, request)) = found {
            let job_there = if request == job.request { get(transaction, &id)? } else { None };
            return Ok(job_there.map_or(Added::KeyReused, Added::Job));
        }
    }
    let waiting: i64 = transaction.query_row("SELECT count(*) FROM jobs WHERE ended IS NULL", [], |row| row.get(0))?;
    if usize::try_from(waiting).is_ok_and(|waiting| waiting >= most) {
        return Ok(Added::Full);
    }
    let sql = "INSERT INTO jobs (id, key, request, state, created) VALUES (?1, ?2, ?3, ?4, ?5)";
    let now = Moment::now().to_string();
    transaction.execute(sql, params![job.id.as_str(), job.key, job.request, JobState::Queued.as_str(), now])?;
    let number = transaction.last_insert_rowid();
    for (position, document) in (0_i64..).zip(&job.documents) {
        let sql = "INSERT INTO job_documents (job, position, name, media_type, metadata, content)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let JobDocument { name, media_type, metadata, content } = document;
        let metadata = json!(metadata).to_string();
        transaction.prepare_cached(sql)?.execute(params![number, position, name, media_type, metadata, content])?;
    }
    Ok(get(transaction, job.id.as_str())?.map_or(Added::Full, Added::Job))
}

fn begin(transaction: &Transaction<'_>, number: i64) -> rusqlite::Result<(JobStatus, Vec<JobDocument>, u32)> {
    let sql = "UPDATE jobs SET state = ?2, begun = begun + 1, done = 0, failures = '[]' WHERE number = ?1";
    transaction.execute(sql, params![number, JobState::Running.as_str()])?;
    let begun = transaction.query_row("SELECT begun FROM jobs WHERE number = ?1", [number], |row| row.get(0))?;
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE number = ?1");
    let found = transaction.query_row(&sql, [number], status)?;
    let sql = "SELECT name, media_type, metadata, content FROM job_documents
               WHERE job = ?1 AND withdrawn = 0 ORDER BY position";
    let mut statement = transaction.prepare_cached(sql)?;
    let document = |row: &Row<'_>| {
        let metadata: Metadata = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
        Ok(JobDocument { name: row.get(0)?, media_type: row.get(1)?, metadata, content: row.get(3)? })
    };
    let documents = statement.query_map([number], document)?.collect::<rusqlite::Result<_>>()?;
    Ok((with_documents(transaction, found)?, documents, begun))
}

const COLUMNS: &str = "number, id, state, done, failures, created, ended";

fn get(connection: &Connection, id: &str) -> rusqlite::Result<Option<JobStatus>> {
    let sql = format!("SELECT {COLUMNS} FROM jobs WHERE id = ?1");
    let found = connection.prepare_cached(&sql)?.query_row([id], status).optional()?;
    found.map(|found| with_documents(connection, found)).transpose()
}

/// A job without the names of its documents, and its number.
fn status(row: &Row<'_>) -> rusqlite::Result<(i64, JobStatus)> {
    let state: String = row.get(2)?;
    let failures: Vec<Value> = serde_json::from_str(&row.get::<_, String>(4)?).unwrap_or_default();
    let moment = |text: String| text.parse().unwrap_or_else(|_| Moment::now());
    let status = JobStatus {
        id: JobId::from(row.get::<_, String>(1)?),
        state: JobState::ALL.into_iter().find(|known| known.as_str() == state).unwrap_or(JobState::Failed),
        done: usize::try_from(row.get::<_, i64>(3)?).unwrap_or(0),
        documents: Vec::new(),
        failures: failures.iter().map(failure).collect(),
        created: moment(row.get(5)?),
        ended: row.get::<_, Option<String>>(6)?.map(moment),
    };
    Ok((row.get(0)?, status))
}

fn with_documents(connection: &Connection, (number, status): (i64, JobStatus)) -> rusqlite::Result<JobStatus> {
    let sql = "SELECT name FROM job_documents WHERE job = ?1 ORDER BY position";
    let mut statement = connection.prepare_cached(sql)?;
    let documents = statement.query_map([number], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(JobStatus { documents, ..status })
}

fn failure_json(failure: &JobFailure) -> Value {
    json!({"document": failure.document, "reason": failure.reason})
}

fn failure(json: &Value) -> JobFailure {
    let text = |name: &str| json[name].as_str().map(str::to_owned);
    JobFailure { document: text("document"), reason: text("reason").unwrap_or_default() }
}

fn forget_old(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let old = "SELECT number FROM jobs WHERE ended IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?1";
    transaction.execute(&format!("DELETE FROM job_documents WHERE job IN ({old})"), [REMEMBERED])?;
    transaction.execute(&format!("DELETE FROM jobs WHERE number IN ({old})"), [REMEMBERED]).map(drop)
}

#[cfg(test)]
mod tests;
