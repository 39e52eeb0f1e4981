//! Fields of a JSON object, read one by one: a field of the wrong type is a fault among others, not the end.

use qanda_core::FieldFault;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Faults of the fields read so far.
#[derive(Debug, Default)]
pub(super) struct Faults(pub(super) Vec<FieldFault>);

impl Faults {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldFault::new(field, message));
    }

    /// Whether a field, or a part of it, is wrong.
    pub(super) fn has(&self, field: &str) -> bool {
        let part_of =
            |named: &str| named.strip_prefix(field).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']));
        self.0.iter().any(|fault| part_of(&fault.field))
    }

    /// The value of a field; none where it was left out, or is not what it must be.
    pub(super) fn read<'a, T: Deserialize<'a>>(
        &mut self,
        field: &str,
        value: Option<&'a RawValue>,
        expected: &str,
    ) -> Option<T> {
        let value = value?;
        let read = serde_json::from_str(value.get());
        if read.is_err() {
            self.add(field, format!("is {}; it must be {expected}", shown(value)));
        }
        read.ok()
    }
}

/// Value of a fact; numbers and booleans are compared by the way they are written.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Text(String),
    Bool(bool),
    Number(serde_json::Number),
}

impl Scalar {
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// A value that is wrong, for people: numbers as they are, of others the type.
pub(super) fn shown(value: &RawValue) -> &str {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        Some(b't' | b'f') => "true or false",
        Some(b'n') => "null",
        _ if json.len() <= 40 => json,
        _ => "a number",
    }
}
