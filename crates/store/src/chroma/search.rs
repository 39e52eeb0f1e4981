//! One search, from words and vector to passages.

use qanda_core::document::with_context;
use qanda_core::ports::{Hit, Mode, SearchQuery};
use qanda_core::{Moment, StoreError};

use super::connection::Connection;
use super::layout::{QA, Record};
use super::{validity, words};
use crate::fusion::{Candidate, Fusion};
use crate::validity::Successors;

/// Candidates for a hybrid search: as many times the hits that are wanted, and at least so many.
const TIMES: usize = 4;
const AT_LEAST: usize = 40;

/// Finds passages and pairs, best first.
pub(super) async fn search(
    connection: &Connection,
    fusion: Fusion,
    query: &SearchQuery,
) -> Result<Vec<Hit>, StoreError> {
    if query.limit == 0 {
        return Ok(Vec::new());
    }
    let depth = match query.mode {
        Mode::Dense => query.limit,
        Mode::Hybrid => (query.limit * TIMES).max(AT_LEAST),
        Mode::Lexical => {
            let why = "Chroma compares vectors and cannot rank by words alone; ask for a dense or a hybrid search";
            return Err(StoreError::failed("searching by words", why));
        }
    };
    let (now, statements) = (Moment::now(), validity::statements(connection).await?);
    let at = query.as_of.unwrap_or(now);
    let found = validity::nearest_that_hold(connection, query, &statements, at, depth).await?;
    let ranked = match query.mode {
        Mode::Hybrid => fusion.rank(&candidates(&query.text, &found)),
        _ => (0..).zip(&found).map(|(place, (_, cosine))| (place, *cosine)).collect(),
    };
    let mut found: Vec<_> = found.into_iter().map(Some).collect();
    let hits = ranked.into_iter().filter_map(|(place, score)| {
        let (record, cosine) = found.get_mut(usize::try_from(place).ok()?)?.take()?;
        Some(hit(record, score, cosine))
    });
    let mut hits: Vec<Hit> = hits.take(query.limit).collect();
    let successors = Successors::at(statements.iter(), now);
    hits.iter_mut().for_each(|hit| successors.tell(&mut hit.passage));
    Ok(hits)
}

/// Records that were found, by their place, with the scores of both sides.
fn candidates(question: &str, found: &[(Record, f32)]) -> Vec<Candidate> {
    let texts: Vec<String> = found.iter().map(|(record, _)| words_of(record)).collect();
    let scored = found.iter().zip(words::scores(question, &texts));
    (0..).zip(scored).map(|(id, ((_, cosine), bm25))| Candidate { id, cosine: *cosine, bm25 }).collect()
}

/// The words that a record is found by: a pair's question, a passage under its headings.
fn words_of(record: &Record) -> String {
    if record.is(QA) {
        return record.text.clone();
    }
    let passage = record.clone().into_passage();
    with_context(&passage.title, &passage.headings, &passage.text)
}

fn hit(record: Record, score: f32, cosine: f32) -> Hit {
    let (passage, pair) = match record.is(QA) {
        true => {
            let (passage, link) = record.into_pair_hit();
            (passage, Some(link))
        }
        false => (record.into_passage(), None),
    };
    Hit { passage, pair, score, cosine: Some(cosine) }
}
