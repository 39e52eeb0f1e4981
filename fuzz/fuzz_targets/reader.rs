//! Any bytes, read as files of one format, which `QANDA_FUZZ_ENDING` names: refused, or a text whose blocks and pages
//! fit it and that is cut into passages.

#![no_main]

use std::path::PathBuf;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use qanda_core::ports::TokenCounter;
use qanda_ingest::passages;
use qanda_ingest::readers::reader_for;

static NAME: LazyLock<PathBuf> = LazyLock::new(|| {
    let ending = std::env::var("QANDA_FUZZ_ENDING").expect("QANDA_FUZZ_ENDING names a format, such as md");
    PathBuf::from(format!("a.{ending}"))
});

/// A word is a token.
struct Words;

impl TokenCounter for Words {
    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().count()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

fuzz_target!(|bytes: &[u8]| {
    let reader = reader_for(&NAME).unwrap_or_else(|error| panic!("{error}"));
    let Ok(extracted) = reader.read(bytes, &NAME) else { return };
    let text = &extracted.text;
    let mut end = 0;
    for block in &extracted.blocks {
        assert!(end <= block.span.start && text.get(block.span.start..block.span.end).is_some(), "{block:?}");
        end = block.span.end;
    }
    assert!(extracted.pages.iter().all(|page| text.is_char_boundary(*page)), "{:?}", extracted.pages);
    assert!(extracted.pages.is_sorted(), "{:?}", extracted.pages);
    for passage in passages("Title", &extracted, &Words, 40) {
        assert!(text.get(passage.span.start..passage.span.end).is_some(), "{:?}", passage.span);
    }
});
