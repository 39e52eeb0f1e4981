//! Reading a question, with every fault of it named at once.

use qanda_core::question::{Role, Turn};
use qanda_core::{Filter, Question, Source};
use serde_json::{Map, Value};

use crate::Problem;
use crate::problem::FieldError;

/// Longest question, in characters.
const LONGEST_CONTENT: usize = 16_000;
/// Most passages that can be asked for.
const MOST_RESULTS: u64 = 50;
/// Most earlier turns that can be sent along.
const MOST_TURNS: usize = 50;

/// A question with what concerns its transport.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) stream: bool,
    pub(crate) pipeline: Option<String>,
}

/// Reads a question. Fields that are not known are ignored, so that clients may be newer than the server.
///
/// # Errors
/// A problem that names every field that is wrong.
pub(crate) fn parse_question(json: &Value, pipelines: &[&str]) -> Result<Asked, Problem> {
    let Value::Object(object) = json else {
        return Err(Problem::malformed(format!("it is {}; an object with \"content\" is needed", kind(json))));
    };
    let mut fields = Fields { object, errors: Vec::new() };
    let question = Question {
        content: fields.content(),
        search: fields.boolean("query_option", true),
        n_results: fields.n_results(),
        source: fields.source(),
        filter: fields.filter(),
        history: fields.history(),
    };
    let (stream, pipeline) = (fields.boolean("stream", false), fields.pipeline(pipelines));
    if fields.errors.is_empty() {
        Ok(Asked { question, stream, pipeline })
    } else {
        Err(Problem::invalid(fields.errors))
    }
}

/// The fields of an object, and what was wrong with those read so far.
struct Fields<'a> {
    object: &'a Map<String, Value>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// A field that was given; `null` counts as left out.
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.object.get(name).filter(|value| !value.is_null())
    }

    fn wrong(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.errors.push(FieldError { field: field.into(), message: message.into() });
    }

    fn content(&mut self) -> String {
        match self.get("content") {
            None => self.wrong("content", "is missing; it must be the question, a string"),
            Some(Value::String(text)) if text.trim().is_empty() => self.wrong("content", "is empty; ask something"),
            Some(Value::String(text)) if text.chars().count() > LONGEST_CONTENT => {
                let length = text.chars().count();
                self.wrong("content", format!("has {length} characters; at most {LONGEST_CONTENT} are allowed"));
            }
            Some(Value::String(text)) => return text.clone(),
            Some(other) => self.wrong("content", format!("is {}; it must be a string", kind(other))),
        }
        String::new()
    }

    fn boolean(&mut self, name: &str, default: bool) -> bool {
        match self.get(name) {
            None => default,
            Some(Value::Bool(value)) => *value,
            Some(other) => {
                self.wrong(name, format!("is {}; it must be true or false", kind(other)));
                default
            }
        }
    }

    fn n_results(&mut self) -> usize {
        let Some(value) = self.get("n_results") else { return Question::DEFAULT_RESULTS };
        match value.as_u64().filter(|number| (1..=MOST_RESULTS).contains(number)) {
            Some(number) => usize::try_from(number).unwrap_or(Question::DEFAULT_RESULTS),
            None => {
                let is = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
                self.wrong("n_results", format!("is {is}; it must be a whole number from 1 to {MOST_RESULTS}"));
                Question::DEFAULT_RESULTS
            }
        }
    }

    fn source(&mut self) -> Source {
        let Some(value) = self.get("source") else { return Source::default() };
        let Some(name) = value.as_str() else {
            self.wrong("source", format!("is {}; it must be \"context\", \"QA\" or \"all\"", kind(value)));
            return Source::default();
        };
        name.parse().unwrap_or_else(|message: String| {
            self.wrong("source", format!("is {message}"));
            Source::default()
        })
    }

    fn filter(&mut self) -> Filter {
        let mut filter = Filter::new();
        match self.get("filter") {
            None => {}
            Some(Value::Object(object)) => {
                for (name, value) in object {
                    match value {
                        Value::String(text) => drop(filter.insert(name.clone(), text.clone())),
                        Value::Number(_) | Value::Bool(_) => drop(filter.insert(name.clone(), value.to_string())),
                        other => {
                            let message = format!("is {}; it must be a string, a number, true or false", kind(other));
                            self.wrong(format!("filter.{name}"), message);
                        }
                    }
                }
            }
            Some(other) => {
                let message =
                    format!("is {}; it must be an object of metadata, like {{\"topic\": \"x\"}}", kind(other));
                self.wrong("filter", message);
            }
        }
        filter
    }

    fn history(&mut self) -> Vec<Turn> {
        let turns = match self.get("history") {
            None => return Vec::new(),
            Some(Value::Array(turns)) if turns.len() <= MOST_TURNS => turns,
            Some(Value::Array(turns)) => {
                self.wrong("history", format!("has {} turns; at most {MOST_TURNS} are allowed", turns.len()));
                return Vec::new();
            }
            Some(other) => {
                self.wrong("history", format!("is {}; it must be a list of {{role, content}}", kind(other)));
                return Vec::new();
            }
        };
        turns.iter().enumerate().filter_map(|(number, turn)| self.turn(number, turn)).collect()
    }

    fn turn(&mut self, number: usize, turn: &Value) -> Option<Turn> {
        let role = match turn["role"].as_str() {
            Some("user") => Some(Role::User),
            Some("assistant") => Some(Role::Assistant),
            _ => {
                self.wrong(format!("history[{number}].role"), "must be \"user\" or \"assistant\"");
                None
            }
        };
        let content = turn["content"].as_str();
        if content.is_none() {
            self.wrong(format!("history[{number}].content"), "must be a string");
        }
        Some(Turn { role: role?, content: content?.to_owned() })
    }

    fn pipeline(&mut self, pipelines: &[&str]) -> Option<String> {
        let value = self.get("pipeline")?;
        match value.as_str().filter(|name| pipelines.contains(name)) {
            Some(name) => Some(name.to_owned()),
            None => {
                let allowed = pipelines.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
                self.wrong("pipeline", format!("is {value}; it must be one of {allowed}"));
                None
            }
        }
    }
}

