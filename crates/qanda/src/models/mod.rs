//! The default models: their names, their folder, their download.

mod catalogue;
mod pull;

use std::path::PathBuf;

use anyhow::Context;

pub(crate) use self::catalogue::{ALL, Model};
pub(crate) use self::pull::pull;
use crate::hints::WithHint;

/// The folder that models are kept in: `QANDA_MODELS_DIR`, else `qanda/models` in the user's cache.
pub(crate) fn directory() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(directory) = set("QANDA_MODELS_DIR") {
        return Ok(directory);
    }
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    Ok(cache
        .context("neither HOME nor QANDA_MODELS_DIR is set; set one to say where models are kept")?
        .join("qanda/models"))
}

/// The default embedder's directory.
pub(crate) fn default_embedder() -> anyhow::Result<PathBuf> {
    installed(&catalogue::MINILM)
}

/// The default language model's file.
pub(crate) fn default_llm() -> anyhow::Result<PathBuf> {
    installed(&catalogue::SMOLLM2)
}

fn installed(model: &Model) -> anyhow::Result<PathBuf> {
    let path = model.path(&directory()?);
    if !path.exists() {
        return Err(anyhow::anyhow!(
            "the default model {} is not installed (looked at {})",
            model.name,
            path.display()
        ))
        .hint("run `qanda models pull`, or name a model of your own with --embedder or --llm");
    }
    Ok(path)
}
