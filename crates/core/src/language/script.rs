//! Classes of characters that decide where words begin and end.

use unicode_normalization::char::is_combining_mark;

/// Whether a character begins a word.
pub(super) fn begins_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// Whether a character goes on a word: letters, digits, marks on them, and what joins letters without being seen.
pub(super) fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || (!c.is_ascii() && (is_joiner(c) || is_combining_mark(c)))
}

/// Joiners, non-joiners and soft hyphens: they stand inside of words and say nothing.
pub(super) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200c}' | '\u{200d}' | '\u{2060}')
}

/// Whether a letter belongs to a script that is written without spaces between words: Han and kana, Thai, Lao, Khmer,
/// Burmese. Their digits do not.
#[must_use]
pub fn is_spaceless(c: char) -> bool {
    c >= '\u{e01}'
        && (is_thai_or_lao(c)
            || matches!(c,
                '\u{1000}'..='\u{103f}' | '\u{1050}'..='\u{108f}' | '\u{109a}'..='\u{109f}'
                    | '\u{a9e0}'..='\u{a9ef}' | '\u{a9fa}'..='\u{a9fe}' | '\u{aa60}'..='\u{aa7f}'
                    | '\u{1780}'..='\u{17d3}' | '\u{17d7}' | '\u{17dc}' | '\u{17dd}'
                    | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{309a}' | '\u{309d}'..='\u{309f}'
                    | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}'
                    | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
                    | '\u{ff66}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}'))
}

/// Thai and Lao put spaces between sentences and phrases, and hardly ever a mark.
pub(super) fn is_thai_or_lao(c: char) -> bool {
    matches!(c, '\u{e01}'..='\u{e3a}' | '\u{e40}'..='\u{e4e}' | '\u{e81}'..='\u{ece}' | '\u{edc}'..='\u{edf}')
}

/// Zeros of scripts with digits of their own, each followed by the other nine.
const ZEROS: [char; 11] = [
    '\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{e50}', '\u{ed0}', '\u{17e0}', '\u{1040}',
    '\u{1810}',
];

/// The digit from 0 to 9 that a digit of another script stands for.
pub(super) fn plain_digit(c: char) -> Option<char> {
    let value = |zero: &char| u32::from(c).checked_sub(u32::from(*zero)).filter(|value| *value < 10);
    ZEROS.iter().find_map(value).and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_without_spaces_are_known_by_their_letters() {
        for letter in "阀换カひタイปวມລမြန្រ々ー".chars().filter(|c| c.is_alphabetic()) {
            assert_eq!(is_spaceless(letter), letter != 'z', "{letter}");
        }
        for letter in "aßяعहि한α9๙".chars() {
            assert!(!is_spaceless(letter), "{letter}");
        }
    }

    #[test]
    fn digits_of_other_scripts_are_digits() {
        assert_eq!("٢۷९๙៣".chars().map(plain_digit).collect::<Option<String>>().as_deref(), Some("27993"));
        assert_eq!(plain_digit('a'), None);
    }
}