/// What a value is, for people.
const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_content_is_needed() {
        let asked = parse_question(&json!({"content": "Why?", "unknown": 1}), &["direct"]).expect("parses");
        assert_eq!(asked.question, Question::new("Why?"));
        assert!(!asked.stream && asked.pipeline.is_none());
    }

    #[test]
    fn every_field_is_read() {
        let json = json!({
            "content": "Why?", "query_option": false, "n_results": 3, "source": "QA", "stream": true,
            "filter": {"topic": "diabetes", "year": 2024}, "pipeline": "direct",
            "history": [{"role": "user", "content": "Hello"}],
        });
        let asked = parse_question(&json, &["direct"]).expect("parses");
        let question = asked.question;
        assert_eq!((question.search, question.n_results, question.source), (false, 3, Source::Qa));
        assert_eq!(question.filter["year"], "2024");
        assert_eq!(question.history.len(), 1);
        assert!(asked.stream);
        assert_eq!(asked.pipeline.as_deref(), Some("direct"));
    }

    #[test]
    fn every_wrong_field_is_named() {
        let json = json!({
            "content": 7, "query_option": "yes", "n_results": 0, "source": "web", "stream": 1, "filter": {"a": []},
            "history": [{"role": "system", "content": 1}], "pipeline": "magic",
        });
        let problem = parse_question(&json, &["direct"]).expect_err("is refused").to_json();
        let named: Vec<&str> =
            problem["errors"].as_array().expect("errors").iter().filter_map(|e| e["field"].as_str()).collect();
        assert_eq!(
            named,
            [
                "content",
                "query_option",
                "n_results",
                "source",
                "filter.a",
                "history[0].role",
                "history[0].content",
                "stream",
                "pipeline"
            ]
        );
    }

    #[test]
    fn what_is_not_an_object_is_malformed() {
        for json in [json!([]), json!("x"), json!(null), json!(3)] {
            assert!(parse_question(&json, &["direct"]).is_err(), "{json}");
        }
    }
}
