//! Endpoints that differ from OpenAI's, as the mock model plays them, under the whole program.

use qanda_tests::data::{argument, folder, write};
use qanda_tests::{Finished, Mock};
use serde_json::Value;
use tempfile::TempDir;

const ANSWER: &str = "The kiln cools for eleven hours before the door is opened [1].";
const QUESTION: &str = "How long does the kiln cool before the door is opened?";

/// An endpoint that speaks a dialect, and a store that it has embedded.
struct Endpoint {
    mock: Mock,
    data: TempDir,
}

impl Endpoint {
    fn start(dialect: &str) -> Self {
        let words = ANSWER.split(' ').count().to_string();
        let answers = ["--latency", "0", "--embedding-latency", "0", "--dimension", "64", "--text", ANSWER];
        let mock = Mock::start(&[&answers[..], &["--tokens", &words, "--dialect", dialect]].concat());
        let (data, documents) = (folder(), folder());
        write(documents.path(), "kiln.md", "# Kiln\n\nThe kiln cools for eleven hours before the door is opened.\n");
        let paths = [argument(documents.path()), "--data-dir", argument(data.path())];
        let _ = mock.qanda(&[&["ingest"], &paths[..]].concat()).ok();
        Self { mock, data }
    }

    fn ask(&self, pipeline: &str) -> Finished {
        let data = argument(self.data.path());
        let how = ["--llm", "openai", "--grounding", "marked", "--pipeline", pipeline, "--data-dir", data];
        self.mock.qanda(&[&["ask", QUESTION, "--json"], &how[..]].concat())
    }
}

#[test]
fn every_dialect_that_can_be_understood_is() {
    for dialect in [
        "stop-in-every-piece",
        "no-finish-reason",
        "no-done",
        "crlf",
        "legacy-text",
        "no-stream",
        "think",
        "open-think",
        "reasoning-field",
        "parts",
        "no-system-role",
        "alternating-roles",
        "max-completion-tokens",
        "no-json-schema",
        "base64-vectors",
        "unordered-vectors",
        "no-index",
        "think,no-system-role,max-completion-tokens,stop-in-every-piece,crlf",
    ] {
        let endpoint = Endpoint::start(dialect);
        for pipeline in ["direct", "classic"] {
            let answer: Value = endpoint.ask(pipeline).ok().json();
            let text = answer["answer"].as_str().unwrap_or_default();
            assert!(text.contains("cools for eleven hours before the door is opened [1]."), "{dialect}: {answer}");
            assert!(!text.contains("think") && !text.contains("look at passage"), "{dialect}: {answer}");
            assert_eq!(answer["citations"].as_array().map(Vec::len), Some(1), "{dialect}: {answer}");
        }
    }
}

#[test]
fn a_dialect_that_holds_no_answer_is_an_error_that_says_so() {
    for (dialect, says) in [
        ("only-think", "only reasoned"),
        ("error-in-answer", "the provider had an error"),
        ("error-in-stream", "the provider had an error"),
    ] {
        let failed = Endpoint::start(dialect).ask("direct");
        assert!(failed.failure().to_lowercase().contains(says), "{dialect}: {failed:?}");
    }
}

#[test]
fn questions_may_be_answered_in_one_place_and_embedded_in_another() {
    let (answers, embeds) = (Mock::start(&["--latency", "0", "--text", ANSWER]), Mock::start(&["--dimension", "48"]));
    let (data, documents) = (folder(), folder());
    write(documents.path(), "kiln.md", "The kiln cools for eleven hours before the door is opened.\n");
    let elsewhere = format!("{}/v1", embeds.url);
    let common = ["--openai-embedding-base-url", &elsewhere, "--data-dir", argument(data.path())];
    let _ = answers.qanda(&[&["ingest", argument(documents.path())], &common[..]].concat()).ok();
    let status = answers.qanda(&["status", "--json", "--data-dir", argument(data.path())]).ok().json();
    assert_eq!(status["dimension"], 48, "{status}");
    let answer = answers.qanda(&[&["ask", QUESTION, "--json", "--llm", "openai"], &common[..]].concat()).ok().json();
    assert!(answer["answer"].as_str().is_some_and(|text| text.contains("eleven hours")), "{answer}");
}
