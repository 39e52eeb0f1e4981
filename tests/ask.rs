//! The command line: ingest the sample documents, ask about them, look at what is there.

use std::fs;

use qanda_tests::answer::{assert_holds, assert_nothing_found, citations, documents, markers, text};
use qanda_tests::data::{argument, folder, ingest, samples, status, workspace};
use qanda_tests::{Finished, Server, qanda};
use serde_json::{Value, json};
use tempfile::TempDir;

const HBA1C: &str = "What HbA1c target suits most adults with type 2 diabetes?";

/// Asks for a short answer from a short prompt, which comes quickly.
fn ask(data: &TempDir, question: &str, more: &[&str]) -> Finished {
    let short = ["--max-tokens", "32", "--context-tokens", "96"];
    let fixed = [&["ask", question, "--data-dir", argument(data.path())], &short[..]].concat();
    qanda(&[&fixed[..], more].concat()).ok()
}

fn ask_json(data: &TempDir, question: &str, more: &[&str]) -> Value {
    let answer = ask(data, question, &[&["--json"], more].concat()).json();
    assert_holds(&answer);
    answer
}

#[test]
fn a_question_about_the_samples_is_answered_from_the_right_document() {
    let data = samples();
    // With all settings as they are by default.
    let answer = qanda(&["ask", "--json", HBA1C, "--data-dir", argument(data.path())]).ok().json();
    assert_holds(&answer);
    assert!(documents(&answer).contains(&"examples/type-2-diabetes.md"), "{answer:#}");
    assert!(text(&answer).contains("below 7%"), "{answer:#}");
    assert!(citations(&answer).iter().any(|c| c["text"].as_str().is_some_and(|t| t.contains("below 7%"))));
    assert_eq!(answer["pipeline"], "direct");
    assert_eq!(answer["cached"], false);
    assert!(answer["model"].as_str().is_some_and(|name| name.contains("SmolLM2")), "{answer:#}");
    assert!(answer["timings_ms"]["total"].as_f64().is_some_and(|total| total > 0.0), "{answer:#}");
}

#[test]
fn every_citation_of_several_questions_is_what_stands_in_the_file() {
    let data = samples();
    let questions = [
        // Two of the samples say it.
        ("How often is eGFR measured in people with diabetes?", vec!["type-2-diabetes.md", "kidney-disease.md"]),
        ("How long should hands be rubbed with alcohol?", vec!["hand-hygiene.txt"]),
        ("What time in the Timed Up and Go test suggests a risk of falling?", vec!["falls-prevention.html"]),
    ];
    for (question, expected) in questions {
        let answer = ask_json(&data, question, &[]);
        let is_right = |document: &&str| expected.iter().any(|name| document.ends_with(name));
        assert!(documents(&answer).iter().any(is_right), "{question}: {answer:#}");
    }
}

#[test]
fn what_no_document_says_is_not_answered() {
    let data = samples();
    for question in ["What is the capital of France?", "xkcd qwertz flubber", "?"] {
        assert_nothing_found(&ask_json(&data, question, &[]));
    }
    let shown = ask(&data, "What is the capital of France?", &[]);
    assert!(!shown.stdout.contains("Sources") && shown.stdout.contains("found nothing"), "{shown:?}");
}

#[test]
fn people_see_the_answer_and_below_it_its_sources_without_colours_in_a_pipe() {
    let shown = ask(&samples(), HBA1C, &[]);
    let (answer, sources) = shown.stdout.split_once("\nSources\n").expect("a list of sources below the answer");
    assert!(answer.contains("below 7%"), "{shown:?}");
    assert!(!markers(answer).is_empty(), "{shown:?}");
    assert_eq!(markers(answer), markers(sources), "{shown:?}");
    let line = sources.split_once("examples/type-2-diabetes.md, line ").expect("the line").1;
    let line: usize = line.split_whitespace().next().and_then(|line| line.parse().ok()).expect("a number");
    let file = fs::read_to_string(workspace().join("examples/type-2-diabetes.md")).expect("the sample");
    assert!(file.lines().skip(line - 1).take(3).any(|line| line.contains("7%")), "{shown:?}");
    assert!(!format!("{}{}", shown.stdout, shown.stderr).contains('\u{1b}'), "{shown:?}");
}

#[test]
fn without_documents_the_model_alone_answers_and_cites_nothing() {
    let answer = ask_json(&samples(), "What is the capital of France?", &["--no-documents"]);
    assert!(text(&answer).contains("Paris"), "{answer:#}");
    assert!(citations(&answer).is_empty(), "{answer:#}");
}

#[test]
fn a_filter_leaves_only_documents_with_that_metadata() {
    let data = samples();
    let question = "Which vaccines do people with diabetes need?";
    // However unsure: what is tried here is where it looks.
    let answer = ask_json(&data, question, &["--filter", "topic=vaccination", "--min-confidence", "0"]);
    let vaccination = ["examples/adult-vaccination.md", "examples/childhood-vaccination.md"];
    assert!(!documents(&answer).is_empty(), "{answer:#}");
    assert!(documents(&answer).iter().all(|document| vaccination.contains(document)), "{answer:#}");
    assert_nothing_found(&ask_json(&data, question, &["--filter", "topic=vaccination", "--filter", "year=1925"]));
}

