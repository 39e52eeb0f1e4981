//! Reading what clients send: messages become a question, its history and instructions.

use qanda_core::Question;
use qanda_core::question::{Role, Turn};
use serde_json::{Map, Value, json};

use super::annotated::without_sources;
use super::models::pipeline_of;
use crate::Problem;
use crate::wire::{self, QuestionRequest};

/// A request with what concerns its protocol.
pub(super) struct Asked {
    pub(super) request: QuestionRequest,
    /// The model's name as it was asked for.
    pub(super) model: String,
    pub(super) stream: bool,
    /// Whether a stream ends with the tokens that it took.
    pub(super) usage: bool,
    /// Names of parameters that mean nothing here.
    pub(super) ignored: Vec<String>,
}

/// Fields of our own that may be among the parameters; clients have a place for such.
const OWN: [&str; 4] = ["n_results", "source", "filter", "as_of"];
/// Parameters that need an answer of another kind, so that ignoring them would be wrong.
const REFUSED: [(&str, &str); 6] = [
    ("tools", "tools are not called here; leave them out"),
    ("functions", "functions are not called here; leave them out"),
    ("audio", "answers are text"),
    ("previous_response_id", "responses are not kept here; send the conversation as `input`"),
    ("conversation", "conversations are not kept here; send the conversation as `input`"),
    ("prompt", "there are no prompts to refer to; send `input`"),
];

/// Reads a body that must be an object.
pub(super) fn read_object(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Problem::malformed("the body must be a JSON object")),
        Err(error) => Err(Problem::malformed(format!("malformed JSON: {error}"))),
    }
}

/// Reads a request: `field` holds its messages, and the other names in `known` mean something to its route.
pub(super) fn read(mut fields: Map<String, Value>, field: &str, known: &[&str]) -> Result<Asked, Problem> {
    fields.retain(|_, value| !value.is_null());
    for (name, why) in REFUSED {
        if fields.get(name).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty())) {
            return Err(Problem::invalid_field(name, why));
        }
    }
    let model = text_of(&fields, "model")?.unwrap_or_default();
    let pipeline = pipeline_of(&model)?;
    let stream = flag(&fields, "stream")?;
    let usage = fields.get("stream_options").is_some_and(|options| options["include_usage"] == true);
    let mut turns = turns(fields.get(field), field)?;
    let question = turns.pop().filter(|turn| turn.role == Role::User);
    let question = question.ok_or_else(|| Problem::invalid_field(field, "must end with a message of the user"))?;
    let mut instructions: Vec<String> = text_of(&fields, "instructions")?.into_iter().collect();
    turns.retain(|turn| match turn.role {
        Role::System => {
            instructions.push(turn.content.clone());
            false
        }
        _ => true,
    });
    let mut own = json!({"content": question.content});
    for name in OWN {
        if let Some(value) = fields.get(name) {
            own[name] = value.clone();
        }
    }
    let mut request = wire::read_question(own.to_string().as_bytes())?;
    request.pipeline = pipeline;
    request.question.history = Question::recent(turns);
    request.question.instructions = instructions.join("\n\n");
    request.question.validate()?;
    let known = |name: &str| name == field || known.contains(&name) || OWN.contains(&name);
    let ignored = fields.keys().filter(|name| !known(name) && REFUSED.iter().all(|(refused, _)| refused != name));
    Ok(Asked { request, model, stream, usage, ignored: ignored.cloned().collect() })
}

/// The messages: a text alone, or a list of them.
fn turns(messages: Option<&Value>, field: &str) -> Result<Vec<Turn>, Problem> {
    match messages {
        // Responses take a text for a conversation of one message, chat does not.
        Some(Value::String(text)) if field == "input" => Ok(vec![Turn { role: Role::User, content: text.clone() }]),
        Some(Value::Array(list)) => {
            list.iter().enumerate().map(|(number, message)| turn(message, &format!("{field}[{number}]"))).collect()
        }
        Some(_) => Err(Problem::invalid_field(field, "must be a list of messages")),
        None => Err(Problem::invalid_field(field, "is missing")),
    }
}

