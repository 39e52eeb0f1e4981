//! Jobs: documents that are handed in, stored one job after the other.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use qanda_core::ports::{Intake, IntakeError, JobFailure, JobId, JobState, JobStatus, Submission};
use qanda_core::{Collection, RequestContext};
use tokio::sync::mpsc::{self, Receiver, Sender, error::TrySendError};

use crate::{Event, Ingestion, SourceDocument};

/// Jobs that may wait.
const WAITING: usize = 64;

/// Jobs that are remembered after their end.
const REMEMBERED: usize = 1_000;

/// Longest name of a document, in bytes.
const MAX_NAME: usize = 1_000;

/// Reason of a job's failure, for its caller: what the store or a model says is for the log.
const NOT_STORED: &str = "the documents could not be embedded or stored; the service's log says why";

/// A queue of jobs with its worker. When the queue is dropped, the worker ends once it has done what was taken.
pub struct JobQueue {
    sender: Sender<Job>,
    states: Arc<States>,
    /// Jobs so far.
    number: AtomicU64,
}

/// A job that waits.
struct Job {
    id: JobId,
    context: RequestContext,
    documents: Vec<SourceDocument>,
}

impl JobQueue {
    /// A queue whose worker runs on the current Tokio runtime.
    #[must_use]
    pub fn start(ingestion: Ingestion) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING);
        let states = Arc::new(States::default());
        tokio::spawn(work(ingestion, jobs, Arc::clone(&states)));
        Self { sender, states, number: AtomicU64::new(0) }
    }

    /// An id that no other job has, in this process or another.
    fn new_id(&self) -> JobId {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        JobId::from(format!("{time:x}-{:x}-{number:x}", std::process::id()))
    }
}

#[async_trait]
impl Intake for JobQueue {
    async fn submit(&self, context: &RequestContext, documents: Vec<Submission>) -> Result<JobId, IntakeError> {
        if context.collection != Collection::default() {
            return Err(IntakeError::NoSuchCollection { collection: context.collection.as_str().to_owned() });
        }
        let documents = documents.into_iter().map(source).collect::<Result<Vec<_>, _>>()?;
        let id = self.new_id();
        // The job outlives the request that it came with.
        let context = RequestContext { deadline: None, ..context.clone() };
        self.states.begin(&id, documents.len());
        match self.sender.try_send(Job { id: id.clone(), context, documents }) {
            Ok(()) => Ok(id),
            Err(refused) => {
                self.states.forget(&id);
                Err(match refused {
                    TrySendError::Full(_) => IntakeError::Busy { waiting: WAITING },
                    TrySendError::Closed(_) => IntakeError::Closed,
                })
            }
        }
    }

    async fn job(&self, _: &RequestContext, id: &JobId) -> Option<JobStatus> {
        self.states.get(id)
    }
}

fn source(Submission { name, media_type, bytes, metadata }: Submission) -> Result<SourceDocument, IntakeError> {
    let reason = match name.as_str() {
        "" => "a document needs a name",
        long if long.len() > MAX_NAME => "its name is too long; 1,000 bytes are allowed",
        absolute if absolute.starts_with('/') => "its name begins with /; names are relative",
        strange if strange.chars().any(char::is_control) => "its name has control characters",
        _ => return Ok(SourceDocument::upload(name, media_type, bytes, metadata)),
    };
    Err(IntakeError::Invalid { document: name, reason: reason.to_owned() })
}

/// Does the jobs one after the other.
async fn work(ingestion: Ingestion, mut jobs: Receiver<Job>, states: Arc<States>) {
    while let Some(Job { id, context, documents }) = jobs.recv().await {
        states.change(&id, |status| status.state = JobState::Running);
        let on_event = |event| states.change(&id, |status| note(status, event));
        let result = ingestion.store(&context, documents, on_event).await;
        if let Err(error) = &result {
            tracing::error!(job = %id, request = %context.request_id, %error, "a job failed");
        }
        states.end(&id, result.is_err());
    }
}

/// Counts an event of a job.
fn note(status: &mut JobStatus, event: Event) {
    match event {
        Event::Unchanged { .. } | Event::Moved { .. } => status.done += 1,
        Event::Stored { documents, .. } => status.done += documents,
        Event::Failed { path, reason } | Event::Empty { path, reason } => {
            status.done += 1;
            status.failures.push(JobFailure { document: Some(path), reason });
        }
        Event::Planned { .. }
        | Event::Skipped { .. }
        | Event::Read { .. }
        | Event::Embedded { .. }
        | Event::Gone { .. }
        | Event::Doubted(_)
        | Event::Removed { .. }
        | Event::Indexing => {}
    }
}

/// States of all jobs that are remembered.
#[derive(Default)]
struct States(Mutex<Remembered>);

#[derive(Default)]
struct Remembered {
    jobs: HashMap<JobId, JobStatus>,
    /// Jobs that have ended, oldest first.
    ended: VecDeque<JobId>,
}

impl States {
    fn with<T>(&self, work: impl FnOnce(&mut Remembered) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn begin(&self, id: &JobId, total: usize) {
        let status = JobStatus { id: id.clone(), state: JobState::Queued, done: 0, total, failures: Vec::new() };
        self.with(|remembered| {
            remembered.jobs.insert(id.clone(), status);
        });
    }

    fn get(&self, id: &JobId) -> Option<JobStatus> {
        self.with(|remembered| remembered.jobs.get(id).cloned())
    }

    fn change(&self, id: &JobId, change: impl FnOnce(&mut JobStatus)) {
        self.with(|remembered| {
            if let Some(status) = remembered.jobs.get_mut(id) {
                change(status);
            }
        });
    }

    fn end(&self, id: &JobId, failed: bool) {
        self.change(id, |status| {
            status.state = if failed { JobState::Failed } else { JobState::Done };
            status.failures.extend(failed.then(|| JobFailure { document: None, reason: NOT_STORED.to_owned() }));
        });
        self.with(|remembered| {
            remembered.ended.push_back(id.clone());
            if remembered.ended.len() > REMEMBERED
                && let Some(oldest) = remembered.ended.pop_front()
            {
                remembered.jobs.remove(&oldest);
            }
        });
    }

    fn forget(&self, id: &JobId) {
        self.with(|remembered| {
            remembered.jobs.remove(id);
        });
    }
}

#[cfg(test)]
mod tests;
