//! The one place that names concrete back ends.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use qanda_core::Embedder;
use qanda_core::pipeline::{Direct, Pipeline};
use qanda_inference::embed::local::LocalEmbedder;
use qanda_inference::llm::local::LocalModel;
use qanda_store::embedded::{EmbeddedStore, Fusion};

use crate::config::{EmbedderSettings, LlmSettings};

/// Everything that answers a question.
pub(crate) struct Parts {
    pub(crate) store: Arc<EmbeddedStore>,
    pub(crate) pipeline: Arc<dyn Pipeline>,
}

/// Loads the embedder.
pub(crate) fn embedder(settings: &EmbedderSettings) -> anyhow::Result<Arc<LocalEmbedder>> {
    let loaded = LocalEmbedder::load(&settings.directory, settings.threads);
    Ok(Arc::new(loaded.with_context(|| format!("cannot use the embedder in {}", settings.directory.display()))?))
}

/// Opens the store for an embedder.
pub(crate) fn store(data_dir: &Path, embedder: &LocalEmbedder) -> anyhow::Result<Arc<EmbeddedStore>> {
    Ok(Arc::new(EmbeddedStore::open(data_dir, Some(embedder.identity()), Fusion::default())?))
}

/// Opens the store and loads both models, all at the same time.
pub(crate) fn parts(data_dir: &Path, embedder_settings: &EmbedderSettings, llm: &LlmSettings) -> anyhow::Result<Parts> {
    let (model, search) = std::thread::scope(|scope| {
        let model = scope.spawn(|| LocalModel::load(&llm.file, llm.local));
        let search = embedder(embedder_settings).and_then(|embedder| Ok((store(data_dir, &embedder)?, embedder)));
        (model.join(), search)
    });
    let model = model.map_err(|_| anyhow::anyhow!("loading the language model panicked"))??;
    let (store, embedder) = search?;
    let pipeline = Arc::new(Direct {
        store: Arc::clone(&store) as _,
        embedder,
        model: Arc::new(model),
        generation: llm.generation,
    });
    Ok(Parts { store, pipeline })
}
