//! Reading a question, with every fault of it named at once.

use std::collections::BTreeMap;

use qanda_core::answering::PipelineName;
use qanda_core::question::{Role, Turn};
use qanda_core::{Filter, InvalidQuestion, Moment, Question, Source};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::fields::{Faults, Scalar, shown};
use crate::Problem;

/// A question with what concerns its transport.
#[derive(Debug)]
pub(crate) struct QuestionRequest {
    pub(crate) question: Question,
    pub(crate) stream: bool,
    pub(crate) pipeline: Option<PipelineName>,
}

/// The fields of a question as they came; `null` counts as left out. Fields that are not known are ignored, so that
/// clients may be newer than the server.
#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    query_option: Option<&'a RawValue>,
    #[serde(borrow)]
    n_results: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    filter: Option<&'a RawValue>,
    #[serde(borrow)]
    history: Option<&'a RawValue>,
    #[serde(borrow)]
    stream: Option<&'a RawValue>,
    #[serde(borrow)]
    pipeline: Option<&'a RawValue>,
    #[serde(borrow)]
    as_of: Option<&'a RawValue>,
}

/// The names of the fields, in the order in which their faults are told.
const NAMES: [&str; 9] =
    ["content", "query_option", "n_results", "source", "filter", "history", "stream", "pipeline", "as_of"];

/// Reads a question.
///
/// # Errors
/// A problem that names every field that is wrong.
pub(crate) fn read_question(json: &[u8]) -> Result<QuestionRequest, Problem> {
    let fields = read_object(json)?;
    let mut faults = Faults::default();
    let whole_number = format!("a whole number from 1 to {}", Question::MOST_RESULTS);
    let question = Question {
        content: content(&fields, &mut faults),
        search: faults.read("query_option", fields.query_option, "true or false").unwrap_or(true),
        n_results: faults.read("n_results", fields.n_results, &whole_number).unwrap_or(Question::DEFAULT_RESULTS),
        source: source(&fields, &mut faults),
        filter: filter(&fields, &mut faults),
        history: history(&fields, &mut faults),
        instructions: String::new(),
        as_of: as_of(&fields, &mut faults),
    };
    let stream = faults.read("stream", fields.stream, "true or false").unwrap_or(false);
    let pipeline = pipeline(&fields, &mut faults);
    if let Err(InvalidQuestion(more)) = question.validate() {
        // A field of the wrong type has a default in its place, which says nothing.
        let new: Vec<_> = more.into_iter().filter(|fault| !faults.has(&fault.field)).collect();
        faults.0.extend(new);
    }
    faults.0.sort_by_key(|fault| NAMES.iter().position(|name| fault.field.starts_with(name)));
    if faults.0.is_empty() {
        Ok(QuestionRequest { question, stream, pipeline })
    } else {
        Err(InvalidQuestion(faults.0).into())
    }
}

fn read_object(json: &[u8]) -> Result<Fields<'_>, Problem> {
    let json = json.trim_ascii();
    let malformed = |error: serde_json::Error| Problem::malformed(format!("malformed JSON: {error}"));
    match json.first() {
        None => Err(Problem::malformed("the body is empty; send for example {\"content\": \"your question\"}")),
        Some(b'{') => serde_json::from_slice(json).map_err(malformed),
        Some(_) => {
            let value: &RawValue = serde_json::from_slice(json).map_err(malformed)?;
            Err(Problem::malformed(format!("it is {}; an object with \"content\" is needed", shown(value))))
        }
    }
}

fn content(fields: &Fields<'_>, faults: &mut Faults) -> String {
    if fields.content.is_none() {
        faults.add("content", "is missing; it must be the question, a string");
    }
    faults.read("content", fields.content, "a string").unwrap_or_default()
}

fn source(fields: &Fields<'_>, faults: &mut Faults) -> Source {
    let name: Option<String> = faults.read("source", fields.source, "\"context\", \"QA\" or \"all\"");
    name.map_or(Ok(Source::default()), |name| name.parse()).unwrap_or_else(|message: String| {
        faults.add("source", format!("is {message}"));
        Source::default()
    })
}

fn as_of(fields: &Fields<'_>, faults: &mut Faults) -> Option<Moment> {
    let date: String = faults.read("as_of", fields.as_of, "a date like \"2026-01-31\"")?;
    let read = Moment::first_of(&date);
    if let Err(error) = read {
        faults.add("as_of", error.to_string());
    }
    read.ok()
}

fn pipeline(fields: &Fields<'_>, faults: &mut Faults) -> Option<PipelineName> {
    let name: String = faults.read("pipeline", fields.pipeline, "\"classic\" or \"direct\"")?;
    match name.parse() {
        Ok(pipeline) => Some(pipeline),
        Err(message) => {
            faults.add("pipeline", format!("is {message}"));
            None
        }
    }
}

