//! Nothing that comes out of documents, file names, models and servers controls the terminal.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;

use qanda_tests::binary::{Process, command};
use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Finished, qanda};

/// Clears the screen, sets the window's title (7- and 8-bit), goes up a line, hides text, turns its order around.
const SEQUENCES: &str = "\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}1A\u{1b}[8m\u{202e}";

fn assert_safe(finished: &Finished) {
    for text in [&finished.stdout, &finished.stderr] {
        let obeyed = |c: char| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c);
        assert!(!text.chars().any(obeyed), "{text:?}");
    }
}

/// A folder with a document whose name, title and text hold sequences, and a store made of it.
fn store_of_a_hostile_document() -> (tempfile::TempDir, Finished) {
    let docs = folder();
    let text = format!(
        "---\ntitle: \"Lamp{SEQUENCES}\"\n---\n\n# Lamp{SEQUENCES}\n\nThe cellar lamp is {SEQUENCES} green when the pump runs.\n\n{}",
        "The stairs are swept on Mondays by the caretaker.\n".repeat(4)
    );
    write(docs.path(), &format!("lamp{SEQUENCES}.md"), text);
    write(docs.path(), "empty\nfailed all.md", "");
    write(docs.path(), "picture.\u{1b}[2J", "x");
    let data = docs.path().join("data");
    let ingest = ["ingest", argument(docs.path()), "--data-dir", argument(&data)];
    let ingested = qanda(&ingest);
    (docs, ingested)
}

fn ask(docs: &Path, more: &[&str]) -> Finished {
    let data = docs.join("data");
    let question = "What colour is the cellar lamp when the pump runs?";
    let fixed = ["ask", question, "--max-tokens", "16", "--data-dir", argument(&data)];
    qanda(&[&fixed, more].concat()).ok()
}

#[test]
fn documents_and_their_names_are_made_visible() {
    let (docs, ingested) = store_of_a_hostile_document();
    assert_eq!(ingested.code, Some(0), "{ingested:?}");
    assert_safe(&ingested);
    // A line break in a name is none on the screen: it would look like a line of ours.
    let line = ingested.stderr.lines().find(|line| line.contains("the file is empty")).expect("a line");
    assert!(line.starts_with("passed over ") && line.contains("empty\\u{a}failed all.md"), "{line}");
    assert!(ingested.stderr.contains("no reader for .\\u{1b}[2j files"), "{ingested:?}");

    let shown = ask(docs.path(), &[]);
    assert_safe(&shown);
    assert!(shown.stdout.contains("green") && shown.stdout.contains("lamp\\u{1b}[2J"), "{shown:?}");
}

#[test]
fn json_is_safe_to_look_at_and_means_the_same() {
    let (docs, _) = store_of_a_hostile_document();
    let answer = ask(docs.path(), &["--json"]);
    assert_safe(&answer);
    let answer = answer.json();
    assert!(answer["citations"][0]["text"].as_str().is_some_and(|text| text.contains(SEQUENCES)), "{answer:#}");
}

#[test]
fn what_a_model_says_is_made_visible() {
    let (docs, _) = store_of_a_hostile_document();
    let text = format!("All {SEQUENCES} is well.");
    let model = Process::start(command(&["mock-llm", "--listen", "127.0.0.1:0", "--latency", "0", "--text", &text]));
    let line = model.line();
    let url = line.split_whitespace().last().expect("an address").to_owned() + "/v1";
    let shown = ask(docs.path(), &["--llm", "openai", "--openai-base-url", &url]);
    assert_safe(&shown);
    assert!(shown.stdout.contains("All \\u{1b}[2J"), "{shown:?}");
}

#[test]
fn what_a_server_complains_about_is_made_visible() {
    let (docs, _) = store_of_a_hostile_document();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    thread::spawn(move || {
        for caller in listener.incoming() {
            let mut caller = caller.expect("a connection");
            // The request is of no interest; its first bytes show that it has begun.
            let _ = caller.read(&mut [0; 1 << 16]);
            let body = format!("No {SEQUENCES} today");
            let head = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: ";
            let _ = write!(caller, "{head}{}\r\n\r\n{body}", body.len());
        }
    });
    let data = docs.path().join("data");
    let refused = ["ask", "Why?", "--no-documents", "--llm", "openai", "--openai-base-url", &url];
    let refused = qanda(&[&refused[..], &["--data-dir", argument(&data)]].concat());
    assert_safe(&refused);
    assert!(refused.failure().contains("No \\u{1b}[2J"), "{refused:?}");
}
