//! Bodies as JSON Schema, with the limits that the service keeps.

use qanda_core::Question;
use qanda_core::document::DocumentState;
use serde_json::{Map, Value, json};

use super::schemas_of_openai as openai;
use crate::wire::{LONGEST_FACT, MOST_FACTS};

/// All schemas by name.
pub(super) fn all() -> Map<String, Value> {
    let mut schemas = Map::new();
    let parts = [questions(), answers(), documents(), jobs(), operation(), openai::requests(), openai::replies()];
    for part in parts {
        schemas.extend(part.as_object().cloned().unwrap_or_default());
    }
    schemas
}

/// A reference to a schema.
pub(super) fn of(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// The same schema for a value that may be null as well, which counts as left out.
fn or_null(mut schema: Value) -> Value {
    if let Some(kind) = schema["type"].as_str() {
        schema["type"] = json!([kind, "null"]);
    }
    if let Some(values) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        values.push(Value::Null);
    }
    schema
}

/// Metadata that documents must have.
pub(super) fn filter() -> Value {
    json!({
        "type": ["object", "null"], "maxProperties": Question::MOST_CONDITIONS,
        "propertyNames": {"maxLength": Question::LONGEST_CONDITION},
        "additionalProperties": {"type": ["string", "number", "boolean"], "maxLength": Question::LONGEST_CONDITION},
        "description": "Metadata that the documents must have", "examples": [{"topic": "diabetes"}],
    })
}

fn questions() -> Value {
    let n_results = json!({
        "type": "integer", "minimum": 1, "maximum": Question::MOST_RESULTS, "default": Question::DEFAULT_RESULTS,
        "description": "Passages to retrieve",
    });
    let turn = json!({
        "type": "object",
        "properties": {"role": {"enum": ["user", "assistant"]}, "content": {"type": "string"}},
        "required": ["role", "content"],
    });
    json!({
        "Question": {
            "type": "object",
            "properties": {
                "content": {"type": "string", "pattern": "\\S", "maxLength": Question::LONGEST_CONTENT, "examples": ["At what eGFR must metformin be stopped?"]},
                "query_option": {"type": ["boolean", "null"], "default": true, "description": "Search the documents, or ask the model alone"},
                "n_results": or_null(n_results),
                "source": or_null(json!({"type": "string", "enum": ["context", "QA", "all"], "default": "context", "description": "Passages, question/answer pairs, or both"})),
                "filter": filter(),
                "history": {"type": ["array", "null"], "maxItems": Question::MOST_TURNS, "items": turn, "description": "The turns before, oldest first"},
                "pipeline": or_null(json!({"type": "string", "enum": ["direct", "classic"]})),
                "as_of": {"type": ["string", "null"], "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": "Use what held on this day, instead of today"},
                "stream": {"type": ["boolean", "null"], "default": false, "description": "Send the answer as it is written, as server-sent events"},
            },
            "required": ["content"],
        },
    })
}

/// Fields of a place in a document.
fn place(more: Value) -> Value {
    let mut properties = json!({
        "passage_id": {"type": "string"},
        "document": {"type": "string", "description": "Path of the document"},
        "title": {"type": "string"},
        "headings": {"type": "array", "items": {"type": "string"}},
        "text": {"type": "string", "description": "The document's text from `start` to `end`"},
        "score": {"type": "number"},
        "start": {"type": "integer", "minimum": 0, "description": "In bytes of the document's text"},
        "end": {"type": "integer", "minimum": 0},
        "page": {"type": "integer", "minimum": 1},
    });
    if let (Some(properties), Value::Object(more)) = (properties.as_object_mut(), more) {
        properties.extend(more);
    }
    let required = ["passage_id", "document", "title", "headings", "text", "score", "start", "end"];
    json!({"type": "object", "properties": properties, "required": required})
}

fn answers() -> Value {
    let rank = json!({"type": ["integer", "null"], "minimum": 1});
    let span = json!({"type": "object", "properties": {"start": {"type": "integer"}, "end": {"type": "integer"}}, "required": ["start", "end"]});
    json!({
        "Answer": {
            "type": "object",
            "properties": {
                "answer": {"type": "string", "description": "[n] in it is the citation with that marker"},
                "answered": {"type": "boolean", "description": "False where the documents do not answer"},
                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                "reasoning": {"type": "string"},
                "citations": {"type": "array", "items": of("Citation")},
                "related": {"type": "array", "items": of("Place"), "description": "The nearest passages, of a refusal"},
                "unsupported": {"type": "array", "items": span, "description": "Statements that nothing backs, in bytes of `answer`"},
                "timings_ms": {"type": "object", "additionalProperties": {"type": "number"}},
                "calls": {"type": "integer"}, "prompt_tokens": {"type": "integer"}, "tokens": {"type": "integer"},
                "model": {"type": "string"}, "pipeline": {"type": "string"}, "cached": {"type": "boolean"},
                "finish": {"enum": ["stop", "length", "cancelled"]},
            },
            "required": ["answer", "answered", "citations", "related", "unsupported", "timings_ms", "calls", "prompt_tokens", "tokens", "model", "pipeline", "finish", "cached"],
        },
        "Place": place(json!({})),
        "Citation": place(json!({"marker": {"type": "integer", "minimum": 1}})),
        "Hits": {
            "type": "object", "required": ["hits"],
            "properties": {"hits": {"type": "array", "items": place(json!({
                "ranks": {"type": "object", "properties": {"dense": rank, "lexical": rank}},
                "read": {"type": "boolean", "description": "Whether it is near enough to be read for an answer"},
            }))}},
        },
    })
}

