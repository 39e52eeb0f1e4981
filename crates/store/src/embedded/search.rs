//! One search, from words and vector to passages.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use qanda_core::ports::{Hit, Mode, PairLink, SearchQuery};
use qanda_core::{Moment, Passage, Source, StoreError};
use rusqlite::Connection;

use super::vector::Vector;
use super::view::View;
use super::wanted::Wanted;
use super::{Inner, database, entries, failure, pairs, passages};
use crate::fusion::Candidate;

/// Candidates taken from each side: enough for fusion to find what both like, and for entries that have been
/// removed meanwhile not to be missed.
const CANDIDATES: usize = 100;

/// Finds passages, best first.
pub(super) fn search(inner: &Inner, query: &SearchQuery) -> Result<Vec<Hit>, StoreError> {
    inner.database.with(|connection| {
        let view = inner.fresh_view(connection)?;
        // One read transaction for all of it: one for each row costs more than reading the row.
        let connection = &*database::snapshot(connection)?;
        let kind = match (query.source, entries::has_pairs(connection)?) {
            (Source::Qa, false) => return Ok(Vec::new()),
            (Source::Qa, true) => Some(entries::PAIR),
            (Source::Context, true) => Some(entries::PASSAGE),
            (Source::Context, false) | (Source::All, _) => None,
        };
        let now = Moment::now();
        let (held_back, statements) = {
            let mut remembered = inner.held_back.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.at(connection, query.as_of.unwrap_or(now))?
        };
        let among = match query.filter.is_empty() {
            true => None,
            false => Some(inner.filters.matching(connection, view.state(), &query.filter)?),
        };
        let wanted = &Wanted { kind, among, removed: Arc::clone(&view.removed), held_back };
        let vector = Vector::from_f32(&query.vector);
        let ranked = match query.mode {
            Mode::Dense => dense(connection, &view, &vector, query, wanted)?,
            Mode::Lexical => view.lexical.search(&query.text, depth(query), wanted)?,
            Mode::Hybrid => inner.fusion.rank(&candidates(connection, &view, &vector, query, wanted)?),
        };
        let mut hits = hits(connection, &view, &vector, ranked, query.limit)?;
        let successors = statements.successors(now);
        hits.iter_mut().for_each(|hit| successors.tell(&mut hit.passage));
        Ok(hits)
    })
}

fn depth(query: &SearchQuery) -> usize {
    query.limit.max(CANDIDATES)
}

/// Below this many allowed entries their vectors are compared one by one: a graph of all of them would mostly
/// visit entries that are not allowed.
const FEW: u64 = 2_000;

fn dense(
    connection: &Connection,
    view: &View,
    vector: &Vector,
    query: &SearchQuery,
    wanted: &Wanted,
) -> Result<Vec<(u64, f32)>, StoreError> {
    match &wanted.among {
        Some(among) if among.len() <= FEW => {
            let allowed = among.iter().filter(|id| wanted.allows_of_any_kind(*id));
            let mut found = view.dense.cosines(connection, vector, allowed)?;
            if let Some(kind) = wanted.kind {
                found = entries::of_kind(connection, found, kind)?;
            }
            crate::fusion::sort(&mut found);
            found.truncate(depth(query));
            Ok(found)
        }
        _ => view.dense.search(vector, depth(query), wanted),
    }
}

/// From this many entries on, both sides together are worth a second thread: it takes some 50 µs of processor time
/// to start one, which a search of fewer entries does not take by words.
const WORTH_A_THREAD: u64 = 50_000;

/// The best of both sides, each with the scores of both.
fn candidates(
    connection: &Connection,
    view: &View,
    vector: &Vector,
    query: &SearchQuery,
    wanted: &Wanted,
) -> Result<Vec<Candidate>, StoreError> {
    let by_words = || view.lexical.search(&query.text, depth(query), wanted);
    let near = || dense(connection, view, vector, query, wanted);
    let (near, matching) = if view.lexical.indexed() + view.lexical.behind() < WORTH_A_THREAD {
        (near()?, by_words()?)
    } else {
        // The lexical side reads no SQLite, so it can run beside the dense one.
        let (near, matching) = std::thread::scope(|scope| {
            let matching = scope.spawn(by_words);
            (near(), matching.join())
        });
        let panicked = |_| StoreError::failed("searching the lexical index", "its thread panicked");
        (near?, matching.map_err(panicked)??)
    };
    let mut matching: HashMap<u64, f32> = matching.into_iter().collect();
    let mut candidate = |(id, cosine)| Candidate { id, cosine, bm25: matching.remove(&id).unwrap_or(0.0) };
    let mut candidates: Vec<Candidate> = near.into_iter().map(&mut candidate).collect();
    let only_matching: Vec<u64> = matching.keys().copied().collect();
    for (id, cosine) in view.dense.cosines(connection, vector, only_matching.into_iter())? {
        candidates.push(Candidate { id, cosine, bm25: matching[&id] });
    }
    Ok(candidates)
}

/// A passage, or a pair as one.
fn found(connection: &Connection, id: u64) -> Result<Option<(Passage, Option<PairLink>)>, StoreError> {
    if let Some(passage) = passages::passage(connection, id)? {
        return Ok(Some((passage, None)));
    }
    let pair = pairs::as_passage(connection, id).map_err(failure::failed("reading a pair"))?;
    Ok(pair.map(|(passage, link)| (passage, Some(link))))
}

/// Reads the passages of the best entries; those that are gone by now are passed over.
fn hits(
    connection: &Connection,
    view: &View,
    vector: &Vector,
    ranked: Vec<(u64, f32)>,
    limit: usize,
) -> Result<Vec<Hit>, StoreError> {
    let mut hits = Vec::with_capacity(limit);
    for (id, score) in ranked {
        if hits.len() == limit {
            break;
        }
        let Some((passage, pair)) = found(connection, id)? else { continue };
        let cosine = match vector.is_empty() {
            true => None,
            false => view.dense.cosine(connection, vector, id)?,
        };
        hits.push(Hit { passage, pair, score, cosine });
    }
    Ok(hits)
}
