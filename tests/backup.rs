//! The store as a whole: checked, repaired, backed up and restored, beside a server; and whose it is.

use std::fs;
use std::path::Path;
use std::time::Duration;

use qanda_tests::answer::{citations, problem};
use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, samples, status, write};
use qanda_tests::embeddings::Embeddings;
use qanda_tests::{Finished, Mock, Process, Server, qanda};
use serde_json::{Value, json};

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";
const SHORT: [&str; 4] = ["--max-tokens", "16", "--context-tokens", "64"];

fn run(arguments: &[&str], data: &Path) -> Finished {
    qanda(&[arguments, &["--data-dir", argument(data)]].concat())
}

/// Citations without their scores, which an index rounds and a scan does not.
fn cited(answer: &Value) -> Vec<String> {
    citations(answer)
        .iter()
        .map(|c| format!("{} {} {} {}", c["passage_id"], c["document"], c["start"], c["text"]))
        .collect()
}

#[test]
fn a_restored_store_answers_as_before_and_the_server_goes_on() {
    let (data, elsewhere) = (samples(), folder());
    let file = elsewhere.path().join("backup");
    let server = Server::start(data.path(), &SHORT);
    let before = server.answer(&json!({"content": HBA1C}));
    assert!(!citations(&before).is_empty());
    let report = run(&["backup", argument(&file), "--json"], data.path()).ok().json();
    assert_eq!((&report["documents"], &report["passages"]), (&13.into(), &status(data.path())["passages"]));
    assert_eq!(report["bytes"], fs::metadata(&file).expect("is there").len());

    let _ = run(&["remove", "examples"], data.path()).ok();
    assert!(citations(&server.answer(&json!({"content": HBA1C}))).is_empty());
    let restored = run(&["restore", argument(&file), "--json"], data.path()).ok().json();
    assert_eq!(restored, report);
    // Ids of passages and all: what is cited is what was cited.
    assert_eq!(server.answer(&json!({"content": HBA1C}))["citations"], before["citations"]);
    let sound = run(&["check", "--json"], data.path()).ok().json();
    assert_eq!((&sound["sound"], &sound["documents"]), (&true.into(), &13.into()), "{sound:#}");
    assert_eq!(status(data.path())["index"]["lexical"]["behind"], 0, "the indexes are made anew");
    server.assert_healthy();
    drop(server);

    // As of old: the file itself put back, older than the indexes beside it.
    for name in ["qanda.sqlite-wal", "qanda.sqlite-shm"] {
        let _ = fs::remove_file(data.path().join(name));
    }
    fs::copy(&file, data.path().join("qanda.sqlite")).expect("copies");
    let server = Server::start(data.path(), &SHORT);
    assert_eq!(cited(&server.answer(&json!({"content": HBA1C}))), cited(&before));
}

#[test]
fn what_is_derived_is_repaired_and_what_is_wrong_is_named() {
    let data = samples();
    fs::write(data.path().join("index/lexical/meta.json"), "{broken").expect("it is there");
    let found = run(&["check", "--json"], data.path());
    assert_eq!(found.code, Some(5), "{found:?}");
    assert_eq!(found.json()["problems"][0]["part"], "lexical index");
    let said = run(&["check"], data.path());
    assert!(said.stdout.contains("wrong lexical index: it cannot be read"), "{said:?}");
    assert!(said.stderr.contains("qanda check --repair"), "{said:?}");
    let repaired = run(&["check", "--repair", "--json"], data.path()).ok().json();
    assert_eq!((&repaired["sound"], repaired["repaired"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    assert!(run(&["check"], data.path()).ok().stdout.starts_with("sound: 13 documents, "));
}

#[test]
fn what_cannot_be_done_is_said_in_one_sentence() {
    let (data, nothing) = (samples(), folder());
    let file = write(nothing.path(), "notes.txt", "these words are no database, but there are many of them");
    let missing = nothing.path().join("missing");
    for (arguments, place, words) in [
        (vec!["check"], nothing.path(), "there is no store in"),
        (vec!["backup", argument(&missing)], nothing.path(), "there is no store in"),
        (vec!["restore", argument(&missing)], data.path(), "there is no backup"),
        (vec!["restore", argument(&file)], data.path(), "it is no backup of a store"),
        (vec!["backup", "/proc/backup"], data.path(), "writing the backup"),
        (vec!["check", "--store", "chroma"], data.path(), "kept by the Chroma server"),
        (vec!["backup", argument(&missing), "--store", "chroma"], data.path(), "cannot be backed up from here"),
        (vec!["restore", argument(&file), "--store", "chroma"], data.path(), "cannot be restored from here"),
    ] {
        let refused = run(&arguments, place);
        assert!(refused.failure().contains(words), "{refused:?}");
    }
    assert!(!missing.exists() && !nothing.path().join("qanda.sqlite").exists(), "to look must not make");
    assert_eq!(status(data.path())["documents"], 13);
}

/// The server has the empty store first; then another embedder's documents come.
#[test]
fn a_store_that_became_another_embedders_is_told() {
    let (data, docs) = (folder(), folder());
    write(docs.path(), "a.md", "# A\n\nStations are on the lines.\n");
    let (mock, embeddings) = (Mock::shared(), Embeddings::start(Duration::ZERO, ""));
    let with = |model: &str, arguments: &[&str]| {
        let mut command = command(&[arguments, &["--data-dir", argument(data.path())]].concat());
        command.env("OPENAI_BASE_URL", mock.base_url()).env("OPENAI_MODEL", "mock").env("QANDA_LLM", "openai");
        command.env("OPENAI_EMBEDDING_BASE_URL", embeddings.base_url()).env("OPENAI_EMBEDDING_MODEL", model);
        command.env("QANDA_EMBEDDER", "openai");
        command
    };
    let mut server = Server::run(with("first", &["serve", "--listen", "127.0.0.1:0"]));
    server.wait_until_ready();
    let _ = Process::start(with("second", &["ingest", argument(docs.path())])).finish().ok();
    let told: Value = problem(server.get("/readyz").send().expect("responds"), 503);
    assert_eq!(told["type"], "urn:qanda:problem:other-embedder", "{told:#}");
    assert!(told["detail"].as_str().is_some_and(|detail| detail.contains("another embedder")), "{told:#}");
    let asked = problem(server.ask(&json!({"content": "Where are stations?"})), 503);
    assert_eq!(asked["type"], told["type"]);
    let refused = Process::start(with("first", &["ingest", argument(docs.path())])).finish();
    let sentence = refused.failure();
    assert!(
        sentence.contains("second") && sentence.contains("first") && sentence.contains("qanda reembed"),
        "{sentence}"
    );
}
