//! PDF: `pdf-inspector` puts the words of a page into their order, with headings by the size of type, tables as rows, and
//! without what repeats at the edge of every page. Tables with ruling lines are read here ([`ruled`]). What nobody sees on
//! the page is left out ([`hidden`]). The extracted text is the Markdown that comes of it, page after page (docs/pdf.md).

mod grid;
mod hidden;
mod page_box;
mod ruled;
mod rules;
mod tidy;

use std::path::Path;

use lopdf::Document;
use pdf_inspector::{
    DetectionConfig, MarkdownOptions, PdfError, PdfOptions, PdfType, ScanStrategy, process_pdf_mem_with_options,
    to_markdown_from_items_with_rects_and_page_count,
};

use self::hidden::Visible;
use self::ruled::Ruled;
use self::tidy::{Pages, bodies, pages_of};
use super::{Extracted, Reader, first_heading, html::Html, markdown};
use crate::ReadError;

pub(super) struct Pdf;

/// Name of the format in messages.
const KIND: &str = "PDF";

/// Bytes at the end of a file in which its last mark is looked for: some programs write something behind it.
const TAIL: usize = 2048;

impl Reader for Pdf {
    fn endings(&self) -> &'static [&'static str] {
        &["pdf"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/pdf", "application/x-pdf"]
    }

    fn version(&self) -> u32 {
        1
    }

    fn read(&self, bytes: &[u8], path: &Path) -> Result<Extracted, ReadError> {
        if bytes.is_empty() {
            return Err(ReadError::Empty);
        }
        if !contains(&bytes[..bytes.len().min(1024)], b"%PDF-") {
            // A page that says why there is no file, saved under the file's name.
            let start = String::from_utf8_lossy(&bytes[..bytes.len().min(256)]).trim_start().to_lowercase();
            let html = ["<!doctype html", "<html"].iter().any(|mark| start.starts_with(mark));
            return if html { Html.read(bytes, path) } else { Err(ReadError::Foreign { kind: KIND }) };
        }
        // What a file without its end has lost cannot be told from what is left of it.
        if !contains(&bytes[bytes.len().saturating_sub(TAIL)..], b"%%EOF") {
            return Err(ReadError::Incomplete { kind: KIND });
        }
        extracted(bytes)
    }
}

fn extracted(bytes: &[u8]) -> Result<Extracted, ReadError> {
    // Every page is looked at before a document is called a scan, and one line makes a page of words.
    let detection =
        DetectionConfig { strategy: ScanStrategy::Full, min_text_ops_per_page: 1, ..DetectionConfig::default() };
    let options = PdfOptions::new().detection(detection).markdown(markdown_options());
    let read = process_pdf_mem_with_options(bytes, options).map_err(refusal)?;
    let document = Document::load_mem(bytes).ok();
    let Visible { mut items, hidden, turned } = Visible::of(bytes, document.as_ref());
    let mut notes = Vec::new();
    if hidden > 0 {
        notes.push(format!("{hidden} hidden words (white, tiny or outside the page) were left out"));
    }
    let tables = document.map(|document| ruled::take(&document, &turned, &mut items)).unwrap_or_default();
    let count = read.page_count as usize;
    // Whole pages know their tags and their other lines, which words alone do not.
    let mut pages = bodies(read.markdown.as_deref().filter(|_| hidden == 0).unwrap_or_default(), count);
    if hidden > 0 || !tables.is_empty() {
        let markdown =
            to_markdown_from_items_with_rects_and_page_count(items, markdown_options(), &[], read.page_count);
        for ((number, whole), body) in (1..).zip(&mut pages).zip(bodies(&markdown, count)) {
            let tables: Vec<&Ruled> = tables.iter().filter(|table| table.page == number).collect();
            if hidden > 0 || !tables.is_empty() {
                *whole = ruled::put_back(&body, &tables);
            }
        }
    }
    let Pages { text, starts, blank } = pages_of(&pages);
    if text.trim().is_empty() {
        return Err(if read.pdf_type == PdfType::TextBased { ReadError::NoText } else { ReadError::Scan });
    }
    if !blank.is_empty() {
        let pages = blank.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        notes.push(format!("no text found on these pages (perhaps scans or pictures): {pages}"));
    }
    let blocks = markdown::blocks(&text, 0);
    let title = read.title.filter(|title| is_title(title)).or_else(|| first_heading(&blocks));
    Ok(Extracted { title, text, blocks, pages: starts, notes, ..Extracted::default() })
}

/// Words and structure alone: marks of type within a sentence would stand between its words, and an address is no
/// part of what a page says.
fn markdown_options() -> MarkdownOptions {
    MarkdownOptions {
        include_page_numbers: true,
        detect_bold: false,
        detect_italic: false,
        detect_underline: false,
        include_links: false,
        format_urls: false,
        ..MarkdownOptions::default()
    }
}

fn refusal(error: PdfError) -> ReadError {
    match error {
        PdfError::Encrypted => ReadError::Password,
        PdfError::NotAPdf(_) => ReadError::Foreign { kind: KIND },
        PdfError::Io(error) => ReadError::Io(error),
        PdfError::Parse(_) | PdfError::InvalidStructure => ReadError::Incomplete { kind: KIND },
    }
}

/// Whether a document's own title says something: many programs put the name of a file there.
fn is_title(title: &str) -> bool {
    let named_file = title.starts_with("Microsoft ")
        || title.rsplit_once('.').is_some_and(|(_, end)| end.len() <= 5 && !end.contains(' '));
    !named_file && title.split_whitespace().count() > 1
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod ruled_tests;
#[cfg(test)]
mod tests;
