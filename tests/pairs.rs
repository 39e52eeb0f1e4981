//! Question/answer pairs: in from files and from the model, found, out again.

use std::fs;
use std::path::Path;

use qanda_tests::answer::{assert_holds, citations, documents, text};
use qanda_tests::data::{argument, folder, ingest, samples, shared, status, write};
use qanda_tests::{Finished, qanda};
use serde_json::{Value, json};

fn run(command: &[&str], data: &Path) -> Finished {
    qanda(&[command, &["--data-dir", argument(data)]].concat())
}

fn ask(data: &Path, question: &str, source: &str) -> Value {
    let short = ["ask", question, "--source", source, "--max-tokens", "16", "--context-tokens", "96", "--json"];
    let answer = run(&short, data).ok().json();
    assert_holds(&answer);
    answer
}

/// Two documents, and a file with one pair for each of them and one for none.
fn herbarium(folder: &Path) -> String {
    let docs = folder.join("docs");
    fs::create_dir(&docs).expect("is made");
    write(&docs, "oak.md", "# Oak\n\n## Age\n\nAn oak can live for a thousand years in good soil.\n");
    write(
        &docs,
        "yew.md",
        "# Yew\n\n## Poison\n\nAll parts of a yew but the red flesh around its seeds are poisonous.\n",
    );
    let pairs = [
        json!({"id": "oak-1", "question": "How old does the king of the forest get?", "document": "oak.md",
               "answer": "An oak can live for a thousand years in good soil."}),
        json!({"question": "May horses eat from the churchyard hedge?", "document": "yew.md",
               "answer": "No, yew kills horses within hours."}),
        json!({"question": "Who looks after the herbarium on Sundays?", "answer": "The porter has the keys on Sundays."}),
    ];
    let lines: Vec<String> = pairs.iter().map(Value::to_string).collect();
    argument(&write(folder, "pairs.jsonl", lines.join("\n"))).to_owned()
}

#[test]
fn imported_pairs_are_found_by_their_question_and_cited_from_where_they_stand() {
    let (data, folder) = (self::folder(), self::folder());
    let file = herbarium(folder.path());
    // Before their documents are there: they wait for them.
    let report = run(&["qa", "import", &file, "--json"], data.path()).ok().json();
    assert_eq!(report, json!({"stored": 3, "unchanged": 0, "repeated": 0}));
    ingest(data.path(), &folder.path().join("docs"));
    let again = run(&["qa", "import", &file, "--json"], data.path()).ok().json();
    assert_eq!(again, json!({"stored": 0, "unchanged": 3, "repeated": 0}));
    assert_eq!(status(data.path())["pairs"], 3);

    let oak = ask(data.path(), "How old does the king of the forest get?", "QA");
    assert!(documents(&oak)[0].ends_with("oak.md"), "{oak:#}");
    assert_eq!(citations(&oak)[0]["text"], "An oak can live for a thousand years in good soil.");
    let porter = ask(data.path(), "Who looks after the herbarium on Sundays?", "all");
    assert!(documents(&porter)[0].starts_with("qa:") && text(&porter).contains("porter"), "{porter:#}");
    let none = ask(data.path(), "Who looks after the herbarium on Sundays?", "context");
    assert!(citations(&none).is_empty(), "pairs are not passages: {none:#}");
}

#[test]
fn pairs_go_out_and_into_another_store_as_they_are() {
    let (data, folder) = (self::folder(), self::folder());
    let file = herbarium(folder.path());
    ingest(data.path(), &folder.path().join("docs"));
    let _ = run(&["qa", "import", &file], data.path()).ok();
    for name in ["out.jsonl", "out.csv"] {
        let out = folder.path().join(name);
        let _ = run(&["qa", "export", argument(&out)], data.path()).ok();
        let other = self::folder();
        ingest(other.path(), &folder.path().join("docs"));
        assert_eq!(run(&["qa", "import", argument(&out), "--json"], other.path()).ok().json()["stored"], 3);
        let exported = run(&["qa", "export"], data.path()).ok().stdout;
        assert_eq!(run(&["qa", "export"], other.path()).ok().stdout, exported, "{name}");
        assert!(exported.contains("\"id\":\"oak-1\"") && exported.contains("context_hash"), "{exported}");
    }
}

