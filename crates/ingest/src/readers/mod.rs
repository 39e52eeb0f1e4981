//! One reader per format, chosen by the file's ending. A new format is a new file here and a line in `READERS`.

pub(crate) mod archive;
mod asciidoc;
mod csv;
mod data_addresses;
mod epub;
mod front_matter;
mod html;
mod json;
mod lines;
mod mail;
mod markdown;
mod numbering;
mod office;
mod pdf;
mod plain;
mod rst;
mod source_code;
mod subtitles;
mod table;
mod writer;
mod xml;

use std::ffi::OsStr;
use std::path::Path;

use qanda_core::{Metadata, Span};
use serde::{Deserialize, Serialize};

use crate::ReadError;

/// Text of one file, as a reader makes it. It comes out of another process, so it can be written down; its text goes
/// separately.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Extracted {
    /// Title that the document has of its own.
    pub title: Option<String>,
    /// The text that spans count the bytes of.
    #[serde(skip)]
    pub text: String,
    /// Its structure: in the order of the text, without overlaps. Text outside of every block (front matter,
    /// markup without words) is not searched.
    pub blocks: Vec<Block>,
    /// Facts that the document states about itself.
    pub metadata: Metadata,
    /// First byte of each page in the text; empty for a format without pages.
    pub pages: Vec<usize>,
    /// What was left out or could not be read, for whoever ingests: "3 lines in white on white were left out".
    pub notes: Vec<String>,
}

/// A piece of text that belongs together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Its kind.
    pub kind: BlockKind,
    /// Place where it stands in the extracted text.
    #[serde(with = "span")]
    pub span: Span,
}

/// Kind of a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum BlockKind {
    /// Starts a section.
    Heading {
        /// 1 (outermost) to 6.
        level: u8,
        /// Its words without markup, which the span may have.
        title: String,
    },
    /// Running text.
    Paragraph,
    /// One item of a list, without the lists inside it.
    ListItem,
    /// Lines whose breaks matter.
    Code,
    /// Rows, one a line.
    Table,
}

/// A span as two numbers.
mod span {
    use qanda_core::Span;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
        (span.start, span.end).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        let (start, end) = Deserialize::deserialize(deserializer)?;
        Ok(Span { start, end })
    }
}

/// Reader of one format.
pub trait Reader: Send + Sync {
    /// Endings of its files: lower case, without the dot.
    fn endings(&self) -> &'static [&'static str];

    /// Media types of its files, the usual one first.
    fn media_types(&self) -> &'static [&'static str];

    /// Version of what it makes, below 2^16. Raise it when it makes another text of the same bytes, and each of its stored
    /// documents is read again once.
    fn version(&self) -> u32 {
        0
    }

    /// Reads a file's bytes; `path` is for formats whose parts lie in other files.
    ///
    /// # Errors
    /// [`ReadError`] when there is no text to be had from it.
    fn read(&self, bytes: &[u8], path: &Path) -> Result<Extracted, ReadError>;
}

static READERS: &[&dyn Reader] = &[
    &markdown::Markdown,
    &plain::Plain,
    &html::Html,
    &office::Docx,
    &office::Pptx,
    &office::Xlsx,
    &office::Odf,
    &epub::Epub,
    &pdf::Pdf,
    &csv::Csv,
    &json::Json,
    &mail::Mail,
    &subtitles::Subtitles,
    &rst::ReStructuredText,
    &asciidoc::AsciiDoc,
    &source_code::SourceCode,
];

/// The reader for a file, by the ending of its name.
///
/// # Errors
/// [`ReadError::NoReader`], which lists what is readable.
pub fn reader_for(path: &Path) -> Result<&'static dyn Reader, ReadError> {
    let ending = path.extension().and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
    READERS
        .iter()
        .find(|reader| reader.endings().contains(&ending.as_str()))
        .copied()
        .ok_or_else(|| ReadError::NoReader { kind: ending_of(path), readable: readable() })
}

/// The reader for a media type, whatever parameters it has.
///
/// # Errors
/// [`ReadError::NoReader`], which lists what is readable.
pub fn reader_for_type(media_type: &str) -> Result<&'static dyn Reader, ReadError> {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    READERS.iter().find(|reader| reader.media_types().contains(&essence.as_str())).copied().ok_or_else(|| {
        let readable = READERS.iter().flat_map(|reader| reader.media_types()).copied();
        ReadError::NoReader { kind: essence, readable: readable.collect::<Vec<_>>().join(" ") }
    })
}

/// The words of the first heading, which serves as a title where a document has no other.
fn first_heading(blocks: &[Block]) -> Option<String> {
    blocks.iter().find_map(|block| match &block.kind {
        BlockKind::Heading { title, .. } => Some(title.clone()),
        _ => None,
    })
}

/// A note about things that were left out: none for none of them.
fn counted(number: usize, one: &str, many: &str) -> Option<String> {
    match number {
        0 => None,
        1 => Some(format!("1 {one} left out")),
        _ => Some(format!("{number} {many} left out")),
    }
}

/// The endings of documents, as people write them; those of code are too many to be named.
fn readable() -> String {
    let code = source_code::SourceCode.endings();
    let documents = endings().filter(|ending| !code.contains(ending)).map(|ending| format!(".{ending}"));
    documents.chain(["and source code".to_owned()]).collect::<Vec<_>>().join(" ")
}

/// Every ending that some reader takes: lower case, without the dot.
pub fn endings() -> impl Iterator<Item = &'static str> {
    READERS.iter().flat_map(|reader| reader.endings()).copied()
}

/// The ending of a file's name as people write it: ".pdf", or "nameless" where there is none.
pub(crate) fn ending_of(path: &Path) -> String {
    path.extension()
        .map_or_else(|| "nameless".to_owned(), |ending| format!(".{}", ending.to_string_lossy().to_lowercase()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_chooses_the_reader_whatever_its_case() {
        for path in ["a.md", "b/README.MARKDOWN", "c.txt", "d.text", "e.HTM", "f.html", "g.xhtml"] {
            assert!(reader_for(Path::new(path)).is_ok(), "{path}");
        }
        let reason = |path: &str| reader_for(Path::new(path)).err().unwrap().to_string();
        let unknown = reason("x.XYZ");
        assert!(
            unknown.starts_with("no reader for .xyz files; readable are: .md .markdown .txt .text .html"),
            "{unknown}"
        );
        assert!(unknown.contains(" .docx ") && unknown.ends_with(" and source code"), "{unknown}");
        assert!(reason("Makefile").starts_with("no reader for nameless files"));
        for media_type in ["text/markdown", "TEXT/HTML; charset=utf-8", "text/plain"] {
            assert!(reader_for_type(media_type).is_ok(), "{media_type}");
        }
        let reason = reader_for_type("image/png").err().unwrap().to_string();
        assert!(reason.starts_with("no reader for image/png files; readable are: text/markdown"), "{reason}");
    }
}
