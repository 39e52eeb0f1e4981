//! Markdown: the file's text verbatim, markup included, so that spans point into the file. Only the blocks are
//! taken from the parser.

use std::ops::Range;
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use qanda_core::Span;

use super::front_matter::{self, FrontMatter};
use super::{Block, BlockKind, Extracted, Reader, data_addresses, first_heading};
use crate::{ReadError, decode::decode};

pub(super) struct Markdown;

impl Reader for Markdown {
    fn endings(&self) -> &'static [&'static str] {
        &["md", "markdown"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["text/markdown", "text/x-markdown"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = decode(bytes)?;
        let FrontMatter { metadata, body, notes } = front_matter::split(&text);
        let blocks = blocks(&text, body);
        let own = metadata.get("title").filter(|title| !title.is_empty()).cloned();
        let title = own.or_else(|| first_heading(&blocks));
        Ok(Extracted { title, text, blocks, metadata, notes, ..Extracted::default() })
    }
}

/// Blocks of a text in Markdown from a byte on.
pub(super) fn blocks(text: &str, body: usize) -> Vec<Block> {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_HEADING_ATTRIBUTES;
    let mut outline = Outline { text, ..Outline::default() };
    for (event, range) in Parser::new_ext(&text[body..], options).into_offset_iter() {
        outline.event(&event, range.start + body..range.end + body);
    }
    data_addresses::cut_out(text, outline.blocks)
}

/// Flattens the parser's tree of blocks into a row of them.
#[derive(Default)]
struct Outline<'a> {
    text: &'a str,
    blocks: Vec<Block>,
    /// Inside a block whose inner events add nothing to its span.
    inside_leaf: bool,
    /// Level and words so far of the heading that is being read.
    heading: Option<(u8, String)>,
    /// Offset at which the item begins whose first block has not come yet: its "- " belongs to that block.
    item: Option<usize>,
    /// Marks of struck-out text that are open: what is between them is in no title.
    struck_out: usize,
    /// The last block is a tight item, whose text comes without a paragraph around it.
    tight: bool,
}

impl Outline<'_> {
    fn event(&mut self, event: &Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(*tag),
            Event::Text(words) | Event::Code(words) => {
                if let Some((_, title)) = self.heading.as_mut().filter(|_| self.struck_out == 0) {
                    title.push_str(words);
                }
                self.inline(range);
            }
            Event::InlineHtml(tag) => {
                let name = tag.trim_start_matches(['<', '/']).trim_end_matches('>').split(' ').next();
                if matches!(name, Some("del" | "s" | "strike")) {
                    self.strike(!tag.starts_with("</"));
                }
                self.inline(range);
            }
            Event::SoftBreak | Event::HardBreak => {
                if let Some((_, title)) = &mut self.heading {
                    title.push(' ');
                }
            }
            Event::Rule => self.tight = false,
            _ => self.inline(range),
        }
    }

    fn start(&mut self, tag: &Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Paragraph if self.item.is_some() => self.leaf(BlockKind::ListItem, range),
            Tag::Paragraph => self.leaf(BlockKind::Paragraph, range),
            Tag::HtmlBlock if !has_words(&self.text[range.clone()]) => self.inside_leaf = true,
            Tag::HtmlBlock => self.leaf(BlockKind::Paragraph, range),
            Tag::CodeBlock(_) => self.leaf(BlockKind::Code, range),
            Tag::Table(_) => self.leaf(BlockKind::Table, range),
            Tag::Heading { level, .. } => {
                self.heading = Some((*level as u8, String::new()));
                // The title is known at the heading's end and put in then.
                self.leaf(BlockKind::Heading { level: *level as u8, title: String::new() }, range);
            }
            Tag::Item | Tag::FootnoteDefinition(_) => {
                self.tight = false;
                self.item.get_or_insert(range.start);
            }
            Tag::List(_) | Tag::BlockQuote(_) => self.tight = false,
            Tag::Strikethrough => {
                self.strike(true);
                self.inline(range);
            }
            _ => self.inline(range),
        }
    }

    fn strike(&mut self, opens: bool) {
        self.struck_out = if opens { self.struck_out + 1 } else { self.struck_out.saturating_sub(1) };
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Strikethrough => self.strike(false),
            TagEnd::Heading(_) => {
                self.inside_leaf = false;
                self.struck_out = 0;
                if let (Some((level, title)), Some(block)) = (self.heading.take(), self.blocks.last_mut()) {
                    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
                    block.kind = BlockKind::Heading { level, title };
                }
            }
            TagEnd::Paragraph | TagEnd::HtmlBlock | TagEnd::CodeBlock | TagEnd::Table => self.inside_leaf = false,
            TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.item = None;
                self.tight = false;
            }
            _ => {}
        }
    }

    /// A block that is complete with its start.
    fn leaf(&mut self, kind: BlockKind, range: Range<usize>) {
        let start = self.item.take().unwrap_or(range.start);
        self.push(kind, start, range.end);
        self.inside_leaf = true;
        self.tight = false;
    }

    /// Words straight inside an item: they begin its block, or make it longer.
    fn inline(&mut self, range: Range<usize>) {
        if self.inside_leaf {
            return;
        }
        match self.blocks.last_mut().filter(|_| self.tight) {
            Some(block) => block.span.end = block.span.end.max(range.end),
            None => {
                let start = self.item.take().unwrap_or(range.start);
                self.push(BlockKind::ListItem, start, range.end);
                self.tight = true;
            }
        }
    }

    fn push(&mut self, kind: BlockKind, start: usize, end: usize) {
        let after = self.blocks.last().map_or(0, |block| block.span.end);
        self.blocks.push(Block { kind, span: Span::new(start.max(after).min(end), end) });
    }
}

