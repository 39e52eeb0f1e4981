//! Storing and removing documents without transactions.
//!
//! A document is stored in four steps, and only the last says that it is there:
//!
//! 1. **Write** its passages, the first one first and without the fingerprint.
//! 2. **Follow** with its pairs: those of passages that went are deleted or set free.
//! 3. **Sweep** the passages that only the version before had.
//! 4. **Seal**: give the first passage the fingerprint.
//!
//! Whoever stops in between leaves a first passage without a fingerprint, or two first passages that disagree;
//! [`fingerprints`] reports both as a fingerprint that no file has, so the next ingest stores the document again, and
//! finds and sweeps what was left over. A search finds the document at every moment, in between perhaps both
//! versions of it.

use std::collections::{HashMap, HashSet};

use chroma::types::UpdateMetadata;
use qanda_core::{NewDocument, StoreError};

use super::conditions::{is, is_one_of};
use super::connection::Connection;
use super::layout::{self, FINGERPRINT, GUIDELINE, LOCATION, PART, Record};
use super::pairs;
use super::requests::{BATCH, Wanted, set};

/// A document whose passages are about to be replaced or removed.
pub(super) struct Change {
    /// Paths of the stored version and of the new one.
    pub(super) paths: HashSet<String>,
    /// Ids of the passages that go.
    pub(super) gone: HashSet<String>,
    /// What the stored version knew of the document, under its keys.
    pub(super) old_facts: chroma::types::Metadata,
    /// The new version's passages; none where the document is removed.
    pub(super) new: Option<New>,
}

/// What pairs need to know of the new version.
pub(super) struct New {
    pub(super) path: String,
    pub(super) facts: chroma::types::Metadata,
    /// Id and text, in the order of the document.
    pub(super) passages: Vec<(String, String)>,
}

/// Stores documents.
pub(super) async fn put(connection: &Connection, documents: Vec<NewDocument>) -> Result<(), StoreError> {
    let documents = last_of_each(documents);
    let stored = stored(connection, documents.iter().map(|new| new.document.location.clone()).collect()).await?;
    let mut by_location: HashMap<String, Vec<&Record>> = HashMap::new();
    for record in stored.values() {
        by_location.entry(record.value(LOCATION).unwrap_or_default()).or_default().push(record);
    }
    let (mut records, mut changes, mut seals) = (Vec::new(), Vec::new(), Vec::new());
    for NewDocument { document, passages } in documents {
        let new = layout::passages(&document, passages, connection.dimension());
        let ids: HashSet<&str> = new.iter().map(|record| record.id.as_str()).collect();
        let old = by_location.remove(&document.location).unwrap_or_default();
        let paths = old.iter().filter_map(|record| record.value(GUIDELINE)).chain([document.path.clone()]);
        changes.push(Change {
            paths: paths.collect(),
            gone: old.iter().map(|record| &record.id).filter(|id| !ids.contains(id.as_str())).cloned().collect(),
            old_facts: old.first().map(|record| layout::facts_of(&record.facts())).unwrap_or_default(),
            new: Some(New {
                path: document.path.clone(),
                facts: layout::facts_of(&document.metadata),
                passages: new.iter().map(|record| (record.id.clone(), record.text.clone())).collect(),
            }),
        });
        if let Some(first) = new.first() {
            let fingerprint = UpdateMetadata::from([(FINGERPRINT.to_owned(), set(&document.fingerprint))]);
            seals.push((first.id.clone(), fingerprint));
        }
        records.extend(new);
    }
    connection.upsert(records, |id| stored.get(id)).await?;
    pairs::follow(connection, &changes).await?;
    connection.delete(changes.into_iter().flat_map(|change| change.gone).collect()).await?;
    connection.update(seals).await
}

/// Of documents with the same location the last.
fn last_of_each(documents: Vec<NewDocument>) -> Vec<NewDocument> {
    let mut seen = HashSet::new();
    let newest = documents.into_iter().rev().filter(|new| seen.insert(new.document.location.clone()));
    let mut documents: Vec<NewDocument> = newest.collect();
    documents.reverse();
    documents
}

/// Removes documents by location; returns how many there were. The first passages go last, so that an ingest knows a
/// document until the end, and removes it again.
pub(super) async fn remove(connection: &Connection, locations: Vec<String>) -> Result<usize, StoreError> {
    let stored = stored(connection, locations).await?;
    let mut changes: HashMap<String, Change> = HashMap::new();
    for record in stored.values() {
        let change = changes.entry(record.value(LOCATION).unwrap_or_default()).or_insert_with(|| Change {
            paths: HashSet::new(),
            gone: HashSet::new(),
            old_facts: HashMap::new(),
            new: None,
        });
        change.paths.extend(record.value(GUIDELINE));
        change.gone.insert(record.id.clone());
    }
    let removed = changes.len();
    pairs::follow(connection, &changes.into_values().collect::<Vec<_>>()).await?;
    let (first, rest): (Vec<_>, Vec<_>) = stored.into_values().partition(Record::is_first_part);
    for records in [rest, first] {
        connection.delete(records.into_iter().map(|record| record.id).collect()).await?;
    }
    Ok(removed)
}

/// What is stored of these locations, by id.
async fn stored(connection: &Connection, locations: Vec<String>) -> Result<HashMap<String, Record>, StoreError> {
    let mut stored = HashMap::new();
    for locations in locations.chunks(BATCH) {
        let found = connection.every(&is_one_of(LOCATION, locations.iter().cloned()), Wanted::Metadata).await?;
        stored.extend(found.into_iter().map(|record| (record.id.clone(), record)));
    }
    Ok(stored)
}

/// Fingerprint by location; an empty one for a document that is not stored whole.
pub(super) async fn fingerprints(connection: &Connection) -> Result<HashMap<String, String>, StoreError> {
    let mut fingerprints: HashMap<String, String> = HashMap::new();
    for record in connection.every(&is(PART, 0), Wanted::Metadata).await? {
        // Another client may call something else a part.
        let Some(location) = record.value(LOCATION) else { continue };
        let fingerprint = record.value(FINGERPRINT).unwrap_or_default();
        let known = fingerprints.entry(location).or_insert_with(|| fingerprint.clone());
        if *known != fingerprint {
            known.clear();
        }
    }
    Ok(fingerprints)
}