fn documents() -> Value {
    let cursor = json!({"type": ["string", "null"], "description": "`after` of the next page; null at the end"});
    let text = json!({"type": ["string", "null"]});
    let scalar = json!({"type": ["string", "number", "boolean"], "maxLength": LONGEST_FACT});
    let facts = json!({
        "type": "object", "maxProperties": MOST_FACTS, "propertyNames": {"minLength": 1, "maxLength": LONGEST_FACT},
        "additionalProperties": scalar,
    });
    json!({
        "Document": {
            "type": "object",
            "properties": {
                "id": {"type": "string"}, "document": {"type": "string", "description": "The path that citations name"},
                "title": {"type": "string"}, "origin": {"enum": ["upload", "folder"]},
                "state": {"enum": DocumentState::ALL.map(DocumentState::as_str)},
                "media_type": text, "language": text, "passages": {"type": "integer"}, "pairs": {"type": "integer"},
                "pages": {"type": ["integer", "null"]}, "metadata": {"type": "object"},
                "valid_from": text, "valid_until": text, "superseded_by": text,
            },
            "required": ["id", "document", "title", "origin", "state", "passages", "pairs", "metadata"],
        },
        "Documents": {
            "type": "object", "required": ["documents", "next", "writable"],
            "properties": {
                "documents": {"type": "array", "items": of("Document")}, "next": cursor,
                "writable": {"type": "boolean", "description": "Whether this caller may change documents"},
            },
        },
        "DocumentPage": {
            "type": "object", "required": ["page", "pages", "start", "end", "text"],
            "properties": {
                "page": {"type": "integer"}, "pages": {"type": "integer"}, "start": {"type": "integer"},
                "end": {"type": "integer"}, "text": {"type": "string"},
            },
        },
        "Passages": {
            "type": "object", "required": ["passages", "next"],
            "properties": {"next": cursor, "passages": {"type": "array", "items": {
                "type": "object", "required": ["id", "headings", "text", "start", "end"],
                "properties": {
                    "id": {"type": "string"}, "headings": {"type": "array", "items": {"type": "string"}},
                    "text": {"type": "string"}, "start": {"type": "integer"}, "end": {"type": "integer"},
                    "page": {"type": ["integer", "null"]},
                },
            }}},
        },
        "WrittenDocument": {
            "type": "object", "required": ["document", "text"],
            "properties": {
                "document": {"type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]+$", "description": "Its name", "examples": ["notes/plan.md"]},
                "text": {"type": "string"}, "metadata": facts,
            },
        },
        "UploadedDocuments": {
            "type": "object", "required": ["file"],
            "properties": {
                "file": {"type": "array", "minItems": 1, "items": {"type": "string", "contentMediaType": "application/octet-stream"}},
                "metadata": facts,
            },
        },
    })
}

/// One event of a stream.
pub(super) fn event() -> Value {
    json!({
        "type": "object",
        "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
        "description": "Events, one after the other; their data is JSON",
    })
}

fn jobs() -> Value {
    json!({
        "Job": {
            "type": "object",
            "properties": {
                "id": {"type": "string"}, "state": {"enum": ["queued", "running", "done", "failed"]},
                "done": {"type": "integer"}, "total": {"type": "integer"},
                "documents": {"type": "array", "items": {"type": "string"}},
                "failures": {"type": "array", "items": {
                    "type": "object", "properties": {"document": {"type": "string"}, "reason": {"type": "string"}},
                    "required": ["document", "reason"],
                }},
                "created": {"type": "string"}, "ended": {"type": ["string", "null"]},
            },
            "required": ["id", "state", "done", "total", "documents", "failures", "created", "ended"],
        },
        "Jobs": {"type": "object", "properties": {"jobs": {"type": "array", "items": of("Job")}}, "required": ["jobs"]},
    })
}

fn operation() -> Value {
    let count = json!({"type": ["integer", "null"], "description": "Null where counting is not free"});
    json!({
        "Any": {},
        "Description": {"type": "object", "required": ["openapi", "info", "paths"]},
        "Health": {"type": "object", "properties": {"status": {"enum": ["ok", "ready"]}}, "required": ["status"]},
        "Status": {
            "type": "object", "required": ["documents", "passages", "pairs", "embedder", "model"],
            "properties": {
                "documents": count, "passages": count, "pairs": count,
                "embedder": {"type": ["string", "null"]}, "model": {"type": "string"},
            },
        },
        "Problem": {
            "type": "object", "required": ["type", "title", "status", "detail"],
            "properties": {
                "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                "detail": {"type": "string"}, "request_id": {"type": "string", "description": "Under which the log tells more"},
                "errors": {"type": "array", "description": "All fields that are wrong", "items": {
                    "type": "object", "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                    "required": ["field", "message"],
                }},
            },
        },
        "JsonRpc": {
            "type": "object", "required": ["jsonrpc"], "description": "A message of the Model Context Protocol",
            "properties": {"jsonrpc": {"const": "2.0"}, "method": {"type": "string"}},
        },
    })
}