fn filter(fields: &Fields<'_>, faults: &mut Faults) -> Filter {
    let expected = "an object of metadata, like {\"topic\": \"x\"}";
    let conditions: BTreeMap<String, &RawValue> = faults.read("filter", fields.filter, expected).unwrap_or_default();
    let mut filter = Filter::new();
    for (name, value) in conditions {
        let field = format!("filter.{name}");
        let value = match faults.read::<Scalar>(&field, Some(value), "a string, a number, true or false") {
            Some(value) => value.into_text(),
            None => continue,
        };
        filter.insert(name, value);
    }
    filter
}

#[derive(Deserialize)]
struct TurnFields<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

fn history(fields: &Fields<'_>, faults: &mut Faults) -> Vec<Turn> {
    let turns: Vec<&RawValue> = faults.read("history", fields.history, "a list of {role, content}").unwrap_or_default();
    if turns.len() > Question::MOST_TURNS {
        faults.add("history", format!("has {} turns; at most {} are allowed", turns.len(), Question::MOST_TURNS));
        return Vec::new();
    }
    turns.iter().enumerate().filter_map(|(number, turn)| read_turn(number, turn, faults)).collect()
}

fn read_turn(number: usize, turn: &RawValue, faults: &mut Faults) -> Option<Turn> {
    let is_object = turn.get().starts_with('{');
    let Some(TurnFields { role, content }) = is_object.then(|| serde_json::from_str(turn.get()).ok()).flatten() else {
        faults.add(format!("history[{number}]"), format!("is {}; it must be {{role, content}}", shown(turn)));
        return None;
    };
    let role = match role.and_then(|role| serde_json::from_str::<String>(role.get()).ok()).as_deref() {
        Some("user") => Some(Role::User),
        Some("assistant") => Some(Role::Assistant),
        _ => {
            faults.add(format!("history[{number}].role"), Role::ALLOWED_IN_HISTORY);
            None
        }
    };
    let content = content.and_then(|content| serde_json::from_str::<String>(content.get()).ok());
    if content.is_none() {
        faults.add(format!("history[{number}].content"), "must be a string");
    }
    Some(Turn { role: role?, content: content? })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(json: &Value) -> Result<QuestionRequest, Problem> {
        read_question(json.to_string().as_bytes())
    }

    fn named(json: &Value) -> Vec<String> {
        let problem = read(json).expect_err("is refused").to_json("");
        let errors = problem["errors"].as_array().expect("errors").iter();
        errors.map(|error| error["field"].as_str().expect("a name").to_owned()).collect()
    }

    #[test]
    fn only_content_is_needed() {
        let request = read(&json!({"content": "Why?", "unknown": 1, "filter": null})).expect("is read");
        assert_eq!(request.question, Question::new("Why?"));
        assert!(!request.stream && request.pipeline.is_none());
    }

    #[test]
    fn every_field_is_read() {
        let json = json!({
            "content": "Why?", "query_option": false, "n_results": 3, "source": "QA", "stream": true,
            "filter": {"topic": "diabetes", "year": 2024, "final": true}, "pipeline": "direct",
            "history": [{"role": "user", "content": "Hello"}],
        });
        let request = read(&json).expect("is read");
        let question = request.question;
        assert_eq!((question.search, question.n_results, question.source), (false, 3, Source::Qa));
        assert_eq!((&*question.filter["year"], &*question.filter["final"]), ("2024", "true"));
        assert_eq!(question.history, [Turn { role: Role::User, content: "Hello".to_owned() }]);
        assert!(request.stream);
        assert_eq!(request.pipeline, Some(PipelineName::Direct));
    }

    #[test]
    fn every_wrong_field_is_named_once() {
        let wrong_types = json!({
            "content": 7, "query_option": "yes", "n_results": 1.5, "source": 1, "stream": 1, "filter": {"a": []},
            "history": [{"role": "system", "content": 1}, "Hello"], "pipeline": ["direct"],
        });
        let fields = [
            "content",
            "query_option",
            "n_results",
            "source",
            "filter.a",
            "history[0].role",
            "history[0].content",
            "history[1]",
            "stream",
            "pipeline",
        ];
        assert_eq!(named(&wrong_types), fields);
        let wrong_values = json!({
            "content": " ", "n_results": 0, "source": "web", "filter": {"a": "x".repeat(1_001)},
            "history": vec![json!({}); 51], "pipeline": "magic",
        });
        assert_eq!(named(&wrong_values), ["content", "n_results", "source", "filter.a", "history", "pipeline"]);
    }

    #[test]
    fn a_body_that_is_no_object_is_malformed() {
        for json in
            ["", " ", "[]", "\"x\"", "null", "3", "{", "[\"content\"]", "{\"content\": \"a\", \"content\": \"b\"}"]
        {
            let problem = read_question(json.as_bytes()).expect_err("is refused").to_json("");
            assert_eq!(problem["status"], 400, "{json}: {problem}");
        }
    }
}
