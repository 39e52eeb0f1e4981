use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

/// `qanda.toml`. The keys are the flags' names with `_` for `-`; a key that is not known is an error, because a
/// misspelt setting that is silently ignored is worse.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) graceful_timeout: Option<u64>,
    pub(crate) embedder: Option<String>,
    pub(crate) llm: Option<String>,
    pub(crate) llm_slots: Option<usize>,
    pub(crate) llm_context: Option<usize>,
    pub(crate) llm_threads: Option<usize>,
    pub(crate) llm_queue: Option<usize>,
    pub(crate) model_threads: Option<usize>,
    pub(crate) context_tokens: Option<usize>,
    pub(crate) grounding: Option<String>,
    pub(crate) max_tokens: Option<usize>,
    pub(crate) temperature: Option<f32>,
    pub(crate) passage_tokens: Option<usize>,
}

impl File {
    const DEFAULT: &str = "qanda.toml";

    /// Reads the file given, or `qanda.toml` where there is one.
    pub(crate) fn read(given: Option<&Path>) -> anyhow::Result<Self> {
        let path = given.unwrap_or(Path::new(Self::DEFAULT));
        if given.is_none() && !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not right", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::File;

    #[test]
    fn settings_are_read_and_misspelt_ones_named() {
        let file: File = toml::from_str("listen = \"127.0.0.1:9000\"\nllm_slots = 4\n").expect("parses");
        assert_eq!(file.listen.expect("set").port(), 9000);
        assert_eq!(file.llm_slots, Some(4));
        let error = toml::from_str::<File>("lisen = \"127.0.0.1:9000\"").expect_err("is refused").to_string();
        assert!(error.contains("lisen"), "{error}");
    }
}
