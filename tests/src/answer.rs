//! What holds for every answer and every problem.

use std::collections::BTreeSet;
use std::fs;

use reqwest::blocking::Response;
use serde_json::Value;

use crate::data;

/// The numbers `n` of all `[n]` in a text.
#[must_use]
pub fn markers(text: &str) -> BTreeSet<u64> {
    let inside = text.split('[').skip(1).filter_map(|rest| rest.split_once(']'));
    inside.filter_map(|(number, _)| number.parse().ok()).collect()
}

/// The citations of an answer.
#[must_use]
pub fn citations(answer: &Value) -> &[Value] {
    answer["citations"].as_array().expect("citations are a list")
}

/// The documents that an answer cites.
#[must_use]
pub fn documents(answer: &Value) -> Vec<&str> {
    citations(answer).iter().map(|citation| citation["document"].as_str().expect("a path")).collect()
}

/// The words of an answer.
#[must_use]
pub fn text(answer: &Value) -> &str {
    answer["answer"].as_str().expect("an answer is a text")
}

/// Every marker is a citation and every citation a marker; what is cited of a Markdown or text file stands in
/// it at just that place.
pub fn assert_holds(answer: &Value) {
    let cited: Vec<u64> = citations(answer).iter().map(|c| c["marker"].as_u64().expect("a number")).collect();
    assert_eq!(markers(text(answer)), cited.iter().copied().collect(), "{answer:#}");
    assert_eq!(cited.len(), cited.iter().collect::<BTreeSet<_>>().len(), "a marker is there twice: {answer:#}");
    for citation in citations(answer) {
        for name in ["passage_id", "document", "title", "text"] {
            assert!(citation[name].as_str().is_some_and(|words| !words.is_empty()), "{name}: {citation:#}");
        }
        assert!(citation["score"].is_number(), "{citation:#}");
        let place = |name: &str| usize::try_from(citation[name].as_u64().expect("a number")).expect("a small one");
        let (start, end) = (place("start"), place("end"));
        let document = citation["document"].as_str().expect("a path");
        if document.ends_with(".html") || document.starts_with("qa:") {
            // The extracted text is nowhere to be read, or is a pair's answer.
            assert_eq!(end - start, citation["text"].as_str().expect("a text").len(), "{citation:#}");
            continue;
        }
        // Relative to the folder in which the tests ingest; absolute paths stay as they are.
        let file = fs::read(data::workspace().join(document)).expect("a cited file is there");
        assert_eq!(citation["text"].as_str().map(str::as_bytes), file.get(start..end), "{citation:#}");
    }
}

/// Nothing was found, which is said, and nothing is cited.
pub fn assert_nothing_found(answer: &Value) {
    assert!(text(answer).contains("found nothing"), "{answer:#}");
    assert!(citations(answer).is_empty(), "{answer:#}");
}

/// The problem details (RFC 9457) of a response that must have this status.
#[must_use]
pub fn problem(response: Response, status: u16) -> Value {
    let (got, kind) = (response.status().as_u16(), response.headers()["content-type"].clone());
    let body = response.text().expect("a body");
    assert_eq!(got, status, "{body}");
    assert_eq!(kind, "application/problem+json", "{body}");
    let problem: Value = serde_json::from_str(&body).expect("problem details are JSON");
    assert_eq!(problem["status"], status, "{problem:#}");
    for name in ["type", "title", "detail"] {
        assert!(problem[name].as_str().is_some_and(|words| !words.is_empty()), "{name}: {problem:#}");
    }
    problem
}
