//! When documents hold, and which takes the place of which: facts that a document states about itself.

use crate::{Metadata, Moment, metadata};

/// Name of the fact that says from when on a document holds.
pub const VALID_FROM: &str = "valid_from";
/// Name of the fact that says until when a document holds.
pub const VALID_UNTIL: &str = "valid_until";
/// Name of the fact that says whose place a document takes: a list of paths, or a text with commas between them.
pub const SUPERSEDES: &str = "supersedes";
/// Name of the fact that a store adds to passages of a document whose place another one has taken: that one's path.
pub const SUPERSEDED_BY: &str = "superseded_by";

/// Time during which a document holds. What is not said, or cannot be read, is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Period {
    /// First moment.
    pub from: Option<Moment>,
    /// Last moment.
    pub until: Option<Moment>,
}

impl Period {
    /// The period that the facts about a document state.
    #[must_use]
    pub fn of(facts: &Metadata) -> Self {
        let read = |name: &str, read: fn(&str) -> Result<Moment, _>| facts.get(name).and_then(|date| read(date).ok());
        Self { from: read(VALID_FROM, Moment::first_of), until: read(VALID_UNTIL, Moment::last_of) }
    }

    /// Whether it holds at a moment.
    #[must_use]
    pub fn includes(&self, moment: Moment) -> bool {
        self.has_begun(moment) && self.until.is_none_or(|until| until >= moment)
    }

    /// Whether its first moment is past.
    #[must_use]
    pub fn has_begun(&self, moment: Moment) -> bool {
        self.from.is_none_or(|from| from <= moment)
    }
}

/// The facts among these that should be dates and are none, by name.
pub fn faults(facts: &Metadata) -> impl Iterator<Item = (&'static str, &str)> {
    [VALID_FROM, VALID_UNTIL].into_iter().filter_map(move |name| {
        let date = facts.get(name)?;
        Moment::first_of(date).is_err().then_some((name, date.as_str()))
    })
}

/// The names of the documents whose place one takes, as it states them. A text that is no list, such as a property of an
/// office file, may have commas between them.
pub fn supersedes(facts: &Metadata) -> impl Iterator<Item = &str> {
    let names = facts.get(SUPERSEDES).map_or("", String::as_str);
    let between = if metadata::is_list(names) { metadata::SEPARATOR } else { ',' };
    names.split(between).map(str::trim).filter(|name| !name.is_empty())
}

/// Paths that a document at `path` may mean by such a name: a bare name is a document beside it, one with folders counts
/// from its own folder or from where all paths do.
#[must_use]
pub fn meant_by(path: &str, name: &str) -> Vec<String> {
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in name.split('/') {
        match part {
            "." => {}
            ".." if !parts.is_empty() => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let beside = parts.join("/");
    if name.contains('/') && name != beside { vec![beside, name.to_owned()] } else { vec![beside] }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(given: &[(&str, &str)]) -> Metadata {
        given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn at(date: &str) -> Moment {
        date.parse().expect("a date")
    }

    #[test]
    fn a_document_holds_from_its_first_day_to_the_end_of_its_last() {
        let year = Period::of(&facts(&[("valid_from", "2026-01-01"), ("valid_until", "2026-12-31")]));
        for (moment, holds) in [
            ("2025-12-31T23:59:59Z", false),
            ("2026-01-01", true),
            ("2026-12-31T23:59:59Z", true),
            ("2027-01-01", false),
        ] {
            assert_eq!(year.includes(at(moment)), holds, "{moment}");
        }
        assert_eq!(Period::of(&facts(&[("valid_until", "soon")])), Period::default());
        let faulty = facts(&[("valid_from", "2026-01-01"), ("valid_until", "soon")]);
        assert_eq!(faults(&faulty).collect::<Vec<_>>(), [("valid_until", "soon")]);
    }

    #[test]
    fn names_count_from_the_folder_of_who_states_them() {
        assert_eq!(meant_by("a/new.md", "old.md"), ["a/old.md"]);
        assert_eq!(meant_by("new.md", "old.md"), ["old.md"]);
        assert_eq!(meant_by("a/new.md", "../b/./old.md"), ["b/old.md", "../b/./old.md"]);
        assert_eq!(meant_by("a/new.md", "b/old.md"), ["a/b/old.md", "b/old.md"]);
        assert_eq!(meant_by("/docs/new.md", "old.md"), ["/docs/old.md"]);
        let names = |stated: &str| supersedes(&facts(&[("supersedes", stated)])).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(names("a.md, b c.md,"), ["a.md", "b c.md"]);
        assert_eq!(names(&metadata::list(["a, b.md", "c.md"])), ["a, b.md", "c.md"]);
    }
}
