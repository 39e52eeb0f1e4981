//! A change of a document, as its pairs see it.

use std::collections::HashSet;

use super::values::Metadata;

/// A document whose passages are about to be replaced or removed.
pub(super) struct Change {
    /// Paths of the stored version and of the new one.
    pub(super) paths: HashSet<String>,
    /// Ids of the passages that go.
    pub(super) gone: HashSet<String>,
    /// Facts that the stored version knew of the document, under its keys.
    pub(super) old_facts: Metadata,
    /// The new version's passages; none where the document is removed.
    pub(super) new: Option<New>,
}

/// The new version of a document, as far as pairs need to know it.
pub(super) struct New {
    pub(super) path: String,
    pub(super) facts: Metadata,
    /// Id and text, in the order of the document.
    pub(super) passages: Vec<(String, String)>,
}
