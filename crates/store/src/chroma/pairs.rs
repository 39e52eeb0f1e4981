//! Question/answer pairs, and how they follow their documents.

use std::collections::{HashMap, HashSet};

use qanda_core::language::find_words;
use qanda_core::{EntryId, NewPair, Pair, StoreError};

use super::change::Change;
use super::conditions::{Condition, all, is, is_one_of};
use super::connection::Connection;
use super::layout::{self, CONTEXT, CONTEXT_ID, GUIDELINE, LOCATION, PART, QA, Record, SOURCE};
use super::requests::{BATCH, Fields};
use super::values::{Metadata, MetadataChanges};

/// Most records that are read to find the nearest of them here.
const COMPARED_HERE: usize = 64;

/// Stores pairs. One that names its document, but no passage, belongs to the passage in which its answer stands word
/// for word.
pub(super) async fn put(connection: &Connection, pairs: Vec<NewPair>) -> Result<(), StoreError> {
    // Chroma refuses a batch with an id twice; the last one counts.
    let mut seen = HashSet::new();
    let mut pairs: Vec<NewPair> = pairs.into_iter().rev().filter(|pair| seen.insert(pair.key.clone())).collect();
    pairs.reverse();
    let contexts = pairs.iter().filter_map(|pair| pair.context.as_ref()).map(|id| id.as_str().to_owned());
    let needed: HashSet<String> = contexts.chain(pairs.iter().map(|pair| pair.key.clone())).collect();
    let needed: Vec<String> = needed.into_iter().collect();
    let stored: HashMap<String, Record> = connection
        .by_id(&needed, Fields::Metadata)
        .await?
        .into_iter()
        .map(|record| (record.id.clone(), record))
        .collect();
    if let Some(pair) = pairs.iter().find(|pair| stored.get(&pair.key).is_some_and(|record| !record.is(QA))) {
        let cause =
            format!("the id \"{}\" belongs to a passage of the collection; give the pair another one", pair.key);
        return Err(StoreError::failed("storing pairs", cause));
    }
    let unlinked = pairs.iter().filter(|pair| pair.context.is_none());
    let named: HashSet<String> = unlinked.filter_map(|pair| pair.document.clone()).collect();
    let named = passages_of(connection, named.into_iter().collect()).await?;
    let records = pairs.into_iter().map(|pair| {
        let (about, document) = match (&pair.context, &pair.document) {
            // The passage may have gone while the pair was being written: then it stands for itself.
            (Some(context), _) => {
                let about = stored.get(context.as_str()).filter(|record| record.is(CONTEXT));
                (about, about)
            }
            (None, Some(path)) => {
                let of_it = || named.iter().filter(|record| record.value(GUIDELINE).as_ref() == Some(path));
                (of_it().find(|record| stands_in(&pair.answer, &record.text)), of_it().next())
            }
            (None, None) => (None, None),
        };
        layout::pair(pair, about, document)
    });
    connection.upsert(records.collect(), |id| stored.get(id)).await
}

/// All passages of documents by path.
async fn passages_of(connection: &Connection, paths: Vec<String>) -> Result<Vec<Record>, StoreError> {
    let mut found = Vec::new();
    for paths in paths.chunks(BATCH) {
        let conditions = [is(SOURCE, CONTEXT), is_one_of(GUIDELINE, paths.iter().cloned())];
        if let Some(condition) = all(conditions) {
            found.extend(connection.every(&condition, Fields::All).await?);
        }
    }
    Ok(found)
}

fn stands_in(answer: &str, text: &str) -> bool {
    find_words(text, answer, 0).is_some()
}

/// Removes pairs by key; returns how many there were.
pub(super) async fn remove(connection: &Connection, keys: Vec<String>) -> Result<usize, StoreError> {
    let stored = connection.by_id(&keys, Fields::Metadata).await?;
    // A key may be the id of a passage by mistake.
    let pairs: Vec<String> = stored.into_iter().filter(|record| record.is(QA)).map(|record| record.id).collect();
    let removed = pairs.len();
    connection.delete(pairs).await?;
    Ok(removed)
}

/// The pairs written for any of these passages, the nearest questions first. One request, or two if they are many.
pub(super) async fn written_for(
    connection: &Connection,
    contexts: Vec<EntryId>,
    vector: &[f32],
    limit: usize,
) -> Result<Vec<Pair>, StoreError> {
    if contexts.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    // Without a condition on the kind, which would cost more than all the rest (see `nearest`). A passage of another
    // client may bear its own id, so a few more are asked for.
    let enough = limit + contexts.len();
    let condition = is_one_of(CONTEXT_ID, contexts.into_iter().map(|id| id.as_str().to_owned()));
    let found = match vector.is_empty() {
        true => connection.page(Some(&condition), Fields::All, 0, enough).await?,
        false => nearest(connection, &condition, vector, enough).await?,
    };
    Ok(found.into_iter().filter(|record| record.is(QA)).take(limit).map(Record::into_pair).collect())
}

/// The nearest records that fulfil a condition which few fulfil. A server of one's own reads those, with their vectors,
/// in half the time that it takes to search among them.
async fn nearest(
    connection: &Connection,
    condition: &Condition,
    vector: &[f32],
    limit: usize,
) -> Result<Vec<Record>, StoreError> {
    let most = COMPARED_HERE.max(limit);
    let mut found = connection.with_vectors(condition, most).await?;
    if found.len() == most {
        let found = connection.nearest(vector, Some(condition), limit).await?;
        return Ok(found.into_iter().map(|(record, _)| record).collect());
    }
    let cosine = |other: &[f32]| vector.iter().zip(other).map(|(a, b)| a * b).sum::<f32>();
    found.sort_by(|(_, a), (_, b)| cosine(b).total_cmp(&cosine(a)));
    Ok(found.into_iter().take(limit).map(|(record, _)| record).collect())
}

