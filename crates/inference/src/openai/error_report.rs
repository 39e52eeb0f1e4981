//! Errors in an endpoint's own words. OpenAI's form is `{"error": {"message", "type", "param", "code"}}`; others send a
//! text, `message`, `detail`, a list, or a page of HTML, and some of them with status 200.

use std::time::Duration;

use serde_json::Value;

use super::lengths;
use super::retry::asked_pause;

/// Longest message that is looked at, in characters.
const LONGEST: usize = 4000;
/// Longest message that is passed on.
const LONGEST_SHOWN: usize = 300;
/// Names of the field that holds the message.
const MESSAGES: [&str; 9] =
    ["message", "detail", "error_msg", "errorMessage", "status_msg", "error_message", "msg", "errors", "title"];
/// Names of the fields that say which kind of error it is.
const KINDS: [&str; 7] = ["code", "type", "status", "error_code", "status_code", "statusCode", "error_type"];

/// An endpoint's own words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct ErrorReport {
    pub(crate) message: String,
    /// The field it is about.
    pub(crate) param: Option<String>,
    /// Names and numbers of the kind of error.
    pub(crate) kinds: Vec<String>,
    /// Tokens that were sent and that fit, where fields tell.
    tokens: (Option<usize>, Option<usize>),
}

impl ErrorReport {
    /// Reads the body of an error.
    pub(crate) fn read(body: &[u8]) -> Self {
        match serde_json::from_slice::<Value>(body) {
            Ok(value) => Self::of(&value),
            Err(_) => Self::of(&Value::String(plain(&String::from_utf8_lossy(body)))),
        }
    }

    /// Reads an error object, an object around it, or whatever stands in its place.
    pub(crate) fn of(value: &Value) -> Self {
        let value = match value {
            Value::Array(list) => list.first().unwrap_or(value),
            other => other,
        };
        let inner = ["error", "base_resp"].iter().find_map(|name| value.get(name)).filter(|inner| is_said(inner));
        let error = inner.unwrap_or(value);
        let mut kinds: Vec<String> = KINDS.iter().filter_map(|name| word(error.get(name)?)).collect();
        kinds.extend(error.pointer("/metadata/error_type").and_then(word));
        let count = |name: &str| error.get(name)?.as_u64().and_then(|count| usize::try_from(count).ok());
        Self {
            message: shortened(&message(error), LONGEST),
            param: error.get("param").and_then(word),
            kinds,
            tokens: (count("n_prompt_tokens"), count("n_ctx")),
        }
    }

    /// The error inside an answer of status 200, if it is one.
    pub(crate) fn in_answer(value: &Value) -> Option<Self> {
        let value = match value {
            Value::Array(list) => list.first()?,
            other => other,
        };
        let has = |name: &str| value.get(name).is_some_and(is_said);
        let is_answer = ["choices", "data", "embeddings", "embedding"].iter().any(|name| has(name));
        let failed = value.pointer("/base_resp/status_code").is_some_and(|code| code.as_i64() != Some(0));
        let is_bad = |name: &str| value.get(name).and_then(word).is_some_and(|kind| is_kind_of_error(&kind));
        let speaks = !is_answer && MESSAGES.iter().any(|name| has(name)) && KINDS.iter().any(|name| is_bad(name));
        let is_detail = !is_answer && has("detail");
        let is_error = has("error") || failed || speaks || is_detail || value["object"] == "error";
        is_error.then(|| Self::of(value))
    }

    /// The message in a length that may be passed on.
    pub(crate) fn shown(&self) -> String {
        shortened(&self.message, LONGEST_SHOWN)
    }

    /// Status that an endpoint would have sent, had it known in time.
    pub(crate) fn status(&self) -> Option<u16> {
        let number = self.kinds.iter().filter_map(|kind| kind.parse().ok()).find(|status| (400..600).contains(status));
        number.or_else(|| {
            let by_words: [(u16, &[&str]); 5] = [
                (429, &["rate_limit", "ratelimit", "too_many", "resource_exhausted"]),
                (503, &["overloaded", "unavailable", "server_error", "internal", "timeout", "bad_gateway"]),
                (401, &["authentication", "unauthenticated", "invalid_api_key", "unauthorized"]),
                (404, &["not_found", "notfound"]),
                (400, &["invalid", "badrequest", "bad_request", "unsupported"]),
            ];
            let is_of = |words: &[&str]| {
                let mut kinds = self.kinds.iter().map(|kind| kind.to_lowercase());
                kinds.any(|kind| words.iter().any(|word| kind.contains(word)))
            };
            by_words.iter().find(|(_, words)| is_of(words)).map(|(status, _)| *status)
        })
    }

    /// Whether it is about one of these words: in the field it names, its kind or its message.
    pub(crate) fn mentions(&self, words: &[&str]) -> bool {
        let all = [Some(&self.message), self.param.as_ref()].into_iter().flatten().chain(&self.kinds);
        let mut all = all.map(|text| text.to_lowercase());
        all.any(|text| words.iter().any(|word| text.contains(word)))
    }

    /// Whether what was sent is too long.
    pub(crate) fn is_about_length(&self) -> bool {
        lengths::is_about_length(&self.message) || self.kinds.iter().any(|kind| lengths::is_about_length(kind))
    }

    /// Tokens that were sent and tokens that fit, as far as it tells.
    pub(crate) fn lengths(&self) -> (Option<usize>, Option<usize>) {
        let (sent, fit) = lengths::lengths(&self.message);
        (self.tokens.0.or(sent), self.tokens.1.or(fit))
    }

    /// The pause that the message asks for: "try again in 1.5s".
    pub(crate) fn asked_pause(&self) -> Option<Duration> {
        asked_pause(&self.message)
    }
}

/// Whether a value says anything: some servers send `"error": null`, `""` or `{}` with every answer.
fn is_said(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

/// Whether the kind of a message is an error. Servers also tell of progress and success.
fn is_kind_of_error(kind: &str) -> bool {
    if let Ok(number) = kind.parse::<i64>() {
        return number != 0 && !(200..300).contains(&number);
    }
    let words = ["error", "invalid", "exception", "denied", "fail", "limit", "unauthor", "not_found", "unavailable"];
    let kind = kind.to_lowercase();
    words.iter().any(|word| kind.contains(word))
}

/// A name or a number.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn message(error: &Value) -> String {
    let mut said = match error {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(_) => match MESSAGES.iter().find_map(|name| error.get(name).filter(|value| is_said(value))) {
            Some(inner) => message(inner),
            None => error.to_string(),
        },
        other => other.to_string(),
    };
    // OpenRouter's own message says only that there is one; Gemini's pause stands beside it.
    if let Some(raw) = error.pointer("/metadata/raw").and_then(Value::as_str) {
        said = format!("{said}: {raw}");
    }
    let details = error.get("details").and_then(Value::as_array).into_iter().flatten();
    if let Some(delay) = details.filter_map(|detail| detail.get("retryDelay")?.as_str()).next() {
        said = format!("{said} (try again in {delay})");
    }
    if let Some(seconds) = error.get("estimated_time").and_then(Value::as_f64) {
        said = format!("{said} (try again in {seconds}s)");
    }
    said
}

/// One line of bounded length.
fn shortened(message: &str, longest: usize) -> String {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Text of an error page without its tags.
fn plain(body: &str) -> String {
    if !body.trim_start().starts_with('<') {
        return body.to_owned();
    }
    let texts = body.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "error_report_tests.rs"]
mod tests;
