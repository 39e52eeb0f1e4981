//! The nearest records of one kind.
//!
//! Passages and pairs share a collection, and a server of one's own is slow to tell them apart: it gathers the ids of
//! all records that fulfil a condition before it looks at a vector. With 5,941 passages beside 3,490 pairs that was
//! 29 ms of 31; the 80 nearest of any kind take 7 ms. So we ask for more of any kind and keep what is wanted. What is
//! kept is the same as with the condition: the first of a longer list are the first.

use std::sync::atomic::{AtomicU32, Ordering};

use qanda_core::{Filter, Source, StoreError};

use super::conditions;
use super::connection::Connection;
use super::layout::{CONTEXT, QA, Record};

/// Most that are asked for, as many times those that are wanted. Beyond this the condition is cheaper.
const MOST: usize = 8;
/// Some more than the share tells, as it differs from question to question.
const MARGIN: f32 = 1.5;
/// So many searches with the condition, then one tries without: the collection may have changed.
const PATIENCE: u32 = 64;

/// How much of what is near to a question is of a kind, as learned from the searches so far.
pub(super) struct Share {
    /// The share's bits as a float.
    bits: AtomicU32,
    /// Searches since the last one that taught something.
    since: AtomicU32,
}

impl Default for Share {
    fn default() -> Self {
        Self { bits: AtomicU32::new(0.75_f32.to_bits()), since: AtomicU32::new(0) }
    }
}

impl Share {
    /// How many of any kind to ask for to have so many of this one; `None` if a condition is better.
    fn wide(&self, wanted: usize) -> Option<usize> {
        let share = f32::from_bits(self.bits.load(Ordering::Relaxed));
        let wide = (wanted as f32 * MARGIN / share).ceil() as usize;
        if wide <= wanted * MOST {
            return Some(wide);
        }
        let tries = self.since.fetch_add(1, Ordering::Relaxed) % PATIENCE == PATIENCE - 1;
        tries.then_some(wanted * MOST)
    }

    /// Down at once, as too few mean a second request, and up slowly.
    fn learn(&self, kept: usize, found: usize) {
        let seen = (kept as f32 / found.max(1) as f32).max(0.01);
        let known = f32::from_bits(self.bits.load(Ordering::Relaxed));
        let weight = if seen < known { 0.5 } else { 0.05 };
        // Two that learn at the same time may forget one of their lessons; another one follows.
        self.bits.store((known + weight * (seen - known)).to_bits(), Ordering::Relaxed);
    }
}

/// What was learned of both kinds.
#[derive(Default)]
pub(super) struct Shares {
    contexts: Share,
    pairs: Share,
}

/// The nearest records of what may be found, nearest first, with their cosines.
pub(super) async fn nearest(
    connection: &Connection,
    vector: &[f32],
    source: Source,
    filter: &Filter,
    wanted: usize,
) -> Result<Vec<(Record, f32)>, StoreError> {
    let any_kind = match source {
        Source::Context if filter.is_empty() => Some((CONTEXT, &connection.shares.contexts)),
        Source::Qa if filter.is_empty() => Some((QA, &connection.shares.pairs)),
        _ => None,
    };
    if let Some((kind, share)) = any_kind
        && let Some(found) = among_all(connection, vector, kind, share, wanted).await?
    {
        return Ok(found);
    }
    let condition = conditions::searched(source, filter);
    connection.nearest(vector, condition.as_ref(), wanted).await
}

/// The nearest of a kind among the nearest of any; `None` if too few of them are, so that there may be more.
async fn among_all(
    connection: &Connection,
    vector: &[f32],
    kind: &str,
    share: &Share,
    wanted: usize,
) -> Result<Option<Vec<(Record, f32)>>, StoreError> {
    let Some(wide) = share.wide(wanted) else { return Ok(None) };
    let mut found = connection.nearest(vector, None, wide).await?;
    let of_all = found.len();
    found.retain(|(record, _)| record.is(kind));
    share.learn(found.len(), of_all);
    let is_complete = found.len() >= wanted || of_all < wide;
    found.truncate(wanted);
    Ok(is_complete.then_some(found))
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn a_kind_that_is_rare_is_asked_for_by_condition_and_now_and_then_tried() {
        let share = Share::default();
        assert_eq!(share.wide(40), Some(80));
        for _ in 0..10 {
            share.learn(1, 80);
        }
        let tried: Vec<_> = (0..128).filter(|_| share.wide(40).is_some()).collect();
        assert_eq!(tried, [63, 127]);
    }

    #[test]
    fn a_kind_that_becomes_common_again_is_found_among_all() {
        let share = Share::default();
        share.learn(0, 320);
        share.learn(0, 320);
        let before = share.wide(40);
        for _ in 0..100 {
            share.learn(300, 320);
        }
        assert!(before.is_none_or(|wide| wide > 200), "{before:?}");
        assert!(share.wide(40).is_some_and(|wide| wide < 80));
    }
}
