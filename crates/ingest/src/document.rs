//! One source into one document with its passages.

use std::path::Path;
use std::sync::Arc;

use qanda_core::document::{Details, Fingerprint, Recipe, with_context};
use qanda_core::language::{composed, language_of_document};
use qanda_core::moment::NoDate;
use qanda_core::ports::TokenCounter;
use qanda_core::{Document, Metadata, Span, validity};

use crate::chunker::{Chunk, Measure, passages};
use crate::isolation::{Extractor, Raw, without_panic};
use crate::readers::Extracted;
use crate::{MAX_BYTES, ReadError, SourceDocument};

/// Part of every fingerprint. Raise it when the chunker makes other passages of the same text, and every document is
/// read again once. A reader that makes another text raises its own version, and only its documents are read again.
const CHUNKER_VERSION: u32 = 4;

/// Bits of the stored version below those of the reader's.
const CHUNKER_BITS: u32 = 16;

/// Longest title, in characters. It stands above every passage of the document.
const MAX_TITLE: usize = 200;

/// The title takes at most this part of the budget.
const TITLE_PART: usize = 4;

/// Everything besides the source that decides what the passages are.
#[derive(Clone)]
pub struct Preparer {
    /// Reads bytes.
    pub extractor: Arc<dyn Extractor>,
    /// Counts tokens as the embedder does.
    pub counter: Arc<dyn TokenCounter>,
    /// Most tokens of a passage under its headings.
    pub passage_tokens: usize,
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
    /// Texts that are embedded: each passage under the title and its headings.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        let Document { title, text, .. } = &self.document;
        self.chunks.iter().map(move |Chunk { span: Span { start, end }, headings }| {
            with_context(title, headings, &text[*start..*end])
        })
    }
}

impl Preparer {
    /// The recipe that is stored with what it makes of a source.
    #[must_use]
    pub fn recipe(&self, source: &SourceDocument) -> Recipe {
        let raw = Raw { path: &source.path, media_type: source.media_type.as_deref(), bytes: &[] };
        // What has no reader is refused elsewhere.
        let reader = raw.reader().map_or(0, |reader| reader.version());
        Recipe {
            chunker: CHUNKER_VERSION | reader << CHUNKER_BITS,
            passage_tokens: self.passage_tokens,
            embedder: self.embedder.clone(),
        }
    }

    /// Reads a source's bytes. The work of a processor, so not for an asynchronous thread.
    ///
    /// # Errors
    /// [`ReadError`] when there is no readable text. A panic of a reader is one of them.
    pub fn prepare(&self, source: &SourceDocument, bytes: &[u8]) -> Result<Prepared, ReadError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(ReadError::TooLarge);
        }
        let raw = Raw { path: &source.path, media_type: source.media_type.as_deref(), bytes };
        // Asked here: what has no reader need not travel.
        let usual = raw.reader()?.media_types().first().map(|&usual| usual.to_owned());
        let extracted = self.extractor.extract(raw)?;
        without_panic(|| self.cut(source, bytes, extracted, usual))
    }

    fn cut(
        &self,
        source: &SourceDocument,
        bytes: &[u8],
        extracted: Extracted,
        usual: Option<String>,
    ) -> Result<Prepared, ReadError> {
        let path = Path::new(&source.path);
        let title = self.title(&extracted, path);
        let chunks = passages(&title, &extracted, self.counter.as_ref(), self.passage_tokens);
        if chunks.is_empty() {
            return Err(ReadError::NoText);
        }
        let replaced = extracted.text.matches(char::REPLACEMENT_CHARACTER).count();
        if replaced > 0 {
            tracing::warn!(
                path = source.path,
                replaced,
                "the file has bytes that are no characters; they are read as U+FFFD"
            );
        }
        for note in &extracted.notes {
            tracing::warn!(path = source.path, "{note}");
        }
        let mut metadata = source.metadata.clone();
        metadata.extend(extracted.metadata);
        // A filter finds a value however its accents were written.
        let metadata =
            metadata.into_iter().map(|(name, value)| (composed(&name).into_owned(), composed(&value).into_owned()));
        let metadata: Metadata = metadata.collect();
        for (name, date) in validity::faults(&metadata) {
            let line = line_of(name, &extracted.text).map(|line| format!("line {line}: ")).unwrap_or_default();
            let path = &source.path;
            tracing::warn!(path, "{line}{name} is \"{date}\"; it {NoDate}, and was left out");
        }
        let language = language_of_document(&extracted.text).map(|language| language.tag().to_owned());
        let media_type = source.media_type.clone().or(usual);
        let document = Document {
            location: source.location.clone(),
            path: source.path.clone(),
            title,
            text: extracted.text,
            metadata,
            details: Details { media_type, language, pages: extracted.pages, ..Details::default() },
            fingerprint: Fingerprint { content: source.hash_of(bytes), recipe: self.recipe(source) },
        };
        Ok(Prepared { document, chunks })
    }

    /// The document's own title, else its file's name; shortened so that it leaves room for text.
    fn title(&self, extracted: &Extracted, path: &Path) -> String {
        let stem = || path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let title = extracted.title.clone().unwrap_or_else(stem);
        let mut title: String =
            title.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MAX_TITLE).collect();
        let measure = Measure(self.counter.as_ref());
        while !title.is_empty() && measure.tokens(&title) > self.passage_tokens / TITLE_PART {
            let shorter = title.rfind(' ').or(title.char_indices().next_back().map(|(last, _)| last));
            title.truncate(shorter.unwrap_or(0));
        }
        title
    }
}