/// Whether HTML inside Markdown says anything, or is only comments and tags.
fn has_words(html: &str) -> bool {
    let mut rest = html;
    loop {
        let (words, tag) = rest.split_once('<').unwrap_or((rest, ""));
        if words.chars().any(char::is_alphanumeric) {
            return true;
        }
        let close = if tag.starts_with("!--") { "-->" } else { ">" };
        match tag.split_once(close) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(file: &str) -> Extracted {
        Markdown.read(file.as_bytes(), Path::new("a.md")).unwrap()
    }

    /// Kinds by initial, and the text of each block.
    fn outline(file: &str) -> Vec<(String, String)> {
        let read = read(file);
        let mut end = 0;
        read.blocks
            .into_iter()
            .map(|Block { kind, span }| {
                assert!(end <= span.start, "blocks overlap in {file}");
                end = span.end;
                let kind = match kind {
                    BlockKind::Heading { level, title } => format!("h{level} {title}"),
                    BlockKind::Paragraph => "p".to_owned(),
                    BlockKind::ListItem => "item".to_owned(),
                    BlockKind::Code => "code".to_owned(),
                    BlockKind::Table => "table".to_owned(),
                };
                (kind, read.text[span.start..span.end].trim().to_owned())
            })
            .collect()
    }

    fn expect(file: &str, blocks: &[(&str, &str)]) {
        let found = outline(file);
        let found: Vec<(&str, &str)> = found.iter().map(|(kind, text)| (kind.as_str(), text.as_str())).collect();
        assert_eq!(found, blocks, "{file}");
    }

    #[test]
    fn what_is_struck_out_is_in_no_title() {
        let read = read("# Filters ~~and pumps~~\n\n## Every <del>90</del> 30 days\n\nText.");
        assert_eq!(read.title.as_deref(), Some("Filters"));
        assert!(matches!(&read.blocks[1].kind, BlockKind::Heading { title, .. } if title == "Every 30 days"));
    }

    #[test]
    fn the_text_is_the_file_and_front_matter_is_in_no_block() {
        let file = "---\ntitle: Größe\nlang: de\n---\r\n\r\n# Erste `Überschrift` {#id}\r\n\r\nText — ≥ 5.  \r\n";
        let read = read(file);
        assert_eq!(read.text, file);
        assert_eq!(read.title.as_deref(), Some("Größe"));
        assert_eq!(read.metadata["lang"], "de");
        expect(file, &[("h1 Erste Überschrift", "# Erste `Überschrift` {#id}"), ("p", "Text — ≥ 5.")]);
    }

    #[test]
    fn without_front_matter_the_first_heading_is_the_title() {
        assert_eq!(read("Intro\n\n## *The* [title](x)\n\n# Other").title.as_deref(), Some("The title"));
        assert_eq!(read("Just words").title, None);
    }

    #[test]
    fn lists_are_rows_of_items_with_their_markers() {
        expect(
            "- one\n  wrapped **bold**\n- two\n  1. deep `code`\n\n  after\n- \n",
            &[("item", "- one\n  wrapped **bold**"), ("item", "- two"), ("item", "1. deep `code`"), ("p", "after")],
        );
        expect("* a\n\n* b\n\n  c\n", &[("item", "* a"), ("item", "* b"), ("p", "c")]);
        expect("- - x\n  - y\n- # h\n", &[("item", "- - x"), ("item", "- y"), ("h1 h", "- # h")]);
    }

    #[test]
    fn tables_code_quotes_and_footnotes_are_blocks() {
        expect(
            "| a | b |\n|---|---|\n| 1 | 2 |\n\nend[^1]\n\n[^1]: note\n",
            &[("table", "| a | b |\n|---|---|\n| 1 | 2 |"), ("p", "end[^1]"), ("item", "[^1]: note")],
        );
        expect("> quoted\n> more\n\n```sh\nls\n```\n", &[("p", "quoted\n> more"), ("code", "```sh\nls\n```")]);
    }

    #[test]
    fn html_counts_where_it_has_words() {
        expect(
            "<!-- a > comment -->\n\n<div align=\"center\">\n\nText\n\n<p>words</p>\n",
            &[("p", "Text"), ("p", "<p>words</p>")],
        );
    }

    #[test]
    fn pictures_as_data_addresses_are_in_no_block() {
        let picture = format!("data:image/png;base64,{}", "QUJD".repeat(100));
        expect(
            &format!("Runs dry.\n\n![the pump]({picture})\n\nRefill ![x][p] it.\n\n[p]: {picture}\n"),
            &[("p", "Runs dry."), ("p", "![the pump]("), ("p", "Refill ![x][p] it.")],
        );
    }

    #[test]
    fn struck_words_definitions_and_cautions_stay_as_they_are_written() {
        expect(
            "Every ~~90~~ 30 days.\n\nPPE\n: Gloves\n\n> [!WARNING]\n> Hot.\n\n4. four\n5. five\n",
            &[
                ("p", "Every ~~90~~ 30 days."),
                ("p", "PPE\n: Gloves"),
                ("p", "[!WARNING]\n> Hot."),
                ("item", "4. four"),
                ("item", "5. five"),
            ],
        );
    }

    #[test]
    fn deep_nesting_is_no_danger() {
        for mark in ["> ", "- ", "[", "*a ", "<div>"] {
            read(&format!("{}x", mark.repeat(50_000)));
        }
    }
}
