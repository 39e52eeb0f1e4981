//! The way to a collection: made on first use, watched by a deadline, found again when the collection was made anew.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use chroma::client::ChromaHttpClientError;
use chroma::types::{Metadata, MetadataValue, Schema, Space, VectorIndexConfig, VectorIndexConfiguration};
use chroma::{ChromaCollection, ChromaHttpClient};
use qanda_core::StoreError;
use qanda_core::ports::EmbedderIdentity;

use super::failure::{self, Failure};
use super::near::Kinds;
use super::settings::ChromaSettings;
use super::turns::{TooLate, Turns};

/// Names of the collection's metadata in which the embedder is recorded.
const EMBEDDER: &str = "qanda_embedder";
const DIMENSION: &str = "qanda_dimension";

pub(super) struct Connection {
    pub(super) settings: ChromaSettings,
    /// What searches have learned of the collection with this id.
    kinds: RwLock<(Option<String>, Arc<Kinds>)>,
    turns: Turns,
    client: ChromaHttpClient,
    /// The embedder in use, if any.
    embedder: Option<EmbedderIdentity>,
    handle: RwLock<Option<Handle>>,
    /// Whether it was said that there is no such collection.
    missed: AtomicBool,
}

/// A collection that was found.
#[derive(Clone)]
pub(super) struct Handle {
    pub(super) collection: ChromaCollection,
    /// What its distances mean.
    pub(super) space: Space,
}

impl Connection {
    /// Connects to nothing yet.
    pub(super) fn new(settings: ChromaSettings, embedder: Option<EmbedderIdentity>) -> Result<Self, StoreError> {
        let options = settings.options()?;
        // The client panics where no provider of TLS is installed, even if it never speaks TLS. A second one is
        // refused, which is what we want: the program's own choice stays.
        drop(rustls::crypto::ring::default_provider().install_default());
        let client = ChromaHttpClient::new(options);
        Ok(Self {
            turns: Turns::new(settings.concurrency, settings.timeout),
            kinds: RwLock::default(),
            settings,
            client,
            embedder,
            handle: RwLock::new(None),
            missed: AtomicBool::new(false),
        })
    }

    /// Numbers in a vector, as far as it is known without asking the server.
    pub(super) fn dimension(&self) -> Option<usize> {
        self.embedder.as_ref().map(|embedder| embedder.dimension)
    }

    /// Runs one request on the collection when its turn has come; `None` where there is no such collection. The
    /// deadline covers everything: connecting, looking the collection up, a second try.
    pub(super) async fn run<T, F>(&self, doing: &str, request: impl Fn(Handle) -> F) -> Result<Option<T>, StoreError>
    where
        F: Future<Output = Result<T, ChromaHttpClientError>>,
    {
        let work = async {
            match self.attempt(&request).await {
                // The collection was removed or made anew, or the server ended while its connection was kept for the
                // next request. Every request can be sent twice: all of them set or delete by id.
                Err(error) if failure::is_worth_a_second_try(&error) => {
                    self.forget();
                    self.attempt(&request).await
                }
                other => other,
            }
        };
        self.explain(doing, self.turns.wait(work).await)
    }

    /// Runs one request that writes; makes the collection where there is none.
    pub(super) async fn write<F>(&self, doing: &str, request: impl Fn(Handle) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), ChromaHttpClientError>>,
    {
        if self.run(doing, &request).await?.is_some() {
            return Ok(());
        }
        if let Some(embedder) = &self.embedder {
            self.claim(embedder).await?;
            if self.run(doing, &request).await?.is_some() {
                return Ok(());
            }
        }
        let place = format!("Chroma at {}", self.settings.address());
        Err(StoreError::NoCollection { name: self.settings.collection.clone(), place })
    }

    async fn attempt<T, F>(&self, request: &impl Fn(Handle) -> F) -> Result<Option<T>, Failure>
    where
        F: Future<Output = Result<T, ChromaHttpClientError>>,
    {
        let known = self.handle.read().unwrap_or_else(PoisonError::into_inner).clone();
        let handle = match known {
            Some(handle) => handle,
            None => match self.look_up().await? {
                Some(handle) => handle,
                None => return Ok(None),
            },
        };
        Ok(Some(request(handle).await?))
    }

