//! The job's second step: vectors for the passages of documents.
//!
//! A document that the embedder refuses has failed by itself; the others of its batch go on. One of very many passages
//! takes several batches: the store keeps the vectors of each, so that whoever is killed does not begin again.

use qanda_core::{Document, ModelError, NewDocument, NewPassage, RequestContext};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::Sender;

use super::reading::BATCH;
use super::{Event, Ingestion, embed_all_of, tell};
use crate::IngestError;
use crate::document::Prepared;

/// A text that no embedder has a reason to refuse.
const HARMLESS: &str = "A short text.";

impl Ingestion {
    /// Embeds a group of documents ([`groups_of`]). Those that the embedder refuses are told, and left out.
    pub(super) async fn embed(
        &self,
        context: &RequestContext,
        group: Vec<Prepared>,
        events: &Sender<Event>,
    ) -> Result<Vec<NewDocument>, IngestError> {
        let mut embedded = Vec::new();
        // Parts of the group, the next one last. One that is refused is halved.
        let mut parts = vec![group];
        while let Some(mut part) = parts.pop() {
            let vectors = match part.as_slice() {
                [long] if long.chunks.len() > BATCH => self.embed_long(context, long, events).await,
                _ => self.embed_short(context, &part, events).await,
            };
            match vectors {
                Ok(vectors) => embedded.extend(with_vectors(part, vectors)),
                Err(IngestError::Embedder(error)) if part.len() > 1 && is_refusal(&error) => {
                    let rest = part.split_off(part.len() / 2);
                    parts.extend([rest, part]);
                }
                Err(IngestError::Embedder(error)) => self.give_up(context, part, error, events).await?,
                Err(other) => return Err(other),
            }
        }
        Ok(embedded)
    }

    /// Embeds documents that are one batch together.
    async fn embed_short(
        &self,
        context: &RequestContext,
        documents: &[Prepared],
        events: &Sender<Event>,
    ) -> Result<Vec<Vec<f32>>, IngestError> {
        let texts: Vec<String> = documents.iter().flat_map(Prepared::texts).collect();
        let passages = texts.len();
        let vectors = embed_all_of(&*self.embedder, context, texts).await?;
        tell(events, Event::Embedded { passages }).await;
        Ok(vectors)
    }

    /// Embeds a document of many passages, from where an earlier run was stopped.
    async fn embed_long(
        &self,
        context: &RequestContext,
        document: &Prepared,
        events: &Sender<Event>,
    ) -> Result<Vec<Vec<f32>>, IngestError> {
        let (location, texts) = (&document.document.location, self.identity_of_texts(document));
        let mut vectors = self.documents.staged(context, location, &texts).await?;
        vectors.truncate(document.chunks.len());
        if !vectors.is_empty() {
            tell(events, Event::Embedded { passages: vectors.len() }).await;
        }
        let mut rest = document.texts().skip(vectors.len());
        loop {
            let some: Vec<String> = rest.by_ref().take(BATCH).collect();
            if some.is_empty() {
                return Ok(vectors);
            }
            let (first, passages) = (vectors.len(), some.len());
            let new = embed_all_of(&*self.embedder, context, some).await?;
            self.documents.stage(context, location, &texts, first, new.clone()).await?;
            vectors.extend(new);
            tell(events, Event::Embedded { passages }).await;
        }
    }

    /// SHA-256 of all that the vectors of a document depend on.
    fn identity_of_texts(&self, document: &Prepared) -> String {
        let mut hasher = Sha256::new();
        hasher.update(&self.embedder.identity().name);
        for text in document.texts() {
            hasher.update([0]);
            hasher.update(text);
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Tells that a document has failed, if it is its own fault: an embedder that does not take a harmless text either
    /// ends the job.
    async fn give_up(
        &self,
        context: &RequestContext,
        refused: Vec<Prepared>,
        error: ModelError,
        events: &Sender<Event>,
    ) -> Result<(), IngestError> {
        let works =
            is_refusal(&error) && embed_all_of(&*self.embedder, context, vec![HARMLESS.to_owned()]).await.is_ok();
        if !works {
            return Err(error.into());
        }
        for Prepared { document: Document { path, .. }, .. } in refused {
            let reason = format!("the embedder refuses it: {error}");
            tell(events, Event::Failed { path, reason }).await;
        }
        Ok(())
    }
}

/// Whether an embedder refuses what it was given, rather than being away or at its end.
const fn is_refusal(error: &ModelError) -> bool {
    !error.may_pass() && !matches!(error, ModelError::Stopped)
}

/// Documents in groups that are embedded and stored together: of at most [`BATCH`] passages, or a single document of more.
pub(super) fn groups_of(documents: Vec<Prepared>) -> Vec<Vec<Prepared>> {
    let mut groups: Vec<Vec<Prepared>> = Vec::new();
    let mut passages = 0;
    for document in documents {
        passages += document.chunks.len();
        match groups.last_mut() {
            Some(group) if passages <= BATCH => group.push(document),
            _ => {
                passages = document.chunks.len();
                groups.push(vec![document]);
            }
        }
    }
    groups
}

fn with_vectors(documents: Vec<Prepared>, vectors: Vec<Vec<f32>>) -> Vec<NewDocument> {
    let mut vectors = vectors.into_iter();
    let document = |Prepared { document, chunks }| {
        let passage =
            |(chunk, vector): (crate::Chunk, _)| NewPassage { span: chunk.span, headings: chunk.headings, vector };
        NewDocument { document, passages: chunks.into_iter().zip(vectors.by_ref()).map(passage).collect() }
    };
    documents.into_iter().map(document).collect()
}
