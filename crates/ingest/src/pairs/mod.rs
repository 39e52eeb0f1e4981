//! Question/answer pairs: written by a model, imported, exported.

mod files;
mod generate;

use std::collections::HashMap;
use std::sync::Arc;

use qanda_core::language::words;
use qanda_core::{Embedder, EntryId, Pair, Passage, RequestContext, Store, StoreError};
use sha2::{Digest, Sha256};

pub use self::files::{Format, PairsError, Record, read, write};
pub use self::generate::{Generate, GenerateEvent, GenerateReport};
use crate::IngestError;
use crate::source::hex;

/// Pairs embedded and stored at a time.
const BATCH: usize = 256;

/// Report of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImportReport {
    /// Pairs stored, anew or again because they have changed.
    pub stored: usize,
    /// Pairs that were there already, as they are.
    pub unchanged: usize,
    /// Pairs that stand in the file twice.
    pub repeated: usize,
}

/// Stores the pairs of a file; those that are stored as they are already are left alone. `on_stored` is told how
/// many are dealt with so far.
///
/// # Errors
/// [`IngestError`] when the store or the embedder fails; what was stored until then stays.
pub async fn import(
    store: Arc<dyn Store>,
    embedder: Arc<dyn Embedder>,
    records: Vec<Record>,
    mut on_stored: impl FnMut(usize),
) -> Result<ImportReport, IngestError> {
    let mut report = ImportReport::default();
    let stored: HashMap<String, Pair> = all(&*store).await?.into_iter().map(|pair| (pair.key.clone(), pair)).collect();
    let mut seen = HashMap::new();
    let mut new = Vec::new();
    for record in records {
        let key = record.key();
        match (seen.insert(key.clone(), ()), stored.get(&key)) {
            (Some(()), _) => report.repeated += 1,
            (None, Some(pair)) if record.is(pair) => report.unchanged += 1,
            (None, _) => new.push((key, record)),
        }
    }
    let contexts = Contexts::find(&*store, new.iter().map(|(_, record)| record)).await?;
    let mut done = report.unchanged + report.repeated;
    on_stored(done);
    for batch in new.chunks(BATCH) {
        let questions = batch.iter().map(|(_, record)| record.question.clone()).collect();
        let vectors = embedder.embed_passages(&RequestContext::local(), questions).await?;
        let pair =
            |((key, record), vector): (&(String, Record), _)| record.to_pair(key.clone(), contexts.of(record), vector);
        store.put_pairs(&RequestContext::local(), batch.iter().zip(vectors).map(pair).collect()).await?;
        done += batch.len();
        report.stored += batch.len();
        on_stored(done);
    }
    store.optimise().await?;
    Ok(report)
}

/// The stored passages for which records say that they were written.
struct Contexts {
    by_hash: HashMap<String, EntryId>,
    /// Path of the document, by id.
    by_id: HashMap<EntryId, String>,
}

impl Contexts {
    async fn find(store: &dyn Store, records: impl Iterator<Item = &Record>) -> Result<Self, StoreError> {
        let mut contexts = Self { by_hash: HashMap::new(), by_id: HashMap::new() };
        // Most files say nothing of passages, and reading all of them takes its time.
        let linked = |record: &Record| record.context_hash.is_some() || record.context_id.is_some();
        if records.into_iter().any(linked) {
            for passage in passages(store).await? {
                contexts.by_hash.insert(passage_hash(&passage), passage.id.clone());
                contexts.by_id.insert(passage.id, passage.document);
            }
        }
        Ok(contexts)
    }

    /// The passage with the same words; for a record that does not know them, the passage with its id, if that is
    /// in the document it names: ids of different stores can be alike.
    fn of(&self, record: &Record) -> Option<EntryId> {
        if let Some(hash) = &record.context_hash {
            return self.by_hash.get(hash).cloned();
        }
        let id = EntryId::from(record.context_id.clone()?);
        let document = record.document.as_ref()?;
        self.by_id.get(&id).filter(|stored| *stored == document).map(|_| id)
    }
}

/// All pairs of a store as records, for a file.
///
/// # Errors
/// When the store fails.
pub async fn export(store: &dyn Store) -> Result<Vec<Record>, StoreError> {
    let pairs = all(store).await?;
    let mut hashes = HashMap::new();
    if pairs.iter().any(|pair| pair.context.is_some()) {
        hashes.extend(passages(store).await?.into_iter().map(|passage| (passage.id.clone(), passage_hash(&passage))));
    }
    let record = |pair: Pair| {
        let hash = pair.context.as_ref().and_then(|id| hashes.get(id)).cloned();
        Record::of(pair, hash)
    };
    Ok(pairs.into_iter().map(record).collect())
}

fn passage_hash(passage: &Passage) -> String {
    key(&passage.with_context(), &passage.document)
}

/// All pairs of a store.
///
/// # Errors
/// When the store fails.
async fn all(store: &dyn Store) -> Result<Vec<Pair>, StoreError> {
    pages(async |after| store.list_pairs(&RequestContext::local(), after).await).await
}

/// All passages of a store.
async fn passages(store: &dyn Store) -> Result<Vec<Passage>, StoreError> {
    pages(async |after| store.list_passages(&RequestContext::local(), after).await).await
}

async fn pages<T>(
    mut page: impl AsyncFnMut(Option<String>) -> Result<qanda_core::ports::Page<T>, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let (mut items, mut after) = (Vec::new(), None);
    loop {
        let next = page(after).await?;
        items.extend(next.items);
        match next.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(items),
        }
    }
}

/// The identity of a pair that came without one: a hash of its words.
fn key(question: &str, answer: &str) -> String {
    let mut hasher = Sha256::new();
    hasher.update(question.trim().as_bytes());
    hasher.update([0]);
    hasher.update(answer.trim().as_bytes());
    let mut hash = hex(hasher);
    hash.truncate(24);
    hash
}

/// Words of a question in lower case: the same for two questions that differ only in spelling.
fn same_question(question: &str) -> String {
    words(question).map(|word| word.form).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
