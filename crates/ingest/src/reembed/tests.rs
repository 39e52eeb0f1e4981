#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use qanda_core::StoreError;
use qanda_core::ports::EmbedderIdentity;

use super::*;
use crate::job::tests::FakeModel;

/// Texts with new vectors, and one that comes when all seems done.
#[derive(Default)]
struct Texts {
    new: Mutex<BTreeMap<u64, Option<Vec<f32>>>>,
    late: Mutex<Option<u64>>,
    switched: Mutex<bool>,
}

#[async_trait]
impl Reembedding for Texts {
    async fn begin(&self, _: EmbedderIdentity) -> Result<Option<ReembeddingProgress>, StoreError> {
        let new = self.new.lock().unwrap();
        let done = new.values().flatten().count() as u64;
        Ok((!*self.switched.lock().unwrap()).then_some(ReembeddingProgress { done, total: new.len() as u64 }))
    }

    async fn pending(&self, limit: usize) -> Result<Vec<(EntryId, String)>, StoreError> {
        let new = self.new.lock().unwrap();
        let open = new.iter().filter(|(_, vector)| vector.is_none());
        Ok(open.take(limit).map(|(id, _)| (EntryId::from(*id), "word ".repeat(*id as usize))).collect())
    }

    async fn put_vectors(&self, vectors: Vec<(EntryId, Vec<f32>)>) -> Result<(), StoreError> {
        let mut new = self.new.lock().unwrap();
        new.extend(vectors.into_iter().map(|(id, vector)| (id.as_str().parse().unwrap(), Some(vector))));
        Ok(())
    }

    async fn switch_over(&self) -> Result<bool, StoreError> {
        if let Some(late) = self.late.lock().unwrap().take() {
            self.new.lock().unwrap().insert(late, None);
            return Ok(false);
        }
        *self.switched.lock().unwrap() = true;
        Ok(true)
    }
}

#[tokio::test]
async fn all_texts_are_embedded_even_those_that_come_meanwhile() {
    let texts = Texts::default();
    texts.new.lock().unwrap().extend((1..=300).map(|id| (id, None)));
    texts.new.lock().unwrap().insert(7, Some(vec![7.0]));
    *texts.late.lock().unwrap() = Some(900);
    let model = FakeModel::new(false);
    let mut shown = Vec::new();
    let report = reembed(&texts, &model, &model, |progress| shown.push((progress.done, progress.total))).await.unwrap();
    assert_eq!((report.embedded, report.resumed, report.already), (300, 1, false));
    // The fake reads 256 words: 44 of these texts are longer, and the late one.
    assert_eq!(report.too_long, 45);
    assert_eq!(shown, [(1, 300), (257, 300), (300, 300), (301, 301)]);
    assert!(texts.new.lock().unwrap().values().all(Option::is_some) && *texts.switched.lock().unwrap());
    assert!(reembed(&texts, &model, &model, |_| ()).await.unwrap().already);
}

#[tokio::test]
async fn a_failing_embedder_leaves_the_old_vectors_in_use() {
    let texts = Texts::default();
    texts.new.lock().unwrap().insert(1, None);
    let model = FakeModel::new(true);
    assert!(reembed(&texts, &model, &model, |_| ()).await.is_err());
    assert!(!*texts.switched.lock().unwrap());
}
