//! Which entries of a set are looked at: a part of it, and a sample of that. Both are decided by a hash of the
//! entry's key, so that they stay the same when a set grows, and on every machine.

use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};

/// Part of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Part {
    /// The half that settings may be chosen by
    Development,
    /// The other half, which nothing may be chosen by
    HeldOut,
    /// All of it
    All,
}

/// Choice of entries of a set.
#[derive(Debug, Args)]
pub(super) struct Selection {
    /// Which part: a key (an id or a group) is for development when its SHA-256 begins with a byte below 128
    #[arg(long, value_enum, default_value = "all")]
    pub(super) part: Part,
    /// Most entries to take, chosen by another hash of their ids
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<usize>,
}

impl Part {
    /// Whether it has the entry with this key.
    fn has(self, key: &str) -> bool {
        let development = Sha256::digest(key)[0] < 128;
        match self {
            Self::Development => development,
            Self::HeldOut => !development,
            Self::All => true,
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::HeldOut => "held-out",
            Self::All => "all",
        }
    }
}

impl Selection {
    /// The entries that are looked at, in their order. `key` keeps together what must not be split.
    ///
    /// # Errors
    /// When none are left.
    pub(super) fn of<T>(
        &self,
        entries: Vec<T>,
        id: impl Fn(&T) -> &str,
        key: impl Fn(&T) -> &str,
    ) -> anyhow::Result<Vec<T>> {
        let mut chosen: Vec<(usize, T)> =
            entries.into_iter().filter(|entry| self.part.has(key(entry))).enumerate().collect();
        if let Some(limit) = self.limit {
            // Not the hash that parts the set: its lowest values are all of one part.
            chosen.sort_by_cached_key(|(_, entry)| Sha256::digest(format!("sample {}", id(entry))).to_vec());
            chosen.truncate(limit);
            chosen.sort_by_key(|(place, _)| *place);
        }
        anyhow::ensure!(!chosen.is_empty(), "no entry is left; choose another --part or a larger --limit");
        Ok(chosen.into_iter().map(|(_, entry)| entry).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(part: Part, limit: Option<usize>) -> Vec<String> {
        let entries = (0..1_000).map(|n| format!("q{n}")).collect();
        let selection = Selection { part, limit };
        selection.of(entries, |id| id, |id| id).expect("some are left")
    }

    #[test]
    fn the_halves_are_a_partition() {
        let (development, held_out) = (chosen(Part::Development, None), chosen(Part::HeldOut, None));
        assert_eq!(development.len() + held_out.len(), 1_000);
        assert!(development.iter().all(|id| !held_out.contains(id)));
        assert!((400..600).contains(&development.len()), "{}", development.len());
        // Known hashes: what is held out today is held out for ever.
        assert_eq!(development[..4], ["q0", "q3", "q4", "q5"]);
        assert_eq!(held_out[..2], ["q1", "q2"]);
    }

    #[test]
    fn a_sample_is_of_both_halves_and_keeps_the_order() {
        let sample = chosen(Part::All, Some(100));
        assert_eq!(sample, chosen(Part::All, Some(100)));
        let of_development = chosen(Part::Development, None).iter().filter(|id| sample.contains(id)).count();
        assert!((25..=75).contains(&of_development), "{of_development}");
        let numbers: Vec<usize> = sample.iter().map(|id| id[1..].parse().expect("a number")).collect();
        assert!(numbers.is_sorted() && numbers.len() == 100);
        // A larger sample holds the smaller one.
        let larger = chosen(Part::All, Some(200));
        assert!(sample.iter().all(|id| larger.contains(id)));
    }

    #[test]
    fn what_belongs_together_is_not_split() {
        let entries: Vec<(String, String)> = (0..100).map(|n| (format!("a{n}"), format!("g{}", n / 10))).collect();
        let selection = Selection { part: Part::HeldOut, limit: None };
        let left = selection.of(entries, |(id, _)| id, |(_, group)| group).expect("some are left");
        assert!(left.len().is_multiple_of(10));
    }
}