    /// Asks the server for the collection and checks whose vectors it holds.
    async fn look_up(&self) -> Result<Option<Handle>, Failure> {
        match self.client.get_collection(&self.settings.collection).await {
            Ok(collection) => {
                if let Some(embedder) = &self.embedder {
                    self.compare(&collection, embedder)?;
                }
                Ok(Some(self.remember(collection)))
            }
            Err(error) if failure::is_missing(&error) => {
                self.forget();
                // Once: this is asked with every question and every probe.
                if !self.missed.swap(true, Ordering::Relaxed) {
                    let name = &self.settings.collection;
                    tracing::warn!(collection = %name, "Chroma has no such collection yet; the first document that is stored makes it");
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whether the collection can be searched with the embedder in use. One request.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        self.in_time("checking the collection", self.look_up()).await.map(drop)
    }

    /// What is recorded of the embedder that made the vectors: its name (none where another client made them) and
    /// its dimension.
    pub(super) async fn recorded(&self) -> Result<Option<(Option<String>, usize)>, StoreError> {
        let found = self.in_time("reading the collection", self.look_up()).await?;
        Ok(found.and_then(|handle| recorded(&handle.collection)))
    }

    /// Makes the collection where there is none and records the embedder where no vectors are stored.
    pub(super) async fn claim(&self, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.in_time("making the collection", async {
            let space = VectorIndexConfig {
                space: Some(Space::Cosine),
                embedding_function: None,
                source_key: None,
                hnsw: None,
                spann: None,
            };
            let schema = Schema::default().create_index(None, space.into()).map_err(Failure::other)?;
            let record = metadata_of(embedder);
            // One request, so that two who claim at the same time cannot both be first.
            let name = &self.settings.collection;
            let mut collection = self.client.get_or_create_collection(name, Some(schema), Some(record.clone())).await?;
            self.compare(&collection, embedder)?;
            // Vectors without a record are another client's. Nobody can tell which model made them, so we don't.
            if recorded(&collection).is_none() {
                let metadata = collection.metadata().clone().unwrap_or_default().into_iter().chain(record).collect();
                collection.modify(None::<String>, Some(metadata)).await?;
            }
            self.forget();
            Ok(())
        })
        .await
    }

    /// Refuses an embedder other than the one whose vectors are stored.
    fn compare(&self, collection: &ChromaCollection, given: &EmbedderIdentity) -> Result<(), Failure> {
        let Some((name, dimension)) = recorded(collection) else { return Ok(()) };
        if dimension == given.dimension && name.as_ref().is_none_or(|name| *name == given.name) {
            return Ok(());
        }
        self.forget();
        Err(Failure::Store(StoreError::OtherEmbedder {
            place: format!("collection {} of Chroma at {}", self.settings.collection, self.settings.address()),
            stored: name.unwrap_or_else(|| "of another program".to_owned()),
            stored_dimension: dimension,
            given: given.name.clone(),
            given_dimension: given.dimension,
        }))
    }

    /// One of the few requests that do not wait for their turn.
    async fn in_time<T>(&self, doing: &str, work: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
        self.explain(doing, self.turns.skip(work).await)
    }

    fn explain<T>(&self, doing: &str, done: Result<Result<T, Failure>, TooLate>) -> Result<T, StoreError> {
        match done {
            Ok(done) => done.map_err(|failure| failure.explain(doing, &self.settings)),
            Err(TooLate) => Err(failure::too_late(&self.settings)),
        }
    }

    /// What searches have learned of the collection.
    pub(super) fn kinds(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn remember(&self, collection: ChromaCollection) -> Handle {
        let id = collection.id().to_string();
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        if kinds.0.as_ref().is_some_and(|known| *known != id) {
            kinds.1 = Arc::default();
        }
        kinds.0 = Some(id);
        drop(kinds);
        let handle = Handle { space: space(&collection), collection };
        self.missed.store(false, Ordering::Relaxed);
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = Some(handle.clone());
        handle
    }

    fn forget(&self) {
        *self.handle.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

fn metadata_of(embedder: &EmbedderIdentity) -> Metadata {
    let dimension = i64::try_from(embedder.dimension).unwrap_or(i64::MAX);
    Metadata::from([
        (EMBEDDER.to_owned(), MetadataValue::Str(embedder.name.clone())),
        (DIMENSION.to_owned(), MetadataValue::Int(dimension)),
    ])
}

/// The recorded embedder, else the dimension of the vectors that are there.
fn recorded(collection: &ChromaCollection) -> Option<(Option<String>, usize)> {
    let metadata = collection.metadata().as_ref();
    let value = |name: &str| metadata.and_then(|metadata| metadata.get(name));
    match (value(EMBEDDER), value(DIMENSION)) {
        (Some(MetadataValue::Str(name)), Some(MetadataValue::Int(dimension))) => {
            Some((Some(name.clone()), usize::try_from(*dimension).ok()?))
        }
        _ => Some((None, usize::try_from(collection.to_collection_model().dimension?).ok()?)),
    }
}

fn space(collection: &ChromaCollection) -> Space {
    match collection.to_collection_model().config.vector_index {
        VectorIndexConfiguration::Hnsw(index) => index.space,
        VectorIndexConfiguration::Spann(index) => index.space,
    }
}
