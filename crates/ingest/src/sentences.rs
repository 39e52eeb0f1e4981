//! Where a text may be cut when a block is too long for one passage.

use qanda_core::Span;
use unicode_segmentation::UnicodeSegmentation;

/// Words whose full stop does not end a sentence, in lower case and without the stop.
const ABBREVIATIONS: &[&str] = &[
    "al", "approx", "bzw", "ca", "cf", "dr", "e.g", "eds", "eg", "eq", "fig", "figs", "i.e", "ie", "incl", "jr", "mr",
    "mrs", "ms", "nos", "nr", "pp", "prof", "resp", "sr", "st", "u.s", "usw", "vol", "vs", "z.b",
];

/// Sentences of a part of a text, without white space around them. Every other character is in one of them.
///
/// A blank line ends a sentence; any other line end does not, since text is often wrapped.
#[must_use]
pub fn sentences(text: &str, within: Span) -> Vec<Span> {
    let part = &text[within.start..within.end];
    let mut found = Vec::new();
    let mut start = 0;
    for (at, piece) in part.split_sentence_bound_indices() {
        let end = at + piece.len();
        if ends(&part[start..end], &part[end..]) {
            found.push(Span::new(start, end));
            start = end;
        }
    }
    found.push(Span::new(start, part.len()));
    found.into_iter().map(|span| trim(text, span.shifted(within.start))).filter(|span| !span.is_empty()).collect()
}

/// `span` without the white space at its ends.
#[must_use]
pub fn trim(text: &str, span: Span) -> Span {
    let part = &text[span.start..span.end];
    let start = span.start + (part.len() - part.trim_start().len());
    Span::new(start, start + part.trim().len())
}

/// Whether a boundary that Unicode sees between `before` and `after` ends a sentence. Unicode sees one at every
/// line end, and at every full stop before a capital.
fn ends(before: &str, after: &str) -> bool {
    let said = before.trim_end();
    let blank_line = before[said.len()..].matches('\n').count() > 1;
    if said.is_empty() || blank_line {
        return blank_line && !said.is_empty();
    }
    let unquoted = said.trim_end_matches(['"', '\'', '”', '’', '»', '“', ')', ']', '*', '_']);
    match unquoted.chars().next_back() {
        Some('.') => {
            let goes_on = after.trim_start().starts_with(char::is_lowercase);
            !goes_on && !is_abbreviation(unquoted.trim_end_matches('.'))
        }
        Some('!' | '?' | '…' | '。' | '！' | '？' | '｡') => true,
        _ => false,
    }
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "([\"“„".contains(c)).next().unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text, Span::new(0, text.len())).into_iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn sentences_end_at_marks_and_blank_lines_only() {
        assert_eq!(
            split("Aim for 7.5 % or\nless! Why?  \"Because.\" Größe ≥ 5 µm.\r\n\r\nno mark\n\n\nEnd"),
            ["Aim for 7.5 % or\nless!", "Why?", "\"Because.\"", "Größe ≥ 5 µm.", "no mark", "End"]
        );
        assert_eq!(split("漢字です。次の文。"), ["漢字です。", "次の文。"]);
        assert!(split(" \n\n \n").is_empty());
    }

    #[test]
    fn abbreviations_and_initials_go_on() {
        for whole in [
            "Give insulin, e.g. Glargine, at night.",
            "See Dr. Smith vs. Prof. Jones (cf. Fig. 3) first.",
            "It takes approx. 3 days, i.e. Monday to Wednesday.",
            "J. R. Tolkien wrote 3.14 books, etc. and more.",
        ] {
            assert_eq!(split(whole), [whole]);
        }
    }

    #[test]
    fn spans_count_from_the_start_of_the_text() {
        let text = "Überall. Zwei Sätze. Drei.";
        let spans = sentences(text, Span::new("Überall.".len(), text.len()));
        assert_eq!(spans.iter().map(|span| &text[span.start..span.end]).collect::<Vec<_>>(), ["Zwei Sätze.", "Drei."]);
    }
}
