//! The one place that names concrete back ends.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use qanda_core::answering::{Classic, Direct, Pipeline, PipelineName, Resources};
use qanda_core::ports::TokenCounter;
use qanda_core::retrieval::Finder;
use qanda_core::{Embedder, Intake, LanguageModel, ModelError, Reader, Reranker, Store};
use qanda_inference::bert::Checkpoint;
use qanda_inference::embed::gguf::{GgufEmbedder, Prefixes};
use qanda_inference::embed::local::LocalEmbedder;
use qanda_inference::embed::openai::OpenAiEmbedder;
use qanda_inference::llm::local::LocalModel;
use qanda_inference::llm::openai::OpenAiModel;
use qanda_inference::reader::local::{Bases, LocalReader};
use qanda_inference::reranker::gguf::GgufReranker;
use qanda_inference::reranker::local::LocalReranker;
use qanda_server::BackEnds;
use qanda_store::chroma::ChromaStore;
use qanda_store::embedded::EmbeddedStore;
use tokio::task::spawn_blocking;

use crate::config::{
    AnswerSettings, EmbedderSettings, LlmSettings, ModelSettings, ReaderSettings, ReaderSource, RerankerSettings,
    RerankerSource, SearchSettings, StoreSettings,
};
use crate::hints::WithHint;

/// Everything that finds passages.
pub(crate) struct Search {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) embedder: Arc<dyn Embedder>,
    /// Counts tokens as the embedder does.
    pub(crate) counter: Arc<dyn TokenCounter>,
    /// Encoder of a local embedder.
    encoder: Option<Checkpoint>,
}

/// Everything that answers a question.
pub(crate) struct Parts {
    pub(crate) search: Search,
    pub(crate) resources: Resources,
    /// By name.
    pub(crate) pipelines: BTreeMap<PipelineName, Arc<dyn Pipeline>>,
    /// The one for questions that name none.
    pub(crate) pipeline: PipelineName,
}

impl Parts {
    /// The pipeline for questions that name none.
    pub(crate) fn default_pipeline(&self) -> Arc<dyn Pipeline> {
        Arc::clone(&self.pipelines[&self.pipeline])
    }

    /// What the service answers with. Without an intake, documents are only read.
    pub(crate) fn back_ends(self, intake: Option<Arc<dyn Intake>>) -> BackEnds {
        let Resources { search, embedder, reranker, model, .. } = self.resources;
        BackEnds {
            pipelines: self.pipelines,
            default_pipeline: self.pipeline,
            finder: Finder { search, embedder, reranker },
            documents: Arc::clone(&self.search.store) as _,
            intake,
            store: self.search.store as _,
            model,
        }
    }
}

/// What is done about an endpoint that cannot be reached at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// It is an error.
    None,
    /// It is tried again until it can.
    Wait,
}

/// Opens the store and loads or reaches the embedder.
pub(crate) async fn search(settings: SearchSettings, patience: Patience) -> anyhow::Result<Search> {
    let SearchSettings { store, embedder } = settings;
    let LoadedEmbedder { embedder, counter, encoder } = self::embedder(embedder, patience).await?;
    let identity = embedder.identity().clone();
    let store = spawn_blocking(move || self::store(&store, Some(identity))).await??;
    Ok(Search { store, embedder, counter, encoder })
}

/// A store, for an embedder if one is given.
pub(crate) fn store(
    settings: &StoreSettings,
    embedder: Option<qanda_core::ports::EmbedderIdentity>,
) -> anyhow::Result<Arc<dyn Store>> {
    Ok(match settings {
        StoreSettings::Embedded { directory, fusion } => {
            Arc::new(EmbeddedStore::open(directory, embedder.as_ref(), *fusion)?)
        }
        StoreSettings::Chroma(settings) => Arc::new(ChromaStore::new(settings.clone(), embedder)?),
    })
}

/// Everything that re-embeds a store.
pub(crate) struct Reembedder {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) embedder: Arc<dyn Embedder>,
    pub(crate) counter: Arc<dyn TokenCounter>,
}

/// Opens the store whoever made its vectors, and loads or reaches the embedder of the new ones.
pub(crate) async fn reembedder(settings: SearchSettings) -> anyhow::Result<Reembedder> {
    let StoreSettings::Embedded { directory, fusion } = settings.store else {
        return Err(anyhow::anyhow!("a collection of a Chroma server cannot be re-embedded in place"))
            .hint("ingest your documents into another one: --chroma-collection");
    };
    // To look must not make: a mistyped directory would become an empty store.
    let there = directory.join("qanda.sqlite").exists();
    anyhow::ensure!(there, "there is no store in {}", directory.display());
    let LoadedEmbedder { embedder, counter, .. } = embedder(settings.embedder, Patience::None).await?;
    let store = spawn_blocking(move || EmbeddedStore::open(&directory, None, fusion)).await??;
    Ok(Reembedder { store: Arc::new(store), embedder, counter })
}

/// An embedder, and what else its loading brings.
struct LoadedEmbedder {
    embedder: Arc<dyn Embedder>,
    counter: Arc<dyn TokenCounter>,
    /// Encoder of a local one.
    encoder: Option<Checkpoint>,
}

