//! Struck-out text: what a document shows crossed out does not hold any more.
//!
//! Most readers leave it out. Texts that are kept as they are (Markdown, AsciiDoc) have it between marks, and whatever asks
//! what a passage says reads it without ([`holding`]); a citation shows it with its marks.

use std::borrow::Cow;

use crate::document::Span;

/// Longest struck-out text that is believed to be one, in bytes: a mark alone crosses nothing out.
const LONGEST: usize = 4_000;

/// Marks of a part that is crossed out: in Markdown (GitHub's extension) and AsciiDoc, and HTML, which both allow.
const MARKS: [(&str, &str); 6] = [
    ("~~", "~~"),
    ("<del", "</del>"),
    ("<s", "</s>"),
    ("<strike", "</strike>"),
    ("[line-through]#", "#"),
    ("[.line-through]#", "#"),
];

/// Tags around what was put in the place of something: they are no words.
const PUT_IN: [&str; 2] = ["<ins>", "</ins>"];

/// A text with spaces in the place of what is struck out in it: bytes keep their places.
#[must_use]
pub fn holding(text: &str) -> Cow<'_, str> {
    let struck = struck_out(text);
    if struck.is_empty() {
        return Cow::Borrowed(text);
    }
    let (mut kept, mut end) = (String::with_capacity(text.len()), 0);
    for span in struck {
        kept.push_str(&text[end..span.start]);
        kept.extend(std::iter::repeat_n(' ', span.len()));
        end = span.end;
    }
    kept.push_str(&text[end..]);
    Cow::Owned(kept)
}

/// The parts of a text that are struck out, with their marks, and the tags of what was put in. What is between backticks is code and shown as it is.
fn struck_out(text: &str) -> Vec<Span> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(next) = text[at..].find(['~', '<', '[', '`']) {
        at += next;
        if text[at..].starts_with('`') {
            at = after_code(text, at);
        } else if let Some(end) = MARKS.iter().find_map(|(open, close)| end_of(text, at, open, close)) {
            found.push(Span::new(at, end));
            at = end;
        } else if let Some(tag) = PUT_IN.iter().find(|tag| text[at..].starts_with(**tag)) {
            found.push(Span::new(at, at + tag.len()));
            at += tag.len();
        } else {
            let first = text.as_bytes()[at];
            at += text[at..].bytes().take_while(|byte| *byte == first).count();
        }
    }
    found
}

/// The end of a part that these marks cross out, if it begins here.
fn end_of(text: &str, at: usize, open: &str, close: &str) -> Option<usize> {
    let rest = text[at..].strip_prefix(open)?;
    let is_tag = open.starts_with('<');
    let start = match rest.chars().next()? {
        // A tag may have attributes; "<sup>" and "<strong>" are other tags.
        '>' | ' ' | '\n' if is_tag => at + open.len() + rest.find('>')? + 1,
        first if is_tag || first.is_whitespace() => return None,
        _ => at + open.len(),
    };
    let inside = &text[start..text.floor_char_boundary(start + LONGEST)];
    let inside = if is_tag { inside } else { inside.split("\n\n").next()? };
    let closes = |end: &usize| {
        let (before, after) = (&inside[..*end], &inside[end + close.len()..]);
        // Three in a row are the fence of a block of code.
        let alone = open != "~~" || !before.ends_with('~') && !after.starts_with('~');
        alone && (is_tag || before.ends_with(|c: char| !c.is_whitespace()))
    };
    inside.match_indices(close).map(|(end, _)| end).find(closes).map(|end| start + end + close.len())
}

/// The first byte behind a span or block of code that begins here, or behind its backticks if it does not end.
fn after_code(text: &str, at: usize) -> usize {
    let marks = text[at..].bytes().take_while(|byte| *byte == b'`').count();
    let inside = at + marks;
    let rest = if marks < 3 { text[inside..].split("\n\n").next().unwrap_or_default() } else { &text[inside..] };
    rest.find(&text[at..inside]).map_or(inside, |end| inside + end + marks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        let held = holding(text);
        assert_eq!(held.len(), text.len(), "bytes keep their places in {text}");
        held.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_crossed_out_does_not_hold() {
        for (text, holds) in [
            ("Every ~~90~~ 30 days.", "Every 30 days."),
            ("~~Größe 5 µm.~~ Then wait.", "Then wait."),
            ("Every <del>90</del><ins>30</ins> days.", "Every 30 days."),
            ("Every <s class='old'>90</s> 30 and <strike>60\n\nor</strike> 20.", "Every 30 and 20."),
            ("Every [.line-through]#90# 30, [line-through]#or# 20.", "Every 30, 20."),
            ("A ~~one~~ b ~~two\nlines~~ c", "A b c"),
        ] {
            assert_eq!(kept(text), holds);
        }
    }

    #[test]
    fn what_only_looks_so_is_kept() {
        for text in [
            "It takes ~~ 5 to ~~ 6 days.",
            "~~~\ncode ~~~ more\n~~~",
            "one ~~ two",
            "never ~~closed\n\nhere~~ it is",
            "H~2~O and ~5 to ~10 mg",
            "eGFR < 30 or <sup>2</sup> and <strong>this</strong>",
            "Type `~~gone~~` or ``<del>x</del>`` to cross out.",
            "```\n<s>\n\n~~x~~ </s>\n```",
            "`not closed, and <s> alone",
            "[1] and [line-through] alone",
        ] {
            assert!(matches!(holding(text), Cow::Borrowed(_)), "{text}");
        }
    }
}
