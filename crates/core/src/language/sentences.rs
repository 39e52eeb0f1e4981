//! Sentences of a text.

use crate::document::Span;

/// Spans of the sentences of `text`, without the white space between them. A sentence ends at `.`, `!` or `?`
/// before white space, at a blank line, and before a list item.
#[must_use]
pub fn sentences(text: &str) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let ends = match c {
            '.' | '!' | '?' => next.is_none_or(char::is_whitespace) && !is_abbreviation(&text[start..at]),
            '\n' => starts_block(&text[at + 1..]),
            _ => false,
        };
        if ends {
            push_trimmed(text, start, at + c.len_utf8(), &mut spans);
            start = at + c.len_utf8();
        }
    }
    push_trimmed(text, start, text.len(), &mut spans);
    spans
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    matches!(
        word,
        "e.g" | "i.e" | "eg" | "ie" | "Dr" | "Mr" | "Mrs" | "Ms" | "vs" | "approx" | "Fig" | "No" | "etc" | "cf"
    ) || (word.len() == 1 && word.chars().all(char::is_uppercase))
}

/// Whether a line begins a new block: blank, a list item, a heading or a table row.
fn starts_block(rest: &str) -> bool {
    let line = rest.split('\n').next().unwrap_or_default().trim_start();
    let numbered = line.trim_start_matches(|c: char| c.is_ascii_digit());
    line.is_empty()
        || ["- ", "* ", "+ ", "#", "|", "> "].iter().any(|sign| line.starts_with(sign))
        || (numbered.len() < line.len() && (numbered.starts_with(". ") || numbered.starts_with(") ")))
}

fn push_trimmed(text: &str, start: usize, end: usize, spans: &mut Vec<Span>) {
    let piece = &text[start..end];
    let trimmed = piece.trim();
    if trimmed.chars().any(char::is_alphanumeric) {
        let start = start + (piece.len() - piece.trim_start().len());
        spans.push(Span::new(start, start + trimmed.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn sentences_end_at_marks_blank_lines_and_list_items() {
        assert_eq!(
            split("Aim for 7.0 % or less, e.g. by diet. Check it!\nwrapped line\n\n- one item\n- two items"),
            ["Aim for 7.0 % or less, e.g. by diet.", "Check it!", "wrapped line", "- one item", "- two items"]
        );
    }

    #[test]
    fn sentences_of_multibyte_text_lie_on_character_boundaries() {
        assert_eq!(split("Größe ≥ 5 µm. Öfter prüfen…"), ["Größe ≥ 5 µm.", "Öfter prüfen…"]);
        assert!(split("  \n ... ").is_empty());
    }
}
