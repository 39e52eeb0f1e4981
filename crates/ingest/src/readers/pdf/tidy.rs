//! From one Markdown text with marks between its pages to plain words and the places where pages begin.

/// Text of all pages, one after the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pages {
    pub(super) text: String,
    /// First byte of each page in the text.
    pub(super) starts: Vec<usize>,
    /// Numbers of the pages that have no words, from 1.
    pub(super) blank: Vec<usize>,
}

/// The mark before a page: `<!-- Page 7 -->` in a line of its own.
const MARK: (&str, &str) = ("<!-- Page ", " -->");

/// Parts one text at the marks before its pages, of which there are `count`.
pub(super) fn bodies(markdown: &str, count: usize) -> Vec<String> {
    let mut bodies = vec![String::new(); count];
    let mut page = 0;
    for line in markdown.lines() {
        let mark = line.trim().strip_prefix(MARK.0).and_then(|rest| rest.strip_suffix(MARK.1));
        if let Some(number) = mark.and_then(|number| number.parse::<usize>().ok()) {
            page = number.saturating_sub(1).min(count.saturating_sub(1));
        } else if let Some(body) = bodies.get_mut(page) {
            body.push_str(line);
            body.push('\n');
        }
    }
    bodies
}

/// Puts pages together. A page without words begins where the next one does.
pub(super) fn pages_of(bodies: &[String]) -> Pages {
    let document = bodies.concat();
    let mut pages = Pages::default();
    for (index, body) in bodies.iter().enumerate() {
        pages.starts.push(pages.text.len());
        let lines = body.lines().map(|line| joined(&without_tags(line), &document));
        let body = lines.collect::<Vec<_>>().join("\n");
        let body = body.trim_matches('\n');
        if body.trim().is_empty() {
            pages.blank.push(index + 1);
        } else {
            pages.text.push_str(body);
            pages.text.push_str("\n\n");
        }
    }
    // Pages without words at the end begin where the text ends.
    pages.text.truncate(pages.text.trim_end().len());
    let end = pages.text.len();
    pages.starts.iter_mut().for_each(|start| *start = (*start).min(end));
    pages
}

/// A line without the tags that Markdown has no sign for: raised and lowered digits become the characters for them
/// ("10³"), a break within a cell becomes a space, of all others the words stay.
fn without_tags(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('<') {
        plain.push_str(before);
        let known = TAGS.iter().find_map(|(open, kind)| Some((kind, after.strip_prefix(open)?)));
        match known {
            Some((Tag::Break, after)) => {
                plain.push(' ');
                rest = after;
            }
            Some((Tag::Drop, after)) => rest = after,
            Some((Tag::Raised(close, digits), after)) => {
                let (inner, after) = after.split_once(close).unwrap_or((after, ""));
                let digit = |c: char| c.to_digit(10).and_then(|digit| digits.chars().nth(digit as usize));
                let all: Option<String> = inner.chars().map(digit).collect();
                plain.push_str(all.as_deref().unwrap_or(inner));
                rest = after;
            }
            None => {
                plain.push('<');
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// Words that stand between two that share their end: "short- and long-term".
const BETWEEN: [&str; 11] = ["and", "or", "to", "nor", "but", "und", "oder", "bis", "et", "ou", "y"];

/// A line in which words are put together again that a hyphen at the end of a line divided: "tempera- ture". One that the
/// document writes with a hyphen elsewhere keeps it.
fn joined(line: &str, document: &str) -> String {
    let mut joined = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find("- ") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        joined.push_str(before);
        let first = &before[before.rfind(|c: char| !c.is_alphabetic()).map_or(0, |at| at + width(before, at))..];
        let second = &after[..after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len())];
        let divided = first.chars().count() > 1
            && second.chars().next().is_some_and(char::is_lowercase)
            && !BETWEEN.contains(&second);
        if !divided {
            joined.push_str("- ");
        } else if document.contains(&format!("{first}-{second}")) {
            joined.push('-');
        }
        rest = after;
    }
    joined.push_str(rest);
    joined
}

/// Bytes of the character that stands at a byte.
fn width(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

enum Tag {
    /// A new line.
    Break,
    /// Says nothing.
    Drop,
    /// Digits above or below the line: its end, and the characters for 0 to 9.
    Raised(&'static str, &'static str),
}

const TAGS: [(&str, Tag); 5] = [
    ("br>", Tag::Break),
    ("u>", Tag::Drop),
    ("/u>", Tag::Drop),
    ("sup>", Tag::Raised("</sup>", "⁰¹²³⁴⁵⁶⁷⁸⁹")),
    ("sub>", Tag::Raised("</sub>", "₀₁₂₃₄₅₆₇₈₉")),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_without_words_begins_where_the_next_one_does() {
        let pages = pages_of(&bodies("<!-- Page 1 -->\n\n# A\n\nfirst\n\n<!-- Page 3 -->\n\nthird\n", 4));
        assert_eq!(pages.text, "# A\n\nfirst\n\nthird");
        assert_eq!(pages.starts, [0, 12, 12, 17]);
        assert_eq!(pages.blank, [2, 4]);
    }

    #[test]
    fn divided_words_are_joined_and_others_keep_their_hyphen() {
        let document = "a well-known rule";
        assert_eq!(joined("the tempera- ture of a well- known tank", document), "the temperature of a well-known tank");
        for kept in ["short- and long-term", "- an item", "5- to 7-year", "Anna- Maria", "é- a"] {
            assert_eq!(joined(kept, document), kept);
        }
    }

    #[test]
    fn tags_become_characters_or_go() {
        assert_eq!(
            without_tags("10<sup>3</sup> m<sup>a</sup> H<sub>2</sub>O <u>a</u><br>b 3 < 4"),
            "10³ ma H₂O a b 3 < 4"
        );
    }
}
