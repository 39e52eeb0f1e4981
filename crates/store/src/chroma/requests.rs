//! The requests that the store is made of, in our own words.

use std::collections::BTreeSet;

use chroma::types::{GetResponse, Include, IncludeList, MetadataValue, UpdateMetadata, Where};
use qanda_core::StoreError;

use super::connection::Connection;
use super::layout::{self, NewRecord, Record};

/// Records in one request. Chroma's cloud takes no more; a server of one's own takes 5,461.
pub(super) const BATCH: usize = 300;

/// What is wanted of a record besides its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Ids,
    Metadata,
    All,
}

impl Wanted {
    fn include(self) -> IncludeList {
        IncludeList(match self {
            Self::Ids => Vec::new(),
            Self::Metadata => vec![Include::Metadata],
            Self::All => vec![Include::Metadata, Include::Document],
        })
    }
}

impl Connection {
    /// The records nearest to a vector, nearest first, with their cosines as far as the space tells.
    pub(super) async fn nearest(
        &self,
        vector: &[f32],
        condition: Option<&Where>,
        limit: usize,
    ) -> Result<Vec<(Record, f32)>, StoreError> {
        let found = self.run("searching", |handle| {
            let (vectors, condition) = (vec![vector.to_vec()], condition.cloned());
            async move {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                let include = Some(IncludeList::default_query());
                let found = handle.collection.query(vectors, Some(limit), condition, None, include).await?;
                Ok((found, handle.space))
            }
        });
        let Some((found, space)) = found.await? else { return Ok(Vec::new()) };
        let mut texts = first(found.documents);
        let mut metadata = first(found.metadatas);
        let mut distances = first(found.distances);
        let ids = found.ids.into_iter().next().unwrap_or_default();
        let records = ids.into_iter().map(|id| {
            let record = Record {
                id,
                text: texts.next().flatten().unwrap_or_default(),
                metadata: metadata.next().flatten().unwrap_or_default(),
            };
            let distance = distances.next().flatten().unwrap_or(f32::MAX);
            (record, super::search::cosine(&space, distance))
        });
        Ok(records.collect())
    }

    /// Ids of the records nearest to a vector, of whatever kind, nearest first, with their cosines.
    pub(super) async fn nearest_ids(&self, vector: &[f32], limit: usize) -> Result<Vec<(String, f32)>, StoreError> {
        let found = self.run("searching", |handle| {
            let vectors = vec![vector.to_vec()];
            async move {
                let limit = u32::try_from(limit).unwrap_or(u32::MAX);
                let include = Some(IncludeList(vec![Include::Distance]));
                Ok((handle.collection.query(vectors, Some(limit), None, None, include).await?, handle.space))
            }
        });
        let Some((found, space)) = found.await? else { return Ok(Vec::new()) };
        let mut distances = first(found.distances);
        let ids = found.ids.into_iter().next().unwrap_or_default();
        let cosine = |distance| super::search::cosine(&space, distance);
        Ok(ids.into_iter().map(|id| (id, cosine(distances.next().flatten().unwrap_or(f32::MAX)))).collect())
    }

