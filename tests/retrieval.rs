//! Whether the right passages are found, on collections with known answers, where they are beside the workspace.

use std::fs;

use qanda_tests::answer::documents;
use qanda_tests::data::{argument, folder, shared, write};
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

#[test]
fn all_modes_are_measured_over_a_corpus_that_is_stored_once() {
    let files = folder();
    let texts = [
        ("lamp", "A cellar lamp turns green while its pump runs."),
        ("stairs", "The stairs are swept on Mondays by the caretaker."),
        ("drain", "Flush the drain every second week with warm water."),
        ("roof", "Gutters on the roof are cleared before winter."),
    ];
    let corpus: String = texts.iter().map(|(id, text)| json!({"_id": id, "text": text}).to_string() + "\n").collect();
    let queries = [("q1", "Who sweeps the stairs?"), ("q2", "What colour is the light in the basement?")];
    let queries: String =
        queries.iter().map(|(id, text)| json!({"_id": id, "text": text}).to_string() + "\n").collect();
    let (corpus, queries) = (write(files.path(), "c.jsonl", corpus), write(files.path(), "q.jsonl", queries));
    let qrels = write(files.path(), "qrels.tsv", "query-id\tcorpus-id\tscore\nq1\tstairs\t1\nq2\tlamp\t1\n");
    let files = ["--corpus", argument(&corpus), "--queries", argument(&queries), "--qrels", argument(&qrels)];
    let eval = |mode: &str| qanda(&[&["eval", "retrieval", "--json", "--mode", mode], &files[..]].concat()).ok();
    let all = eval("all");
    assert_eq!(all.stderr.matches("storing 4 documents").count(), 1, "{all:?}");
    let all = all.json();
    assert_eq!(all.as_object().map(serde_json::Map::len), Some(3), "{all:#}");
    for mode in ["dense", "lexical", "hybrid"] {
        let (mut alone, mut together) = (eval(mode).json(), all[mode].clone());
        for figures in [&mut alone, &mut together] {
            let seconds = figures.as_object_mut().and_then(|figures| figures.remove("seconds"));
            assert!(seconds.is_some_and(|seconds| seconds.as_f64() > Some(0.0)));
        }
        assert_eq!(alone, together, "{mode}");
    }
    // The light in the basement has none of the words of its answer, which tells the modes apart.
    assert_eq!((&all["dense"]["mrr_at_10"], &all["dense"]["queries"]), (&json!(1.0), &json!(2)), "{all:#}");
    assert!(all["lexical"]["mrr_at_10"].as_f64() < Some(1.0), "{all:#}");
}

/// Questions, by their ids, about things that one page alone is about.
const QUESTIONS: [&str; 2] = ["mplus-0000270-1", "seniorhealth-0000016-24"];

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
    let asked: Vec<Value> = questions.filter(|q| QUESTIONS.iter().any(|id| q["id"] == *id)).collect();
    assert_eq!(asked.len(), QUESTIONS.len());
    for question in asked {
        let gold = question["document"].as_str().expect("a name");
        let answer = server.answer(&json!({"content": question["question"]}));
        assert!(documents(&answer).iter().any(|document| document.ends_with(gold)), "{question}: {answer:#}");
    }
}
