//! Where the default models are.

use std::path::PathBuf;

/// A default model by its installed name: under `QANDA_MODELS_DIR`, else `qanda/models` in the user's cache.
pub(crate) fn model(name: &str) -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = || set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    let models = set("QANDA_MODELS_DIR").or_else(|| cache().map(|cache| cache.join("qanda/models")));
    let path = models.expect("HOME or QANDA_MODELS_DIR says where models are").join(name);
    assert!(path.exists(), "{} is not there: run `make models`", path.display());
    path
}
