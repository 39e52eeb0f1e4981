#![allow(clippy::unwrap_used)]

use super::*;

fn job(id: &str, key: Option<&str>, names: &[&str]) -> NewJob {
    let document = |name: &&str| JobDocument {
        name: (*name).to_owned(),
        media_type: None,
        metadata: Metadata::from([("year".to_owned(), "2026".to_owned())]),
        content: format!("hash of {name}"),
    };
    let documents = names.iter().map(document).collect();
    NewJob { id: JobId::from(id.to_owned()), key: key.map(str::to_owned), request: names.concat(), documents }
}

fn list() -> (tempfile::TempDir, JobList) {
    let directory = tempfile::TempDir::new().unwrap();
    let list = JobList::open(directory.path()).unwrap();
    (directory, list)
}

async fn added(list: &JobList, job: NewJob) -> JobStatus {
    match list.add(job, 10).await.unwrap() {
        Added::Job(status) => status,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_job_that_was_begun_is_begun_again_by_who_comes_next() {
    let (directory, list) = list();
    let queued = added(&list, job("1", None, &["a.md", "b.md"])).await;
    assert_eq!((queued.state, &queued.documents[..]), (JobState::Queued, &["a.md".to_owned(), "b.md".to_owned()][..]));
    added(&list, job("2", None, &["c.md"])).await;
    let (mut status, documents, begun) = list.begin_next().await.unwrap().unwrap();
    assert_eq!(
        (status.state, begun, &documents[..]),
        (JobState::Running, 1, &job("1", None, &["a.md", "b.md"]).documents[..])
    );
    status.done = 1;
    status.failures.push(JobFailure { document: Some("a.md".to_owned()), reason: "no".to_owned() });
    list.update(&status).await.unwrap();
    assert_eq!(list.get(&status.id).await.unwrap(), Some(status.clone()));

    // As after a crash: another process finds it first.
    let other = JobList::open(directory.path()).unwrap();
    let (again, documents, begun) = other.begin_next().await.unwrap().unwrap();
    assert_eq!((again.id.as_str(), again.done, again.failures.len(), documents.len(), begun), ("1", 0, 0, 2, 2));
    other.update(&JobStatus { state: JobState::Done, ended: Some(Moment::now()), ..again }).await.unwrap();
    assert_eq!(other.begin_next().await.unwrap().unwrap().0.id.as_str(), "2");
    let ids: Vec<String> = list.list(9).await.unwrap().into_iter().map(|job| job.id.to_string()).collect();
    assert_eq!(ids, ["2", "1"]);
}

#[tokio::test]
async fn a_key_stands_for_one_request() {
    let (_directory, list) = list();
    let first = added(&list, job("1", Some("k"), &["a.md"])).await;
    assert_eq!(added(&list, job("2", Some("k"), &["a.md"])).await, first);
    assert_eq!(list.add(job("3", Some("k"), &["b.md"]), 10).await.unwrap(), Added::KeyReused);
    assert_eq!(added(&list, job("4", Some("l"), &["a.md"])).await.id.as_str(), "4");
    assert_eq!(list.add(job("5", None, &["a.md"]), 2).await.unwrap(), Added::Full);
    assert_eq!(list.list(9).await.unwrap().len(), 2);
}

#[tokio::test]
async fn what_is_withdrawn_is_not_worked_on() {
    let (_directory, list) = list();
    added(&list, job("1", None, &["a.md"])).await;
    list.begin_next().await.unwrap();
    added(&list, job("2", None, &["a.md", "b.md"])).await;
    list.withdraw("a.md").await.unwrap();
    assert_eq!(list.unfinished().await.unwrap(), ["hash of a.md", "hash of b.md"].map(str::to_owned).into());
    let (first, documents, _) = list.begin_next().await.unwrap().unwrap();
    assert_eq!((first.id.as_str(), documents.len()), ("1", 0));
    assert_eq!(list.withdrawn(&first.id).await.unwrap(), ["a.md"]);
    list.update(&JobStatus { state: JobState::Failed, ended: Some(Moment::now()), ..first }).await.unwrap();
    let (second, documents, _) = list.begin_next().await.unwrap().unwrap();
    assert_eq!((second.documents.len(), documents.len(), documents[0].name.as_str()), (2, 1, "b.md"));
}
