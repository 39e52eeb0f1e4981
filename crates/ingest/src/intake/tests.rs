#![allow(clippy::unwrap_used)]

use std::collections::HashSet;
use std::io::Read;
use std::sync::Mutex;
use std::time::Duration;

use qanda_core::ports::{DocumentQuery, JobState};
use qanda_core::{Metadata, Moment};

use super::*;
use crate::job::tests::Bench;

/// Jobs in memory, in the order in which they came.
#[derive(Default)]
struct FakeJobs(Mutex<Vec<(NewJob, JobStatus, u32)>>);

#[async_trait]
impl Jobs for FakeJobs {
    async fn add(&self, job: NewJob, most: usize) -> Result<Added, StoreError> {
        let mut jobs = self.0.lock().unwrap();
        if let Some((same, status, _)) = jobs.iter().find(|(known, ..)| job.key.is_some() && known.key == job.key) {
            return Ok(if same.request == job.request { Added::Job(status.clone()) } else { Added::KeyReused });
        }
        if jobs.iter().filter(|(_, status, _)| status.ended.is_none()).count() >= most {
            return Ok(Added::Full);
        }
        let status = JobStatus {
            id: job.id.clone(),
            state: JobState::Queued,
            done: 0,
            documents: job.documents.iter().map(|document| document.name.clone()).collect(),
            failures: Vec::new(),
            created: Moment::now(),
            ended: None,
        };
        jobs.push((job, status.clone(), 0));
        Ok(Added::Job(status))
    }

    async fn get(&self, id: &JobId) -> Result<Option<JobStatus>, StoreError> {
        Ok(self.0.lock().unwrap().iter().find(|(_, status, _)| status.id == *id).map(|(_, status, _)| status.clone()))
    }

    async fn list(&self, _: usize) -> Result<Vec<JobStatus>, StoreError> {
        Ok(self.0.lock().unwrap().iter().rev().map(|(_, status, _)| status.clone()).collect())
    }

    async fn begin_next(&self) -> Result<Option<(JobStatus, Vec<JobDocument>, u32)>, StoreError> {
        let mut jobs = self.0.lock().unwrap();
        Ok(jobs.iter_mut().find(|(_, status, _)| status.ended.is_none()).map(|(job, status, begun)| {
            *begun += 1;
            status.state = JobState::Running;
            (status.clone(), job.documents.clone(), *begun)
        }))
    }

    async fn update(&self, new: &JobStatus) -> Result<(), StoreError> {
        for (_, status, _) in self.0.lock().unwrap().iter_mut().filter(|(_, status, _)| status.id == new.id) {
            status.clone_from(new);
        }
        Ok(())
    }

    async fn withdraw(&self, name: &str) -> Result<(), StoreError> {
        for (job, _, _) in self.0.lock().unwrap().iter_mut().filter(|(_, status, _)| status.ended.is_none()) {
            job.documents.retain(|document| document.name != name);
        }
        Ok(())
    }

    async fn withdrawn(&self, id: &JobId) -> Result<Vec<String>, StoreError> {
        let jobs = self.0.lock().unwrap();
        let (job, status, _) = jobs.iter().find(|(_, status, _)| status.id == *id).unwrap();
        let names = status.documents.iter();
        Ok(names.filter(|name| job.documents.iter().all(|document| document.name != **name)).cloned().collect())
    }

    async fn unfinished(&self) -> Result<HashSet<String>, StoreError> {
        let jobs = self.0.lock().unwrap();
        let unfinished = jobs.iter().filter(|(_, status, _)| status.ended.is_none());
        Ok(unfinished.flat_map(|(job, ..)| &job.documents).map(|document| document.content.clone()).collect())
    }
}

/// A queue over a data directory of its own.
struct Desk {
    data: tempfile::TempDir,
    bench: Bench,
    jobs: Arc<FakeJobs>,
}

impl Desk {
    fn new(broken: bool) -> Self {
        Self { data: tempfile::TempDir::new().unwrap(), bench: Bench::with(&[], broken), jobs: Arc::default() }
    }

    fn queue(&self, keep: KeepOriginals) -> (JobQueue, JobRunner) {
        job_queue(Arc::clone(&self.jobs) as _, self.data.path(), keep, self.bench.ingestion())
    }

    fn running(&self) -> JobQueue {
        let (queue, runner) = self.queue(KeepOriginals::Yes);
        tokio::spawn(runner.run(async {}));
        queue
    }

    fn originals(&self) -> usize {
        std::fs::read_dir(self.data.path().join("originals")).unwrap().count() - 1
    }
}

