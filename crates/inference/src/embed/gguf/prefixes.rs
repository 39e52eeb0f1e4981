//! Words that embedders were trained to read before a text.

/// Words before each question and before each passage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// Before a question.
    pub query: String,
    /// Before a passage.
    pub passage: String,
}

/// Prefixes that somebody set, in the place of those that the model is known to want; empty ones are none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GivenPrefixes {
    /// Before a question.
    pub query: Option<String>,
    /// Before a passage.
    pub passage: Option<String>,
}

const SENTENCE: &str = "Represent this sentence for searching relevant passages: ";

/// Prefixes by a part of the model's name, the first that fits: as their authors' model cards say. GGUF files have no place
/// for them.
const KNOWN: [(&str, &str, &str); 15] = [
    ("nomic-embed", "search_query: ", "search_document: "),
    ("modernbert-embed", "search_query: ", "search_document: "),
    ("multilingual-e5-large-instruct", INSTRUCTION, ""),
    ("e5-mistral", INSTRUCTION, ""),
    ("e5-small", "query: ", "passage: "),
    ("e5-base", "query: ", "passage: "),
    ("e5-large", "query: ", "passage: "),
    ("bge-small-en", SENTENCE, ""),
    ("bge-base-en", SENTENCE, ""),
    ("bge-large-en", SENTENCE, ""),
    ("mxbai-embed-large", SENTENCE, ""),
    ("arctic-embed-l-v2", "query: ", ""),
    ("arctic-embed-m-v2", "query: ", ""),
    ("arctic-embed", SENTENCE, ""),
    ("qwen3-embedding", INSTRUCTION, ""),
];

const INSTRUCTION: &str =
    "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery: ";

/// The same by the architecture, for models with a name of their own.
const ARCHITECTURES: [(&str, &str, &str); 3] = [
    ("nomic-bert", "search_query: ", "search_document: "),
    ("nomic-bert-moe", "search_query: ", "search_document: "),
    ("gemma-embedding", "task: search result | query: ", "title: none | text: "),
];

impl Prefixes {
    /// What a model reads whose names (in its file, and of its file) and architecture are these.
    pub(super) fn of(names: &[String], architecture: &str, given: GivenPrefixes) -> Self {
        let names: Vec<String> = names.iter().map(|name| dashed(name)).collect();
        let by_name = KNOWN.iter().find(|(part, ..)| names.iter().any(|name| name.contains(part)));
        let known = by_name.or_else(|| ARCHITECTURES.iter().find(|(name, ..)| *name == architecture));
        let (_, query, passage) = known.copied().unwrap_or_default();
        Self {
            query: given.query.unwrap_or_else(|| query.to_owned()),
            passage: given.passage.unwrap_or_else(|| passage.to_owned()),
        }
    }
}

/// A name in small letters with a dash for all that is neither letter, digit nor dot: "Nomic Embed Text" is "nomic-embed-text".
fn dashed(name: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || c == '.' { c } else { '-' };
    name.to_lowercase().chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str, architecture: &str) -> String {
        Prefixes::of(&["model".to_owned(), name.to_owned()], architecture, GivenPrefixes::default()).query
    }

    #[test]
    fn a_model_is_known_by_its_name_or_its_architecture() {
        for (name, architecture, expected) in [
            ("Multilingual E5 Small", "bert", "query: "),
            ("multilingual-e5-large-instruct-q8_0", "bert", INSTRUCTION),
            ("bge-small-en-v1.5", "bert", SENTENCE),
            ("bge-m3", "bert", ""),
            ("Snowflake Arctic Embed L v2.0", "bert", "query: "),
            ("snowflake-arctic-embed-m", "bert", SENTENCE),
            ("Qwen3_Embedding 0.6B", "qwen3", INSTRUCTION),
            ("ours", "nomic-bert", "search_query: "),
            ("all-MiniLM-L6-v2", "bert", ""),
        ] {
            assert_eq!(query(name, architecture), expected, "{name}");
        }
    }

    #[test]
    fn what_somebody_sets_goes_before_what_is_known() {
        let given = GivenPrefixes { query: Some(String::new()), passage: None };
        let prefixes = Prefixes::of(&["e5-base".to_owned()], "bert", given);
        assert_eq!(prefixes, Prefixes { query: String::new(), passage: "passage: ".to_owned() });
    }
}