/// Three words said again and again take the room that passages would have had. The model must not be left to answer
/// from what it knows: that is what strict grounding is for.
#[test]
fn a_question_that_leaves_no_room_for_passages_is_refused() {
    let data = samples();
    let ask = |repetitions: usize| {
        let question = format!("{HBA1C} {}", "I really wonder. ".repeat(repetitions));
        let fixed = ["ask", "--json", &question, "--data-dir", argument(data.path())];
        qanda(
            &[
                &fixed[..],
                &["--grounding", "strict", "--min-confidence", "0.1", "--llm-context", "256", "--max-tokens", "32"],
            ]
            .concat(),
        )
    };
    let answer = ask(10).ok().json();
    assert_holds(&answer);
    assert!(!citations(&answer).is_empty(), "{answer:#}");
    let refused = ask(40);
    assert!(refused.failure().contains("tokens"), "{refused:?}");
}

#[test]
fn an_answer_is_the_same_each_time() {
    let data = samples();
    let mut answers = [0, 1].map(|_| ask_json(&data, HBA1C, &[]));
    for answer in &mut answers {
        answer.as_object_mut().expect("an object").remove("timings_ms");
    }
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn status_says_what_is_stored() {
    let data = samples();
    let stored = status(data.path());
    assert_eq!((&stored["documents"], &stored["pairs"], &stored["dimension"]), (&13.into(), &0.into(), &384.into()));
    assert!(stored["passages"].as_u64().is_some_and(|passages| passages > 50), "{stored:#}");
    assert!(stored["embedder"].as_str().is_some_and(|name| name.starts_with("all-MiniLM-L6-v2")), "{stored:#}");
    assert!(stored["model"].as_str().is_some_and(|name| name.contains("SmolLM2")), "{stored:#}");
    assert!(stored["index"].as_object().is_some_and(|indexes| !indexes.is_empty()), "{stored:#}");
    let shown = qanda(&["status", "--data-dir", argument(data.path())]).ok().stdout;
    assert!(shown.contains("documents    13") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn to_look_at_a_store_that_is_not_there_makes_none() {
    let folder = folder();
    let absent = folder.path().join("absent");
    let stored = status(&absent);
    assert_eq!((&stored["documents"], &stored["passages"]), (&0.into(), &0.into()));
    assert_eq!(stored["embedder"], Value::Null);
    let shown = qanda(&["status", "--data-dir", argument(&absent)]).ok().stdout;
    assert!(shown.contains("qanda ingest"), "{shown}");
    assert!(!absent.exists());
}

#[test]
fn models_are_listed_with_their_place() {
    let listed = qanda(&["models", "list", "--json"]).ok().json();
    let models = listed.as_array().expect("a list");
    let defaults: Vec<_> = models.iter().filter(|model| model["default"] == true).collect();
    assert_eq!(defaults.len(), 2);
    for model in defaults {
        assert_eq!(model["installed"], true, "run `make models`: {model:#}");
        assert!(std::path::Path::new(model["path"].as_str().expect("a path")).exists(), "{model:#}");
        assert_eq!(model["licence"], "Apache-2.0");
    }
    let shown = qanda(&["models", "list"]).ok().stdout;
    for model in models {
        let name = model["name"].as_str().expect("a name");
        let line = shown.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}: {shown}"));
        assert_eq!(line.contains("qanda models pull"), model["installed"] == false, "{line}");
    }
}

#[test]
fn an_empty_store_says_that_nothing_was_found() {
    let data = folder();
    let documents = folder();
    qanda_tests::data::write(documents.path(), "one.md", "# Only\n\nOne sentence about lighthouses at sea.\n");
    ingest(data.path(), documents.path());
    std::fs::remove_file(documents.path().join("one.md")).expect("it was there");
    let pruned = ["ingest", argument(documents.path()), "--prune=force", "--data-dir", argument(data.path())];
    assert!(qanda(&pruned).ok().stdout.contains("1 removed"));
    assert_nothing_found(&ask_json(&data, "What is said about lighthouses at sea?", &[]));
    assert_nothing_found(&ask_json(&folder(), "What is said about lighthouses at sea?", &[]));
}

#[test]
fn a_search_shows_what_is_found_by_which_side_and_what_would_be_read() {
    let data = samples();
    let arguments = ["search", "How much is metformin started with?", "--n-results", "7", "--data-dir"];
    let said = qanda(&[&arguments[..], &[argument(data.path()), "--json"]].concat()).ok().json();
    let hits = said["hits"].as_array().expect("a list");
    assert_eq!(hits.len(), 7, "{said:#}");
    let first = &hits[0];
    assert!(first["document"].as_str().is_some_and(|path| path.ends_with("type-2-diabetes.md")), "{first:#}");
    assert!(first["text"].as_str().is_some_and(|text| text.to_lowercase().contains("metformin")), "{first:#}");
    assert!(first["ranks"]["dense"].is_u64() && first["ranks"]["lexical"].is_u64(), "{first:#}");
    assert_eq!(first["read"], json!(true));
    // The same over HTTP, and for people.
    let server = Server::start(data.path(), &[]);
    let question = json!({"content": "How much is metformin started with?", "n_results": 7});
    let over_http = server.post("/apis/search").json(&question).send().expect("an answer");
    assert_eq!(over_http.json::<Value>().expect("JSON"), said);
    let shown = qanda(&[&arguments[..], &[argument(data.path())]].concat()).ok().stdout;
    assert!(shown.starts_with("1. ") && shown.contains("by meaning 1., by words"), "{shown}");
    let unrelated =
        ["search", "Who won the chess championship of 1972?", "--json", "--data-dir", argument(data.path())];
    let said = qanda(&unrelated).ok().json();
    let read = |hit: &Value| hit["read"] == json!(true);
    assert!(!said["hits"].as_array().expect("a list").iter().any(read), "{said:#}");
}
