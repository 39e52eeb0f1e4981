//! The nearest records of one kind.
//!
//! Passages and pairs share a collection, and a server of one's own is slow to tell them apart: before it looks at a
//! vector it gathers the ids of all records that fulfil a condition. With 5,941 passages beside 3,490 pairs that was
//! 27 ms of 31, and it grows with the collection, while the ids of the 1,000 nearest records of any kind take 4 ms and
//! 40 records by id another 5. So:
//!
//! 1. **Know**: before the first search, list the ids of the other kind, which a server does fast.
//! 2. **Reach**: ask for the ids of as many records of any kind as the searches before needed.
//! 3. **Pass over** those that are known to be of the other kind.
//! 4. **Read** the first of the rest. They say what they are, so that what came later becomes known, too.
//!
//! Where this does not lead to enough of the kind, the condition does. Both ways find the same records: the nearest
//! ones of the kind are among the nearest of all, in the same order.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use qanda_core::{Filter, Source, StoreError};
use tokio::sync::Mutex;

use super::conditions;
use super::connection::Connection;
use super::layout::{CONTEXT, QA, Record, SOURCE};
use super::requests::{BATCH, Wanted};

/// Ids that are asked for at least, as many times the records that are wanted. They cost little.
const LEAST: usize = 8;
/// Most ids that are asked for. Beyond this the condition is cheaper.
const MOST: usize = 2_048;
/// Records that are read to learn of what kind they are, in one search.
const LESSONS: usize = BATCH;
/// So many searches with the condition, then one tries without: the collection may have changed.
const PATIENCE: usize = 64;
/// Ids in one page of a list, and most pages.
const PAGE: usize = 5_000;
const PAGES: usize = 20;
/// Records of the other kind that are remembered, 8 bytes each. When there are more, all are forgotten.
const MEMORY: usize = 1 << 20;

/// What the searches so far taught about one kind.
#[derive(Default)]
pub(super) struct Knowledge {
    hasher: RandomState,
    /// Hashes of ids of records that are of another kind. An id does not change its kind in a collection's life.
    others: RwLock<HashSet<u64>>,
    /// Whether they were listed; locked while they are.
    listed: Mutex<bool>,
    /// How many of the nearest had to be looked at to have enough. 0 before the first search.
    reach: AtomicUsize,
    /// Searches that did without since the reach became too long.
    given_up: AtomicUsize,
}

/// What was learned of both kinds in a collection.
#[derive(Default)]
pub(super) struct Kinds {
    contexts: Knowledge,
    pairs: Knowledge,
}

/// The nearest records of what may be found, nearest first, with their cosines.
pub(super) async fn nearest(
    connection: &Connection,
    vector: &[f32],
    source: Source,
    filter: &Filter,
    wanted: usize,
) -> Result<Vec<(Record, f32)>, StoreError> {
    let kinds = connection.kinds();
    let one_kind = match source {
        Source::Context if filter.is_empty() => Some((CONTEXT, QA, &kinds.contexts)),
        Source::Qa if filter.is_empty() => Some((QA, CONTEXT, &kinds.pairs)),
        _ => None,
    };
    if let Some((kind, other, knowledge)) = one_kind
        && let Some(reach) = knowledge.reach(wanted)
    {
        knowledge.list(connection, other).await?;
        if let Some(found) = among_all(connection, vector, kind, knowledge, reach, wanted).await? {
            return Ok(found);
        }
    }
    let condition = conditions::searched(source, filter);
    connection.nearest(vector, condition.as_ref(), wanted).await
}

/// The nearest of a kind among the nearest of all; `None` if they are too few.
async fn among_all(
    connection: &Connection,
    vector: &[f32],
    kind: &str,
    knowledge: &Knowledge,
    reach: usize,
    wanted: usize,
) -> Result<Option<Vec<(Record, f32)>>, StoreError> {
    let near = connection.nearest_ids(vector, reach).await?;
    let mut unread = knowledge.pass_over(&near).into_iter().peekable();
    let (mut found, mut read) = (Vec::new(), 0);
    while found.len() < wanted && unread.peek().is_some() && read < LESSONS {
        let next = (wanted - found.len()).max(wanted / 4);
        let next: Vec<usize> = unread.by_ref().take(next).collect();
        read += next.len();
        found.extend(read_of_kind(connection, &near, &next, kind, knowledge).await?);
    }
    tracing::debug!(kind, reach, read, found = found.len(), "searched among all kinds");
    if found.len() < wanted {
        // While some are unread, more reading in the next search leads further, not a longer reach.
        if unread.peek().is_none() {
            knowledge.fell_short(reach, near.len());
        }
        return Ok(None);
    }
    found.truncate(wanted);
    if let Some((place, _)) = found.last() {
        knowledge.reached(reach, place + 1);
    }
    Ok(Some(found.into_iter().map(|(place, record)| (record, near[place].1)).collect()))
}

