//! Normal forms: what two spellings of a word have in common.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::script::{is_joiner, plain_digit};

/// A word as it is compared: compatibility characters in their usual form, composed (NFKC), lower case, with plain
/// digits. Accents stay, since stemmers look at them; see [`without_accents`].
pub(super) fn form(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        let as_it_is = !word.bytes().any(|byte| byte.is_ascii_uppercase());
        return if as_it_is { Cow::Borrowed(word) } else { Cow::Owned(word.to_ascii_lowercase()) };
    }
    let lower = word.chars().filter(|c| !is_silent(*c)).nfkc().collect::<String>().to_lowercase();
    // A capital may become a letter with a mark of its own.
    Cow::Owned(lower.chars().map(|c| plain_digit(c).unwrap_or(c)).nfc().collect())
}

/// What is written or left out without changing the word: joiners, stretched Arabic.
fn is_silent(c: char) -> bool {
    is_joiner(c) || c == '\u{640}'
}

/// A form without its accents and vowel points, so that "prevention" meets "prévention". Marks that make another letter
/// or syllable, as in Indic scripts and kana, stay.
pub(super) fn without_accents(form: Cow<'_, str>) -> Cow<'_, str> {
    if form.is_ascii() {
        return form;
    }
    let mut plain = String::with_capacity(form.len());
    for c in form.nfd().filter(|c| !is_accent(*c)) {
        match in_plain_letters(c) {
            Some(letters) => plain.push_str(letters),
            None => plain.push(c),
        }
    }
    Cow::Owned(plain.nfc().collect())
}

/// Accents of Latin, Greek and Cyrillic, points of Hebrew and Arabic.
fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5bd}' | '\u{5bf}' | '\u{5c1}' | '\u{5c2}' | '\u{5c4}'
        | '\u{5c5}' | '\u{5c7}' | '\u{64b}'..='\u{655}' | '\u{670}')
}

/// Letters that are no accented ones and still are spelt plainly by many.
fn in_plain_letters(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' => "ss",
        'æ' => "ae",
        'œ' => "oe",
        'ø' => "o",
        'đ' | 'ð' => "d",
        'þ' => "th",
        'ł' => "l",
        'ı' => "i",
        'ς' => "σ",
        'ى' => "ي",
        'ک' => "ك",
        'ی' => "ي",
        _ => return None,
    })
}

/// Text in the composed normal form (NFC): what looks the same is the same.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    if unicode_normalization::is_nfc(text) { Cow::Borrowed(text) } else { Cow::Owned(text.nfc().collect()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(word: &str) -> String {
        without_accents(form(word)).into_owned()
    }

    #[test]
    fn spellings_of_a_word_meet() {
        for [one, other] in [
            ["Größe", "gro\u{308}ße"],
            ["PRÉVENTION", "prevention"],
            ["Straße", "STRASSE"],
            ["２７", "27"],
            ["٢٧", "27"],
            ["ﬁlter", "filter"],
            ["İstanbul", "istanbul"],
            ["ΟΔΟΣ", "οδός"],
            ["كِتَاب", "كتاب"],
            ["كتـــاب", "كتاب"],
            ["Impf\u{ad}stoff", "impfstoff"],
            ["ｶﾞｽ", "ガス"],
            ["Łódź", "lodz"],
        ] {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn marks_that_make_another_letter_stay() {
        for [one, other] in [["か", "が"], ["कि", "की"], ["하", "한"], ["ก", "ก้"]] {
            assert_ne!(folded(one), folded(other), "{one} {other}");
        }
    }

    #[test]
    fn words_in_plain_lower_case_are_not_copied() {
        assert!(matches!(form("glucose"), Cow::Borrowed(_)));
        assert!(matches!(composed("größe"), Cow::Borrowed(_)));
        assert_eq!(composed("gro\u{308}ße"), "größe");
    }
}
