use serde_json::{Map, Value, json};

/// Text that the mock model says where nobody chose another.
pub(super) const PROSE: &str = "This answer was written by the mock model, which knows nothing and always says the same. \
Most adults should follow the advice that their own documents give.";

/// Schemas that name themselves would never end.
const DEEPEST: usize = 16;

/// So many words of a text, which starts again when it ends.
pub(super) fn prose(text: &str, words: usize) -> String {
    text.split_whitespace().cycle().take(words).collect::<Vec<_>>().join(" ")
}

/// Answer in the form that a request asks for: prose, or a JSON object.
pub(super) fn answer(request: &Value, prose: &str) -> String {
    let form = &request["response_format"];
    match form["type"].as_str() {
        Some("json_schema") => {
            let schema = &form["json_schema"]["schema"];
            value(schema, schema, prose, 0).to_string()
        }
        Some("json_object") => json!({"answer": prose, "reasoning": prose}).to_string(),
        _ => prose.to_owned(),
    }
}

/// A value that a JSON schema accepts, as small as possible.
fn value(schema: &Value, root: &Value, prose: &str, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    let inner = |schema: &Value| value(schema, root, prose, depth + 1);
    if let Some(path) = schema["$ref"].as_str() {
        return root.pointer(path.trim_start_matches('#')).map_or(Value::Null, inner);
    }
    if let Some(only) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return only.clone();
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return choices.iter().find(|choice| choice["type"] != "null").map_or(Value::Null, inner);
        }
    }
    match kind(schema) {
        Some("object") => Value::Object(object(schema, inner)),
        Some("array") => {
            let length = schema["minItems"].as_u64().unwrap_or(1).clamp(1, 64);
            (0..length).map(|_| inner(&schema["items"])).collect()
        }
        Some("string") => Value::from(prose),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => Value::Bool(true),
        _ => Value::Null,
    }
}

/// The fields that must be there; all of them where the schema does not say.
fn object(schema: &Value, inner: impl Fn(&Value) -> Value) -> Map<String, Value> {
    let fields = schema["properties"].as_object();
    let required = schema["required"].as_array();
    let wanted = |name: &str| required.is_none_or(|names| names.iter().any(|n| n == name));
    let wanted = fields.into_iter().flatten().filter(|(name, _)| wanted(name));
    wanted.map(|(name, schema)| (name.clone(), inner(schema))).collect()
}

/// The type of a schema; of several the first that is something.
fn kind(schema: &Value) -> Option<&str> {
    match &schema["type"] {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ if schema.get("properties").is_some() => Some("object"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PROSE, answer, prose};

    fn shaped(schema: &Value) -> Value {
        let format = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
        serde_json::from_str(&answer(&json!({"response_format": format}), "so it is")).expect("JSON")
    }

    #[test]
    fn prose_has_the_length_that_was_asked_for() {
        for words in [0, 1, 32, 500] {
            let answer = answer(&json!({}), &prose(PROSE, words));
            assert_eq!(answer.split_whitespace().count(), words);
        }
    }

    #[test]
    fn a_schema_is_filled() {
        let pair = json!({"type": "object", "required": ["question"], "properties": {
            "question": {"type": "string"}, "note": {"type": "string"}}});
        let found = shaped(&json!({
            "type": "object", "required": ["answer", "kind", "pairs", "score", "page"],
            "$defs": {"pair": pair},
            "properties": {
                "answer": {"type": "string"}, "kind": {"enum": ["a", "b"]}, "left_out": {"type": "string"},
                "pairs": {"type": "array", "items": {"$ref": "#/$defs/pair"}},
                "score": {"type": "number", "minimum": 0.5}, "page": {"type": ["null", "integer"]},
            },
        }));
        let expected = json!({"answer": "so it is", "kind": "a", "pairs": [{"question": "so it is"}],
            "score": 0.5, "page": 1});
        assert_eq!(found, expected);
    }

    #[test]
    fn a_schema_that_names_itself_ends() {
        let found = shaped(&json!({"type": "object", "properties": {"next": {"$ref": "#"}}}));
        assert!(found["next"].is_object());
    }

    #[test]
    fn any_object_has_answer_and_reasoning() {
        let found: Value =
            serde_json::from_str(&answer(&json!({"response_format": {"type": "json_object"}}), "so it")).expect("JSON");
        assert_eq!(found, json!({"answer": "so it", "reasoning": "so it"}));
    }
}
