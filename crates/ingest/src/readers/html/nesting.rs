//! Keeps very deep pages readable. The HTML parser looks through all open elements at nearly every tag, so
//! 100,000 nested `<div>`s cost it minutes.

use std::borrow::Cow;

/// Levels that are kept. Hand-made pages have about 30; browsers flatten from 512 on.
const MAX_LEVELS: usize = 256;

/// Elements that have no content, or that the parser closes itself when the next one begins: however many of
/// them lack an end tag, they do not nest.
const NOT_NESTING: &[&str] = &[
    "area", "base", "body", "br", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img", "input", "li",
    "link", "meta", "option", "p", "param", "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// `html` with the tags left out that open more than [`MAX_LEVELS`] elements inside each other; what stands
/// between those tags stays. Nearly every page comes back as it is.
pub(super) fn limited(html: &str) -> Cow<'_, str> {
    let mut kept = String::new();
    let mut copied = 0;
    let mut levels = Levels::default();
    for tag in (Tags { html, at: 0 }) {
        if !levels.keep(&tag) {
            kept.push_str(&html[copied..tag.start]);
            // Words on both sides of a tag may have been in different blocks.
            kept.push(' ');
            copied = tag.end;
        }
    }
    if copied == 0 {
        return Cow::Borrowed(html);
    }
    kept.push_str(&html[copied..]);
    Cow::Owned(kept)
}

/// The elements that are open at a place of the page.
#[derive(Default)]
struct Levels<'a> {
    /// Names of those whose tags were kept.
    open: Vec<&'a str>,
    /// How many are open inside them whose tags were left out.
    left_out: usize,
}

impl<'a> Levels<'a> {
    /// Takes the next tag; says whether it stays in the page.
    fn keep(&mut self, tag: &TagText<'a>) -> bool {
        if NOT_NESTING.iter().any(|name| name.eq_ignore_ascii_case(tag.name)) {
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
        let room = self.open.len() < MAX_LEVELS;
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
            if self.html[..end].ends_with("/>") && !closing {
                // `<br/>`, or an SVG element without content.
                continue;
            }
            return Some(TagText { name, closing, start, end });
        }
    }
}
