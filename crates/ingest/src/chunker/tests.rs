use std::path::Path;

use super::*;
use crate::readers::{Block, BlockKind, reader_for};

/// A word has a token for every four bytes begun: additive over words, like a tokenizer that parts at spaces.
struct Words;

impl TokenCounter for Words {
    fn count_tokens(&self, text: &str) -> usize {
        text.split_whitespace().map(|word| word.len().div_ceil(4)).sum()
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

/// Tokens that do not add up: texts of some lengths have more than their parts.
struct Moody;

impl TokenCounter for Moody {
    fn count_tokens(&self, text: &str) -> usize {
        let tokens = Words.count_tokens(text);
        if text.len().is_multiple_of(3) { tokens + tokens / 3 } else { tokens }
    }

    fn max_tokens(&self) -> usize {
        256
    }
}

fn markdown(text: &str) -> Extracted {
    reader_for(Path::new("a.md")).and_then(|reader| reader.read(text.as_bytes(), Path::new("a.md"))).expect("readable")
}

/// `Heading > Path: text` of each passage.
fn cut(text: &str, budget: usize) -> Vec<String> {
    let show = |chunk: Chunk| format!("{}: {}", chunk.headings.join(" > "), &text[chunk.span.start..chunk.span.end]);
    passages("T", &markdown(text), &Words, budget).into_iter().map(show).collect()
}

#[test]
fn headings_part_passages_and_are_their_context() {
    assert_eq!(
        cut("intro\n\n# A\n\none\n\n- two\n- three\n\n## B\n\nfour\n\n# C\n\nfive\n", 50),
        [": intro", "A: one\n\n- two\n- three", "A > B: four", "C: five"]
    );
}

#[test]
fn headings_without_text_below_are_text() {
    assert_eq!(cut("# A\n\n## B\n\n### C\n", 50), [": # A\n\n## B\n\n### C"]);
    assert_eq!(
        cut("# A\n## Empty\n## Empty too\n## B\ntext\n## End\n", 50),
        ["A: ## Empty\n## Empty too", "A > B: text", "A: ## End"]
    );
    assert_eq!(cut("# A\n## B\n# C\ntext", 50), [": # A\n## B", "C: text"]);
    assert!(cut("<!-- nothing -->\n", 50).is_empty());
}

#[test]
fn long_blocks_are_cut_where_they_may_be() {
    // 20 tokens, of which the title takes one.
    let prose = "Alpha beta gamma delta epsi. Zeta eta theta iota kapp. Lamb mu nu xi omicron pi. Rho sigma tau.";
    assert_eq!(
        cut(prose, 20),
        [": Alpha beta gamma delta epsi. Zeta eta theta iota kapp.", ": Lamb mu nu xi omicron pi. Rho sigma tau."]
    );
    let table = "| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |";
    // A header that takes more than a third of the room is not carried along.
    assert_eq!(cut(table, 13), [": | a | b |\n|---|---|", ": | 1 | 2 |\n| 3 | 4 |", ": | 5 | 6 |"]);
    assert_eq!(cut("abcdefghijklmnop", 4), [": abcdefghi", ": jklmnop"]);
}

#[test]
fn parts_of_a_table_carry_its_header() {
    let rows: String = (1..9).map(|number| format!("| W-{number} | {number} |\n")).collect();
    let parts = cut(&format!("# Stock\n\n| Part | Level |\n|---|---|\n{rows}"), 26);
    assert!(parts.len() > 2, "{parts:?}");
    assert!(parts[0].starts_with("Stock: | Part | Level |\n|---|---|\n| W-1 | 1 |"), "{parts:?}");
    assert!(parts[1..].iter().all(|part| part.starts_with("Stock > | Part | Level |: | W-")), "{parts:?}");
}

#[test]
fn parts_of_a_list_carry_the_sentence_that_announces_it() {
    let items: String = (1..9).map(|number| format!("- step {number} of the whole thing\n")).collect();
    let parts = cut(&format!("Wait. Then do this:\n\n{items}\nThe end."), 30);
    assert!(parts.len() > 2, "{parts:?}");
    assert!(parts[0].starts_with(": Wait. Then do this:\n\n- step 1"), "{parts:?}");
    assert!(parts[1..].iter().all(|part| part.starts_with("Then do this:: - step")), "{parts:?}");
}

#[test]
fn a_small_rest_shares_with_the_passage_before() {
    let text = (0..9).map(|n| format!("Sent {n:04} end.")).collect::<Vec<_>>().join(" ");
    let sizes: Vec<usize> = passages("T", &markdown(&text), &Words, 25).iter().map(|chunk| chunk.span.len()).collect();
    // Eight would fit into the first one.
    assert_eq!(sizes, [4 * 15 - 1, 5 * 15 - 1]);
}

#[test]
fn long_headings_and_titles_leave_room_for_text() {
    let long = "word ".repeat(40);
    let file = format!("# {long}\n\ntext under it\n\n## {} \n\nmore", "two words ".repeat(4));
    for chunk in passages("Title", &markdown(&file), &Words, 40) {
        assert!(chunk.headings.iter().all(|heading| heading.len() < 100));
    }
    let deep = (1..=6).map(|level| format!("{} Heading {level} here\n", "#".repeat(level))).collect::<String>();
    let chunks = passages("Title", &markdown(&format!("{deep}\ntext")), &Words, 24);
    assert_eq!(chunks[0].headings, ["Heading 5 here", "Heading 6 here"]);
}

/// A row of numbers that is the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }

    fn words(&mut self, most: usize) -> String {
        const WORDS: &[&str] = &[
            "dose",
            "Größe",
            "≥140/90",
            "a",
            "e.g.",
            "end.",
            "Why?",
            "漢字です。",
            "🦀",
            "\u{301}",
            "insulin,",
            "\n",
            "x\u{a0}y",
            "supercalifragilisticexpialidocious-und-noch-länger-ohne-jedes-Ende",
        ];
        (0..=self.roll(most)).map(|_| WORDS[self.roll(WORDS.len())]).collect::<Vec<_>>().join(" ")
    }

    /// A document of random blocks with random things between them.
    fn document(&mut self) -> Extracted {
        let mut document = Extracted::default();
        for _ in 0..self.roll(25) {
            let kind = match self.roll(8) {
                0 | 1 => BlockKind::Heading { level: 1 + self.roll(6) as u8, title: self.words(6).replace('\n', " ") },
                2 => BlockKind::ListItem,
                3 => BlockKind::Code,
                4 => BlockKind::Table,
                _ => BlockKind::Paragraph,
            };
            let start = document.text.len();
            let most = if self.roll(5) == 0 { 200 } else { 20 };
            document.text.push_str(&self.words(most));
            document.blocks.push(Block { kind, span: Span::new(start, document.text.len()) });
            document.text.push_str(["\n\n", "", " ", "\n<!-- a comment between blocks -->\n"][self.roll(4)]);
        }
        document
    }
}

#[test]
fn every_word_is_in_exactly_one_passage_within_the_budget() {
    let mut dice = Dice(7);
    for round in 0..3_000 {
        let document = dice.document();
        let budget = 12 + dice.roll(100);
        let counter: &dyn TokenCounter = if round % 3 == 0 { &Moody } else { &Words };
        let chunks = passages("Title", &document, counter, budget);
        check(&document, &chunks, counter, budget);
    }
}

fn check(document: &Extracted, chunks: &[Chunk], counter: &dyn TokenCounter, budget: usize) {
    let mut end = 0;
    let mut covered = vec![false; document.text.len()];
    for chunk in chunks {
        assert!(end <= chunk.span.start && !chunk.span.is_empty(), "passages overlap or are empty");
        end = chunk.span.end;
        let text = &document.text[chunk.span.start..chunk.span.end];
        assert_eq!(text, text.trim());
        let tokens = counter.count_tokens(&with_context("Title", &chunk.headings, text));
        assert!(tokens <= budget || text.chars().count() == 1, "{tokens} tokens for a budget of {budget}: {text:?}");
        covered[chunk.span.start..chunk.span.end].fill(true);
    }
    for block in document.blocks.iter().filter(|block| !matches!(block.kind, BlockKind::Heading { .. })) {
        let text = &document.text[block.span.start..block.span.end];
        for (at, c) in text.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            assert!(covered[block.span.start + at], "{c:?} of {text:?} is in no passage");
        }
    }
    let only_headings = document.blocks.iter().all(|block| matches!(block.kind, BlockKind::Heading { .. }));
    let words = document.blocks.iter().any(|block| !document.text[block.span.start..block.span.end].trim().is_empty());
    assert!(!(only_headings && words && chunks.is_empty()), "a document of headings has no passage");
}