#[test]
fn a_changed_document_keeps_the_pairs_that_hold_and_a_removed_one_takes_them_along() {
    let (data, folder) = (self::folder(), self::folder());
    let file = herbarium(folder.path());
    let docs = folder.path().join("docs");
    ingest(data.path(), &docs);
    let _ = run(&["qa", "import", &file], data.path()).ok();
    write(
        &docs,
        "oak.md",
        "# Oak\n\nNew words first.\n\n## Age\n\nAn oak can live for a thousand years in good soil.\n",
    );
    ingest(data.path(), &docs);
    let oak = ask(data.path(), "How old does the king of the forest get?", "QA");
    assert_eq!(citations(&oak)[0]["text"], "An oak can live for a thousand years in good soil.");
    fs::remove_file(docs.join("oak.md")).expect("it was there");
    let _ = run(&["ingest", "--prune=force", argument(&docs)], data.path()).ok();
    assert_eq!(status(data.path())["pairs"], 2);
}

#[test]
fn files_that_hold_no_pairs_are_named_with_the_line_and_change_nothing() {
    let (data, folder) = (self::folder(), self::folder());
    let good = "{\"question\": \"What is it?\", \"answer\": \"It is.\"}\n";
    for (name, content, words) in [
        ("a.jsonl", format!("{good}{{\"question\": 1}}\n"), "line 2"),
        ("b.csv", "question,answer\nQ,A,B\n".to_owned(), "line 2"),
        ("c.txt", good.to_owned(), "--format"),
        ("d.jsonl", format!("{good}{{\"question\": \"Q\", \"answer\": \"\"}}"), "\"answer\" is empty"),
    ] {
        let file = write(folder.path(), name, content);
        let refused = run(&["qa", "import", argument(&file)], data.path());
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{name}: {refused:?}");
    }
    assert_eq!(status(data.path())["pairs"], 0);
    assert_eq!(run(&["qa", "import", "/nowhere.jsonl"], data.path()).code, Some(1));
}

#[test]
fn the_model_writes_pairs_once_and_goes_on_where_it_was() {
    let data = samples();
    let generate = |more: &[&str]| {
        let fixed = ["qa", "generate", "--pairs", "1", "--document", "asthma", "--json"];
        run(&[&fixed, more].concat(), data.path())
    };
    let first = generate(&["--limit", "2"]);
    assert!(matches!(first.code, Some(0 | 3)), "{first:?}");
    let first = first.json();
    assert_eq!(first["passages"].as_u64().unwrap_or(0) + first["failed"].as_u64().unwrap_or(0), 2, "{first}");
    assert!(first["pairs"].as_u64() >= Some(1) && first["tokens"].as_u64() > Some(0), "{first}");
    let second = generate(&["--limit", "1"]).json();
    assert_eq!(second["already"], first["pairs"], "one pair a passage: {second}");
    let exported = run(&["qa", "export"], data.path()).ok().stdout;
    for line in exported.lines() {
        let pair: Value = serde_json::from_str(line).expect("a line is JSON");
        assert!(pair["document"].as_str().is_some_and(|document| document.contains("asthma")), "{pair:#}");
        assert!(pair["written_by"].is_string() && pair["context_hash"].is_string(), "{pair:#}");
    }
}

#[test]
fn the_medquad_pairs_import_and_answer() {
    let Some(medquad) = shared("medquad") else { return };
    let (data, folder) = (self::folder(), self::folder());
    for name in ["nhlbi-0000098-patent-ductus-arteriosus.md", "niddk-0000027-causes-of-diabetes.md"] {
        fs::copy(medquad.join("documents").join(name), folder.path().join(name)).expect("is copied");
    }
    ingest(data.path(), folder.path());
    let report = run(&["qa", "import", argument(&medquad.join("qa.jsonl")), "--json"], data.path()).ok().json();
    assert_eq!(report["stored"], 3490);
    let answer = ask(data.path(), "What are the symptoms of Patent Ductus Arteriosus?", "QA");
    assert!(documents(&answer)[0].contains("patent-ductus"), "{answer:#}");
    assert!(text(&answer).contains("murmur"), "{answer:#}");
}
