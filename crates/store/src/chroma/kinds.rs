//! What searches have learned of a collection: which records are of which kind, and how far the nearest of one kind
//! are behind the nearest of all (see `nearest`).

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use tokio::sync::Mutex;

use super::layout::Record;
use super::validity::Superseding;

/// Ids that are asked for at least, as many times the records that are wanted. They cost little.
const LEAST: usize = 8;
/// Most ids that are asked for. Beyond this the condition is cheaper.
const MOST: usize = 2_048;
/// So many searches with the condition, then one tries without: the collection may have changed.
const SEARCHES_BETWEEN_TRIES: usize = 64;
/// Records of the other kind that are remembered, 8 bytes each. When there are more, all are forgotten.
const MEMORY: usize = 1 << 20;

/// Knowledge about one kind from the searches so far.
#[derive(Default)]
pub(super) struct Knowledge {
    hasher: RandomState,
    /// Hashes of ids of records that are of another kind. An id does not change its kind in a collection's life.
    others: RwLock<HashSet<u64>>,
    /// Whether they were listed; locked while they are.
    pub(super) listed: Mutex<bool>,
    /// Number of the nearest that had to be looked at to have enough. 0 before the first search.
    reach: AtomicUsize,
    /// Searches that did without since the reach became too long.
    given_up: AtomicUsize,
}

/// Knowledge about both kinds of records in a collection.
#[derive(Default)]
pub(super) struct Kinds {
    pub(super) contexts: Knowledge,
    pub(super) pairs: Knowledge,
    /// What documents take the place of others.
    pub(super) superseding: Superseding,
}

impl Knowledge {
    /// Number of ids to ask for; `None` if a condition is better.
    pub(super) fn reach(&self, wanted: usize) -> Option<usize> {
        let reach = self.reach.load(Ordering::Relaxed).max(wanted * LEAST);
        if reach <= MOST {
            return Some(reach);
        }
        let tries =
            self.given_up.fetch_add(1, Ordering::Relaxed) % SEARCHES_BETWEEN_TRIES == SEARCHES_BETWEEN_TRIES - 1;
        tries.then_some(MOST.max(wanted))
    }

    /// So many of a reach were enough: a little more next time, and slowly less if it was less, as questions differ.
    pub(super) fn reached(&self, reach: usize, needed: usize) {
        let comfortable = (needed + needed / 4).min(MOST);
        let _ = self.reach.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| {
            // Another search may have made it longer.
            let known = if known > MOST { reach } else { known.max(reach) };
            Some(if comfortable > known { comfortable } else { known - (known - comfortable) / 128 })
        });
    }

    /// So many were asked for and came, and too few of them were of the kind. A longer reach leads to more, unless
    /// that was all: then the kind is rare, or the index, which is approximate, tells of no more.
    pub(super) fn fell_short(&self, reach: usize, came: usize) {
        let longer = if came == reach && reach < MOST { (reach * 2).min(MOST) } else { MOST + 1 };
        // Two at the same time make it longer once.
        self.reach.fetch_max(longer, Ordering::Relaxed);
    }

    /// Places of those that may be of the kind, nearest first.
    pub(super) fn pass_over(&self, near: &[(String, f32)]) -> Vec<usize> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = |(place, (id, _)): (usize, &(String, f32))| {
            (!others.contains(&self.hasher.hash_one(id.as_str()))).then_some(place)
        };
        near.iter().enumerate().filter_map(unknown).collect()
    }

    pub(super) fn learn(&self, others: &[Record]) {
        let hashes: Vec<u64> = others.iter().map(|record| self.hasher.hash_one(record.id.as_str())).collect();
        if hashes.is_empty() {
            return;
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if others.len() + hashes.len() > MEMORY {
            others.clear();
        }
        others.extend(hashes);
    }
}

#[cfg(test)]
mod tests {
    use super::{Knowledge, MOST, SEARCHES_BETWEEN_TRIES};

    #[test]
    fn the_reach_grows_until_the_condition_is_cheaper_and_is_tried_again_now_and_then() {
        let knowledge = Knowledge::default();
        for reach in [320, 640, 1_280, MOST] {
            assert_eq!(knowledge.reach(40), Some(reach));
            knowledge.fell_short(reach, reach);
        }
        let tried: Vec<_> = (0..2 * SEARCHES_BETWEEN_TRIES).filter(|_| knowledge.reach(40).is_some()).collect();
        assert_eq!(tried, [SEARCHES_BETWEEN_TRIES - 1, 2 * SEARCHES_BETWEEN_TRIES - 1]);
        knowledge.reached(MOST, 1_000);
        assert!(knowledge.reach(40).is_some_and(|reach| reach < MOST));
        // There are only so many records.
        knowledge.fell_short(320, 200);
        assert_eq!(knowledge.reach(40), None);
    }

    #[test]
    fn the_reach_follows_what_was_needed() {
        let knowledge = Knowledge::default();
        knowledge.reached(320, 320);
        assert_eq!(knowledge.reach(40), Some(400));
        for _ in 0..1_000 {
            let reach = knowledge.reach(5).expect("it is short");
            knowledge.reached(reach, 40);
        }
        assert!(knowledge.reach(5).is_some_and(|reach| (50..200).contains(&reach)), "{:?}", knowledge.reach(5));
        // One that began before others fell short does not undo what they taught.
        knowledge.fell_short(800, 800);
        knowledge.reached(160, 120);
        assert!(knowledge.reach(5).is_some_and(|reach| reach > 1_500), "{:?}", knowledge.reach(5));
    }
}
