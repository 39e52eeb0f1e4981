#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::job::tests::Bench;

fn submission(name: &str, text: &str) -> Submission {
    Submission {
        name: name.to_owned(),
        media_type: None,
        bytes: text.as_bytes().to_vec(),
        metadata: qanda_core::Metadata::new(),
    }
}

/// The job's status at its end.
async fn end_of(queue: &JobQueue, id: &JobId) -> JobStatus {
    for _ in 0..10_000 {
        let status = queue.job(&RequestContext::local(), id).await.unwrap();
        if matches!(status.state, JobState::Done | JobState::Failed) {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("the job does not end");
}

#[tokio::test]
async fn what_is_handed_in_is_stored_and_the_job_says_so() {
    let bench = Bench::new(&[]);
    let queue = JobQueue::start(bench.ingestion());
    let here = RequestContext::local();
    let documents = vec![submission("plan.md", "# Plan\n\nwords"), submission("table.xyz", "words")];
    let first = queue.submit(&here, documents).await.unwrap();
    let status = end_of(&queue, &first).await;
    assert_eq!((status.state, status.done, status.total), (JobState::Done, 2, 2));
    assert_eq!(status.failures.len(), 1);
    assert_eq!(status.failures[0].document.as_deref(), Some("table.xyz"));
    assert!(status.failures[0].reason.contains("no reader for .xyz files"), "{status:?}");
    assert_eq!(bench.stored(), ["upload:plan.md"]);

    // The same again is known; another text under the name takes its place.
    let same = queue.submit(&here, vec![submission("plan.md", "# Plan\n\nwords")]).await.unwrap();
    assert_eq!(end_of(&queue, &same).await.done, 1);
    assert_eq!(bench.embedded(), 1);
    let other = queue.submit(&here, vec![submission("plan.md", "# Plan\n\nother words")]).await.unwrap();
    assert!(first != same && same != other);
    assert_eq!(end_of(&queue, &other).await.state, JobState::Done);
    assert_eq!((bench.stored().len(), bench.embedded()), (1, 2));
    assert_eq!(queue.job(&here, &JobId::from("none".to_owned())).await, None);
}

#[tokio::test]
async fn a_job_whose_embedder_fails_says_so_and_the_next_one_is_done() {
    let bench = Bench::with(&[], true);
    let queue = JobQueue::start(bench.ingestion());
    let here = RequestContext::local();
    let id = queue.submit(&here, vec![submission("a.txt", "words")]).await.unwrap();
    let status = end_of(&queue, &id).await;
    assert_eq!((status.state, status.done, status.failures.len()), (JobState::Failed, 0, 1));
    assert_eq!(status.failures[0].document, None);
    // A file without text needs no embedder.
    let id = queue.submit(&here, vec![submission("b.txt", " ")]).await.unwrap();
    assert_eq!(end_of(&queue, &id).await.state, JobState::Done);
}

#[tokio::test]
async fn names_and_collections_that_cannot_be_are_refused_at_once() {
    let bench = Bench::new(&[]);
    let queue = JobQueue::start(bench.ingestion());
    let here = RequestContext::local();
    for (name, words) in
        [("", "needs a name"), ("/etc/x.md", "relative"), ("a\u{1b}.md", "control"), (&*"x".repeat(1_001), "too long")]
    {
        let refused = queue.submit(&here, vec![submission("good.md", "words"), submission(name, "words")]).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(words), "{refused}");
    }
    let other = RequestContext { collection: Collection::new("surgery"), ..here };
    let refused = queue.submit(&other, vec![submission("a.md", "words")]).await.unwrap_err();
    assert_eq!(refused, IntakeError::NoSuchCollection { collection: "surgery".to_owned() });
    assert!(bench.stored().is_empty());
}

/// The worker of a runtime with one thread has no turn between two submissions.
#[tokio::test]
async fn jobs_beyond_the_queue_are_refused_and_not_remembered() {
    let bench = Bench::new(&[]);
    let queue = JobQueue::start(bench.ingestion());
    let here = RequestContext::local();
    let mut taken = Vec::new();
    for n in 0..WAITING {
        taken.push(queue.submit(&here, vec![submission(&format!("{n}.txt"), "words")]).await.unwrap());
    }
    let refused = queue.submit(&here, vec![submission("more.txt", "words")]).await.unwrap_err();
    assert_eq!(refused, IntakeError::Busy { waiting: WAITING });
    for id in &taken {
        assert_eq!(end_of(&queue, id).await.state, JobState::Done);
    }
    assert_eq!(bench.stored().len(), WAITING);
}
