//! Any text under any structure, cut within any budget: passages in order, inside of the text, and nothing lost.

#![no_main]

use libfuzzer_sys::fuzz_target;
use qanda_core::Span;
use qanda_core::ports::TokenCounter;
use qanda_ingest::passages;
use qanda_ingest::readers::{Block, BlockKind, Extracted};

/// Blocks, each with the number of its kind; the budget; whether each byte is a token, not each word.
type Document = (Vec<(u8, String)>, u8, bool);

struct Counter {
    bytes: bool,
}

impl TokenCounter for Counter {
    fn count_tokens(&self, text: &str) -> usize {
        if self.bytes { text.len() } else { text.split_whitespace().count() }
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

fn kind(number: u8, words: &str) -> BlockKind {
    match number % 5 {
        0 => BlockKind::Heading { level: number / 5 % 6 + 1, title: words.to_owned() },
        1 => BlockKind::ListItem,
        2 => BlockKind::Code,
        3 => BlockKind::Table,
        _ => BlockKind::Paragraph,
    }
}

fuzz_target!(|document: Document| {
    let (blocks, budget, bytes) = document;
    let mut extracted = Extracted::default();
    for (number, words) in &blocks {
        let start = extracted.text.len();
        extracted.text.push_str(words);
        let span = Span::new(start, extracted.text.len());
        extracted.blocks.push(Block { kind: kind(*number, words), span });
        extracted.text.push('\n');
    }
    let text = &extracted.text;
    let budget = usize::from(budget).max(8);
    let mut end = 0;
    let mut covered = vec![false; text.len()];
    for passage in passages("Title", &extracted, &Counter { bytes }, budget) {
        let Span { start, end: passage_end } = passage.span;
        assert!(end <= start && text.get(start..passage_end).is_some(), "{start}..{passage_end} after {end}");
        end = passage_end;
        covered[start..passage_end].fill(true);
    }
    for block in extracted.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })) {
        let words = &text[block.span.start..block.span.end];
        let lost = words.char_indices().find(|(at, c)| !c.is_whitespace() && !covered[block.span.start + at]);
        assert!(lost.is_none(), "{lost:?} is in no passage");
    }
});
