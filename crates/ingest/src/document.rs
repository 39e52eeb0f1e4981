//! One file into one document with its passages.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use qanda_core::document::with_context;
use qanda_core::ports::TokenCounter;
use qanda_core::{Document, Span};
use sha2::{Digest, Sha256};

use crate::chunker::{Chunk, passages};
use crate::folder::Found;
use crate::readers::{Extracted, reader_for};
use crate::{MAX_BYTES, ReadError};

/// Part of every fingerprint. Raise it when readers or the chunker make other passages of the same bytes, and
/// every document is read again once.
const FORMAT_VERSION: u32 = 1;

/// Longest title, in characters. It stands above every passage of the document.
const MAX_TITLE: usize = 200;

/// The title takes at most this part of the budget.
const TITLE_PART: usize = 4;

/// Everything besides the file that decides what its passages are.
#[derive(Clone)]
pub struct Recipe {
    /// Counts tokens as the embedder does.
    pub counter: Arc<dyn TokenCounter>,
    /// Most tokens of a passage under its headings.
    pub budget: usize,
    /// Name of the embedder that will read the passages.
    pub embedder: String,
}

/// A document that is ready to be embedded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The document.
    pub document: Document,
    /// Its passages in the order of the text; at least one.
    pub chunks: Vec<Chunk>,
}

impl Prepared {
    /// What is embedded for each passage: its text under the title and its headings.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let Document { title, text, .. } = &self.document;
        self.chunks.iter().map(move |Chunk { span: Span { start, end }, headings }| {
            with_context(title, headings, &text[*start..*end])
        })
    }
}

impl Recipe {
    /// Reads a file's bytes. The work of a processor, so not for an asynchronous thread.
    ///
    /// # Errors
    /// [`ReadError`] when the file has no readable text. A panic of a reader is one of them.
    pub fn prepare(&self, found: &Found, bytes: &[u8]) -> Result<Prepared, ReadError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
        // Nothing is shared with the reader but what it only reads, so nothing can be left half changed.
        let prepared = catch_unwind(AssertUnwindSafe(|| self.read(found, bytes)));
        prepared.unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .cloned()
                .or_else(|| panic.downcast_ref::<&str>().map(|message| (*message).to_owned()))
                .unwrap_or_default();
            Err(ReadError::Panicked { message })
        })
    }

    fn read(&self, found: &Found, bytes: &[u8]) -> Result<Prepared, ReadError> {
        let path = Path::new(&found.location);
        let extracted = reader_for(path)?.read(bytes, path)?;
        let title = self.title(&extracted, path);
        let chunks = passages(&title, &extracted, self.counter.as_ref(), self.budget);
        if chunks.is_empty() {
            return Err(ReadError::NoText);
        }
        let replaced = extracted.text.matches(char::REPLACEMENT_CHARACTER).count();
        if replaced > 0 {
            tracing::warn!(
                path = found.path,
                replaced,
                "the file has bytes that are no characters; they are read as U+FFFD"
            );
        }
        let document = Document {
            location: found.location.clone(),
            path: found.path.clone(),
            title,
            text: extracted.text,
            metadata: extracted.metadata,
            fingerprint: hex(self.hasher().chain_update(bytes)),
        };
        Ok(Prepared { document, chunks })
    }

    /// The document's own title, else its file's name; shortened so that it leaves room for text.
    fn title(&self, extracted: &Extracted, path: &Path) -> String {
        let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let title = extracted.title.clone().unwrap_or_else(stem);
        let mut title: String =
            title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TITLE).collect();
        while !title.is_empty() && self.counter.count_tokens(&title) > self.budget / TITLE_PART {
            match title.rfind(' ') {
                Some(last_space) => title.truncate(last_space),
                None => drop(title.pop()),
            }
        }
        title
    }

    /// Takes a file's bytes to make its fingerprint of them; see [`hex`].
    pub(crate) fn hasher(&self) -> Sha256 {
        Sha256::new().chain_update(format!("{FORMAT_VERSION}\0{}\0{}\0", self.budget, self.embedder))
    }
}

/// The fingerprint: 64 hexadecimal digits.
pub(crate) fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    struct Words;

    impl TokenCounter for Words {
        fn count_tokens(&self, text: &str) -> usize {
            assert!(!text.contains("PANIC"), "met the word");
            text.split_whitespace().count()
        }

        fn max_tokens(&self) -> usize {
            256
        }
    }

    fn recipe() -> Recipe {
        Recipe { counter: Arc::new(Words), budget: 20, embedder: "fake".to_owned() }
    }

    fn found(name: &str) -> Found {
        Found { location: format!("/docs/{name}"), path: name.to_owned() }
    }

    #[test]
    fn a_document_has_a_title_and_at_least_one_passage() {
        let prepared = recipe().prepare(&found("Dose plan.md"), b"Take one.\n").unwrap();
        assert_eq!(prepared.document.title, "Dose plan");
        assert_eq!(prepared.texts().collect::<Vec<_>>(), ["Dose plan\nTake one."]);
        let long = recipe().prepare(&found("a.md"), b"# one two three four five six seven\n\ntext").unwrap();
        assert_eq!(long.document.title, "one two three four five");
        let nothing = recipe().prepare(&found("a.md"), b"<!-- later -->").unwrap_err();
        assert_eq!(nothing.to_string(), "no text in it");
    }

    #[test]
    fn a_panic_is_the_files_failure() {
        let failure = recipe().prepare(&found("a.txt"), b"PANIC").unwrap_err();
        assert_eq!(failure.to_string(), "the reader failed on it (please report this): met the word");
    }

    #[test]
    fn the_fingerprint_depends_on_bytes_and_recipe() {
        let print =
            |recipe: &Recipe, bytes: &[u8]| recipe.prepare(&found("a.txt"), bytes).unwrap().document.fingerprint;
        let base = print(&recipe(), b"text");
        assert_eq!((base.len(), &base), (64, &print(&recipe(), b"text")));
        assert_ne!(base, print(&recipe(), b"other"));
        assert_ne!(base, print(&Recipe { budget: 21, ..recipe() }, b"text"));
        assert_ne!(base, print(&Recipe { embedder: "other".to_owned(), ..recipe() }, b"text"));
    }
}
