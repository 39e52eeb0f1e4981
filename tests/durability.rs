//! Stored documents stay, whatever happens.

use std::fs;
use std::path::{Path, PathBuf};

use qanda_tests::answer::{assert_holds, citations, documents};
use qanda_tests::binary::command;
use qanda_tests::data::{argument, folder, ingest, samples, status, write};
use qanda_tests::disk::SmallDisk;
use qanda_tests::{Process, Server, qanda};
use serde_json::{Value, json};
use tempfile::TempDir;

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";
const SHORT: [&str; 4] = ["--max-tokens", "16", "--context-tokens", "64"];

/// Many documents of two passages each, every one about a place of its own.
fn reports(number: u64) -> TempDir {
    let reports = folder();
    for n in 0..number {
        let mut text = format!("# Report of station{n}\n");
        for (part, what) in [(1, "rain"), (2, "snow")] {
            text.push_str(&format!(
                "\n## Part {part}\n\nStation{n} says that its {what} was {} units.\n",
                n * 7 + part
            ));
        }
        write(reports.path(), &format!("station{n:03}.md"), text);
    }
    reports
}

const REPORTS: u64 = 200;

fn documents_and_passages(data: &Path) -> (u64, u64) {
    let stored = status(data);
    (stored["documents"].as_u64().expect("a number"), stored["passages"].as_u64().expect("a number"))
}

/// Citations of an answer, without what differs each time.
fn cited(answer: &Value) -> Vec<String> {
    citations(answer).iter().map(|c| format!("{} {} {}", c["document"], c["start"], c["text"])).collect()
}

#[test]
fn a_restart_keeps_everything() {
    let data = samples();
    let before = {
        let server = Server::start(data.path(), &SHORT);
        server.answer(&json!({"content": HBA1C}))
    };
    // Dropping a server kills it. The one after it has the same to say, down to the ids of the passages.
    let server = Server::start(data.path(), &SHORT);
    let after = server.answer(&json!({"content": HBA1C}));
    assert!(!citations(&before).is_empty());
    assert_eq!(before["citations"], after["citations"]);
}

#[test]
fn an_ingest_that_is_killed_leaves_whole_documents_and_can_be_run_again() {
    let (data, reports) = (folder(), reports(REPORTS));
    let arguments = ["ingest", argument(reports.path()), "--data-dir", argument(data.path())];
    let mut ingest = Process::start(command(&arguments));
    ingest.wait_to_say("stored ");
    ingest.signal("KILL");
    assert_eq!(ingest.wait().code(), None, "killed, not ended");
    drop(ingest);

    let (stored, passages) = documents_and_passages(data.path());
    assert!((1..REPORTS).contains(&stored), "{stored} documents were stored before it was killed");
    assert_eq!(passages, stored * 2, "documents are stored whole or not at all");
    {
        let server = Server::start(data.path(), &SHORT);
        // Files are read in the order of their names.
        for n in [0, stored / 2, stored - 1] {
            let answer = server.answer(&json!({"content": format!("How much rain did station{n} have?")}));
            let own = format!("station{n:03}.md");
            assert!(documents(&answer).iter().any(|document| document.ends_with(&own)), "{n}: {answer:#}");
        }
        server.assert_healthy();
    }

    // Killed once more, while the indexes are made or a moment later; then left alone.
    let mut ingest = Process::start(command(&arguments));
    ingest.wait_to_say("bringing the indexes up to date");
    ingest.signal("KILL");
    ingest.wait();
    drop(ingest);
    assert_eq!(documents_and_passages(data.path()), (REPORTS, REPORTS * 2));
    let report = qanda(&[&arguments[..], &["--json"]].concat()).ok().json();
    assert_eq!((&report["documents"], &report["unchanged"]), (&0.into(), &REPORTS.into()), "{report:#}");
    let stored = status(data.path());
    assert_eq!(stored["index"]["lexical"], json!({"indexed": REPORTS * 2, "behind": 0}), "{stored:#}");
}

#[test]
fn the_indexes_can_be_deleted_without_loss() {
    let data = samples();
    let ask = |data: &TempDir| {
        let fixed = ["ask", "--json", HBA1C, "--data-dir", argument(data.path())];
        let answer = qanda(&[&fixed, &SHORT[..]].concat()).ok().json();
        assert_holds(&answer);
        cited(&answer)
    };
    let before = ask(&data);
    assert!(!before.is_empty());
    fs::remove_dir_all(data.path().join("index")).expect("there are indexes");
    assert_eq!(documents_and_passages(data.path()).0, 13);
    assert_eq!(ask(&data), before);
    // An ingest makes them anew, though no document has changed.
    assert_eq!(ingest(data.path(), Path::new("examples"))["unchanged"], 13);
    let stored = status(data.path());
    assert_eq!(stored["index"]["lexical"], json!({"indexed": stored["passages"], "behind": 0}), "{stored:#}");
    assert_eq!(ask(&data), before);
    // Damaged is as good as deleted.
    fs::write(data.path().join("index/lexical/meta.json"), "{broken").expect("it is there");
    assert_eq!(ask(&data), before);
}

