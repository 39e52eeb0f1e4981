//! What the files of a sentence-transformers directory say about a model.

use std::collections::BTreeMap;
use std::path::Path;

use qanda_core::ModelError;
use serde::Deserialize;

use crate::bert::read_optional;

/// `sentence_bert_config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SentenceConfig {
    max_seq_length: Option<usize>,
    do_lower_case: bool,
}

/// `config_sentence_transformers.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TransformersConfig {
    prompts: BTreeMap<String, Option<String>>,
    default_prompt_name: Option<String>,
    similarity_fn_name: Option<String>,
}

/// Names under which models keep the text before a question, and before a passage, in the order in which
/// sentence-transformers looks for them.
const QUERY: [&str; 2] = ["query", "question"];
const PASSAGE: [&str; 3] = ["document", "passage", "corpus"];

/// Texts that a model wants before what it embeds, such as `query: ` and `passage: `.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Prompts {
    pub(super) query: String,
    pub(super) passage: String,
}

/// What makes an embedder of an encoder, beside its modules.
#[derive(Debug)]
pub(super) struct Config {
    /// Most tokens of a text, with the two special ones.
    pub(super) max_tokens: usize,
    /// Whether texts are read in small letters.
    pub(super) lowercase: bool,
    pub(super) prompts: Prompts,
    /// Measure that the model was trained for: `cosine`, where it names none.
    pub(super) similarity: Option<String>,
}

impl Config {
    /// Reads the configuration of the model in `directory`, whose encoder takes `positions` tokens.
    ///
    /// # Errors
    /// When a file has another form than sentence-transformers gives it.
    pub(super) fn read(directory: &Path, positions: usize) -> Result<Self, ModelError> {
        let sentence: SentenceConfig = read_optional(&directory.join("sentence_bert_config.json"))?;
        let transformers: TransformersConfig = read_optional(&directory.join("config_sentence_transformers.json"))?;
        let refuse = |what| ModelError::failed(format!("reading {}", directory.display()), what);
        Ok(Self {
            max_tokens: sentence.max_seq_length.unwrap_or(usize::MAX).min(positions),
            lowercase: sentence.do_lower_case,
            prompts: transformers.prompts().map_err(refuse)?,
            similarity: transformers.similarity_fn_name,
        })
    }
}

impl TransformersConfig {
    /// As sentence-transformers chooses them in `encode_query` and `encode_document`: by their names, else the default.
    fn prompts(&self) -> Result<Prompts, String> {
        let named = |name: &str| self.prompts.get(name).cloned().map(Option::unwrap_or_default);
        let default = match self.default_prompt_name.as_deref() {
            None => String::new(),
            Some(name) => {
                named(name).ok_or_else(|| format!("its default prompt \"{name}\" is not among its prompts"))?
            }
        };
        let first = |names: &[&str]| names.iter().find_map(|name| named(name)).unwrap_or_else(|| default.clone());
        Ok(Prompts { query: first(&QUERY), passage: first(&PASSAGE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompts(json: &str) -> Result<Prompts, String> {
        serde_json::from_str::<TransformersConfig>(json).expect("the form of the file").prompts()
    }

    #[test]
    fn prompts_are_found_under_every_name_that_models_give_them() {
        let both = |query: &str, passage: &str| Ok(Prompts { query: query.into(), passage: passage.into() });
        for (json, expected) in [
            (r"{}", both("", "")),
            (r#"{"prompts": {"query": "query: ", "passage": "passage: "}}"#, both("query: ", "passage: ")),
            (r#"{"prompts": {"query": "q: ", "document": "d: ", "passage": "p: "}}"#, both("q: ", "d: ")),
            (r#"{"prompts": {"query": null, "document": ""}, "default_prompt_name": null}"#, both("", "")),
            (r#"{"prompts": {"sts": "s: ", "query": "q: "}, "default_prompt_name": "sts"}"#, both("q: ", "s: ")),
        ] {
            assert_eq!(prompts(json), expected, "{json}");
        }
        assert!(prompts(r#"{"default_prompt_name": "query"}"#).is_err_and(|why| why.contains("\"query\"")));
    }
}
