//! Brackets as models write them: markers such as `[1]`, `[1, 3]` and `[1-3]`, and values, indices and links.

use crate::language::begins_with_unit;

/// Longest bracket that is still waited for, in bytes: `[1, 2, 3, 4, 5]` fits.
pub(super) const LONGEST_MARKER: usize = 24;
/// Longest range that is a marker.
const LONGEST_RANGE: usize = 10;

/// Words and signs before the bounds of a range of values.
const BEFORE_VALUES: [&str; 18] = [
    "range", "ranges", "interval", "between", "within", "scale", "from", "of", "is", "are", "in", "∈", "=", "<", ">",
    "≤", "≥", "≈",
];
/// Of these, those that do not stand before markers as well ("as described in [1-3]").
const ONLY_BEFORE_VALUES: usize = 6;

/// Customary names of variables that look like words.
const VARIABLES: [&str; 12] =
    ["argv", "args", "arr", "buf", "elem", "elems", "env", "idx", "params", "ptr", "str", "vec"];

/// Whether a character may stand between the brackets of a marker.
pub(super) const fn is_inside_marker(c: char) -> bool {
    matches!(c, '0'..='9' | ',' | ';' | ' ' | '-' | '–')
}

/// Whether a closing bracket would make a marker of text that was let through as text: `[1[9]]` without its inner
/// marker.
pub(super) fn would_become_marker(text: &str) -> bool {
    let inside = text.rsplit_once('[').map(|(_, inside)| inside);
    inside.is_some_and(|inside| inside.chars().all(is_inside_marker) && inside.contains(|c: char| c.is_ascii_digit()))
}

/// The numbers in a bracket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Numbers {
    /// `1`
    One(usize),
    /// `1, 3` or `1-3, 5`, with whether a range is among them.
    Several(Vec<usize>, bool),
    /// Numbers that cannot number passages: `-5, 5`, `5-3`, `1-2000`.
    Other,
}

impl Numbers {
    pub(super) fn read(inside: &str) -> Self {
        let (mut all, mut is_range) = (Vec::new(), false);
        for part in inside.split([',', ';', ' ']).filter(|part| !part.is_empty()) {
            // A number that is too large names no passage.
            let mut ends = part.split(['-', '–']).map(|end| match end {
                "" => None,
                digits => Some(digits.parse::<usize>().unwrap_or(usize::MAX)),
            });
            match (ends.next().flatten(), ends.next(), ends.next()) {
                (Some(one), None, None) => all.push(one),
                (Some(from), Some(Some(to)), None) if from < to && to - from < LONGEST_RANGE => {
                    is_range = true;
                    all.extend(from..=to);
                }
                _ => return Self::Other,
            }
        }
        match all[..] {
            [] => Self::Other,
            [one] => Self::One(one),
            _ => Self::Several(all, is_range),
        }
    }
}

/// Place of a bracket.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    /// The text before it.
    pub(super) before: &'a str,
    /// What follows, as far as it is known: the next character, and for what may be a value the next word.
    pub(super) behind: &'a str,
    /// Passages that the prompt numbered, from 1 on.
    pub(super) numbered: usize,
}

/// The passages that a bracket names, by number, or nothing where it is text. An empty list is a marker that names
/// none of the passages.
///
/// `is_known` tells whether a word is one of the passages' words, and so no name of a variable.
pub(super) fn markers(inside: &str, place: Place<'_>, is_known: impl Fn(&str) -> bool) -> Option<Vec<usize>> {
    let Place { before, behind, numbered } = place;
    let is_numbered = |number: &usize| (1..=numbered).contains(number);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_definition = line.trim().is_empty() && behind.starts_with(':');
    if behind.starts_with('(') || is_definition {
        return None;
    }
    let has_unit = begins_with_unit(behind.trim_start());
    let (numbers, is_text) = match Numbers::read(inside) {
        Numbers::Other => return None,
        Numbers::One(number) => (vec![number], !is_numbered(&number) && has_unit),
        Numbers::Several(numbers, is_range) => {
            let is_text = is_value(before, &numbers, is_range, is_numbered) || has_unit;
            (numbers, is_text)
        }
    };
    let all_numbered = numbers.iter().all(is_numbered);
    if is_text || is_index(before, all_numbered, is_known) {
        return None;
    }
    Some(numbers.into_iter().filter(is_numbered).collect())
}

