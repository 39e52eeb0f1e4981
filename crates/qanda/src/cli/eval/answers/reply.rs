//! An answer as it came, from this process or over HTTP: both have the form of the HTTP contract.

use qanda_core::answering::NOTHING_FOUND;
use qanda_core::language::sentences;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Reply to a question.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Reply {
    pub(crate) answer: String,
    /// Whether it answers, or says that the documents do not.
    pub(crate) answered: bool,
    /// The service's own confidence in it, from 0 to 1, where it states one.
    pub(crate) confidence: Option<f64>,
    pub(crate) citations: Vec<Cited>,
    /// Statements that nothing backs.
    pub(crate) unsupported: usize,
    pub(crate) seconds: f64,
    pub(crate) prompt_tokens: Option<f64>,
    pub(crate) tokens: Option<f64>,
    /// Reason why there is no answer.
    pub(crate) error: Option<String>,
}

/// Place and words of a citation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cited {
    pub(crate) document: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
    #[serde(default)]
    pub(crate) text: String,
}

impl Reply {
    /// Reads an answer. One that does not say whether it answers is a refusal when it is nothing but the service's
    /// sentence for that, or empty.
    pub(crate) fn of(json: &Value, seconds: f64) -> Self {
        let answer = json["answer"].as_str().unwrap_or_default().to_owned();
        let citations: Vec<Cited> = serde_json::from_value(json["citations"].clone()).unwrap_or_default();
        let refusal = citations.is_empty() && (answer.trim().is_empty() || answer.trim() == NOTHING_FOUND);
        let answered = json["answered"].as_bool().unwrap_or(!refusal);
        let unsupported = json["unsupported"].as_array().map_or_else(|| unmarked(&answer), Vec::len);
        Self {
            answered,
            confidence: json["confidence"].as_f64(),
            citations,
            unsupported: if answered { unsupported } else { 0 },
            seconds,
            prompt_tokens: json["prompt_tokens"].as_f64(),
            tokens: json["tokens"].as_f64(),
            answer,
            error: None,
        }
    }

    pub(crate) fn failed(error: String, seconds: f64) -> Self {
        Self { error: Some(error), seconds, ..Self::default() }
    }
}

/// Sentences without a marker of their own, in or right after them.
fn unmarked(answer: &str) -> usize {
    let pieces: Vec<&str> = sentences(answer).into_iter().map(|span| &answer[span.start..span.end]).collect();
    let begins_with_marker = |piece: Option<&&str>| piece.is_some_and(|piece| marker(piece) == Some(0));
    let bare = |(at, piece): &(usize, &&str)| marker(piece).is_none() && !begins_with_marker(pieces.get(at + 1));
    pieces.iter().enumerate().filter(bare).count()
}

/// Position of the first `[n]`.
fn marker(text: &str) -> Option<usize> {
    text.match_indices('[').map(|(at, _)| at).find(|at| {
        let inside = text[at + 1..].split(']').next().unwrap_or_default();
        !inside.is_empty() && inside.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answered(json: &Value) -> bool {
        Reply::of(json, 0.0).answered
    }

    #[test]
    fn a_refusal_is_what_the_service_says_it_is_or_its_sentence_alone() {
        let cited = json!([{"marker": 1, "document": "a.md", "start": 3, "end": 9, "text": "5 mg a day"}]);
        assert!(!answered(&json!({"answer": NOTHING_FOUND, "citations": []})));
        assert!(!answered(&json!({"answer": " ", "citations": []})));
        assert!(answered(&json!({"answer": "5 mg [1].", "citations": cited})));
        assert!(answered(&json!({"answer": NOTHING_FOUND, "citations": cited})));
        assert!(answered(&json!({"answer": "I do not know.", "citations": []})));
        assert!(!answered(&json!({"answer": "The documents do not say.", "answered": false})));
        assert!(answered(&json!({"answer": NOTHING_FOUND, "answered": true})));
    }

    #[test]
    fn statements_without_a_marker_are_counted_where_the_service_does_not_count() {
        let unsupported = |json: &Value| Reply::of(json, 0.0).unsupported;
        assert_eq!(unsupported(&json!({"answer": "It is 5 mg [1]. It is safe. Ask first. [2]"})), 1);
        assert_eq!(unsupported(&json!({"answer": "argv[x] is it. Yes [2]."})), 1);
        assert_eq!(unsupported(&json!({"answer": "A. B.", "unsupported": [{"start": 0, "end": 2}]})), 1);
        assert_eq!(unsupported(&json!({"answer": "Nothing is said.", "answered": false})), 0);
    }
}
