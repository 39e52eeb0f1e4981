//! Readers and chunker over whatever there may be: no panic, spans on character boundaries and in order, nothing lost,
//! passages within their bounds.

use std::path::Path;

use proptest::prelude::*;
use qanda_core::Span;
use qanda_core::document::with_context;
use qanda_core::ports::TokenCounter;
use qanda_ingest::chunker::{CHARACTERS_PER_TOKEN, Measure};
use qanda_ingest::readers::{BlockKind, Extracted, reader_for};
use qanda_ingest::{Chunk, passages};
use unicode_segmentation::UnicodeSegmentation;

/// Takes every run between spaces for one token, however long, as a tokenizer does that knows none of its characters.
struct Runs;

impl TokenCounter for Runs {
    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

/// Takes every byte for a token, as a tokenizer does that falls back on bytes.
struct Bytes;

impl TokenCounter for Bytes {
    fn count_tokens(&self, text: &str) -> usize {
        text.len()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

/// Pieces of which texts are made that are hard to read or to cut.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~]{0,40}",
        "[ก-๛]{1,200}",
        "[一-龥。、，]{1,200}",
        "[0-9a-f]{1,3000}",
        "(👩‍👩‍👧|🇩🇪|e\u{301}|\u{301}){1,80}",
        "(# |## |- |1\\. |> |```|\\| a \\| b \\|\n|---\n|\\[x\\]: |\\*\\*|<b>|</p>|<table>|<td>|<!--|&amp;|&#x1F;){1,6}",
        "(\n|\r\n|\n\n| |\t|\u{a0}|\u{200b}|\u{feff}){1,5}",
        "\\{\"key\":[0-9]{1,5},\"list\":\\[(1,){0,200}\\]\\}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(piece(), 0..20).prop_map(|pieces| pieces.concat())
}

const NAMES: [&str; 10] = ["a.md", "a.txt", "a.html", "a.csv", "a.json", "a.eml", "a.vtt", "a.rst", "a.adoc", "a.rs"];

fn read(name: &str, bytes: &[u8]) -> Option<Extracted> {
    let path = Path::new(name);
    reader_for(path).expect("a reader").read(bytes, path).ok()
}

/// Blocks are in order, do not overlap and begin and end between characters.
fn check_blocks(extracted: &Extracted) -> Result<(), TestCaseError> {
    let mut end = 0;
    for block in &extracted.blocks {
        let Span { start, end: block_end } = block.span;
        prop_assert!(end <= start && start <= block_end, "{:?} after {end}", block.span);
        prop_assert!(extracted.text.get(start..block_end).is_some(), "{:?}", block.span);
        end = block_end;
    }
    Ok(())
}

fn check_passages(extracted: &Extracted, counter: &dyn TokenCounter, budget: usize) -> Result<(), TestCaseError> {
    let (text, title) = (&extracted.text, "Title");
    let mut end = 0;
    let mut covered = vec![false; text.len()];
    for Chunk { span, headings } in passages(title, extracted, counter, budget) {
        prop_assert!(end <= span.start && span.start < span.end, "{span:?} after {end}");
        end = span.end;
        let passage = text.get(span.start..span.end);
        prop_assert!(passage.is_some(), "{span:?} is not between characters");
        let passage = passage.unwrap_or_default();
        prop_assert_eq!(passage, passage.trim());
        let embedded = with_context(title, &headings, passage);
        let alone = passage.chars().count() == 1;
        prop_assert!(Measure(counter).tokens(&embedded) <= budget || alone, "{} bytes", passage.len());
        prop_assert!(passage.chars().count() <= budget * CHARACTERS_PER_TOKEN);
        covered[span.start..span.end].fill(true);
    }
    for block in extracted.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })) {
        let lost = text[block.span.start..block.span.end]
            .char_indices()
            .find(|(at, c)| !c.is_whitespace() && !covered[block.span.start + at]);
        prop_assert!(lost.is_none(), "{lost:?} is in no passage");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_and_cut_without_loss(text in text(), budget in 8_usize..200) {
        for name in NAMES {
            if let Some(extracted) = read(name, text.as_bytes()) {
                check_blocks(&extracted)?;
                check_passages(&extracted, &Runs, budget)?;
                check_passages(&extracted, &Bytes, budget)?;
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for name in NAMES {
            if let Some(extracted) = read(name, &bytes) {
                check_blocks(&extracted)?;
            }
        }
    }
}

/// Cuts a text of one paragraph; returns the passages.
fn cut(name: &str, text: &str, budget: usize) -> Vec<String> {
    let extracted = read(name, text.as_bytes()).expect("is read");
    check_passages(&extracted, &Runs, budget).expect("holds");
    let chunks = passages("Title", &extracted, &Runs, budget);
    chunks.into_iter().map(|chunk| extracted.text[chunk.span.start..chunk.span.end].to_owned()).collect()
}

#[test]
fn runs_without_spaces_are_cut_at_the_best_place_there_is() {
    const BUDGET: usize = 20;
    let most = BUDGET * CHARACTERS_PER_TOKEN;
    let hex = "0123456789abcdef".repeat(20_000);
    let base64 = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo+/8".repeat(3_000);
    let thai = "ห้องเก็บวัคซีนต้องตรวจอุณหภูมิวันละสองครั้ง".repeat(500);
    let chinese = "糖尿病的治疗，首先是饮食。然后是运动、药物；最后是胰岛素".repeat(500);
    let json = format!("{{\"rows\":[{}]}}", "{\"name\":\"valve\",\"dose\":12},".repeat(3_000));
    let minified = "function(a,b){return a+b};var c=d.e(f);".repeat(2_000);
    let emoji = "👩‍👩‍👧🇩🇪".repeat(2_000);
    let word = "Donaudampfschifffahrtsgesellschaft".repeat(3_000);
    for (kind, text) in [
        ("hex", &hex),
        ("base64", &base64),
        ("Thai", &thai),
        ("Chinese", &chinese),
        ("JSON", &json),
        ("minified", &minified),
        ("emoji", &emoji),
        ("a word", &word),
    ] {
        let passages = cut("a.txt", text, BUDGET);
        let longest = passages.iter().map(|passage| passage.chars().count()).max().expect("some");
        assert!(longest <= most, "{kind}: {longest} characters");
        // Not in crumbs either.
        let mean = text.chars().count() / passages.len();
        assert!(mean * 4 >= most, "{kind}: {mean} characters on average");
        let mut characters = text.grapheme_indices(true).map(|(at, _)| at).chain([text.len()]);
        let mut at = 0;
        for passage in &passages {
            at += passage.len();
            assert!(characters.any(|boundary| boundary == at), "{kind}: cut inside of a character, at byte {at}");
        }
    }
    assert!(cut("a.txt", &chinese, BUDGET).iter().all(|passage| passage.ends_with(['，', '。', '、', '；', '素'])));
    let rows = cut("a.txt", &json, BUDGET);
    assert!(rows[..rows.len() - 1].iter().all(|passage| passage.ends_with([',', '}', ':'])), "{:?}", &rows[..3]);
}

#[test]
fn headings_titles_and_rows_without_end_are_bounded_like_other_text() {
    const BUDGET: usize = 40;
    let long = "x".repeat(50_000);
    let heading = format!("# {long}\n\nA sentence below it.\n\n## Short\n\nAnother one.\n");
    let passages = cut("a.md", &heading, BUDGET);
    assert_eq!(passages.last().map(String::as_str), Some("Another one."));
    assert!(passages[passages.len() - 2].ends_with("A sentence below it."), "{}", passages[passages.len() - 2]);
    let table = format!("| a | b |\n|---|---|\n| 1 | {} |\n| 2 | short |\n", "y".repeat(100_000));
    assert!(cut("a.md", &table, BUDGET).last().is_some_and(|last| last.contains("| 2 | short |")));
    let page = format!("<title>{long}</title><h1>{long}</h1><p>A sentence.</p>");
    assert!(cut("a.html", &page, BUDGET).last().is_some_and(|last| last.ends_with("A sentence.")));
}
