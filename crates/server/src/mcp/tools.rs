//! The tools as clients list them. Their limits are those that the service keeps.

use std::sync::Arc;

use qanda_core::Question;
use qanda_core::document::DocumentState;
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::wire::{MOST_LIMIT, USUAL_LIMIT};

pub(super) const ASK: &str = "ask";
pub(super) const SEARCH: &str = "search";
pub(super) const GET_DOCUMENT: &str = "get_document";
pub(super) const LIST_DOCUMENTS: &str = "list_documents";

/// Bytes of a document's text that a call returns when it does not say.
pub(super) const USUAL_BYTES: usize = 20_000;
/// Most bytes of it.
pub(super) const MOST_BYTES: usize = 200_000;

/// All tools. None of them changes anything.
pub(super) fn all() -> Vec<Tool> {
    vec![
        tool(
            ASK,
            "Ask the documents",
            "Answers a question from the documents, with citations: [n] in the answer is the citation with that \
             marker. `answered` is false where the documents do not answer; `related` are then the nearest passages.",
            &question(json!({
                "pipeline": {"enum": ["direct", "classic"], "description": "The way in which it is answered"},
            })),
            &json!({
                "type": "object",
                "properties": {
                    "answer": {"type": "string"},
                    "answered": {"type": "boolean", "description": "Whether the documents answer the question"},
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                    "citations": {"type": "array", "items": place(&json!({"marker": {"type": "integer"}}))},
                    "related": {"type": "array", "items": place(&json!({}))},
                },
                "required": ["answer", "answered", "citations", "related"],
            }),
        ),
        tool(
            SEARCH,
            "Search the documents",
            "Finds the passages of the documents that are nearest to a question, best first, without answering it.",
            &question(json!({})),
            &json!({
                "type": "object",
                "properties": {"hits": {"type": "array", "items": place(&json!({
                    "read": {"type": "boolean", "description": "Whether it is near enough to be read for an answer"},
                }))}},
                "required": ["hits"],
            }),
        ),
        tool(
            GET_DOCUMENT,
            "Read a document",
            "The text of a document, in pieces where it is long. `start` and `end` of a citation count the same bytes.",
            &json!({
                "type": "object",
                "properties": {
                    "document": {"type": "string", "minLength": 1, "description": "Its path as citations name it, its id or its address"},
                    "start": {"type": "integer", "minimum": 0, "default": 0, "description": "First byte"},
                    "length": {"type": "integer", "minimum": 4, "maximum": MOST_BYTES, "default": USUAL_BYTES, "description": "Most bytes"},
                },
                "required": ["document"],
            }),
            &json!({
                "type": "object",
                "properties": {
                    "document": {"type": "string"}, "title": {"type": "string"}, "uri": {"type": "string"},
                    "text": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"},
                    "length": {"type": "integer", "description": "Bytes of the whole text"},
                    "next": {"type": ["integer", "null"], "description": "Where to go on"},
                },
                "required": ["document", "title", "uri", "text", "start", "end", "length", "next"],
            }),
        ),
        tool(
            LIST_DOCUMENTS,
            "List the documents",
            "The documents that can be searched, a page at a time.",
            &json!({
                "type": "object",
                "properties": {
                    "words": {"type": "string", "description": "Words that must all stand in the title or the path"},
                    "state": {"enum": DocumentState::ALL.map(DocumentState::as_str)},
                    "after": {"type": "string", "description": "`next` of the page before"},
                    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": USUAL_LIMIT},
                },
            }),
            &json!({
                "type": "object",
                "properties": {
                    "documents": {"type": "array", "items": {
                        "type": "object",
                        "properties": {
                            "id": {"type": "string"}, "document": {"type": "string"}, "title": {"type": "string"},
                            "uri": {"type": "string"}, "passages": {"type": "integer"},
                        },
                        "required": ["id", "document", "title", "uri"],
                    }},
                    "next": {"type": ["string", "null"]},
                },
                "required": ["documents", "next"],
            }),
        ),
    ]
}

fn tool(name: &'static str, title: &str, description: &'static str, input: &Value, output: &Value) -> Tool {
    let annotations = ToolAnnotations::with_title(title).read_only(true).open_world(false);
    let tool = Tool::new(name, description, object(input)).with_title(title).with_annotations(annotations);
    tool.with_raw_output_schema(object(output))
}

/// Arguments of a question, and more.
fn question(more: Value) -> Value {
    let mut schema = json!({
        "type": "object",
        "properties": {
            "question": {"type": "string", "minLength": 1, "maxLength": Question::LONGEST_CONTENT},
            "n_results": {
                "type": "integer", "minimum": 1, "maximum": Question::MOST_RESULTS,
                "default": Question::DEFAULT_RESULTS, "description": "Passages to retrieve",
            },
            "source": {
                "enum": ["context", "QA", "all"], "default": "context",
                "description": "Where to search: in passages, in question/answer pairs, or in both",
            },
            "filter": {
                "type": "object", "maxProperties": Question::MOST_CONDITIONS,
                "additionalProperties": {"type": ["string", "number", "boolean"]},
                "description": "Metadata that the documents must have",
            },
            "as_of": {"type": "string", "description": "Use what held on this day, like 2026-01-31, instead of today"},
            "history": {
                "type": "array", "maxItems": Question::MOST_TURNS,
                "description": "The turns before a follow-up question, oldest first",
                "items": {
                    "type": "object",
                    "properties": {"role": {"enum": ["user", "assistant"]}, "content": {"type": "string"}},
                    "required": ["role", "content"],
                },
            },
        },
        "required": ["question"],
    });
    if let (Some(properties), Value::Object(more)) = (schema["properties"].as_object_mut(), more) {
        properties.extend(more);
    }
    schema
}

/// A place in a document, and more.
fn place(more: &Value) -> Value {
    let mut properties = json!({
        "document": {"type": "string", "description": "Path of the document"},
        "title": {"type": "string"},
        "uri": {"type": "string", "description": "Address of the document as a resource"},
        "text": {"type": "string", "description": "The words, exactly as they stand there"},
        "start": {"type": "integer", "description": "First byte in the document's text"},
        "end": {"type": "integer"},
        "page": {"type": "integer"},
    });
    if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
        properties.extend(more.clone());
    }
    json!({"type": "object", "properties": properties, "required": ["document", "title", "uri", "text", "start", "end"]})
}

fn object(schema: &Value) -> Arc<JsonObject> {
    Arc::new(schema.as_object().cloned().unwrap_or_default())
}
