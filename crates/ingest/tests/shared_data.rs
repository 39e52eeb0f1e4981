//! Real documents, where the folder with them is beside the workspace.

#![allow(clippy::expect_used, clippy::print_stderr)]

use std::fs;
use std::sync::Arc;

use qanda_core::ports::TokenCounter;
use qanda_ingest::readers::{BlockKind, reader_for};
use qanda_ingest::{Chunk, InProcess, Prepared, Preparer, ReadError, SourceDocument, passages};
use qanda_tests::data::shared;
use serde_json::Value;

const BUDGET: usize = 250;

/// About as many tokens as a WordPiece tokenizer finds: one for every six letters begun, one for each other sign.
struct Estimate;

impl TokenCounter for Estimate {
    fn count_tokens(&self, text: &str) -> usize {
        let pieces = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words: usize = pieces.map(|word| word.len().div_ceil(6)).sum();
        words + text.chars().filter(|c| !c.is_alphanumeric() && !c.is_whitespace()).count()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

fn prepare(path: &std::path::Path) -> Result<Prepared, ReadError> {
    let preparer = Preparer {
        extractor: Arc::new(InProcess),
        counter: Arc::new(Estimate),
        passage_tokens: BUDGET,
        embedder: "none".to_owned(),
    };
    let location = path.display().to_string();
    let source = SourceDocument::file(&location, location.clone());
    preparer.prepare(&source, &fs::read(path).expect("a file of the list"))
}

fn one_space(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn phrases<'a>(entry: &'a Value, key: &str) -> impl Iterator<Item = &'a str> {
    entry[key].as_array().into_iter().flatten().filter_map(Value::as_str)
}

#[test]
fn formats_come_out_as_expected() {
    let Some(folder) = shared("formats") else { return };
    let list = fs::read_to_string(folder.join("expected.jsonl")).expect("the list of expectations");
    let mut checked = 0;
    for line in list.lines() {
        let entry: Value = serde_json::from_str(line).expect("a JSON line");
        let file = entry["file"].as_str().expect("a file name");
        let path = folder.join(file);
        if reader_for(&path).is_err() {
            continue;
        }
        checked += 1;
        match (prepare(&path), entry["expect"].as_str()) {
            (Ok(prepared), Some("text" | "either")) => check(file, &entry, &prepared),
            (Err(error), Some("error" | "either")) => eprintln!("{file}: refused: {error}"),
            (outcome, expected) => panic!("{file}: expected {expected:?}, found {:?}", outcome.map(|_| "text")),
        }
    }
    assert!(checked >= 9, "only {checked} files of our formats");
}

fn check(file: &str, entry: &Value, prepared: &Prepared) {
    let text = one_space(&prepared.document.text);
    for phrase in phrases(entry, "must_contain") {
        assert!(text.contains(&one_space(phrase)), "{file} lacks {phrase:?}");
    }
    // What is searched: the text of a Markdown file also holds its front matter, its passages do not.
    let passages = one_space(&prepared.texts().collect::<Vec<_>>().join("\n"));
    for phrase in phrases(entry, "must_not_contain") {
        assert!(!passages.contains(phrase), "{file} has {phrase:?}");
    }
    let pages = &prepared.document.details.pages;
    if let Some(count) = entry["pages"].as_u64() {
        assert_eq!(pages.len() as u64, count, "{file}");
    }
    for (phrase, page) in entry["page_of"].as_object().into_iter().flatten() {
        let page = usize::try_from(page.as_u64().expect("a number")).expect("a page");
        let end = pages.get(page).copied().unwrap_or(prepared.document.text.len());
        let text = one_space(&prepared.document.text[pages[page - 1]..end]);
        assert!(text.contains(&one_space(phrase)), "{file}: page {page} lacks {phrase:?}");
    }
    if let Some(title) = entry["title"].as_str() {
        assert_eq!(prepared.document.title, title, "{file}");
    }
    eprintln!("{file}: {:?}, {} passages", prepared.document.title, prepared.chunks.len());
}

#[test]
fn corpora_are_cut_without_loss() {
    let Some(folder) = shared("chunking/corpora") else { return };
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        let document = reader_for(&path).and_then(|reader| reader.read(&bytes, &path)).expect("readable");
        assert_eq!(document.text.as_bytes(), bytes, "offsets must point into the file");
        let chunks = passages("Title", &document, &Estimate, BUDGET);
        let mut covered = vec![false; bytes.len()];
        let mut end = 0;
        for Chunk { span, .. } in &chunks {
            assert!(end <= span.start);
            end = span.end;
            covered[span.start..span.end].fill(true);
        }
        for block in document.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })) {
            let text = &document.text[block.span.start..block.span.end];
            let lost = text.char_indices().find(|(at, c)| !c.is_whitespace() && !covered[block.span.start + at]);
            assert!(lost.is_none(), "{}: {lost:?} is lost", path.display());
        }
        report(&path.display().to_string(), &[(&document.text, chunks)]);
    }
}

#[test]
fn a_collection_of_guidance_is_read_whole() {
    let Some(folder) = shared("medquad/documents") else { return };
    let began = std::time::Instant::now();
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let prepared: Vec<Prepared> = files.map(|path| prepare(&path).expect("readable")).collect();
    eprintln!("medquad: {} documents in {:?}", prepared.len(), began.elapsed());
    for document in &prepared {
        for text in document.texts() {
            assert!(Estimate.count_tokens(&text) <= BUDGET);
        }
    }
    let all: Vec<_> = prepared.iter().map(|prepared| (&prepared.document.text, prepared.chunks.clone())).collect();
    report("medquad", &all);
}

fn report(name: &str, documents: &[(&String, Vec<Chunk>)]) {
    let tokens = |text: &str, chunk: &Chunk| Estimate.count_tokens(&text[chunk.span.start..chunk.span.end]);
    let mut sizes: Vec<usize> =
        documents.iter().flat_map(|(text, chunks)| chunks.iter().map(move |chunk| tokens(text, chunk))).collect();
    sizes.sort_unstable();
    let share = |part: usize| sizes[(sizes.len() - 1) * part / 100];
    let mean = sizes.iter().sum::<usize>() as f64 / sizes.len() as f64;
    eprintln!(
        "{name}: {} passages of {mean:.1} tokens on average; 5 %: {}, median {}, 95 %: {}, smallest {}, largest {}",
        sizes.len(),
        share(5),
        share(50),
        share(95),
        sizes[0],
        share(100),
    );
}
