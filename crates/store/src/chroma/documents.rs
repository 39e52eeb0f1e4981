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
//! [`versions`] reports both as a version without a fingerprint, so the next ingest stores the document again, and
//! finds and sweeps what was left over. A search finds the document at every moment, in between perhaps both
//! versions of it.

use std::collections::{HashMap, HashSet};

use qanda_core::document::{Details, StoredDocument, StoredVersion};
use qanda_core::ports::{DocumentQuery, Page};
use qanda_core::{DocumentId, Moment, NewDocument, Passage, StoreError};

use super::change::{Change, New};
use super::conditions::{is, is_one_of};
use super::connection::Connection;
use super::layout::{self, CONTEXT, FINGERPRINT, GUIDELINE, LOCATION, PART, QA, Record};
use super::pairs;
use super::requests::{BATCH, Fields, place_after};
use super::validity;
use super::values::MetadataChanges;
use crate::validity::Successors;

/// Stores documents.
pub(super) async fn put(connection: &Connection, documents: Vec<NewDocument>) -> Result<(), StoreError> {
    // Somebody may have made the collection anew, with another embedder.
    connection.check().await?;
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
            let fingerprint =
                MetadataChanges::from([(FINGERPRINT.to_owned(), Some(document.fingerprint.to_string().into()))]);
            seals.push((first.id.clone(), fingerprint));
        }
        records.extend(new);
    }
    connection.upsert(records, |id| stored.get(id)).await?;
    pairs::follow(connection, &changes).await?;
    connection.delete(changes.into_iter().flat_map(|change| change.gone).collect()).await?;
    connection.update(seals).await?;
    validity::forget(connection).await;
    Ok(())
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
    validity::forget(connection).await;
    Ok(removed)
}

/// Records of these locations, by id.
async fn stored(connection: &Connection, locations: Vec<String>) -> Result<HashMap<String, Record>, StoreError> {
    let mut stored = HashMap::new();
    for locations in locations.chunks(BATCH) {
        let found = connection.every(&is_one_of(LOCATION, locations.iter().cloned()), Fields::Metadata).await?;
        stored.extend(found.into_iter().map(|record| (record.id.clone(), record)));
    }
    Ok(stored)
}

/// Version by location; one without a fingerprint for a document that is not stored whole. One that has lost its first
/// part is known by its second.
pub(super) async fn versions(connection: &Connection) -> Result<HashMap<String, StoredVersion>, StoreError> {
    let mut versions: HashMap<String, StoredVersion> = HashMap::new();
    for record in connection.every(&is(PART, 0_usize), Fields::Metadata).await? {
        // Another client may call something else a part.
        let Some(location) = record.value(LOCATION) else { continue };
        let version = record.version();
        let known = versions.entry(location).or_insert_with(|| version.clone());
        if known.fingerprint != version.fingerprint {
            known.fingerprint = None;
        }
    }
    for record in connection.every(&is(PART, 1_usize), Fields::Metadata).await? {
        let Some(location) = record.value(LOCATION) else { continue };
        versions.entry(location).or_insert_with(|| StoredVersion { fingerprint: None, ..record.version() });
    }
    Ok(versions)
}

/// The folder that the paths of stored documents are relative to, as one of them shows it.
pub(super) async fn base_folder(connection: &Connection) -> Result<Option<String>, StoreError> {
    let versions = versions(connection).await?;
    let base = |(location, version): (&String, &StoredVersion)| {
        let folder = location.strip_suffix(version.path.as_str())?.strip_suffix('/')?;
        (!folder.is_empty()).then(|| folder.to_owned())
    };
    Ok(versions.iter().find_map(base))
}

/// A document by its id.
pub(super) async fn get(connection: &Connection, id: &DocumentId) -> Result<Option<StoredDocument>, StoreError> {
    let firsts = connection.every(&is(PART, 0_usize), Fields::Metadata).await?;
    let found = firsts.into_iter().find(|first| first.value(LOCATION).is_some_and(|location| id_of(&location) == *id));
    Ok(with_counts(connection, found.into_iter().collect()).await?.pop())
}