/// The records of a kind at these places of `near`, in their order; the others are known from then on.
async fn read_of_kind(
    connection: &Connection,
    near: &[(String, f32)],
    places: &[usize],
    kind: &str,
    knowledge: &Knowledge,
) -> Result<Vec<(usize, Record)>, StoreError> {
    let ids: Vec<String> = places.iter().map(|place| near[*place].0.clone()).collect();
    let records = connection.by_id(&ids, Wanted::All).await?;
    let (of_kind, others): (Vec<Record>, Vec<Record>) = records.into_iter().partition(|record| record.is(kind));
    knowledge.learn(&others);
    let mut by_id: HashMap<String, Record> = of_kind.into_iter().map(|record| (record.id.clone(), record)).collect();
    Ok(places.iter().filter_map(|place| Some((*place, by_id.remove(&near[*place].0)?))).collect())
}

impl Knowledge {
    /// Lists what is of the other kind, once. Searches at the same time do not wait for it, and where the server
    /// refuses, they learn from what they read.
    async fn list(&self, connection: &Connection, other: &str) -> Result<(), StoreError> {
        // A search that is given up while it lists leaves it to the next one.
        let Ok(mut listed) = self.listed.try_lock() else { return Ok(()) };
        if *listed {
            return Ok(());
        }
        let condition = conditions::is(SOURCE, other);
        for page in 0..PAGES {
            match connection.page(Some(&condition), Wanted::Ids, page * PAGE, PAGE).await {
                Ok(page) => {
                    self.learn(&page);
                    if page.len() < PAGE {
                        break;
                    }
                }
                Err(away @ StoreError::Unavailable { .. }) => return Err(away),
                Err(_) => break,
            }
        }
        *listed = true;
        Ok(())
    }

    /// How many ids to ask for; `None` if a condition is better.
    fn reach(&self, wanted: usize) -> Option<usize> {
        let reach = self.reach.load(Ordering::Relaxed).max(wanted * LEAST);
        if reach <= MOST {
            return Some(reach);
        }
        let tries = self.given_up.fetch_add(1, Ordering::Relaxed) % PATIENCE == PATIENCE - 1;
        tries.then_some(MOST.max(wanted))
    }

    /// So many of a reach were enough: a little more next time, and slowly less if it was less, as questions differ.
    fn reached(&self, reach: usize, needed: usize) {
        let comfortable = (needed + needed / 4).min(MOST);
        let _ = self.reach.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |known| {
            // Another search may have made it longer.
            let known = if known > MOST { reach } else { known.max(reach) };
            Some(if comfortable > known { comfortable } else { known - (known - comfortable) / 128 })
        });
    }

    /// So many were asked for and came, and too few of them were of the kind. A longer reach leads to more, unless
    /// that was all: then the kind is rare, or the index, which is approximate, tells of no more.
    fn fell_short(&self, reach: usize, came: usize) {
        let longer = if came == reach && reach < MOST { (reach * 2).min(MOST) } else { MOST + 1 };
        // Two at the same time make it longer once.
        self.reach.fetch_max(longer, Ordering::Relaxed);
    }

    /// Places of those that may be of the kind, nearest first.
    fn pass_over(&self, near: &[(String, f32)]) -> Vec<usize> {
        let others = self.others.read().unwrap_or_else(PoisonError::into_inner);
        let unknown = |(place, (id, _)): (usize, &(String, f32))| {
            (!others.contains(&self.hasher.hash_one(id.as_str()))).then_some(place)
        };
        near.iter().enumerate().filter_map(unknown).collect()
    }

    fn learn(&self, others: &[Record]) {
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
    use super::{Knowledge, MOST, PATIENCE};

    #[test]
    fn the_reach_grows_until_the_condition_is_cheaper_and_is_tried_again_now_and_then() {
        let knowledge = Knowledge::default();
        for reach in [320, 640, 1_280, MOST] {
            assert_eq!(knowledge.reach(40), Some(reach));
            knowledge.fell_short(reach, reach);
        }
        let tried: Vec<_> = (0..2 * PATIENCE).filter(|_| knowledge.reach(40).is_some()).collect();
        assert_eq!(tried, [PATIENCE - 1, 2 * PATIENCE - 1]);
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