/// The line of front matter, from 1, that states a fact; none where it stands elsewhere.
fn line_of(name: &str, text: &str) -> Option<usize> {
    let mut lines = text.lines();
    let rule = lines.next().map(str::trim_end).filter(|first| matches!(*first, "---" | "+++"))?;
    let inside = lines.take_while(|line| line.trim_end() != rule);
    let states = |line: &str| line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with([':', '=']));
    inside.enumerate().find(|(_, line)| states(line)).map(|(number, _)| number + 2)
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

    fn preparer() -> Preparer {
        let extractor = Arc::new(crate::InProcess);
        Preparer { extractor, counter: Arc::new(Words), passage_tokens: 20, embedder: "fake".to_owned() }
    }

    fn found(name: &str) -> SourceDocument {
        SourceDocument::file(&format!("/docs/{name}"), name.to_owned())
    }

    #[test]
    fn a_document_has_a_title_and_at_least_one_passage() {
        let prepared = preparer().prepare(&found("Dose plan.md"), b"Take one.\n").unwrap();
        assert_eq!(prepared.document.title, "Dose plan");
        assert_eq!(prepared.texts().collect::<Vec<_>>(), ["Dose plan\nTake one."]);
        let long = preparer().prepare(&found("a.md"), b"# one two three four five six seven\n\ntext").unwrap();
        assert_eq!(long.document.title, "one two three four five");
        let nothing = preparer().prepare(&found("a.md"), b"<!-- later -->").unwrap_err();
        assert_eq!(nothing.to_string(), "no text in it");
    }

    #[test]
    fn a_panic_is_the_files_failure() {
        let failure = preparer().prepare(&found("a.txt"), b"PANIC").unwrap_err();
        assert_eq!(failure.to_string(), "the reader failed on it (please report this): met the word");
    }

    #[test]
    fn the_fingerprint_depends_on_bytes_and_recipe() {
        let print =
            |preparer: &Preparer, bytes: &[u8]| preparer.prepare(&found("a.txt"), bytes).unwrap().document.fingerprint;
        let base = print(&preparer(), b"text");
        assert_eq!(base, print(&preparer(), b"text"));
        assert_ne!(base, print(&preparer(), b"other"));
        assert_ne!(base, print(&Preparer { passage_tokens: 21, ..preparer() }, b"text"));
        assert_ne!(base, print(&Preparer { embedder: "other".to_owned(), ..preparer() }, b"text"));
    }

    #[test]
    fn a_reader_that_has_changed_reads_its_own_documents_again_and_no_others() {
        let version = |name: &str| preparer().recipe(&found(name)).chunker;
        assert_eq!(version("a.md"), CHUNKER_VERSION);
        let pdf = version("a.pdf");
        assert_ne!(pdf, CHUNKER_VERSION);
        // A message may have one attached; an upload says its type.
        assert_ne!(version("a.eml"), CHUNKER_VERSION);
        let media_type = Some("application/pdf".to_owned());
        let upload = SourceDocument::upload("plan".to_owned(), media_type, Vec::new(), Default::default());
        assert_eq!(preparer().recipe(&upload).chunker, pdf);
    }

    #[test]
    fn a_faulty_date_is_found_in_its_line() {
        let text = "---\ntitle: valid_until\nvalid_until : soon\n---\nvalid_from: x\n";
        assert_eq!((line_of("valid_until", text), line_of("valid_from", text)), (Some(3), None));
        assert_eq!(line_of("valid_from", "+++\nvalid_from = 3\n+++\n"), Some(2));
        assert_eq!(line_of("valid_from", "valid_from: x"), None);
    }

    #[test]
    fn facts_that_came_along_are_kept_and_the_documents_own_go_first() {
        let facts = [("year", "2025"), ("ward", "3")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let text = "---\nyear: 2026\n---\nText.\n";
        let media_type = Some("text/markdown; charset=utf-8".to_owned());
        let upload = SourceDocument::upload("plan".to_owned(), media_type.clone(), Vec::new(), facts.into());
        let document = preparer().prepare(&upload, text.as_bytes()).unwrap().document;
        assert_eq!((document.metadata["year"].as_str(), document.metadata["ward"].as_str()), ("2026", "3"));
        assert_eq!((document.title.as_str(), document.path.as_str()), ("plan", "plan"));
        assert_eq!((document.location.as_str(), document.details.media_type), ("upload:plan", media_type));
    }
}
