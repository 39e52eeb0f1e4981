//! The requests that the store is made of, in our own words.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use qanda_core::StoreError;

use super::conditions::Condition;
use super::connection::Connection;
use super::failure;
use super::layout::{self, NewRecord, Record};
use super::values::MetadataChanges;
use super::wire::{Delete, Done, Found, Get, Got, Include, Query, Records, Space};

/// Records in one request. Chroma's cloud takes no more; a server of one's own takes 5,461.
pub(super) const BATCH: usize = 300;

/// Records in the smallest request, after which a slow server is given up.
const SMALLEST_BATCH: usize = 16;
/// Time until a batch that was slow is sent again, in parts; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Requests to list records: enough for ten million of them.
const MOST_REQUESTS: usize = 100_000;

/// Parts of a record that are wanted besides its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fields {
    Ids,
    Metadata,
    All,
}

impl Fields {
    const fn include(self) -> &'static [Include] {
        match self {
            Self::Ids => &[],
            Self::Metadata => &[Include::Metadatas],
            Self::All => &[Include::Metadatas, Include::Documents],
        }
    }
}

/// The place behind a record in a list: the offset there, and the record's id, by which the place is found again.
pub(super) fn place_after(offset: usize, record: &Record) -> String {
    format!("{offset}:{}", record.id)
}

impl Connection {
    /// The records nearest to a vector, nearest first, with their cosines as far as the space tells.
    pub(super) async fn nearest(
        &self,
        vector: &[f32],
        condition: Option<&Condition>,
        limit: usize,
    ) -> Result<Vec<(Record, f32)>, StoreError> {
        let include = &[Include::Metadatas, Include::Documents, Include::Distances];
        let Some((found, space)) = self.query(vector, condition, limit, include).await? else { return Ok(Vec::new()) };
        let mut texts = first(found.documents);
        let mut metadata = first(found.metadatas);
        let mut distances = first(found.distances);
        let records = first(Some(found.ids)).map(|id| {
            let record = Record {
                id,
                text: texts.next().flatten().unwrap_or_default(),
                metadata: metadata.next().flatten().unwrap_or_default(),
            };
            (record, space.cosine(distances.next().flatten().unwrap_or(f32::MAX)))
        });
        Ok(records.collect())
    }

    /// Ids of the records nearest to a vector, of whatever kind, nearest first, with their cosines.
    pub(super) async fn nearest_ids(&self, vector: &[f32], limit: usize) -> Result<Vec<(String, f32)>, StoreError> {
        let found = self.query(vector, None, limit, &[Include::Distances]).await?;
        let Some((found, space)) = found else { return Ok(Vec::new()) };
        let mut distances = first(found.distances);
        let cosine = |distance: Option<f32>| space.cosine(distance.unwrap_or(f32::MAX));
        Ok(first(Some(found.ids)).map(|id| (id, cosine(distances.next().flatten()))).collect())
    }

    async fn query(
        &self,
        vector: &[f32],
        condition: Option<&Condition>,
        limit: usize,
        include: &[Include],
    ) -> Result<Option<(Found, Space)>, StoreError> {
        let query = Query { query_embeddings: [vector], condition, n_results: limit, include };
        let query = &query;
        self.run("searching", |collection| async move {
            let found = self.api().records(&collection.id, "query", query).await?;
            Ok((found, collection.space()))
        })
        .await
    }

    /// Records that fulfil a condition, in the order in which they were first stored.
    pub(super) async fn page(
        &self,
        condition: Option<&Condition>,
        fields: Fields,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.get(None, condition, fields, Some((offset, limit))).await
    }

    /// All records that fulfil a condition, page by page, whatever is deleted meanwhile.
    pub(super) async fn every(&self, condition: &Condition, fields: Fields) -> Result<Vec<Record>, StoreError> {
        let (mut found, mut seen, mut offset) = (Vec::new(), HashSet::new(), 0);
        for _ in 0..MOST_REQUESTS {
            // Each page begins with the last record of the one before. If another one stands there, records before it
            // were deleted and the rest moved up: some of them may be missed, so it goes back.
            let page = self.page(Some(condition), fields, offset, BATCH).await?;
            if offset > 0 && page.first().is_none_or(|first| !seen.contains(&first.id)) {
                offset = offset.saturating_sub(BATCH);
                continue;
            }
            let last = page.len() < BATCH;
            found.extend(page.into_iter().filter(|record| seen.insert(record.id.clone())));
            if last {
                return Ok(found);
            }
            offset += BATCH - 1;
        }
        let message = "records are deleted faster than they can be listed; try again".to_owned();
        Err(StoreError::Unavailable { message, cause: None })
    }

    /// At most so many records that fulfil a condition, after a place ([`place_after`]), and the offset of the first.
    /// What is deleted meanwhile moves the rest up, but is not taken for it.
    pub(super) async fn list(
        &self,
        condition: &Condition,
        fields: Fields,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<Record>, usize), StoreError> {
        let place = after.and_then(|place| place.split_once(':'));
        let place = place.and_then(|(offset, last)| Some((offset.parse::<usize>().ok()?, last)));
        match place {
            None => Ok((self.page(Some(condition), fields, 0, limit).await?, 0)),
            Some((offset, last)) => {
                let (mut records, begin) = self.after(condition, fields, offset, last, limit).await?;
                records.truncate(limit);
                Ok((records, begin))
            }
        }
    }

