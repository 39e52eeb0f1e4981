use std::collections::BTreeMap;
use std::path::PathBuf;

use qanda_ingest::readers::reader_for;
use serde_json::Value;

use super::super::wording::normal;
use super::*;

fn workspace(path: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(path)
}

fn file() -> PathBuf {
    workspace("evaluation/questions.jsonl")
}

/// The text that the readers make of a document of the evaluation.
fn extracted(document: &str) -> String {
    let folders = ["examples", "evaluation/documents"];
    let path = folders.map(|folder| workspace(folder).join(document)).into_iter().find(|path| path.is_file());
    let path = path.unwrap_or_else(|| panic!("there is no {document}"));
    let bytes = std::fs::read(&path).expect("it is read");
    reader_for(&path).and_then(|reader| reader.read(&bytes, &path)).expect("it has text").text
}

fn one_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The place in a document whose words are those of `text`, next to where it is said to be.
fn found(document: &str, text: &str, near: usize) -> Option<(usize, usize)> {
    let extracted = extracted(document);
    let first = text.split(' ').next().unwrap_or_default();
    let starts = extracted.match_indices(first).map(|(at, _)| at);
    let places = starts.filter_map(|start| {
        let mut left = text;
        let mut at = start;
        for word in extracted[start..].split_inclusive(char::is_whitespace) {
            let bare = word.trim_end();
            if !bare.is_empty() {
                left = left.strip_prefix(bare)?;
                if left.is_empty() {
                    return Some((start, at + bare.len()));
                }
                left = left.strip_prefix(' ')?;
            }
            at += word.len();
        }
        None
    });
    places.min_by_key(|(start, _)| start.abs_diff(near))
}

/// Writes the bytes of every place anew, for whoever changes what a reader extracts.
fn write_places() {
    let text = std::fs::read_to_string(file()).expect("there are questions");
    let place = |json: &mut Value| {
        let Some(document) = json["document"].as_str() else { return };
        let (text, near) = (json["text"].as_str().unwrap_or_default(), json["start"].as_u64().unwrap_or_default());
        let near = usize::try_from(near).unwrap_or_default();
        let found = found(document, text, near).unwrap_or_else(|| panic!("{document} does not say {text:?}"));
        (json["start"], json["end"]) = (found.0.into(), found.1.into());
    };
    let rewritten = text.lines().map(|line| {
        let mut json: Value = serde_json::from_str(line).expect("JSON");
        place(&mut json);
        json["more"].as_array_mut().into_iter().flatten().for_each(place);
        if json["more"].is_null() {
            json.as_object_mut().expect("an object").remove("more");
        }
        json.to_string() + "\n"
    });
    std::fs::write(file(), rewritten.collect::<String>()).expect("it is written");
}

#[test]
fn own_questions_have_right_places_with_their_answers_in_them() {
    if std::env::var_os("QANDA_WRITE_PLACES").is_some() {
        write_places();
    }
    for known in read(&file()).expect("they are right") {
        let id = &known.id;
        let places = known.places();
        assert_eq!(known.answerable, !places.is_empty(), "{id}");
        let mut said = String::new();
        for Place { document, start, end, text } in &places {
            let extracted = extracted(document);
            let there = extracted.get(*start..*end).unwrap_or_else(|| panic!("{id}: no such bytes in {document}"));
            assert_eq!(Some(one_space(there)), *text, "{id}: {document}");
            said.push_str(&format!("{there}\n"));
        }
        // Yes or no is said by no document; its words are.
        let said = normal(&said);
        let any = known.answers.iter().any(|accepted| accepted.is_in(&said));
        assert!(any || !known.answerable, "{id}: none of its answers stands in {said:?}");
        let rejected = known.rejected.iter().find(|wrong| wrong.is_in(&said));
        assert!(rejected.is_none(), "{id}: its own place would be rejected for {}", rejected.expect("one"));
    }
}

#[test]
fn own_questions_are_of_every_kind_and_half_of_each_is_held_out() {
    use crate::cli::eval::parts::{Part, Selection};
    let count = |part| {
        let selection = Selection { part, limit: None };
        let questions = selection.of(read(&file()).expect("they are right"), |q| &q.id, |q| &q.id).expect("some");
        let mut kinds = BTreeMap::<String, usize>::new();
        for question in questions {
            *kinds.entry(question.kind).or_default() += 1;
        }
        kinds
    };
    let (all, development) = (count(Part::All), count(Part::Development));
    assert_eq!(all.values().sum::<usize>(), 210);
    for (kind, least) in [
        ("fact", 30),
        ("own_words", 25),
        ("yes_no", 15),
        ("table", 10),
        ("list", 10),
        ("two_passages", 8),
        ("follow_up", 15),
        ("wrong_heading", 10),
        ("absent", 30),
        ("elsewhere", 10),
    ] {
        assert!(all[kind] >= least, "{kind}: {}", all[kind]);
        let share = development[kind] as f64 / all[kind] as f64;
        assert!((0.25..=0.75).contains(&share), "{kind}: {share}");
    }
    assert_eq!(all.len(), 10);
}

#[test]
fn what_is_wrong_with_a_question_is_said_with_its_line_or_id() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("q.jsonl");
    for (lines, words) in [
        ("", "has no questions"),
        ("{\"id\": \"a\"}", "line 1"),
        ("{\"id\": \"a\", \"question\": \"Q?\"}", "question a: it is answerable"),
        ("{\"id\": \"a\", \"question\": \" \", \"answers\": [\"x\"]}", "is empty"),
        ("{\"id\": \"a\", \"question\": \"Q?\", \"answers\": [{\"pattern\": \"(\"}]}", "no regular expression"),
        ("{\"id\": \"a\", \"question\": \"Q?\", \"answerable\": false, \"answers\": [\"x\"]}", "not answerable"),
        ("{\"id\": \"a\", \"question\": \"Q?\", \"answers\": [\"x\"]}\n".repeat(2).as_str(), "twice"),
    ] {
        std::fs::write(&path, lines).expect("it is written");
        let error = format!("{:#}", read(&path).expect_err("it is refused"));
        assert!(error.contains(words), "{lines}: {error}");
    }
}