/// Documents page by page; those of another client, which have no location, are none of ours.
pub(super) async fn list(connection: &Connection, query: &DocumentQuery) -> Result<Page<StoredDocument>, StoreError> {
    let (limit, now) = (query.limit.clamp(1, BATCH), Moment::now());
    // A search may have to look at many for few.
    let batch = if query.is_all() { limit } else { BATCH };
    let (mut items, mut after) = (Vec::new(), query.after.clone());
    let statements = validity::statements(connection).await?;
    let successors = Successors::at(statements.iter(), now);
    loop {
        let (firsts, begin) = connection.list(&is(PART, 0_usize), Fields::Metadata, after.as_deref(), batch).await?;
        let (number, mut looked_at, mut wanted) = (firsts.len(), 0, Vec::new());
        for first in firsts {
            looked_at += 1;
            after = Some(place_after(begin + looked_at, &first));
            if document_of(&first, &successors).is_some_and(|document| query.admits(&document, now)) {
                wanted.push(first);
            }
            if items.len() + wanted.len() == limit {
                break;
            }
        }
        items.extend(with_counts(connection, wanted).await?);
        if looked_at == number && number < batch {
            return Ok(Page { items, next: None });
        }
        if items.len() == limit {
            return Ok(Page { items, next: after });
        }
    }
}

/// Passages of a document in the order of its text, page by page.
pub(super) async fn passages_of(
    connection: &Connection,
    id: &DocumentId,
    after: Option<&str>,
    limit: usize,
) -> Result<Page<Passage>, StoreError> {
    let from: usize = after.and_then(|part| part.parse().ok()).unwrap_or(0);
    let limit = limit.clamp(1, BATCH);
    let Some(document) = get(connection, id).await? else { return Ok(Page { items: Vec::new(), next: None }) };
    let mut records = connection.every(&is(LOCATION, document.location.as_str()), Fields::All).await?;
    records.retain(|record| record.is(CONTEXT));
    let part = |record: &Record| record.value(PART).and_then(|part| part.parse::<usize>().ok()).unwrap_or(0);
    records.sort_by_key(part);
    let next = (records.len() > from.saturating_add(limit)).then(|| (from + limit).to_string());
    let items = records.into_iter().skip(from).take(limit).map(Record::into_passage).collect();
    Ok(Page { items, next })
}

/// The documents of these first parts.
async fn with_counts(connection: &Connection, firsts: Vec<Record>) -> Result<Vec<StoredDocument>, StoreError> {
    let values = |key| firsts.iter().filter_map(move |record| record.value(key));
    let passages = count(connection, CONTEXT, LOCATION, values(LOCATION).collect()).await?;
    let pairs = count(connection, QA, GUIDELINE, values(GUIDELINE).collect()).await?;
    let counted = |document: StoredDocument| StoredDocument {
        passages: passages.get(&document.location).copied().unwrap_or(0),
        pairs: pairs.get(&document.path).copied().unwrap_or(0),
        ..document
    };
    let statements = validity::statements(connection).await?;
    let successors = Successors::at(statements.iter(), Moment::now());
    Ok(firsts.iter().filter_map(|first| document_of(first, &successors)).map(counted).collect())
}

/// The document of a first part, without its counts; none of a part that another client wrote.
fn document_of(first: &Record, successors: &Successors<'_>) -> Option<StoredDocument> {
    let location = first.value(LOCATION)?;
    let StoredVersion { path, title, fingerprint } = first.version();
    let document = StoredDocument {
        id: id_of(&location),
        passages: 0,
        pairs: 0,
        metadata: first.facts(),
        details: Details { superseded_by: successors.of(&path).map(str::to_owned), ..Details::default() },
        location,
        path,
        title,
        fingerprint,
    };
    Some(document.dated())
}

/// Records of a kind by the value that they have under a key.
async fn count(
    connection: &Connection,
    kind: &str,
    key: &str,
    values: Vec<String>,
) -> Result<HashMap<String, u64>, StoreError> {
    let mut counts = HashMap::new();
    for values in values.chunks(BATCH) {
        let records = connection.every(&is_one_of(key, values.iter().cloned()), Fields::Metadata).await?;
        for value in records.iter().filter(|record| record.is(kind)).filter_map(|record| record.value(key)) {
            *counts.entry(value).or_default() += 1;
        }
    }
    Ok(counts)
}

/// The id of a document: its location, short enough for an address.
fn id_of(location: &str) -> DocumentId {
    DocumentId::from(layout::id_of(&[location], 0))
}
