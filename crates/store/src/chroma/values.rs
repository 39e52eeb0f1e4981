//! Metadata as Chroma keeps it: names with values of a few types.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Metadata of a record or of a collection.
pub(super) type Metadata = HashMap<String, Value>;

/// Changes to the metadata of a record: a new value, or none where the name goes. Chroma keeps what is not named.
pub(super) type MetadataChanges = HashMap<String, Option<Value>>;

/// A value of metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Texts(Vec<String>),
    /// Lists of numbers, sparse vectors and what later versions may bring. They are kept as they are.
    Other(serde_json::Value),
}

impl Value {
    /// The value as it is shown, where it can be.
    pub(super) fn in_words(&self) -> Option<String> {
        match self {
            Self::Bool(flag) => Some(flag.to_string()),
            Self::Int(number) => Some(number.to_string()),
            Self::Float(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
            Self::Texts(texts) => Some(texts.join(", ")),
            Self::Other(_) => None,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<usize> for Value {
    /// Numbers beyond those of Chroma, which no document reaches, become its largest.
    fn from(number: usize) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Metadata, MetadataChanges, Value};

    #[test]
    fn values_keep_their_types_and_a_change_to_nothing_is_null() {
        let sent = json!({"b": true, "i": 7, "f": 2023.5, "t": "x", "l": ["a", "b"], "n": [1, 2]});
        let read: Metadata = serde_json::from_value(sent.clone()).expect("metadata");
        assert_eq!(read["i"], Value::Int(7));
        assert_eq!(read["f"].in_words().as_deref(), Some("2023.5"));
        assert_eq!(read["l"].in_words().as_deref(), Some("a, b"));
        assert_eq!(read["n"].in_words(), None);
        assert_eq!(serde_json::to_value(&read).expect("JSON"), sent);
        let changes = MetadataChanges::from([("gone".to_owned(), None)]);
        assert_eq!(serde_json::to_value(&changes).expect("JSON"), json!({"gone": null}));
    }
}
