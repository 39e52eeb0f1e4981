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

use std::collections::HashMap;

use qanda_core::{Filter, Source, StoreError};

use super::conditions;
use super::connection::Connection;
use super::kinds::Knowledge;
use super::layout::{CONTEXT, QA, Record, SOURCE};
use super::requests::{BATCH, Fields};

/// Most records that one search reads to learn of what kind they are.
const READ_TO_LEARN: usize = BATCH;
/// Ids in one page of a list, and most pages.
const PAGE: usize = 5_000;
const PAGES: usize = 20;

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
        list(connection, other, knowledge).await?;
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
    while found.len() < wanted && unread.peek().is_some() && read < READ_TO_LEARN {
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
    let records = connection.by_id(&ids, Fields::All).await?;
    let (of_kind, others): (Vec<Record>, Vec<Record>) = records.into_iter().partition(|record| record.is(kind));
    knowledge.learn(&others);
    let mut by_id: HashMap<String, Record> = of_kind.into_iter().map(|record| (record.id.clone(), record)).collect();
    Ok(places.iter().filter_map(|place| Some((*place, by_id.remove(&near[*place].0)?))).collect())
}

/// Lists the records of the other kind, once. Searches at the same time do not wait for it, and where the server
/// refuses, they learn from what they read.
async fn list(connection: &Connection, other: &str, knowledge: &Knowledge) -> Result<(), StoreError> {
    // A search that is given up while it lists leaves it to the next one.
    let Ok(mut listed) = knowledge.listed.try_lock() else { return Ok(()) };
    if *listed {
        return Ok(());
    }
    let condition = conditions::is(SOURCE, other);
    for page in 0..PAGES {
        match connection.page(Some(&condition), Fields::Ids, page * PAGE, PAGE).await {
            Ok(page) => {
                knowledge.learn(&page);
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
