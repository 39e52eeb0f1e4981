//! Whether the right passages are found, on collections with known answers, where they are beside the workspace.

use std::fs;

use qanda_tests::answer::documents;
use qanda_tests::data::{argument, folder, shared};
use qanda_tests::{Server, qanda};
use serde_json::{Value, json};

#[test]
fn words_find_what_bm25_is_published_to_find_in_scifact() {
    let Some(scifact) = shared("scifact") else { return };
    let file = |name: &str| scifact.join(name).to_str().expect("Unicode").to_owned();
    let (corpus, queries, qrels) = (file("corpus.jsonl"), file("queries.jsonl"), file("qrels.tsv"));
    let files = ["--corpus", &corpus, "--queries", &queries, "--qrels", &qrels];
    let measured = qanda(&[&["eval", "retrieval", "--mode", "lexical", "--json"], &files[..]].concat()).ok().json();
    let at_least = |name: &str, least: f64| {
        assert!(measured[name].as_f64().is_some_and(|value| (least..=1.0).contains(&value)), "{name}: {measured:#}");
    };
    // BEIR's own figure for BM25 is 0.665.
    at_least("ndcg_at_10", 0.66);
    at_least("recall_at_100", 0.88);
    at_least("recall_at_10", 0.75);
    at_least("mrr_at_10", 0.6);
    assert_eq!(measured["queries"], 300);
    assert!(measured["seconds"].as_f64().is_some_and(|seconds| seconds > 0.0));
}

/// Questions, by their ids, about things that one page alone is about.
const ASKED: [&str; 2] = ["mplus-0000270-1", "seniorhealth-0000016-24"];

#[test]
fn questions_about_diabetes_cite_the_page_that_answers_them() {
    let Some(medquad) = shared("medquad") else { return };
    let chosen = folder();
    let mut pages = 0;
    for entry in fs::read_dir(medquad.join("documents")).expect("there are documents") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a document is read");
        let title = text.lines().find(|line| line.starts_with("title:")).unwrap_or_default().to_lowercase();
        if title.contains("diabet") {
            fs::copy(&path, chosen.path().join(path.file_name().expect("a name"))).expect("is copied");
            pages += 1;
        }
    }
    assert!(pages > 40, "{pages} pages");
    let data = folder();
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get).to_string();
    let ingest = ["ingest", argument(chosen.path()), "--json", "--model-threads", &threads];
    let report = qanda(&[&ingest, &["--data-dir", argument(data.path())][..]].concat()).ok().json();
    assert_eq!((&report["documents"], &report["failures"]), (&pages.into(), &json!([])), "{report:#}");

    let server = Server::start(data.path(), &["--max-tokens", "24", "--context-tokens", "96"]);
    let questions = fs::read_to_string(medquad.join("questions.jsonl")).expect("there are questions");
    let questions = questions.lines().map(|line| serde_json::from_str::<Value>(line).expect("is JSON"));
    let asked: Vec<Value> = questions.filter(|q| ASKED.iter().any(|id| q["id"] == *id)).collect();
    assert_eq!(asked.len(), ASKED.len());
    for question in asked {
        let gold = question["document"].as_str().expect("a name");
        let answer = server.answer(&json!({"content": question["question"]}));
        assert!(documents(&answer).iter().any(|document| document.ends_with(gold)), "{question}: {answer:#}");
    }
}
