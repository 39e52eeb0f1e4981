use std::collections::HashSet;
use std::sync::Arc;

use roaring::RoaringTreemap;

/// Entries that a search may return.
#[derive(Clone)]
pub(super) struct Wanted {
    /// Only this kind, if given.
    pub(super) kind: Option<i64>,
    /// Only these, if given.
    pub(super) among: Option<Arc<RoaringTreemap>>,
    /// Entries that are gone, and not returned.
    pub(super) removed: Arc<HashSet<u64>>,
    /// Entries of documents that do not hold at the moment that is asked about.
    pub(super) held_back: Arc<RoaringTreemap>,
}

impl Wanted {
    pub(super) fn allows(&self, id: u64, kind: i64) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind) && self.allows_of_any_kind(id)
    }

    /// Whether an entry is allowed, if its kind is.
    pub(super) fn allows_of_any_kind(&self, id: u64) -> bool {
        self.among.as_ref().is_none_or(|among| among.contains(id)) && !self.leaves_out(id)
    }

    /// Whether an entry is gone or held back.
    pub(super) fn leaves_out(&self, id: u64) -> bool {
        self.removed.contains(&id) || self.held_back.contains(id)
    }

    /// How many entries are gone or held back, at most.
    pub(super) fn left_out(&self) -> usize {
        self.removed.len().saturating_add(usize::try_from(self.held_back.len()).unwrap_or(usize::MAX))
    }

    /// Whether everything that is stored is allowed.
    pub(super) fn is_everything(&self) -> bool {
        self.kind.is_none() && self.among.is_none() && self.removed.is_empty() && self.held_back.is_empty()
    }
}
