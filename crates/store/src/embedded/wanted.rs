use std::collections::HashSet;

/// Entries that a search may return.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Only this kind, if given.
    pub(super) kind: Option<i64>,
    /// Only these, if given.
    pub(super) among: Option<&'a HashSet<u64>>,
    /// Entries that are gone, and not returned.
    pub(super) removed: &'a HashSet<u64>,
}

impl Wanted<'_> {
    pub(super) fn allows(&self, id: u64, kind: i64) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.among.is_none_or(|among| among.contains(&id))
            && !self.removed.contains(&id)
    }

    /// Whether everything that is stored is allowed.
    pub(super) fn is_everything(&self) -> bool {
        self.kind.is_none() && self.among.is_none() && self.removed.is_empty()
    }
}