    /// Records that fulfil a condition, in the order in which they were first stored.
    pub(super) async fn page(
        &self,
        condition: Option<&Where>,
        wanted: Wanted,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<Record>, StoreError> {
        self.get(None, condition, wanted, Some((offset, limit))).await
    }

    /// All records that fulfil a condition, page by page.
    pub(super) async fn every(&self, condition: &Where, wanted: Wanted) -> Result<Vec<Record>, StoreError> {
        let mut found = Vec::new();
        loop {
            let page = self.page(Some(condition), wanted, found.len(), BATCH).await?;
            let last = page.len() < BATCH;
            found.extend(page);
            if last {
                return Ok(found);
            }
        }
    }

    /// Records by id, in an order of Chroma's.
    pub(super) async fn by_id(&self, ids: &[String], wanted: Wanted) -> Result<Vec<Record>, StoreError> {
        // Chroma refuses a list with an id twice.
        let ids: Vec<String> = ids.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut found = Vec::new();
        for ids in ids.chunks(BATCH) {
            found.extend(self.get(Some(ids), None, wanted, None).await?);
        }
        Ok(found)
    }

    /// The first records that fulfil a condition, with their vectors.
    pub(super) async fn with_vectors(
        &self,
        condition: &Where,
        limit: usize,
    ) -> Result<Vec<(Record, Vec<f32>)>, StoreError> {
        let include = IncludeList(vec![Include::Metadata, Include::Document, Include::Embedding]);
        let Some(mut found) = self.fetch(None, Some(condition), include, Some((0, limit))).await? else {
            return Ok(Vec::new());
        };
        let vectors = found.embeddings.take().unwrap_or_default();
        Ok(records(found).zip(vectors).collect())
    }

    async fn get(
        &self,
        ids: Option<&[String]>,
        condition: Option<&Where>,
        wanted: Wanted,
        window: Option<(usize, usize)>,
    ) -> Result<Vec<Record>, StoreError> {
        let found = self.fetch(ids, condition, wanted.include(), window).await?;
        Ok(found.map(|found| records(found).collect()).unwrap_or_default())
    }

    async fn fetch(
        &self,
        ids: Option<&[String]>,
        condition: Option<&Where>,
        include: IncludeList,
        window: Option<(usize, usize)>,
    ) -> Result<Option<GetResponse>, StoreError> {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (offset, limit) = window.map(|(offset, limit)| (number(offset), number(limit))).unzip();
        self.run("reading", |handle| {
            let (ids, condition, include) = (ids.map(<[String]>::to_vec), condition.cloned(), include.clone());
            async move { handle.collection.get(ids, condition, limit, offset, Some(include)).await }
        })
        .await
    }

    /// Stores records; `old` finds what is stored of a record already.
    pub(super) async fn upsert<'a>(
        &self,
        records: Vec<NewRecord>,
        old: impl Fn(&str) -> Option<&'a Record>,
    ) -> Result<(), StoreError> {
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let (mut ids, mut vectors, mut texts, mut metadata) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            for record in records.by_ref().take(BATCH) {
                let old = old(&record.id).map(|record| &record.metadata);
                metadata.push(Some(layout::update(old, record.metadata)));
                ids.push(record.id);
                vectors.push(record.vector);
                texts.push(Some(record.text));
            }
            self.write("storing", |handle| {
                let (ids, vectors, texts) = (ids.clone(), vectors.clone(), texts.clone());
                let metadata = metadata.clone();
                async move { handle.collection.upsert(ids, vectors, Some(texts), None, Some(metadata)).await.map(drop) }
            })
            .await?;
        }
        Ok(())
    }

    /// Changes metadata of stored records, by id.
    pub(super) async fn update(&self, changes: Vec<(String, UpdateMetadata)>) -> Result<(), StoreError> {
        for changes in changes.chunks(BATCH) {
            self.write("changing", |handle| {
                let (ids, metadata) = changes.iter().cloned().map(|(id, metadata)| (id, Some(metadata))).unzip();
                async move { handle.collection.update(ids, None, None, None, Some(metadata)).await.map(drop) }
            })
            .await?;
        }
        Ok(())
    }

    /// Deletes records by id.
    pub(super) async fn delete(&self, ids: Vec<String>) -> Result<(), StoreError> {
        for ids in ids.chunks(BATCH) {
            let delete = self.run("deleting", |handle| {
                let ids = ids.to_vec();
                async move { handle.collection.delete(Some(ids), None, None).await.map(drop) }
            });
            delete.await?;
        }
        Ok(())
    }
}

fn records(found: GetResponse) -> impl Iterator<Item = Record> {
    let mut texts = found.documents.into_iter().flatten();
    let mut metadata = found.metadatas.into_iter().flatten();
    found.ids.into_iter().map(move |id| Record {
        id,
        text: texts.next().flatten().unwrap_or_default(),
        metadata: metadata.next().flatten().unwrap_or_default(),
    })
}

fn first<T>(lists: Option<Vec<Vec<T>>>) -> impl Iterator<Item = T> {
    lists.into_iter().flatten().next().into_iter().flatten()
}

/// A text on its way into a record.
pub(super) fn set(text: &str) -> chroma::types::UpdateMetadataValue {
    MetadataValue::from(text).into()
}
