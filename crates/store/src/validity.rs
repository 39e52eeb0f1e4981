//! Which documents take the place of which: the same for every store.

use std::collections::HashMap;

use qanda_core::validity::{self, Period, SUPERSEDED_BY};
use qanda_core::{Metadata, Moment, Passage};

/// A document that states when it holds, or whose place it takes.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) path: String,
    pub(crate) period: Period,
    /// Paths that it may mean by the names that it states.
    supersedes: Vec<String>,
}

impl Statement {
    /// What the facts about the document at a path state.
    pub(crate) fn of(path: String, facts: &Metadata) -> Self {
        let meant = validity::supersedes(facts).flat_map(|name| validity::meant_by(&path, name));
        let supersedes = meant.filter(|old| *old != path).collect();
        Self { period: Period::of(facts), supersedes, path }
    }
}

/// Documents whose place others have taken at a moment: paths of the others, by their own.
#[derive(Debug, Default)]
pub(crate) struct Successors<'a>(HashMap<&'a str, &'a str>);

impl<'a> Successors<'a> {
    /// Finds them; of several that take the place of one, the last to begin.
    pub(crate) fn at(statements: impl Iterator<Item = &'a Statement>, moment: Moment) -> Self {
        let mut begun: Vec<&Statement> = statements.filter(|new| new.period.has_begun(moment)).collect();
        begun.sort_unstable_by_key(|new| (new.period.from, &new.path));
        let pairs = begun.iter().flat_map(|new| new.supersedes.iter().map(|old| (old.as_str(), new.path.as_str())));
        Self(pairs.collect())
    }

    /// The path of the document that has taken the place of another one.
    pub(crate) fn of(&self, path: &str) -> Option<&'a str> {
        self.0.get(path).copied()
    }

    /// The paths of all whose place was taken; some may not be stored.
    pub(crate) fn superseded(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().copied()
    }

    /// Adds to a passage's facts which document has taken the place of its own. A document that says so of itself is not
    /// believed: what takes its place may not be stored.
    pub(crate) fn tell(&self, passage: &mut Passage) {
        match self.of(&passage.document) {
            Some(successor) => passage.metadata.insert(SUPERSEDED_BY.to_owned(), successor.to_owned()),
            None => passage.metadata.remove(SUPERSEDED_BY),
        };
    }
}