fn submission(name: &str, text: &str) -> Submission {
    Submission { name: name.to_owned(), media_type: None, bytes: text.as_bytes().to_vec(), metadata: Metadata::new() }
}

async fn taken(queue: &JobQueue, documents: &[(&str, &str)]) -> JobId {
    let documents = documents.iter().map(|(name, text)| submission(name, text)).collect();
    queue.submit(&RequestContext::local(), documents, None).await.unwrap().id
}

/// The job's status at its end.
async fn end_of(queue: &JobQueue, id: &JobId) -> JobStatus {
    for _ in 0..10_000 {
        let status = queue.job(&RequestContext::local(), id).await.unwrap().unwrap();
        if status.state.is_end() {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the job does not end");
}

#[tokio::test]
async fn what_is_handed_in_is_stored_and_the_job_says_so() {
    let desk = Desk::new(false);
    let queue = desk.running();
    let first = taken(&queue, &[("plan.md", "# Plan\n\nwords"), ("table.xyz", "words")]).await;
    let status = end_of(&queue, &first).await;
    assert_eq!((status.state, status.done, status.documents.len()), (JobState::Done, 2, 2));
    assert_eq!(status.failures.len(), 1);
    assert_eq!(status.failures[0].document.as_deref(), Some("table.xyz"));
    assert!(status.failures[0].reason.contains("no reader for .xyz files"), "{status:?}");
    assert_eq!(desk.bench.stored(), ["upload:plan.md"]);

    // The same again is known; another text under the name takes its place.
    let same = taken(&queue, &[("plan.md", "# Plan\n\nwords")]).await;
    assert_eq!(end_of(&queue, &same).await.done, 1);
    assert_eq!(desk.bench.embedded(), 1);
    let other = taken(&queue, &[("plan.md", "# Plan\n\nother words")]).await;
    assert!(first != same && same != other);
    assert_eq!(end_of(&queue, &other).await.state, JobState::Done);
    assert_eq!((desk.bench.stored().len(), desk.bench.embedded()), (1, 2));
    assert_eq!(queue.job(&RequestContext::local(), &JobId::from("none".to_owned())).await.unwrap(), None);
}

#[tokio::test]
async fn a_job_whose_embedder_fails_says_so_and_the_next_one_is_done() {
    let desk = Desk::new(true);
    let queue = desk.running();
    let id = taken(&queue, &[("a.txt", "words")]).await;
    let status = end_of(&queue, &id).await;
    assert_eq!((status.state, status.done, status.failures.len()), (JobState::Failed, 0, 1));
    assert_eq!(status.failures[0].document, None);
    // A file without text needs no embedder.
    let id = taken(&queue, &[("b.txt", " ")]).await;
    assert_eq!(end_of(&queue, &id).await.state, JobState::Done);
}

#[tokio::test]
async fn names_and_collections_that_cannot_be_are_refused_at_once() {
    let desk = Desk::new(false);
    let queue = desk.running();
    let here = RequestContext::local();
    for (name, words) in
        [("", "needs a name"), ("/etc/x.md", "relative"), ("a\u{1b}.md", "control"), (&*"x".repeat(1_001), "too long")]
    {
        let refused = queue.submit(&here, vec![submission("good.md", "words"), submission(name, "words")], None).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let other = RequestContext { collection: Collection::new("surgery"), ..here };
    let refused = queue.submit(&other, vec![submission("a.md", "words")], None).await.unwrap_err();
    assert!(matches!(refused, IntakeError::NoSuchCollection { collection } if collection == "surgery"));
    assert!(desk.bench.stored().is_empty());
}

#[tokio::test]
async fn jobs_wait_for_the_process_that_has_the_lock_and_too_many_are_refused() {
    let desk = Desk::new(false);
    let (queue, runner) = desk.queue(KeepOriginals::Yes);
    let held = File::create(desk.data.path().join("jobs.lock")).unwrap();
    held.lock().unwrap();
    tokio::spawn(runner.run(async {}));
    let mut ids = Vec::new();
    for n in 0..WAITING {
        ids.push(taken(&queue, &[(&format!("{n}.txt"), &format!("words {n}"))]).await);
    }
    let here = RequestContext::local();
    let refused = queue.submit(&here, vec![submission("more.txt", "more words")], None).await.unwrap_err();
    assert!(matches!(refused, IntakeError::Busy { waiting: WAITING }));
    assert!(desk.bench.stored().is_empty());
    drop(held);
    for id in &ids {
        assert_eq!(end_of(&queue, id).await.state, JobState::Done);
    }
    assert_eq!(desk.bench.stored().len(), WAITING);
}

#[tokio::test]
async fn a_job_that_takes_the_service_down_each_time_is_given_up() {
    let desk = Desk::new(false);
    let (queue, runner) = desk.queue(KeepOriginals::Yes);
    let id = taken(&queue, &[("a.txt", "words")]).await;
    desk.jobs.0.lock().unwrap()[0].2 = 3;
    tokio::spawn(runner.run(async {}));
    assert_eq!(end_of(&queue, &id).await.state, JobState::Failed);
    assert!(desk.bench.stored().is_empty());
}

#[tokio::test]
async fn a_key_is_answered_with_the_job_that_it_stands_for() {
    let desk = Desk::new(false);
    let queue = desk.running();
    let here = RequestContext::local();
    let submit = |text| queue.submit(&here, vec![submission("a.txt", text)], Some("key".to_owned()));
    let first = submit("words").await.unwrap();
    assert_eq!(submit("words").await.unwrap().id, first.id);
    assert!(matches!(submit("other words").await.unwrap_err(), IntakeError::KeyReused));
}

#[tokio::test]
async fn originals_live_as_long_as_their_documents() {
    let desk = Desk::new(false);
    let here = RequestContext::local();
    let queue = desk.running();
    end_of(&queue, &taken(&queue, &[("a.txt", "one"), ("b.txt", "two")]).await).await;
    end_of(&queue, &taken(&queue, &[("a.txt", "another")]).await).await;
    let documents = desk.bench.ingestion().documents;
    let all = documents.list(&here, DocumentQuery::all(None, 9)).await.unwrap().items;
    let document = |path: &str| all.iter().find(|document| document.path == path).unwrap().clone();
    let (a, b) = (document("a.txt"), document("b.txt"));
    let mut text = String::new();
    queue.original(&here, &a).await.unwrap().read_to_string(&mut text).unwrap();
    assert_eq!((text.as_str(), queue.uploaded_as(&a)), ("another", Some("a.txt")));
    queue.remove(&here, &b).await.unwrap();
    assert_eq!((desk.bench.stored(), desk.originals()), (vec!["upload:a.txt".to_owned()], 1));
    assert!(matches!(queue.original(&here, &b).await, Err(NoOriginal::Gone)));

    let elsewhere = desk.queue(KeepOriginals::No).0;
    assert!(matches!(elsewhere.original(&here, &a).await, Err(NoOriginal::NotKept { .. })));
}

/// A document as the store knows it once it is stored.
fn upload(name: &str) -> StoredDocument {
    StoredDocument {
        id: qanda_core::DocumentId::from("1".to_owned()),
        location: format!("upload:{name}"),
        path: name.to_owned(),
        title: String::new(),
        metadata: Metadata::new(),
        details: qanda_core::document::Details::default(),
        fingerprint: None,
        passages: 0,
        pairs: 0,
    }
}

#[tokio::test]
async fn what_is_removed_while_a_job_waits_does_not_come_back() {
    let desk = Desk::new(false);
    let here = RequestContext::local();
    let (queue, runner) = desk.queue(KeepOriginals::Yes);
    let id = taken(&queue, &[("a.txt", "words"), ("b.txt", "more")]).await;
    let a = upload("a.txt");
    queue.remove(&here, &a).await.unwrap();
    tokio::spawn(runner.run(async {}));
    let status = end_of(&queue, &id).await;
    assert_eq!((status.state, status.done, status.failures.len()), (JobState::Done, 2, 1));
    assert!(status.failures[0].reason.contains("removed before"), "{status:?}");
    assert_eq!(desk.bench.stored(), ["upload:b.txt"]);
}

#[tokio::test]
async fn what_is_removed_while_a_job_stores_it_does_not_come_back() {
    let desk = Desk::new(false);
    let (queue, runner) = desk.queue(KeepOriginals::Yes);
    let id = taken(&queue, &[("a.txt", "words"), ("b.txt", "more")]).await;
    // The job has begun, and goes on with both documents.
    let (status, documents, begun) = desk.jobs.begin_next().await.unwrap().unwrap();
    queue.remove(&RequestContext::local(), &upload("a.txt")).await.unwrap();
    runner.work(status, documents, begun).await;
    let status = end_of(&queue, &id).await;
    assert_eq!((status.state, status.failures.len()), (JobState::Done, 1), "{status:?}");
    assert_eq!(status.failures[0].document.as_deref(), Some("a.txt"));
    assert_eq!(desk.bench.stored(), ["upload:b.txt"]);
}
