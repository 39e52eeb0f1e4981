//! The body of a chat completion request.

use std::borrow::Cow;

use qanda_core::ports::{Message, Prompt, Shape};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::dialect::{Dialect, LimitField, ShapeField};

/// Bytes of a stream beyond which it is taken for broken: each token comes in an event of some 300 bytes.
const BYTES_PER_TOKEN: usize = 4 << 10;
const BYTES_BESIDE: usize = 1 << 20;
/// Tokens that an answer may have whose endpoint takes no limit.
const TOKENS_WITHOUT_LIMIT: usize = 32 << 10;

/// `POST /chat/completions`. Usage is not asked for (`stream_options`): nobody reads it, and some servers refuse it.
#[derive(Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    #[serde(serialize_with = "messages")]
    messages: Cow<'a, [Message]>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

impl<'a> ChatRequest<'a> {
    /// `reasoning` tokens are allowed beside those of the answer.
    pub(super) fn new(model: &'a str, prompt: &'a Prompt, dialect: Dialect, reasoning: usize) -> Self {
        let format = |shape| match dialect.shape {
            ShapeField::Schema => Some(ResponseFormat::Schema(shape)),
            ShapeField::ObjectWithSchema => Some(ResponseFormat::Object(Some(shape))),
            ShapeField::Object => Some(ResponseFormat::Object(None)),
            ShapeField::Absent => None,
        };
        let tokens = (prompt.max_tokens + reasoning).min(dialect.most_tokens.unwrap_or(usize::MAX));
        Self {
            model,
            messages: dialect.arrangement.of(&prompt.messages),
            stream: !dialect.whole,
            max_tokens: (dialect.limit == LimitField::MaxTokens).then_some(tokens),
            max_completion_tokens: (dialect.limit == LimitField::MaxCompletionTokens).then_some(tokens),
            temperature: (!dialect.no_temperature).then_some(prompt.temperature),
            response_format: prompt.shape.as_ref().and_then(format),
        }
    }

    /// Bytes that its answer can have.
    pub(super) fn most_bytes(&self) -> usize {
        let tokens = self.max_tokens.or(self.max_completion_tokens).unwrap_or(TOKENS_WITHOUT_LIMIT);
        tokens.saturating_mul(BYTES_PER_TOKEN).saturating_add(BYTES_BESIDE)
    }
}

fn messages<S: Serializer>(messages: &impl AsRef<[Message]>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(messages.as_ref().len()))?;
    for message in messages.as_ref() {
        list.serialize_element(&json!({"role": message.role.as_str(), "content": message.content}))?;
    }
    list.end()
}

enum ResponseFormat<'a> {
    Schema(&'a Shape),
    Object(Option<&'a Shape>),
}

impl Serialize for ResponseFormat<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Named<'a> {
            name: &'static str,
            strict: bool,
            schema: Schema<'a>,
        }
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Object(shape) => {
                map.serialize_entry("type", "json_object")?;
                if let Some(shape) = shape {
                    map.serialize_entry("schema", &Schema(shape))?;
                }
            }
            Self::Schema(shape) => {
                map.serialize_entry("type", "json_schema")?;
                map.serialize_entry("json_schema", &Named { name: "answer", strict: true, schema: Schema(shape) })?;
            }
        }
        map.end()
    }
}

/// A JSON Schema, written directly: fields keep their order, which models follow, and a map would sort them.
struct Schema<'a>(&'a Shape);

impl Serialize for Schema<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self.0 {
            Shape::Text => map.serialize_entry("type", "string")?,
            Shape::Object(fields) => {
                let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
                map.serialize_entry("type", "object")?;
                map.serialize_entry("properties", &Properties(fields))?;
                map.serialize_entry("required", &names)?;
                map.serialize_entry("additionalProperties", &false)?;
            }
            Shape::List { of, least, most } => {
                map.serialize_entry("type", "array")?;
                map.serialize_entry("items", &Schema(of))?;
                map.serialize_entry("minItems", least)?;
                map.serialize_entry("maxItems", most)?;
            }
        }
        map.end()
    }
}

struct Properties<'a>(&'a [(&'static str, Shape)]);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, shape)| (name, Schema(shape))))
    }
}

#[cfg(test)]
mod tests {
    use qanda_core::ports::{Message, Prompt, Shape};
    use qanda_core::question::Role;

    use super::{ChatRequest, Dialect, LimitField, ShapeField};

    #[test]
    fn a_request_has_what_its_dialect_allows() {
        let list = Shape::List { of: Box::new(Shape::Text), least: 1, most: 3 };
        let prompt = Prompt {
            messages: vec![Message::new(Role::User, "Why \"me\"?")],
            max_tokens: 9,
            temperature: 0.2,
            shape: Some(Shape::Object(vec![("zeta", Shape::Text), ("alpha", list)])),
        };
        let write = |dialect| serde_json::to_string(&ChatRequest::new("m", &prompt, dialect, 0)).expect("writes");
        let start = r#"{"model":"m","messages":[{"content":"Why \"me\"?","role":"user"}],"stream":true,"#;
        let schema = concat!(
            r#"{"type":"object","properties":{"zeta":{"type":"string"},"alpha":{"type":"array","items":"#,
            r#"{"type":"string"},"minItems":1,"maxItems":3}},"required":["zeta","alpha"],"additionalProperties":false}"#,
        );
        let format =
            format!(r#"{{"type":"json_schema","json_schema":{{"name":"answer","strict":true,"schema":{schema}}}}}"#);
        let rich = format!(r#"{start}"max_tokens":9,"temperature":0.2,"response_format":{format}}}"#);
        let sorted = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(sorted(&write(Dialect::default())), sorted(&rich));
        assert!(write(Dialect::default()).contains(schema), "fields keep their order");
        let limit = LimitField::MaxCompletionTokens;
        let plain = Dialect { limit, no_temperature: true, shape: ShapeField::Absent, ..Dialect::default() };
        assert_eq!(sorted(&write(plain)), sorted(&format!(r#"{start}"max_completion_tokens":9}}"#)));
        let capped = Dialect { most_tokens: Some(100), no_temperature: true, whole: true, ..plain };
        let capped = serde_json::to_value(ChatRequest::new("m", &prompt, capped, 4000)).expect("writes");
        assert_eq!((&capped["max_completion_tokens"], &capped["stream"]), (&100.into(), &false.into()));
    }
}
