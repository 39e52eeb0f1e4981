//! Which documents hold. Chroma compares no dates and no paths, so the documents that take the place of others are marked
//! to be listed quickly, and what does not hold is left out of what was found.

use std::sync::Arc;
use std::time::{Duration, Instant};

use qanda_core::ports::SearchQuery;
use qanda_core::validity::Period;
use qanda_core::{Moment, StoreError};
use tokio::sync::Mutex;

use super::conditions::is;
use super::connection::Connection;
use super::layout::{EMPTY, GUIDELINE, Record, SUPERSEDING};
use super::nearest;
use super::requests::Fields;
use super::values::Value;
use crate::validity::{Statement, Successors};

/// Time during which the list is not read again: others write to the collection, too.
const FRESH: Duration = Duration::from_secs(1);
/// Where too few of the nearest hold, so many times as many are asked for.
const DEEPER: usize = 4;
/// Most records that are asked for.
const DEEPEST: usize = 2_048;

/// What the documents state that take the place of others, remembered for a moment.
#[derive(Default)]
pub(super) struct Superseding(Mutex<Option<(Instant, Arc<Vec<Statement>>)>>);

/// What the documents state that take the place of others.
pub(super) async fn statements(connection: &Connection) -> Result<Arc<Vec<Statement>>, StoreError> {
    let kinds = connection.kinds();
    // Searches at the same time wait for one list.
    let mut known = kinds.superseding.0.lock().await;
    if let Some((_, statements)) = known.as_ref().filter(|(read, _)| read.elapsed() < FRESH) {
        return Ok(Arc::clone(statements));
    }
    let read = Instant::now();
    let firsts = connection.every(&is(SUPERSEDING, Value::Bool(true)), Fields::Metadata).await?;
    let stated = |first: &Record| Some(Statement::of(first.value(GUIDELINE)?, &first.facts()));
    let statements = Arc::new(firsts.iter().filter_map(stated).collect());
    *known = Some((read, Arc::clone(&statements)));
    Ok(statements)
}

/// After a change of our own the list is read again.
pub(super) async fn forget(connection: &Connection) {
    *connection.kinds().superseding.0.lock().await = None;
}

/// The nearest records that hold at a moment, nearest first, with their cosines.
pub(super) async fn nearest_that_hold(
    connection: &Connection,
    query: &SearchQuery,
    statements: &[Statement],
    at: Moment,
    wanted: usize,
) -> Result<Vec<(Record, f32)>, StoreError> {
    let successors = Successors::at(statements.iter(), at);
    let holds = |record: &Record| {
        let superseded = record.value(GUIDELINE).is_some_and(|path| successors.of(&path).is_some());
        !superseded && Period::of(&record.facts()).includes(at)
    };
    let mut depth = wanted;
    loop {
        let mut found = nearest::nearest(connection, &query.vector, query.source, &query.filter, depth).await?;
        let are_all = found.len() < depth;
        found.retain(|(record, _)| !record.is(EMPTY));
        let number = found.len();
        found.retain(|(record, _)| holds(record));
        if are_all || found.len() == number || found.len() >= wanted || depth >= DEEPEST {
            found.truncate(wanted);
            return Ok(found);
        }
        depth = (depth * DEEPER).min(DEEPEST);
    }
}