    /// The records after one that stood before an offset, and the offset at which they stand now. Where that record is
    /// gone itself, the ones before the offset come again: rather twice than never.
    async fn after(
        &self,
        condition: &Condition,
        fields: Fields,
        offset: usize,
        last: &str,
        limit: usize,
    ) -> Result<(Vec<Record>, usize), StoreError> {
        let mut begin = offset.saturating_sub(1);
        loop {
            let page = self.page(Some(condition), fields, begin, limit + 1).await?;
            if let Some(at) = page.iter().position(|record| record.id == last) {
                let next = begin + at + 1;
                if at == 0 {
                    return Ok((page.into_iter().skip(1).collect(), next));
                }
                return Ok((self.page(Some(condition), fields, next, limit).await?, next));
            }
            if begin == 0 {
                let begin = offset.saturating_sub(limit);
                return Ok((self.page(Some(condition), fields, begin, limit).await?, begin));
            }
            begin = begin.saturating_sub(limit);
        }
    }

    /// Records by id, in an order of Chroma's.
    pub(super) async fn by_id(&self, ids: &[String], fields: Fields) -> Result<Vec<Record>, StoreError> {
        // Chroma refuses a list with an id twice.
        let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut found = Vec::new();
        for ids in ids.chunks(BATCH) {
            found.extend(self.get(Some(ids), None, fields, None).await?);
        }
        Ok(found)
    }

    /// The first records that fulfil a condition, with their vectors.
    pub(super) async fn with_vectors(
        &self,
        condition: &Condition,
        limit: usize,
    ) -> Result<Vec<(Record, Vec<f32>)>, StoreError> {
        let include = &[Include::Metadatas, Include::Documents, Include::Embeddings];
        let mut found = self.fetch(None, Some(condition), include, Some((0, limit))).await?;
        let vectors = found.embeddings.take().unwrap_or_default();
        Ok(records(found).zip(vectors).collect())
    }

    async fn get(
        &self,
        ids: Option<&[String]>,
        condition: Option<&Condition>,
        fields: Fields,
        window: Option<(usize, usize)>,
    ) -> Result<Vec<Record>, StoreError> {
        Ok(records(self.fetch(ids, condition, fields.include(), window).await?).collect())
    }

    /// Records; there are none where there is no collection.
    async fn fetch(
        &self,
        ids: Option<&[String]>,
        condition: Option<&Condition>,
        include: &[Include],
        window: Option<(usize, usize)>,
    ) -> Result<Got, StoreError> {
        let (offset, limit) = window.unzip();
        let get = &Get { ids, condition, limit, offset: offset.unwrap_or_default(), include };
        let found =
            self.run("reading", |collection| async move { self.api().records(&collection.id, "get", get).await });
        Ok(found.await?.unwrap_or_default())
    }

    /// Stores records; `old` finds what is stored of a record already. A batch that Chroma does not store in time is sent
    /// again in smaller ones, after a while: a server that is busy with its index needs longer for the same.
    pub(super) async fn upsert<'a>(
        &self,
        records: Vec<NewRecord>,
        old: impl Fn(&str) -> Option<&'a Record>,
    ) -> Result<(), StoreError> {
        let (mut rest, mut size, mut pause) = (records.as_slice(), BATCH, FIRST_PAUSE);
        while !rest.is_empty() {
            let (some, others) = rest.split_at(size.min(rest.len()));
            let mut batch = Records::default();
            for record in some {
                let old = old(&record.id).map(|record| &record.metadata);
                batch.metadatas.push(layout::changes(old, record.metadata.clone()));
                batch.ids.push(record.id.clone());
                batch.embeddings.push(record.vector.clone());
                batch.documents.push(record.text.clone());
            }
            match self.change("storing", "upsert", &batch).await {
                Ok(()) => rest = others,
                Err(error) if failure::was_slow(&error) && size > SMALLEST_BATCH => {
                    size = (size / 2).max(SMALLEST_BATCH);
                    tracing::warn!(records = size, "Chroma is slow to store; smaller batches are sent");
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Changes metadata of stored records, by id.
    pub(super) async fn update(&self, changes: Vec<(String, MetadataChanges)>) -> Result<(), StoreError> {
        for changes in changes.chunks(BATCH) {
            let (ids, metadatas) = changes.iter().cloned().unzip();
            self.change("changing", "update", &Records { ids, metadatas, ..Records::default() }).await?;
        }
        Ok(())
    }

    async fn change(&self, doing: &str, operation: &str, records: &Records) -> Result<(), StoreError> {
        self.write(doing, |collection| async move {
            let Done {} = self.api().records(&collection.id, operation, records).await?;
            Ok(())
        })
        .await
    }

    /// Deletes records by id.
    pub(super) async fn delete(&self, ids: Vec<String>) -> Result<(), StoreError> {
        for ids in ids.chunks(BATCH) {
            let delete = self.run("deleting", |collection| async move {
                let Done {} = self.api().records(&collection.id, "delete", &Delete { ids }).await?;
                Ok(())
            });
            delete.await?;
        }
        Ok(())
    }
}

fn records(found: Got) -> impl Iterator<Item = Record> {
    let mut texts = found.documents.into_iter().flatten();
    let mut metadata = found.metadatas.into_iter().flatten();
    found.ids.into_iter().map(move |id| Record {
        id,
        text: texts.next().flatten().unwrap_or_default(),
        metadata: metadata.next().flatten().unwrap_or_default(),
    })
}

/// The list for the first vector of a query, which is the only one.
fn first<T>(lists: Option<Vec<Vec<T>>>) -> impl Iterator<Item = T> {
    lists.into_iter().flatten().next().into_iter().flatten()
}
