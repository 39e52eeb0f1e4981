//! The way to a collection: made on first use, watched by a deadline, found again when the collection was made anew.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use qanda_core::StoreError;
use qanda_core::ports::EmbedderIdentity;

use super::api::{Api, ApiError};
use super::failure::{self, Failure};
use super::kinds::Kinds;
use super::limiter::{Limiter, TimedOut};
use super::settings::ChromaSettings;
use super::values::{Metadata, Value};
use super::wire::Collection;

/// Names of the collection's metadata in which the embedder is recorded.
const EMBEDDER: &str = "qanda_embedder";
const DIMENSION: &str = "qanda_dimension";

pub(super) struct Connection {
    pub(super) settings: ChromaSettings,
    /// Knowledge that searches have of the collection with this id.
    kinds: RwLock<(Option<String>, Arc<Kinds>)>,
    limiter: Limiter,
    api: Api,
    /// The embedder in use, if any.
    embedder: Option<EmbedderIdentity>,
    /// The collection as it was found.
    collection: RwLock<Option<Arc<Collection>>>,
    /// Whether it was said that there is no such collection.
    missed: AtomicBool,
}

impl Connection {
    /// Connects to nothing yet.
    pub(super) fn new(settings: ChromaSettings, embedder: Option<EmbedderIdentity>) -> Result<Self, StoreError> {
        let (collections, headers) = (settings.collections()?, settings.headers()?);
        let mut client = reqwest::Client::builder().default_headers(headers);
        if settings.is_local() {
            client = client.no_proxy();
        }
        let api = Api::new(client, collections).map_err(|cause| StoreError::failed("making an HTTP client", cause))?;
        Ok(Self {
            limiter: Limiter::new(settings.concurrency, settings.timeout),
            kinds: RwLock::default(),
            settings,
            api,
            embedder,
            collection: RwLock::new(None),
            missed: AtomicBool::new(false),
        })
    }

    /// Numbers in a vector, as far as it is known without asking the server.
    pub(super) fn dimension(&self) -> Option<usize> {
        self.embedder.as_ref().map(|embedder| embedder.dimension)
    }

    /// Runs one request on the collection when its turn has come; `None` where there is no such collection. The
    /// deadline covers everything: connecting, looking the collection up, a second try.
    pub(super) async fn run<T, F>(
        &self,
        doing: &str,
        request: impl Fn(Arc<Collection>) -> F,
    ) -> Result<Option<T>, StoreError>
    where
        F: Future<Output = Result<T, ApiError>>,
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
        self.explain(doing, self.limiter.run(work).await)
    }

    /// Runs one request that writes; makes the collection where there is none.
    pub(super) async fn write<F>(&self, doing: &str, request: impl Fn(Arc<Collection>) -> F) -> Result<(), StoreError>
    where
        F: Future<Output = Result<(), ApiError>>,
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

    async fn attempt<T, F>(&self, request: &impl Fn(Arc<Collection>) -> F) -> Result<Option<T>, Failure>
    where
        F: Future<Output = Result<T, ApiError>>,
    {
        let known = self.collection.read().unwrap_or_else(PoisonError::into_inner).clone();
        let collection = match known {
            Some(collection) => collection,
            None => match self.look_up().await? {
                Some(collection) => collection,
                None => return Ok(None),
            },
        };
        Ok(Some(request(collection).await?))
    }

    /// Asks the server for the collection and checks whose vectors it holds.
    async fn look_up(&self) -> Result<Option<Arc<Collection>>, Failure> {
        match self.api.collection(&self.settings.collection).await {
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

    /// The record of the embedder that made the vectors: its name (none where another client made them) and
    /// its dimension.
    pub(super) async fn recorded(&self) -> Result<Option<(Option<String>, usize)>, StoreError> {
        let found = self.in_time("reading the collection", self.look_up()).await?;
        Ok(found.and_then(|collection| recorded(&collection)))
    }

    /// Makes the collection where there is none and records the embedder where no vectors are stored.
    pub(super) async fn claim(&self, embedder: &EmbedderIdentity) -> Result<(), StoreError> {
        self.in_time("making the collection", async {
            let record = metadata_of(embedder);
            // One request, so that two who claim at the same time cannot both be first.
            let collection = self.api.get_or_create(&self.settings.collection, &record).await?;
            self.compare(&collection, embedder)?;
            // Vectors without a record are another client's. Nobody can tell which model made them, so we don't.
            if recorded(&collection).is_none() {
                let metadata = collection.metadata.unwrap_or_default().into_iter().chain(record).collect();
                self.api.set_metadata(&collection.id, &metadata).await?;
            }
            self.forget();
            Ok(())
        })
        .await
    }

    /// Refuses an embedder other than the one whose vectors are stored.
    fn compare(&self, collection: &Collection, given: &EmbedderIdentity) -> Result<(), Failure> {
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
        self.explain(doing, self.limiter.run_at_once(work).await)
    }

    fn explain<T>(&self, doing: &str, done: Result<Result<T, Failure>, TimedOut>) -> Result<T, StoreError> {
        match done {
            Ok(done) => done.map_err(|failure| failure.explain(doing, &self.settings)),
            Err(TimedOut) => Err(failure::timed_out(&self.settings)),
        }
    }

    /// Knowledge that searches have of the collection.
    pub(super) fn kinds(&self) -> Arc<Kinds> {
        Arc::clone(&self.kinds.read().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn remember(&self, collection: Collection) -> Arc<Collection> {
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        if kinds.0.as_ref().is_some_and(|known| *known != collection.id) {
            kinds.1 = Arc::default();
        }
        kinds.0 = Some(collection.id.clone());
        drop(kinds);
        let collection = Arc::new(collection);
        self.missed.store(false, Ordering::Relaxed);
        *self.collection.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::clone(&collection));
        collection
    }

    fn forget(&self) {
        *self.collection.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The requests to the server.
    pub(super) const fn api(&self) -> &Api {
        &self.api
    }
}

fn metadata_of(embedder: &EmbedderIdentity) -> Metadata {
    Metadata::from([
        (EMBEDDER.to_owned(), embedder.name.as_str().into()),
        (DIMENSION.to_owned(), embedder.dimension.into()),
    ])
}

/// The recorded embedder, else the dimension of the vectors that are there.
fn recorded(collection: &Collection) -> Option<(Option<String>, usize)> {
    let value = |name: &str| collection.metadata.as_ref()?.get(name);
    match (value(EMBEDDER), value(DIMENSION)) {
        (Some(Value::Text(name)), Some(Value::Int(dimension))) => {
            Some((Some(name.clone()), usize::try_from(*dimension).ok()?))
        }
        _ => Some((None, collection.dimension?)),
    }
}
