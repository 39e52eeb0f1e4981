//! Documents that are refused, and jobs that break off.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use qanda_core::{ModelError, RequestContext};

use super::reading::BATCH;
use super::tests::Bench;
use super::{Event, FolderSync};
use crate::IngestError;

#[tokio::test]
async fn a_document_that_is_refused_is_named_and_tried_again_next_time() {
    for (word, who) in [("REFUSED", "the embedder refuses it"), ("UNWANTED", "the store refuses it")] {
        let poisoned = format!("an {word} text");
        let mut files = vec![("poison.txt".to_owned(), poisoned.clone()), ("venom.txt".to_owned(), poisoned)];
        files.extend((0..9).map(|n| (format!("{n}.txt"), "harmless".to_owned())));
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let bench = Bench::new(&files);
        for run in 1..=2 {
            let (report, events) = bench.run(false).await;
            let failed: Vec<&String> = report.failures.iter().map(|(path, _)| path).collect();
            assert!(
                failed.len() == 2 && failed[0].ends_with("poison.txt") && failed[1].ends_with("venom.txt"),
                "{failed:?}"
            );
            assert!(report.failures.iter().all(|(_, reason)| reason.starts_with(who)), "{:?}", report.failures);
            assert_eq!((report.documents, bench.stored().len()), (if run == 1 { 9 } else { 0 }, 9), "run {run}");
            assert_eq!(events.last(), Some(&Event::Indexing));
        }
    }
}

/// A wrong key is nobody's document's fault.
#[tokio::test]
async fn an_embedder_that_refuses_everything_ends_the_job() {
    let bench = Bench::new(&[("a.txt", "one"), ("b.txt", "two")]);
    bench.model.refuses_all.store(true, Ordering::SeqCst);
    let failure = failure(&bench).await;
    assert!(matches!(failure, IngestError::Embedder(ModelError::Refused { .. })), "{failure}");
    assert!(bench.stored().is_empty());
}

async fn failure(bench: &Bench) -> IngestError {
    let paths = [bench.docs.path().to_owned()];
    bench.ingestion().run(&RequestContext::local(), &paths, FolderSync::default(), |_| ()).await.unwrap_err()
}

#[tokio::test]
async fn after_a_break_at_most_one_batch_is_embedded_again() {
    let long = "Seven words are in this short sentence. ".repeat(1_500);
    let bench = Bench::new(&[("long.txt", &long)]);
    for n in 0..700 {
        std::fs::write(bench.docs.path().join(format!("{n}.txt")), "short").unwrap();
    }
    let mut broken = 0;
    for texts in (100..).step_by(200) {
        bench.model.goes_after.store(texts, Ordering::SeqCst);
        let paths = [bench.docs.path().to_owned()];
        let ingestion = bench.ingestion();
        match ingestion.run(&RequestContext::local(), &paths, FolderSync::default(), |_| ()).await {
            Ok(_) => break,
            Err(failure) => {
                assert!(matches!(failure, IngestError::Embedder(ModelError::Unavailable { .. })), "{failure}")
            }
        }
        broken += 1;
    }
    let (report, _) = bench.run(false).await;
    assert_eq!((report.unchanged, bench.stored().len()), (701, 701));
    let passages = bench.passages();
    assert!(passages > 4 * BATCH && broken > 4, "{passages} passages, broken {broken} times");
    assert_eq!(bench.embedded(), passages, "what the embedder answered is never asked for again");
}
