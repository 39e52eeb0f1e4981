use std::time::SystemTime;

use serde_json::{Value, json};

use super::super::{Dialect, MockLlm, Refusal, content};

/// Thought of a model that reasons, with something in it that looks like a citation.
const THOUGHT: &str = "The user wants something. I look at passage [1] and then at [2].";

/// The part of a request that matters.
pub(super) struct Request {
    pub(super) model: String,
    pub(super) content: String,
    pub(super) finish: &'static str,
    prompt_tokens: usize,
    pub(super) stream: bool,
    pub(super) usage: bool,
    dialects: Vec<Dialect>,
}

impl Request {
    pub(super) fn read(request: &Value, settings: &MockLlm) -> Result<Self, Refusal> {
        let messages = request["messages"].as_array().filter(|messages| !messages.is_empty()).ok_or_else(|| {
            Refusal::bad_request("'messages' must be a list of at least one message".to_owned(), Some("messages"))
        })?;
        if !messages.iter().all(|message| message["role"].is_string()) {
            return Err(Refusal::bad_request("Every message needs a 'role'".to_owned(), Some("messages")));
        }
        refuse(request, messages, &settings.dialects)?;
        let most = request["max_completion_tokens"].as_u64().or(request["max_tokens"].as_u64());
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
        // JSON that ends in the middle would be a fault that nobody asked for.
        let shaped = request["response_format"]["type"].as_str().is_some_and(|form| form.starts_with("json"));
        let fits = shaped || settings.tokens <= most;
        let (words, finish) = if fits { (settings.tokens, "stop") } else { (most, "length") };
        let speaks = |dialect: Dialect| settings.dialects.contains(&dialect);
        let answer = content::answer(request, &content::prose(&settings.text, words));
        let content = if speaks(Dialect::OnlyThink) {
            format!("<think>\n{THOUGHT}")
        } else if speaks(Dialect::Think) {
            format!("<think>\n{THOUGHT}\n</think>\n\n{answer}")
        } else if speaks(Dialect::OpenThink) {
            format!("{THOUGHT}\n</think>\n\n{answer}")
        } else {
            answer
        };
        Ok(Self {
            model: request["model"].as_str().unwrap_or_default().to_owned(),
            content,
            finish: if speaks(Dialect::OnlyThink) { "length" } else { finish },
            prompt_tokens: messages.iter().map(|message| words_of(&message["content"])).sum(),
            stream: request["stream"].as_bool().unwrap_or(false) && !speaks(Dialect::NoStream),
            usage: request["stream_options"]["include_usage"].as_bool().unwrap_or(false),
            dialects: settings.dialects.clone(),
        })
    }

    pub(super) fn speaks(&self, dialect: Dialect) -> bool {
        self.dialects.contains(&dialect)
    }

    /// A token is a word with the space after it.
    pub(super) fn tokens(&self) -> usize {
        self.content.split_inclusive(' ').count()
    }

    /// The delta of a thought that comes beside the answer, if any does.
    pub(super) fn thought(&self) -> Option<Value> {
        if self.speaks(Dialect::ReasoningField) {
            return Some(json!({"reasoning_content": THOUGHT}));
        }
        let part = json!({"type": "thinking", "thinking": [{"type": "text", "text": THOUGHT}]});
        self.speaks(Dialect::Parts).then(|| json!({"content": [part]}))
    }

    /// A text as content.
    pub(super) fn part(&self, text: &str) -> Value {
        if self.speaks(Dialect::Parts) { json!([{"type": "text", "text": text}]) } else { Value::from(text) }
    }

    pub(super) fn answer(&self, number: u64) -> Value {
        let mut message = self.thought().unwrap_or_else(|| json!({}));
        let part = self.part(&self.content);
        match (message["content"].as_array_mut(), part) {
            (Some(parts), Value::Array(more)) => parts.extend(more),
            (_, part) => message["content"] = part,
        }
        message["role"] = "assistant".into();
        message["refusal"] = Value::Null;
        json!({
            "id": format!("chatcmpl-{number}"), "object": "chat.completion", "created": now(), "model": self.model,
            "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": self.finish}],
            "usage": self.usage(),
        })
    }

    pub(super) fn usage(&self) -> Value {
        let (prompt, completion) = (self.prompt_tokens, self.tokens());
        json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
    }
}