fn turn(message: &Value, field: &str) -> Result<Turn, Problem> {
    let role = match message["role"].as_str() {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => {
            return Err(Problem::invalid_field(
                &format!("{field}.role"),
                "must be \"system\", \"developer\", \"user\" or \"assistant\"",
            ));
        }
    };
    let content = content(&message["content"], &format!("{field}.content"))?;
    // The sources below an earlier answer are no part of what was said.
    let content = if role == Role::Assistant { without_sources(&content).to_owned() } else { content };
    Ok(Turn { role, content })
}

/// Text, or parts that must all be text.
fn content(content: &Value, field: &str) -> Result<String, Problem> {
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().map(|part| part["text"].as_str().or_else(|| part["refusal"].as_str()));
            let texts: Option<Vec<&str>> = texts.collect();
            texts
                .map(|texts| texts.join("\n"))
                .ok_or_else(|| Problem::invalid_field(field, "may only have parts of text"))
        }
        // An earlier answer that only called tools.
        Value::Null => Ok(String::new()),
        _ => Err(Problem::invalid_field(field, "must be a text or a list of parts")),
    }
}

pub(super) fn text_of(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match fields.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::invalid_field(name, "must be a text")),
    }
}

fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, Problem> {
    match fields.get(name) {
        None => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Problem::invalid_field(name, "must be true or false")),
    }
}

#[cfg(test)]
mod tests {
    use qanda_core::answering::PipelineName;

    use super::*;

    fn read_chat(body: Value) -> Result<Asked, Problem> {
        read(read_object(body.to_string().as_bytes())?, "messages", &["model", "stream", "stream_options"])
    }

    fn user(text: &str) -> Value {
        json!({"role": "user", "content": text})
    }

    #[test]
    fn messages_become_a_question_with_history_and_instructions() {
        let asked = read_chat(json!({
            "model": "qanda-classic", "stream": true, "stream_options": {"include_usage": true}, "temperature": 0.3, "n_results": 3,
            "tools": [], "user": null,
            "messages": [
                {"role": "system", "content": "Answer in French."}, user("What is a cold store?"),
                {"role": "assistant", "content": "A cold room. [1]\n\nSources:\n- [1] Rooms (rooms.md)"},
                {"role": "user", "content": [{"type": "text", "text": "How"}, {"type": "text", "text": "cold?"}]},
            ],
        }));
        let asked = asked.unwrap_or_else(|problem| panic!("{problem:?}"));
        let question = asked.request.question;
        assert_eq!(
            (&*question.content, &*question.instructions, question.n_results),
            ("How\ncold?", "Answer in French.", 3)
        );
        let said: Vec<&str> = question.history.iter().map(|turn| &*turn.content).collect();
        assert_eq!(said, ["What is a cold store?", "A cold room. [1]"]);
        assert_eq!(asked.request.pipeline, Some(PipelineName::Classic));
        assert_eq!((asked.stream, asked.usage, asked.ignored), (true, true, vec!["temperature".to_owned()]));
    }

    #[test]
    fn what_cannot_be_answered_is_refused_by_the_name_of_its_field() {
        let refused = [
            (json!({}), "messages"),
            (json!({"messages": []}), "messages"),
            (json!({"messages": [{"role": "assistant", "content": "Hello."}]}), "messages"),
            (json!({"messages": [{"role": "tool", "content": "3"}, user("Why?")]}), "messages[0].role"),
            (json!({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}), "messages[0].content"),
            (json!({"messages": [user("Why?")], "tools": [{"type": "function"}]}), "tools"),
            (json!({"messages": [user("Why?")], "stream": "yes"}), "stream"),
            (json!({"messages": [user("Why?")], "model": "gpt-4o"}), "model"),
            (json!({"messages": [user(" ")]}), "content"),
        ];
        for (body, field) in refused {
            let problem = read_chat(body.clone()).err().unwrap_or_else(|| panic!("{body} is read"));
            assert_eq!(problem.field(), Some(field), "{body}");
        }
    }

    #[test]
    fn of_a_long_conversation_the_end_is_kept() {
        let mut messages: Vec<Value> = (0..200).map(|number| user(&format!("{number} {}", "x".repeat(500)))).collect();
        messages.push(user("Why?"));
        let asked = read_chat(json!({"messages": messages})).unwrap_or_else(|problem| panic!("{problem:?}"));
        let history = asked.request.question.history;
        assert_eq!(history.len(), qanda_core::Question::MOST_TURNS);
        assert!(history.last().is_some_and(|turn| turn.content.starts_with("199 ")));
    }
}
