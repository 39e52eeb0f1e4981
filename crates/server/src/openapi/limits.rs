//! The limits of parameters, from where they are kept.

use qanda_core::document::DocumentState;
use serde_json::{Value, json};

use crate::wire::{MOST_LIMIT, USUAL_LIMIT};

/// Describes a parameter's values.
pub(super) fn set(parameter: &mut Value) {
    let schema = match parameter["name"].as_str() {
        Some("limit") => json!({"type": "integer", "minimum": 1, "maximum": MOST_LIMIT, "default": USUAL_LIMIT}),
        Some("state") => json!({"type": "string", "enum": DocumentState::ALL.map(DocumentState::as_str)}),
        Some("q" | "document" | "after") => json!({"type": "string"}),
        _ => return,
    };
    parameter["schema"] = schema;
}
