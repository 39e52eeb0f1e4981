//! Models: those that are known by name, their folder, their download.

mod catalogue;
mod header;
mod hub;
mod installed;
mod part;
mod parts;
mod pull;
mod source;
mod wheels;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub(crate) use self::catalogue::{ALL, Model};
pub(crate) use self::hub::Hub;
pub(crate) use self::installed::{Installed, all, find, is_gguf};
pub(crate) use self::pull::pull;
pub(crate) use self::source::Source;
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
    default_model(&catalogue::MINILM)
}

/// The default language model's file.
pub(crate) fn default_llm() -> anyhow::Result<PathBuf> {
    default_model(&catalogue::SMOLLM2)
}

fn default_model(model: &Model) -> anyhow::Result<PathBuf> {
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

/// The place of a model that is named by its path, or by the name of one that was pulled.
///
/// # Errors
/// When it is the name of a model that could be pulled, but was not.
pub(crate) fn place(given: &Path) -> anyhow::Result<PathBuf> {
    let (false, Some(name)) = (given.exists(), given.to_str()) else {
        return Ok(given.to_owned());
    };
    place_in(&directory()?, name)
}

fn place_in(models: &Path, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(installed) = find(models, name) {
        return Ok(installed.path);
    }
    let is_known = ALL.iter().any(|model| model.is_called(name)) || name.starts_with("hub:");
    if is_known {
        return Err(anyhow::anyhow!("the model {name} is not installed (looked in {})", models.display()))
            .hint(format!("run `qanda models pull {name}`"));
    }
    // Whoever opens it says that it is not there.
    Ok(PathBuf::from(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_in_the_folder_is_found_by_its_name_its_file_and_its_place_on_the_hub() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("Tiny-1.5B.Q4_K_M.gguf");
        std::fs::write(&file, "weights").expect("writes");
        let source = "hub:acme/tiny/Tiny-1.5B.Q4_K_M.gguf".to_owned();
        installed::note(&file, &installed::Receipt { source, revision: None, sha256: None, licence: None })
            .expect("writes");
        let place = |name: &str| place_in(folder.path(), name).map_err(|error| error.to_string());
        for name in ["Tiny-1.5B.Q4_K_M", "tiny-1.5b.q4_k_m.gguf", "hub:acme/tiny"] {
            assert_eq!(place(name), Ok(file.clone()), "{name}");
        }
        assert_eq!(place("elsewhere/Tiny-1.5B.gguf"), Ok(PathBuf::from("elsewhere/Tiny-1.5B.gguf")));
        for missing in ["hub:acme/ti", "Qwen2.5-Coder-1.5B-Instruct"] {
            assert!(place(missing).is_err_and(|error| error.contains("is not installed")), "{missing}");
        }
    }
}