/// Refuses what an endpoint of these dialects does not know.
fn refuse(request: &Value, messages: &[Value], dialects: &[Dialect]) -> Result<(), Refusal> {
    let speaks = |dialect: Dialect| dialects.contains(&dialect);
    let refusal = |message: &str, param| Err(Refusal::bad_request(message.to_owned(), param));
    let roles: Vec<&str> = messages.iter().filter_map(|message| message["role"].as_str()).collect();
    if speaks(Dialect::NoSystemRole) && roles.contains(&"system") {
        return refusal("System role not supported", None);
    }
    if speaks(Dialect::AlternatingRoles) && roles.windows(2).any(|pair| pair[0] == pair[1]) {
        return refusal("Conversation roles must alternate user/assistant/user/assistant/...", None);
    }
    if speaks(Dialect::MaxCompletionTokens) && !request["max_tokens"].is_null() {
        let message = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.";
        return refusal(message, Some("max_tokens"));
    }
    if speaks(Dialect::NoJsonSchema) && request["response_format"]["type"] == "json_schema" {
        return refusal("'response_format.type' must be 'text' or 'json_object'", Some("response_format"));
    }
    Ok(())
}

/// Words of a message: a text, or a list of parts.
fn words_of(content: &Value) -> usize {
    match content {
        Value::String(text) => text.split_whitespace().count(),
        Value::Array(parts) => parts.iter().map(|part| words_of(&part["text"])).sum(),
        _ => 0,
    }
}

pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Dialect, MockLlm, Request};

    fn read(dialects: &[Dialect], extra: &Value) -> Option<Request> {
        let settings = MockLlm { tokens: 5, dialects: dialects.to_vec(), ..MockLlm::default() };
        let mut request = json!({"model": "m", "messages": [{"role": "user", "content": "one two"}], "stream": true});
        for (name, value) in extra.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        Request::read(&request, &settings).ok()
    }

    #[test]
    fn a_limit_on_tokens_holds() {
        let short = read(&[], &json!({"max_tokens": 2})).expect("it is right");
        assert_eq!((short.tokens(), short.finish), (2, "length"));
        assert_eq!(read(&[], &json!({"max_tokens": 5})).expect("it is right").finish, "stop");
    }

    #[test]
    fn requests_without_messages_are_refused() {
        for messages in [json!(null), json!([]), json!([{"content": "x"}])] {
            assert!(read(&[], &json!({"messages": messages})).is_none());
        }
    }

    #[test]
    fn dialects_refuse_what_they_do_not_know() {
        let message = |role: &str| json!({"role": role, "content": "x"});
        let schema = json!({"response_format": {"type": "json_schema", "json_schema": {"schema": {}}}});
        for (dialect, request) in [
            (Dialect::NoSystemRole, json!({"messages": [message("system"), message("user")]})),
            (Dialect::AlternatingRoles, json!({"messages": [message("user"), message("user")]})),
            (Dialect::MaxCompletionTokens, json!({"max_tokens": 5})),
            (Dialect::NoJsonSchema, schema),
        ] {
            assert!(read(&[], &request).is_some(), "{dialect}");
            assert!(read(&[dialect], &request).is_none(), "{dialect}");
            assert!(read(&[dialect], &json!({})).is_some(), "{dialect}");
        }
    }

    #[test]
    fn thoughts_come_as_the_dialect_says() {
        let content = |dialect| read(&[dialect], &json!({})).expect("it is right").content;
        assert!(content(Dialect::Think).starts_with("<think>"));
        assert!(content(Dialect::OpenThink).contains("</think>") && !content(Dialect::OpenThink).contains("<think>"));
        assert!(!content(Dialect::OnlyThink).contains("</think>"));
        let message = |dialect| read(&[dialect], &json!({})).expect("right").answer(1)["choices"][0]["message"].clone();
        assert!(message(Dialect::ReasoningField)["reasoning_content"].is_string());
        let kinds: Vec<Value> =
            message(Dialect::Parts)["content"].as_array().expect("parts").iter().map(|p| p["type"].clone()).collect();
        assert_eq!(kinds, ["thinking", "text"]);
    }
}
