//! Keeps very deep pages readable. The HTML parser looks through all open elements at nearly every tag, so
//! 100,000 nested `<div>`s cost it minutes; and it opens every unclosed `<b>` again in each later paragraph, so
//! 100,000 of those cost it all memory. With both bounded, a page takes time in proportion to its length.

use std::borrow::Cow;

/// Levels that are kept. Hand-made pages have about 30, those of tools about 60; each level more costs every later tag
/// a step.
const MAX_LEVELS: usize = 100;

/// The same for elements that the parser opens again.
const MAX_FORMATTING: usize = 16;

/// How often the parser opens such elements again in one page before they are closed where the next block begins.
const MAX_REOPENED: usize = 20_000;

/// Elements that the parser opens again when they were not closed.
const FORMATTING: &[&str] = &["b", "big", "code", "em", "font", "i", "s", "small", "strike", "strong", "tt", "u"];

/// Elements that have no content, or that the parser closes itself when the next one begins: however many of
/// them lack an end tag, they do not nest.
const NOT_NESTING: &[&str] = &[
    "a", "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img", "input",
    "li", "link", "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track",
    "wbr",
];

/// `html` with the tags left out that open too many elements inside each other; what stands
/// between those tags stays. Nearly every page comes back as it is.
pub(super) fn limited(html: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut copied = 0;
    let (mut levels, mut formatting) = (Levels::new(MAX_LEVELS), Levels::new(MAX_FORMATTING));
    let mut reopened = 0;
    for tag in (Tags { html, at: 0 }) {
        if !tag.closing && !is_one_of(FORMATTING, tag.name) {
            reopened += formatting.open.len();
            if reopened > MAX_REOPENED && !formatting.open.is_empty() {
                kept.push_str(&html[copied..tag.start]);
                copied = tag.start;
                for name in formatting.open.drain(..).rev() {
                    kept.push_str("</");
                    kept.push_str(name);
                    kept.push('>');
                }
            }
        }
        let levels = if is_one_of(FORMATTING, tag.name) { &mut formatting } else { &mut levels };
        if !is_one_of(NOT_NESTING, tag.name) && !levels.keep(&tag) {
            kept.push_str(&html[copied..tag.start]);
            // Words on both sides of a tag may have been in different blocks.
            kept.push(' ');
            copied = tag.end;
        }
    }
    if kept.is_empty() {
        return Cow::Borrowed(html);
    }
    kept.push_str(&html[copied..]);
    Cow::Owned(kept)
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// The elements that are open at a place of the page.
struct Levels<'a> {
    most: usize,
    /// Names of those whose tags were kept.
    open: Vec<&'a str>,
    /// Number of those open inside them whose tags were left out.
    left_out: usize,
}

impl<'a> Levels<'a> {
    fn new(most: usize) -> Self {
        Self { most, open: Vec::new(), left_out: 0 }
    }

    /// Takes the next tag; says whether it stays in the page.
    fn keep(&mut self, tag: &TagText<'a>) -> bool {
        // `<x/>` is an element without content only in drawings and formulas; in HTML proper it is `<x>`.
        if tag.empty && self.open.iter().any(|name| is_one_of(&["svg", "math"], name)) {
            return true;
        }
        if tag.closing && self.left_out > 0 {
            self.left_out -= 1;
            return false;
        }
        if tag.closing {
            if let Some(at) = self.open.iter().rposition(|name| name.eq_ignore_ascii_case(tag.name)) {
                self.open.truncate(at);
            }
            return true;
        }
        let room = self.open.len() < self.most;
        if room {
            self.open.push(tag.name);
        } else {
            self.left_out += 1;
        }
        room
    }
}

struct TagText<'a> {
    name: &'a str,
    closing: bool,
    /// Written as `<x/>`.
    empty: bool,
    start: usize,
    end: usize,
}

/// Everything that looks like a tag. Also finds "tags" in scripts and comments, which does no harm: they only
/// count towards a limit that is far away.
struct Tags<'a> {
    html: &'a str,
    at: usize,
}

impl<'a> Iterator for Tags<'a> {
    type Item = TagText<'a>;

    fn next(&mut self) -> Option<TagText<'a>> {
        loop {
            let start = self.at + self.html[self.at..].find('<')?;
            let after = &self.html[start + 1..];
            let closing = after.starts_with('/');
            let name_at = start + 1 + usize::from(closing);
            let rest = &self.html[name_at..];
            let length = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
            let name = &rest[..length];
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
                self.at = start + 1;
                continue;
            }
            let end = name_at + length + rest[length..].find('>').map_or(rest.len() - length, |close| close + 1);
            self.at = end;
            let empty = self.html[..end].ends_with("/>");
            return Some(TagText { name, closing, empty, start, end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_would_open_again_too_often_is_closed_at_the_next_block() {
        // Each paragraph opens the 16 elements again.
        let page = |paragraphs: usize| format!("{}{}", "<b>".repeat(16), "<p>x".repeat(paragraphs));
        let few = page(MAX_REOPENED / 16);
        assert_eq!(limited(&few), few);
        let many = limited(&page(MAX_REOPENED / 16 + 50)).into_owned();
        assert_eq!(many.matches("</b>").count(), 16);
        assert_eq!(many.find("</b>"), Some(few.len()));
        assert!(many.ends_with(&"<p>x".repeat(50)));
    }

    #[test]
    fn tags_deeper_than_the_limit_are_left_out_with_their_ends() {
        let page = format!("{}deep{}<p>after", "<div>".repeat(5_000), "</div>".repeat(5_000));
        let kept = limited(&page);
        assert_eq!((kept.matches("<div>").count(), kept.matches("</div>").count()), (MAX_LEVELS, MAX_LEVELS));
        assert!(kept.contains("deep") && kept.ends_with("<p>after"));
    }
}