#[test]
fn vectors_of_another_embedder_are_not_mixed_in() {
    let (data, models) = (samples(), folder());
    let listed = qanda(&["models", "list", "--json"]).ok().json();
    let minilm = listed[0]["path"].as_str().expect("a path");
    let other = models.path().join("another-embedder");
    std::os::unix::fs::symlink(minilm, &other).expect("a link");
    let other = format!("local:{}", other.display());
    let common = ["--data-dir", argument(data.path()), "--embedder", &other];
    for command in [&["ingest", "examples"][..], &["ask", HBA1C], &["serve", "--listen", "127.0.0.1:0"]] {
        let refused = qanda(&[command, &common].concat());
        let sentence = refused.failure();
        assert!(sentence.contains("qanda reembed") && sentence.contains("another-embedder"), "{sentence}");
        assert!(sentence.contains("all-MiniLM-L6-v2"), "{sentence}");
    }
    assert_eq!(documents_and_passages(data.path()).0, 13);
    let ask = [&["ask", "--json", HBA1C, "--data-dir", argument(data.path())], &SHORT[..]].concat();
    assert!(!citations(&qanda(&ask).ok().json()).is_empty());
}

#[test]
fn a_store_is_re_embedded_and_keeps_documents_and_pairs() {
    let (data, models, files) = (samples(), folder(), folder());
    let here = ["--data-dir", argument(data.path())];
    let pair = json!({"question": "Who has the keys of the sample room?", "answer": "The porter has the keys."});
    let pairs = write(files.path(), "pairs.jsonl", pair.to_string());
    let _ = qanda(&[&["qa", "import", argument(&pairs)], &here[..]].concat()).ok();
    let listed = qanda(&["models", "list", "--json"]).ok().json();
    let other = models.path().join("another-embedder");
    std::os::unix::fs::symlink(listed[0]["path"].as_str().expect("a path"), &other).expect("a link");
    let other = format!("local:{}", other.display());
    let ask = |more: &[&str]| qanda(&[&["ask", "--json", HBA1C], &here[..], &SHORT, more].concat());
    let before = cited(&ask(&[]).ok().json());
    assert!(!before.is_empty());
    let server = Server::start(data.path(), &SHORT);
    assert_eq!(server.get("/readyz").send().expect("responds").status(), 200);

    let report = qanda(&[&["reembed", "--json", "--embedder", &other], &here[..]].concat()).ok().json();
    let stored = status(data.path());
    let entries = stored["passages"].as_u64().expect("a number") + 1;
    assert_eq!(
        (&report["embedded"], &report["already"], &stored["pairs"]),
        (&entries.into(), &false.into(), &1.into())
    );
    assert!(stored["embedder"].as_str().is_some_and(|name| name.contains("another-embedder")), "{stored:#}");
    // It is the same model under another name, so it finds the same.
    assert_eq!(cited(&ask(&["--embedder", &other]).ok().json()), before);
    assert!(ask(&[]).failure().contains("another-embedder"));
    assert!(!server.get("/readyz").send().expect("responds").status().is_success());
    assert!(server.ask(&json!({"content": HBA1C})).status().is_server_error());

    let again = qanda(&[&["reembed", "--json", "--embedder", &other], &here[..]].concat()).ok().json();
    assert_eq!(again["already"], true);
    let ingested = qanda(&[&["ingest", "examples", "--json", "--embedder", &other], &here[..]].concat()).ok().json();
    assert_eq!((&ingested["unchanged"], &ingested["documents"]), (&13.into(), &0.into()), "{ingested:#}");
}

/// A small disk with a store of one document on it, and a file that takes all room but this many bytes.
fn nearly_full(room: u64) -> Option<(SmallDisk, PathBuf)> {
    let disk = SmallDisk::mount(2048)?;
    let (data, first) = (disk.path().join("data"), folder());
    write(first.path(), "first.md", "# First\n\nThe very first sentence is about lighthouses.\n");
    ingest(&data, first.path());
    disk.fill("filler", room);
    Some((disk, data))
}

#[test]
fn a_disk_that_gets_full_is_said_in_one_sentence_and_the_work_can_be_completed_later() {
    let Some((disk, data)) = nearly_full(200_000) else { return };
    // More than the ingest stores at a time.
    let number = 140;
    let reports = reports(number);
    let full = qanda(&["ingest", argument(reports.path()), "--json", "--data-dir", argument(&data)]);
    let sentence = full.failure();
    assert!(sentence.contains("disk is full"), "{sentence}");
    let (stored, passages) = documents_and_passages(&data);
    assert!((1..=number).contains(&stored), "{stored}");
    assert_eq!(passages, 1 + (stored - 1) * 2, "documents are stored whole or not at all");
    fs::remove_file(disk.path().join("filler")).expect("it is there");
    let report = ingest(&data, reports.path());
    assert_eq!(report["failures"], json!([]), "{report:#}");
    assert_eq!(documents_and_passages(&data), (1 + number, 1 + number * 2));
}

/// SQLite needs some room even to read.
#[test]
fn a_store_on_a_disk_without_any_room_says_so() {
    let Some((_disk, data)) = nearly_full(0) else { return };
    for command in [&["status"][..], &["ingest", "examples/asthma.md"]] {
        let full = qanda(&[command, &["--json", "--data-dir", argument(&data)]].concat());
        let sentence = full.failure();
        assert!(sentence.contains("disk is full"), "{sentence}");
    }
}
