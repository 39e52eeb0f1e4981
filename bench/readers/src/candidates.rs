//! The readers that are compared, each as a function from a file to its text in Markdown.

use std::path::Path;

/// Reader under measurement.
pub struct Candidate {
    pub name: &'static str,
    /// Endings of the files that it is given, without their dots.
    pub endings: &'static [&'static str],
    pub read: fn(&Path) -> Result<String, String>,
}

/// Those that were compiled in.
pub const CANDIDATES: &[Candidate] = &[
    Candidate {
        name: "qanda",
        endings: &["pdf", "docx", "pptx", "xlsx", "odt", "ods", "odp", "html", "epub", "csv", "md"],
        read: qanda,
    },
    #[cfg(feature = "docling")]
    Candidate {
        name: "docling",
        endings: &["docx", "pptx", "xlsx", "odt", "ods", "odp", "html", "epub", "csv", "md"],
        read: docling,
    },
    #[cfg(feature = "undoc")]
    Candidate { name: "undoc", endings: &["docx", "pptx", "xlsx"], read: undoc },
    #[cfg(feature = "office_oxide")]
    Candidate { name: "office_oxide", endings: &["docx", "pptx", "xlsx"], read: office_oxide },
    #[cfg(feature = "htmd")]
    Candidate { name: "htmd", endings: &["html"], read: htmd },
    #[cfg(feature = "dom_smoothie")]
    Candidate { name: "dom_smoothie and htmd", endings: &["html"], read: dom_smoothie },
    #[cfg(feature = "pdf_oxide")]
    Candidate { name: "pdf_oxide", endings: &["pdf"], read: pdf_oxide },
    #[cfg(feature = "edgeparse")]
    Candidate { name: "edgeparse", endings: &["pdf"], read: edgeparse },
];

fn qanda(path: &Path) -> Result<String, String> {
    let reader = qanda_ingest::readers::reader_for(path).map_err(said)?;
    Ok(reader.read(&bytes(path)?, path).map_err(said)?.text)
}

#[cfg(feature = "docling")]
fn docling(path: &Path) -> Result<String, String> {
    let source = docling::SourceDocument::from_file(path).map_err(said)?;
    Ok(docling::DocumentConverter::new().convert(source).map_err(said)?.document.export_to_markdown())
}

#[cfg(feature = "undoc")]
fn undoc(path: &Path) -> Result<String, String> {
    undoc::to_markdown(path).map_err(said)
}

#[cfg(feature = "office_oxide")]
fn office_oxide(path: &Path) -> Result<String, String> {
    Ok(office_oxide::Document::open(path).map_err(said)?.to_markdown())
}

#[cfg(feature = "htmd")]
fn htmd(path: &Path) -> Result<String, String> {
    let page = String::from_utf8_lossy(&bytes(path)?).into_owned();
    let converter = htmd::HtmlToMarkdown::builder().skip_tags(vec!["script", "style", "head"]).build();
    converter.convert(&page).map_err(said)
}

/// The article of a page as Readability finds it.
#[cfg(feature = "dom_smoothie")]
fn dom_smoothie(path: &Path) -> Result<String, String> {
    let page = String::from_utf8_lossy(&bytes(path)?).into_owned();
    let article = dom_smoothie::Readability::new(page, None, None).map_err(said)?.parse().map_err(said)?;
    htmd::convert(&article.content).map_err(said)
}

#[cfg(feature = "pdf_oxide")]
fn pdf_oxide(path: &Path) -> Result<String, String> {
    let document = pdf_oxide::PdfDocument::open(path).map_err(said)?;
    document.to_markdown_all(&Default::default()).map_err(said)
}

#[cfg(feature = "edgeparse")]
fn edgeparse(path: &Path) -> Result<String, String> {
    let document = edgeparse_core::convert(path, &Default::default()).map_err(said)?;
    edgeparse_core::output::markdown::to_markdown(&document).map_err(said)
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(said)
}

fn said(error: impl std::fmt::Display) -> String {
    error.to_string()
}