/// Whether several numbers are bounds or values by what stands before them and what they are.
fn is_value(before: &str, numbers: &[usize], is_range: bool, is_numbered: impl Fn(&usize) -> bool) -> bool {
    let word = before.split_whitespace().next_back().unwrap_or_default().to_lowercase();
    let place = BEFORE_VALUES.iter().position(|known| *known == word);
    if numbers.iter().all(&is_numbered) {
        // What is not a letter never stands before a marker.
        return place.is_some_and(|place| place < ONLY_BEFORE_VALUES || !word.starts_with(char::is_alphabetic));
    }
    is_range || numbers.contains(&0) || place.is_some()
}

/// Whether a bracket is an index: directly behind the name of a variable, or behind any word where it names no
/// passage.
fn is_index(before: &str, all_numbered: bool, is_known: impl Fn(&str) -> bool) -> bool {
    let start = before.rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '$')));
    let name =
        start.map_or(before, |start| &before[start + before[start..].chars().next().map_or(0, char::len_utf8)..]);
    let is_name = name.is_ascii() && name.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'));
    if !is_name || name.ends_with('.') {
        return false;
    }
    !all_numbered || (looks_like_variable(name) && !is_known(name))
}

/// Whether a word is spelt like the name of a variable: `i`, `row_2`, `lastRow`, `sys.argv`.
fn looks_like_variable(name: &str) -> bool {
    let mut letters = name.chars();
    let first_is_small = letters.next().is_some_and(char::is_lowercase);
    let has_sign = name.contains(|c: char| c.is_ascii_digit() || matches!(c, '_' | '.' | '$'));
    let has_capital = first_is_small && letters.any(char::is_uppercase);
    has_sign || has_capital || (first_is_small && name.len() == 1) || VARIABLES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a bracket names after and before some text, among five passages that know of eGFR.
    fn read(text: &str) -> Option<Vec<usize>> {
        let (before, rest) = text.split_once('[').expect("a bracket");
        let (inside, behind) = rest.split_once(']').expect("a bracket");
        markers(inside, Place { before, behind, numbered: 5 }, |word| word == "eGFR")
    }

    #[test]
    fn what_the_prompt_numbered_is_a_marker() {
        assert_eq!(read("It is so [2]."), Some(vec![2]));
        assert_eq!(read("It is so[2]."), Some(vec![2]));
        assert_eq!(read("It is so [1, 3; 9]."), Some(vec![1, 3]));
        assert_eq!(read("It is described in [1-3]."), Some(vec![1, 2, 3]));
        assert_eq!(read("below 30[1], or"), Some(vec![1]));
        assert_eq!(read("it depends on eGFR[1]"), Some(vec![1]));
    }

    #[test]
    fn a_marker_may_name_no_passage() {
        for text in ["It is so [7].", "It is so [0].", "It is so [7, 9].", "It is so [2024]."] {
            assert_eq!(read(text), Some(vec![]), "{text}");
        }
    }

    #[test]
    fn values_are_text() {
        for text in [
            "Normal is [3-5] mmol/L.",
            "Normal is [4, 5] % of it.",
            "Normal is [7] mmol/L.",
            "Pages [7-9] say so.",
            "The range [3-5] is normal.",
            "Values in [0, 10] are normal.",
            "x = [1, 2], y",
            "It is in [-5, 5].",
            "From high to low [5-3].",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn indices_are_text() {
        for text in ["argv[0] is", "a[2] is", "the last row[8] is", "sys.argv[1] is", "lastRow[1]", "row_x[1]", "$x[1]"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn links_and_definitions_are_text() {
        for text in ["see [1](https://example.org)", "[1]: https://example.org", "So it is.\n[2]: page"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
