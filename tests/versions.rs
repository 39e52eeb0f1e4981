//! Documents that hold for a time, and documents that take the place of others.

use std::path::Path;

use qanda_tests::answer::documents;
use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Chroma, Server, qanda};
use serde_json::{Value, json};

const TARGET: &str = "What is the systolic target for adults under 80?";

/// Three versions of one guideline: one that has expired, one that another takes the place of, and that one.
fn guideline(docs: &Path) {
    let text = |facts: &str, target: u32| {
        format!("---\ntitle: Blood pressure\n{facts}---\n\nThe systolic target for adults under 80 is {target} mmHg.\n")
    };
    write(docs, "bp-2019.md", text("valid_from: 2019-01-01\nvalid_until: 2020-12-31\n", 150));
    write(docs, "bp-2021.md", text("valid_from: 2021-01-01\n", 140));
    write(docs, "bp-2025.md", text("valid_from: 2025-01-01\nsupersedes: bp-2021.md\n", 130));
    write(docs, "bp-9000.md", text("valid_from: 9000-01-01\nsupersedes: [bp-2025.md]\n", 10));
}

/// The names of the files that were found, and all that was said of them.
fn found(hits: &Value) -> (Vec<&str>, &Vec<Value>) {
    let hits = hits["hits"].as_array().expect("a list");
    let mut names: Vec<&str> = hits.iter().filter_map(|hit| hit["document"].as_str()?.rsplit('/').next()).collect();
    names.sort_unstable();
    (names, hits)
}

#[test]
fn answers_come_from_what_holds_or_held_on_the_day_asked_for() {
    let (data, docs) = (folder(), folder());
    guideline(docs.path());
    let store = ["--data-dir", argument(data.path())];
    let _ = qanda(&[&["ingest", argument(docs.path())], &store[..]].concat()).ok();
    let search = |more: &[&str]| qanda(&[&["search", TARGET, "--json"], more, &store[..]].concat()).ok().json();
    let now = search(&[]);
    assert_eq!(found(&now).0, ["bp-2025.md"], "{now:#}");
    assert_eq!(now["hits"][0]["valid_from"], "2025-01-01");
    assert!(now["hits"][0].get("state").is_none(), "{now:#}");
    for (day, name, state) in [
        ("2020-12-31", "bp-2019.md", json!("expired")),
        ("2021-01-01", "bp-2021.md", json!("superseded")),
        ("2024-12-31T23:59:59Z", "bp-2021.md", json!("superseded")),
        ("2025-01-01", "bp-2025.md", Value::Null),
        ("9000-01-01", "bp-9000.md", json!("upcoming")),
    ] {
        let then = search(&["--as-of", day]);
        let (names, hits) = found(&then);
        assert_eq!((names, &hits[0]["state"]), (vec![name], &state), "{day}: {then:#}");
    }
    let refused = qanda(&[&["search", TARGET, "--as-of", "yesterday"], &store[..]].concat());
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("is no date like 2026-01-31"), "{}", refused.stderr);

    let status = qanda(&[&["status", "--json"], &store[..]].concat()).ok().json();
    let listed = |state: &str| -> Vec<String> {
        let documents = status[state].as_array().expect("a list").iter();
        let name = |document: &Value| document["document"].as_str()?.rsplit('/').next().map(str::to_owned);
        documents.filter_map(name).collect()
    };
    assert_eq!(
        [listed("expired"), listed("superseded"), listed("upcoming")],
        [["bp-2019.md"], ["bp-2021.md"], ["bp-9000.md"]]
    );
    let shown = qanda(&[&["status"], &store[..]].concat()).ok();
    assert!(
        shown.stdout.lines().any(|line| line.starts_with("expired") && line.ends_with("bp-2019.md, until 2020-12-31")),
        "{}",
        shown.stdout
    );

    let server = Server::start(data.path(), &[]);
    let ask = |question: Value| -> Value {
        let response = server.ask(&question);
        assert_eq!(response.status(), 200);
        response.json().expect("JSON")
    };
    let answer = ask(json!({"content": TARGET}));
    assert!(
        documents(&answer).iter().all(|path| path.ends_with("bp-2025.md"))
            && answer["answer"].as_str().expect("a text").contains("130"),
        "{answer:#}"
    );
    let answer = ask(json!({"content": TARGET, "as_of": "2020-06-30"}));
    assert!(answer["answer"].as_str().expect("a text").contains("150"), "{answer:#}");
    assert_eq!(
        (&answer["citations"][0]["state"], &answer["citations"][0]["valid_until"]),
        (&json!("expired"), &json!("2020-12-31"))
    );
    let list: Value = server.get("/apis/documents?state=superseded").send().expect("responds").json().expect("JSON");
    assert!(list["documents"][0]["superseded_by"].as_str().expect("a path").ends_with("bp-2025.md"), "{list:#}");

    // Without the document that took its place it holds again.
    std::fs::remove_file(docs.path().join("bp-2025.md")).expect("is removed");
    let _ = qanda(&[&["ingest", argument(docs.path()), "--prune"], &store[..]].concat()).ok();
    assert_eq!(found(&search(&[])).0, ["bp-2021.md"]);
}

#[test]
fn a_faulty_date_is_named_with_its_line_and_is_no_limit() {
    let (data, docs) = (folder(), folder());
    write(docs.path(), "a.md", "---\ntitle: A\nvalid_until: 31.12.2020\n---\n\nThe pump is in room seven.\n");
    let store = ["--data-dir", argument(data.path())];
    let ingested = qanda(&[&["ingest", argument(docs.path())], &store[..]].concat()).ok();
    assert!(
        ingested.stderr.contains("line 3: valid_until is \"31.12.2020\"; it is no date like"),
        "{}",
        ingested.stderr
    );
    assert!(ingested.stderr.contains("a.md"), "{}", ingested.stderr);
    let hits = qanda(&[&["search", "Where is the pump?", "--json"], &store[..]].concat()).ok().json();
    assert_eq!(found(&hits).0, ["a.md"]);
}

#[test]
fn over_chroma_what_has_expired_is_not_found_either() {
    let Some(chroma) = Chroma::shared() else { return };
    let (docs, port) = (folder(), chroma.port().to_string());
    guideline(docs.path());
    let store =
        ["--store", "chroma", "--chroma-host", "127.0.0.1", "--chroma-port", &port, "--chroma-collection", "versions"];
    let _ = qanda(&[&["ingest", argument(docs.path())], &store[..]].concat()).ok();
    let search = |more: &[&str]| qanda(&[&["search", TARGET, "--json"], more, &store[..]].concat()).ok().json();
    assert_eq!(found(&search(&[])).0, ["bp-2025.md"]);
    assert_eq!(found(&search(&["--as-of", "2020-01-01"])).0, ["bp-2019.md"]);
}