async fn embedder(settings: EmbedderSettings, patience: Patience) -> anyhow::Result<LoadedEmbedder> {
    match settings {
        EmbedderSettings::Local { directory, threads, relevance_floor } => {
            let place = directory.display().to_string();
            let loaded = spawn_blocking(move || LocalEmbedder::load(&directory, threads)).await?;
            let mut embedder = loaded.with_context(|| format!("cannot use the embedder in {place}"))?;
            if let Some(floor) = relevance_floor {
                embedder.set_relevance_floor(floor);
            }
            let (counter, encoder) = (embedder.token_counter(), Some(embedder.checkpoint()));
            Ok(LoadedEmbedder { embedder: Arc::new(embedder), counter, encoder })
        }
        EmbedderSettings::Gguf { file, threads, prefixes, relevance_floor } => {
            let loaded = spawn_blocking(move || GgufEmbedder::load(&file, prefixes, threads)).await?;
            let mut embedder = loaded?;
            if let Some(floor) = relevance_floor {
                embedder.set_relevance_floor(floor);
            }
            let Prefixes { query, passage } = embedder.prefixes();
            tracing::info!(query = ?query, passage = ?passage, "the embedder reads these words before each text");
            let counter = embedder.token_counter();
            Ok(LoadedEmbedder { embedder: Arc::new(embedder), counter, encoder: None })
        }
        EmbedderSettings::OpenAi(settings) => loop {
            match OpenAiEmbedder::connect((*settings).clone()).await {
                Ok(embedder) => {
                    let counter = Arc::new(embedder.token_counter());
                    return Ok(LoadedEmbedder { embedder: Arc::new(embedder), counter, encoder: None });
                }
                Err(error) if error.may_pass() && patience == Patience::Wait => {
                    tracing::warn!(%error, "waiting for the embedder");
                    tokio::time::sleep(Duration::from_secs(2)).await;
                }
                Err(error) => return Err(error).context("cannot use the embedder"),
            }
        },
    }
}

/// Loads the reader, on the encoder of the embedder where it is the same.
fn reader(settings: ReaderSettings, encoder: Option<&Checkpoint>) -> anyhow::Result<Option<Arc<dyn Reader>>> {
    let ReaderSettings { source, threads, base } = settings;
    let bases = Bases { loaded: encoder, directory: base.as_deref() };
    let reader = match source {
        ReaderSource::None => return Ok(None),
        ReaderSource::BuiltIn => match LocalReader::built_in(bases, threads) {
            Ok(reader) => reader,
            // A service with its models elsewhere need not have any here.
            Err(error) => {
                tracing::info!(%error, "there is no reader");
                return Ok(None);
            }
        },
        ReaderSource::Directory(directory) => LocalReader::load(&directory, bases, threads)
            .with_context(|| format!("cannot use the reader in {}", directory.display()))?,
    };
    tracing::debug!(reader = reader.name(), "loaded the reader");
    Ok(Some(Arc::new(reader)))
}

/// Loads the reranker, if there is to be one.
pub(crate) async fn reranker(settings: RerankerSettings) -> anyhow::Result<Option<Arc<dyn Reranker>>> {
    let RerankerSettings { source, threads } = settings;
    let Some(place) = source.place().map(|place| place.display().to_string()) else { return Ok(None) };
    let loaded = spawn_blocking(move || -> Result<Option<Arc<dyn Reranker>>, ModelError> {
        Ok(match source {
            RerankerSource::None => None,
            RerankerSource::Directory(directory) => Some(Arc::new(LocalReranker::load(&directory, threads)?)),
            RerankerSource::File(file) => Some(Arc::new(GgufReranker::load(&file, threads)?)),
        })
    });
    let reranker = loaded.await?.with_context(|| format!("cannot use the reranker {place}"))?;
    tracing::debug!(reranker = reranker.as_deref().map(Reranker::name), "loaded the reranker");
    Ok(reranker)
}

async fn model(settings: LlmSettings) -> anyhow::Result<Arc<dyn LanguageModel>> {
    Ok(match settings.model {
        ModelSettings::Local(file, options) => {
            Arc::new(spawn_blocking(move || LocalModel::load(&file, options)).await??)
        }
        ModelSettings::OpenAi(endpoint) => Arc::new(OpenAiModel::new(&endpoint)?),
    })
}

/// Opens the store and loads the models, as far as possible at the same time.
pub(crate) async fn parts(settings: AnswerSettings, patience: Patience) -> anyhow::Result<Parts> {
    let generation = settings.llm.generation;
    let reading = async {
        let search = search(settings.search, patience).await?;
        let encoder = search.encoder.clone();
        let reader = spawn_blocking(move || reader(settings.reader, encoder.as_ref())).await??;
        anyhow::Ok((search, reader))
    };
    let (model, reranker, (search, reader)) =
        tokio::try_join!(model(settings.llm), reranker(settings.reranker), reading)?;
    let resources = Resources {
        search: Arc::clone(&search.store) as _,
        embedder: Arc::clone(&search.embedder),
        reranker,
        reader,
        model,
        generation,
        prompts: settings.prompts,
    };
    let pipelines: [(PipelineName, Arc<dyn Pipeline>); 2] = [
        (PipelineName::Direct, Arc::new(Direct(resources.clone()))),
        (PipelineName::Classic, Arc::new(Classic(resources.clone()))),
    ];
    Ok(Parts { search, resources, pipelines: pipelines.into(), pipeline: settings.pipeline })
}
