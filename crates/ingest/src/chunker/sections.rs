//! Blocks grouped by the headings above them.

use crate::readers::{Block, BlockKind};

/// Blocks under one heading.
pub(super) struct Section<'a> {
    /// The headings above them, outermost first.
    pub(super) headings: Vec<String>,
    /// The blocks, in the order of the text.
    pub(super) blocks: Vec<&'a Block>,
}

/// Groups blocks into sections. A heading with text below it becomes context of that text and is in no section's
/// blocks. A heading with no text below it (its section is empty, or the document is only headings) would be
/// lost that way, so it is text itself.
///
/// `is_context` says whether a heading may serve as context; one that is as long as a paragraph may not.
pub(super) fn sections<'a>(blocks: &'a [Block], is_context: impl Fn(&str) -> bool) -> Vec<Section<'a>> {
    let mut outline = Outline { sections: Vec::new(), path: Vec::new() };
    let mut waiting: Vec<(u8, &str, &Block)> = Vec::new();
    for block in blocks {
        match &block.kind {
            BlockKind::Heading { level, title } if is_context(title) => waiting.push((*level, title, block)),
            _ => {
                if !waiting.is_empty() || outline.sections.is_empty() {
                    outline.take_headings(&waiting, u8::MAX);
                    waiting.clear();
                    outline.begin_section();
                }
                outline.add(block);
            }
        }
    }
    // Below the last headings nothing comes: each of them is followed by a heading above all others, so to say.
    outline.take_headings(&waiting, 0);
    outline.sections
}

struct Outline<'a> {
    sections: Vec<Section<'a>>,
    /// Level and words of the headings above the current place.
    path: Vec<(u8, &'a str)>,
}

impl<'a> Outline<'a> {
    /// Takes headings that follow each other directly. One stays context if all that come after it, down to
    /// `next_level`, are deeper.
    fn take_headings(&mut self, headings: &[(u8, &'a str, &'a Block)], next_level: u8) {
        let mut highest_after = vec![next_level; headings.len()];
        for at in (1..headings.len()).rev() {
            highest_after[at - 1] = highest_after[at].min(headings[at].0);
        }
        let mut in_section = false;
        for ((level, title, block), highest_after) in headings.iter().zip(highest_after) {
            while self.path.last().is_some_and(|(above, _)| above >= level) {
                self.path.pop();
            }
            if *level < highest_after {
                self.path.push((*level, title));
                in_section = false;
            } else {
                if !in_section {
                    self.begin_section();
                    in_section = true;
                }
                self.add(block);
            }
        }
    }

    fn begin_section(&mut self) {
        let headings =
            self.path.iter().map(|(_, title)| (*title).to_owned()).filter(|title| !title.is_empty()).collect();
        self.sections.push(Section { headings, blocks: Vec::new() });
    }

    fn add(&mut self, block: &'a Block) {
        if let Some(section) = self.sections.last_mut() {
            section.blocks.push(block);
        }
    }
}
