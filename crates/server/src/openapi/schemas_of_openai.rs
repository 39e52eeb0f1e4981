//! Bodies in the form of OpenAI's interface. Parameters that are not named here are ignored, and listed in the header
//! `x-ignored-parameters`.

use qanda_core::Question;
use serde_json::{Value, json};

use super::schemas::{filter, of};
use crate::openai::{MOST_TEXTS, model_names};

pub(super) fn requests() -> Value {
    let model = json!({"enum": model_names().chain([""]).map(Value::from).chain([Value::Null]).collect::<Vec<_>>()});
    let stream = json!({"type": ["boolean", "null"], "default": false});
    let n_results = json!({"type": ["integer", "null"], "minimum": 1, "maximum": Question::MOST_RESULTS});
    let source = json!({"enum": ["context", "QA", "all", null]});
    let text = json!({"type": "string", "pattern": "\\S", "maxLength": Question::LONGEST_CONTENT});
    let part = json!({"type": "object", "required": ["text"], "properties": {"type": {"enum": ["text", "input_text"]}, "text": text}});
    let content = json!({"anyOf": [text, {"type": "array", "minItems": 1, "items": part}]});
    let message = |roles: Value| {
        json!({
            "type": "object", "required": ["role", "content"],
            "properties": {"role": {"enum": roles}, "content": content},
        })
    };
    // The last message is the question.
    let messages = json!({
        "type": "array", "minItems": 1, "items": message(json!(["user"])),
        "description": "The conversation. Messages before the last one, which is the question, may be of the roles system, developer, user and assistant",
    });
    let tools = json!({"type": ["array", "null"], "maxItems": 0, "description": "Tools are not called here"});
    json!({
        "ChatRequest": {
            "type": "object", "required": ["messages"],
            "properties": {
                "model": model, "messages": messages, "stream": stream, "n": {"enum": [1, null]},
                "stream_options": {"description": "An object; include_usage asks for the tokens at the end of a stream"},
                "n_results": n_results, "source": source, "filter": filter(), "tools": tools, "functions": tools,
                "audio": {"type": "null"}, "previous_response_id": {"type": "null"}, "conversation": {"type": "null"},
                "prompt": {"type": "null"}, "instructions": {"type": ["string", "null"]},
            },
        },
        "ResponsesRequest": {
            "type": "object", "required": ["input"],
            "properties": {
                "model": model, "stream": stream, "instructions": {"type": ["string", "null"]},
                "input": {"anyOf": [text, messages]}, "background": {"enum": [false, null]},
                "n_results": n_results, "source": source, "filter": filter(), "tools": tools, "functions": tools,
                "audio": {"type": "null"}, "previous_response_id": {"type": "null"}, "conversation": {"type": "null"},
                "prompt": {"type": "null"},
            },
        },
        "EmbeddingsRequest": {
            "type": "object", "required": ["input"],
            "properties": {
                "model": {"enum": ["qanda-embedding", "", null]},
                "encoding_format": {"enum": ["float", "base64", null]},
                "dimensions": {"type": "null", "description": "Or the length that vectors have here"},
                "input": {"anyOf": [
                    {"type": "string", "minLength": 1},
                    {"type": "array", "minItems": 1, "maxItems": MOST_TEXTS, "items": {"type": "string", "minLength": 1}},
                ]},
            },
        },
    })
}

pub(super) fn replies() -> Value {
    let list = |items: Value| {
        json!({
            "type": "object", "required": ["object", "data"],
            "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": items}},
        })
    };
    let choice = json!({
        "type": "object", "required": ["index", "message", "finish_reason"],
        "properties": {
            "index": {"const": 0}, "finish_reason": {"enum": ["stop", "length"]},
            "message": {
                "type": "object", "required": ["role", "content", "annotations"],
                "properties": {"role": {"const": "assistant"}, "content": {"type": "string"}, "annotations": {"type": "array"}},
            },
        },
    });
    json!({
        "ChatCompletion": {
            "type": "object", "required": ["id", "object", "created", "model", "choices", "usage"],
            "properties": {
                "id": {"type": "string"}, "object": {"const": "chat.completion"}, "created": {"type": "integer"},
                "model": {"type": "string"}, "choices": {"type": "array", "items": choice}, "usage": {"type": "object"},
            },
        },
        "Response": {
            "type": "object", "required": ["id", "object", "created_at", "status", "model", "output", "usage"],
            "properties": {
                "id": {"type": "string"}, "object": {"const": "response"}, "created_at": {"type": "integer"},
                "status": {"enum": ["completed", "incomplete"]}, "model": {"type": "string"},
                "output": {"type": "array"}, "usage": {"type": "object"},
            },
        },
        "Model": {
            "type": "object", "required": ["id", "object", "created", "owned_by"],
            "properties": {
                "id": {"enum": model_names().collect::<Vec<_>>()}, "object": {"const": "model"},
                "created": {"type": "integer"}, "owned_by": {"const": "qanda"},
            },
        },
        "Models": list(of("Model")),
        "Embeddings": list(json!({
            "type": "object", "required": ["object", "index", "embedding"],
            "properties": {
                "object": {"const": "embedding"}, "index": {"type": "integer"},
                "embedding": {"anyOf": [{"type": "array", "items": {"type": "number"}}, {"type": "string"}]},
            },
        })),
        "OpenAiError": {
            "type": "object", "required": ["error"],
            "properties": {"error": {
                "type": "object", "required": ["message", "type", "param", "code"],
                "properties": {
                    "message": {"type": "string"}, "type": {"type": "string"},
                    "param": {"type": ["string", "null"]}, "code": {"type": ["string", "null"]},
                },
            }},
        },
    })
}