/// Brings the pairs of changed documents in line with them. This comes before the passages go: as long as those are
/// there, a next try knows which pairs were theirs.
pub(super) async fn follow(connection: &Connection, changes: &[Change]) -> Result<(), StoreError> {
    let pairs = of(connection, changes).await?;
    let mut by_passage: HashMap<&str, &Change> = HashMap::new();
    let mut by_path: HashMap<&str, &Change> = HashMap::new();
    for change in changes {
        let kept = change.new.iter().flat_map(|new| &new.passages).map(|(id, _)| id);
        by_passage.extend(change.gone.iter().chain(kept).map(|id| (id.as_str(), change)));
        by_path.extend(change.paths.iter().map(|path| (path.as_str(), change)));
    }
    let shared = shared_paths(connection, changes, &pairs).await?;
    let (mut delete, mut update) = (Vec::new(), Vec::new());
    for pair in pairs {
        let context = pair.value(CONTEXT_ID);
        let path = pair.value(GUIDELINE).filter(|path| !shared.contains(path));
        let change = match &context {
            // Written for a passage that is not this document's, whatever the document is called.
            Some(context) => by_passage.get(context.as_str()),
            None => path.as_ref().and_then(|path| by_path.get(path.as_str())),
        };
        let Some(change) = change else { continue };
        match fate(&pair, context.as_deref(), change) {
            Fate::Delete => delete.push(pair.id),
            Fate::Change(changes) if changes.is_empty() => {}
            Fate::Change(changes) => update.push((pair.id, changes)),
        }
    }
    connection.update(update).await?;
    connection.delete(delete).await
}

enum Fate {
    Delete,
    Change(MetadataChanges),
}

fn fate(pair: &Record, context: Option<&str>, change: &Change) -> Fate {
    let Some(new) = &change.new else { return Fate::Delete };
    let gone = context.is_some_and(|id| change.gone.contains(id));
    if gone && pair.written_by().is_some() {
        return Fate::Delete;
    }
    let mut wanted = pair.metadata.clone();
    wanted.retain(|key, _| !change.old_facts.contains_key(key));
    wanted.extend(new.facts.clone());
    wanted.insert(GUIDELINE.to_owned(), new.path.as_str().into());
    if gone {
        wanted.remove(CONTEXT_ID);
    }
    if context.is_none() || gone {
        let found = new.passages.iter().find(|(_, text)| stands_in(&pair.answer(), text));
        wanted.extend(found.map(|(id, _)| (CONTEXT_ID.to_owned(), id.as_str().into())));
    }
    Fate::Change(difference(&pair.metadata, &wanted))
}

fn difference(old: &Metadata, new: &Metadata) -> MetadataChanges {
    let changed = new.iter().filter(|(key, value)| old.get(*key) != Some(*value));
    let changed = changed.map(|(key, value)| (key.clone(), Some(value.clone())));
    let gone = old.keys().filter(|key| !new.contains_key(*key)).map(|key| (key.clone(), None));
    changed.chain(gone).collect()
}

/// The pairs that name a changed document or one of its passages that go.
async fn of(connection: &Connection, changes: &[Change]) -> Result<Vec<Record>, StoreError> {
    let mut found = HashMap::new();
    let paths: Vec<String> = changes.iter().flat_map(|change| change.paths.iter().cloned()).collect();
    let gone: Vec<String> = changes.iter().flat_map(|change| change.gone.iter().cloned()).collect();
    for (key, values) in [(GUIDELINE, paths), (CONTEXT_ID, gone)] {
        for values in values.chunks(BATCH) {
            if let Some(condition) = all([is(SOURCE, QA), is_one_of(key, values.iter().cloned())]) {
                let pairs = connection.every(&condition, Fields::Metadata).await?;
                found.extend(pairs.into_iter().map(|record| (record.id.clone(), record)));
            }
        }
    }
    Ok(found.into_values().collect())
}

/// Paths of removed documents that documents elsewhere have as well: their pairs without a passage stay.
async fn shared_paths(
    connection: &Connection,
    changes: &[Change],
    pairs: &[Record],
) -> Result<HashSet<String>, StoreError> {
    let removed: HashSet<&String> = changes.iter().flat_map(|change| &change.gone).collect();
    let paths: HashSet<&String> =
        changes.iter().filter(|change| change.new.is_none()).flat_map(|change| &change.paths).collect();
    let free = pairs.iter().filter(|pair| !pair.metadata.contains_key(CONTEXT_ID));
    let doubtful: HashSet<String> =
        free.filter_map(|pair| pair.value(GUIDELINE)).filter(|path| paths.contains(path)).collect();
    let mut shared = HashSet::new();
    for paths in doubtful.into_iter().collect::<Vec<_>>().chunks(BATCH) {
        if let Some(condition) = all([is(PART, 0_usize), is_one_of(GUIDELINE, paths.iter().cloned())]) {
            let others = connection.every(&condition, Fields::Metadata).await?;
            let others = others
                .into_iter()
                .filter(|record| record.metadata.contains_key(LOCATION) && !removed.contains(&record.id));
            shared.extend(others.filter_map(|record| record.value(GUIDELINE)));
        }
    }
    Ok(shared)
}
