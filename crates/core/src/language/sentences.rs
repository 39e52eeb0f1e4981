//! Sentences of a text, and the ends of statements in an answer under way: one rule for both.

use super::items::{ItemMark, is_letter_or_roman, item_mark};
use super::script::is_thai_or_lao;
use crate::document::Span;

/// Words whose full stop does not end a sentence, in lower case and without the stop.
const ABBREVIATIONS: &[&str] = &[
    "al", "approx", "bzw", "ca", "cf", "dr", "e.g", "eds", "eg", "eq", "fig", "figs", "i.e", "ie", "incl", "jr", "mr",
    "mrs", "ms", "nos", "nr", "pp", "prof", "resp", "sr", "st", "u.s", "usw", "vol", "vs", "z.b",
];

/// Marks that end a sentence without white space behind them: of Chinese and Japanese, of Indic scripts (danda), Burmese,
/// Khmer, Ethiopic, Armenian, Mongolian, Tibetan, Arabic and Urdu. None of them stands in numbers or abbreviations.
const MARKS: [char; 21] =
    ['。', '！', '？', '｡', '．', '।', '॥', '။', '។', '៕', '።', '፧', '፨', '։', '᠃', '༎', '།', '؟', '۔', '⁇', '⁉'];

/// Characters that a Thai or Lao sentence has at least, after which a space ends it: these scripts write no mark at the end
/// of sentences, and spaces stand between sentences and longer phrases.
const PHRASE: usize = 40;

/// Characters that may stand between a mark and the end of its sentence.
const CLOSING: [char; 17] = ['"', '\'', '”', '’', '»', '“', ')', ']', '*', '_', '」', '』', '）', '】', '》', '›', '״'];

/// Sentences of a text that hold a letter or a digit, without the white space between them.
#[must_use]
pub fn sentences(text: &str) -> Vec<Span> {
    let tells = |span: &Span| text[span.start..span.end].chars().any(char::is_alphanumeric);
    sentences_within(text, Span::new(0, text.len())).into_iter().filter(tells).collect()
}

/// Sentences of a part of a text, without white space around them. Every other character is in one of them.
///
/// A sentence ends at a mark, at a blank line, and before a line that begins a list item, a heading, a quotation or a
/// table row. Any other line end does not end it, since text is often wrapped.
#[must_use]
pub fn sentences_within(text: &str, within: Span) -> Vec<Span> {
    let part = &text[within.start..within.end];
    let mut found = Vec::new();
    // Bytes of the sentence under way, up to its last character that is not white space.
    let mut sentence = Span::new(0, 0);
    for (at, c) in part.char_indices().filter(|(_, c)| !c.is_whitespace()) {
        if sentence.is_empty() {
            sentence.start = at;
        } else if ends_between(&part[sentence.start..sentence.end], &part[sentence.end..at], &part[at..]) {
            found.push(sentence);
            sentence.start = at;
        }
        sentence.end = at + c.len_utf8();
    }
    found.push(sentence);
    found.into_iter().filter(|span| !span.is_empty()).map(|span| span.shifted(within.start)).collect()
}

/// Whether a sentence ends between `before` and `after`, which are not white space and have `space` between them.
///
/// `before` is the sentence so far. `after` is the text that follows, as far as it is known: its first character is
/// enough, though a line that begins with a digit then counts as an item of a list.
pub(crate) fn ends_between(before: &str, space: &str, after: &str) -> bool {
    if space.is_empty() {
        return ends_without_space(before, after);
    }
    let line_ends = space.bytes().filter(|byte| *byte == b'\n').count();
    if line_ends > 1 || (line_ends == 1 && begins_block(before, after)) {
        return true;
    }
    let unquoted = before.trim_end_matches(CLOSING);
    match unquoted.chars().next_back() {
        Some('.' | '…') => {
            let goes_on = after.starts_with(char::is_lowercase);
            let is_word = is_abbreviation(unquoted.trim_end_matches('.')) || is_ordinal(unquoted, after);
            !goes_on && !is_word && !is_number_of_item(unquoted)
        }
        Some('!' | '?' | '\u{37e}') => true,
        Some(mark) if MARKS.contains(&mark) => true,
        Some(letter) if is_thai_or_lao(letter) => after.starts_with(is_thai_or_lao) && is_long(before),
        _ => false,
    }
}

/// Whether so much was said that a space is more than one between words.
fn is_long(before: &str) -> bool {
    before.chars().nth(PHRASE).is_some()
}

/// Whether a text ends like a sentence of a script with marks of its own, or without any.
pub(crate) fn ends_sentence(text: &str) -> bool {
    text.trim_end_matches(CLOSING).ends_with(|c| MARKS.contains(&c) || is_thai_or_lao(c))
}

/// Scripts without spaces: a sentence ends behind its mark and what closes it.
fn ends_without_space(before: &str, after: &str) -> bool {
    let may_end = before.ends_with(MARKS) || before.ends_with(CLOSING);
    may_end
        && before.trim_end_matches(CLOSING).ends_with(MARKS)
        && !after.starts_with(MARKS)
        && !after.starts_with(CLOSING)
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || "([\"“„".contains(c)).next().unwrap_or_default();
    let mut letters = word.chars();
    let initial = letters.next().is_some_and(char::is_uppercase) && letters.next().is_none();
    initial || ABBREVIATIONS.contains(&word.to_lowercase().as_str())
}

/// Words with capitals before which German writes the number of a day or a century with a full stop: `31. März`.
const BEHIND_ORDINALS: [&str; 13] = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
    "Jahrhundert",
];

fn is_ordinal(before: &str, after: &str) -> bool {
    let digits = before.trim_end_matches('.').chars().rev().take_while(char::is_ascii_digit).count();
    (1..=2).contains(&digits) && BEHIND_ORDINALS.iter().any(|word| after.starts_with(word))
}

/// Whether a sentence consists of nothing but the number or letter of a list item so far: `2.`
fn is_number_of_item(sentence: &str) -> bool {
    sentence.strip_suffix('.').is_some_and(|number| {
        !number.is_empty() && (number.bytes().all(|b| b.is_ascii_digit()) || is_letter_or_roman(number))
    })
}

/// Whether the line behind `before` begins a list item, a heading, a quotation or a table row.
fn begins_block(before: &str, after: &str) -> bool {
    let line = after.lines().next().unwrap_or_default();
    let is_digits = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit());
    let is_quotation = line.strip_prefix('>').is_some_and(|rest| rest.is_empty() || rest.starts_with(' '));
    line.starts_with(['#', '|'])
        || is_digits
        || is_quotation
        || match item_mark(line) {
            Some(ItemMark::Clear) => true,
            // "A. Smith" may also stand at the start of a line: an item comes behind the end of something, or an item.
            Some(ItemMark::Lettered) => ends_something(before) || item_mark(before).is_some(),
            None => false,
        }
}

/// Whether a sentence or the announcement of a list may end here.
fn ends_something(before: &str) -> bool {
    let unquoted = before.trim_end_matches(CLOSING);
    unquoted.ends_with([':', ';', '!', '?', ',', '：', '；'])
        || unquoted.ends_with(MARKS)
        || unquoted.strip_suffix('.').is_some_and(|words| !is_abbreviation(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|span| &text[span.start..span.end]).collect()
    }

    #[test]
    fn sentences_end_at_marks_and_blank_lines() {
        assert_eq!(
            split("Aim for 7.5 % or\nless! Why?  \"Because.\" Größe ≥ 5 µm.\r\n\r\nno mark\n\n\nEnd"),
            ["Aim for 7.5 % or\nless!", "Why?", "\"Because.\"", "Größe ≥ 5 µm.", "no mark", "End"]
        );
        assert!(split(" \n\n \n").is_empty() && split("  \n ... ").is_empty());
    }

    #[test]
    fn sentences_end_before_lines_that_begin_something_else() {
        assert_eq!(
            split("Do this:\n- one item\n- two items\n1. Open it. Wait.\n2. Close it\n# Next\nwrapped\n500 mg daily"),
            [
                "Do this:",
                "- one item",
                "- two items",
                "1. Open it.",
                "Wait.",
                "2. Close it",
                "# Next\nwrapped\n500 mg daily"
            ]
        );
    }

    #[test]
    fn lettered_and_roman_items_are_items() {
        assert_eq!(
            split("Do this:\na. Open it. Wait.\nb. Close it\nc. Lock it\nII. Two\n(iii) three"),
            ["Do this:", "a. Open it.", "Wait.", "b. Close it", "c. Lock it", "II. Two", "(iii) three"]
        );
        for whole in [
            "It was found by J.\nA. Smith in the spring.",
            "It is caused by\nE. coli, i.e. bacteria.",
            "take\ni.e. now",
        ] {
            assert_eq!(split(whole), [whole]);
        }
    }

    #[test]
    fn scripts_without_spaces_have_sentences() {
        assert_eq!(split("漢字です。次の文。"), ["漢字です。", "次の文。"]);
        for two in [
            "पंप बंद करें। फिर वाल्व खोलें।",
            "ปั๊มน้ำในห้องหม้อไอน้ำต้องตรวจสอบทุกวันจันทร์ตอนเช้า ห้ามเปิดวาล์วก่อนแจ้งหัวหน้ากะ",
            "ປ້ຳນ້ຳໃນຫ້ອງໝໍ້ຕົ້ມຕ້ອງກວດທຸກວັນຈັນຕອນເຊົ້າ ຫ້າມເປີດວາວກ່ອນແຈ້ງຫົວໜ້າ",
            "ရေစုပ်စက်ကို ပိတ်ပါ။ အဆို့ရှင်ကို ဖွင့်ပါ။",
            "បិទម៉ាស៊ីនបូម។ បើកវ៉ាល់។",
            "ፓምፑን ዝጋ። ቫልቩን ክፈት።",
            "Անջատեք պոմպը։ Բացեք փականը։",
            "هل المضخة مغلقة؟ نعم هي مغلقة.",
            "کیا پمپ بند ہے؟ ہاں۔",
        ] {
            assert_eq!(split(two).len(), 2, "{:?}", split(two));
        }
        assert_eq!(split("वैक्सीन रखें।हटाएँ।"), ["वैक्सीन रखें।", "हटाएँ।"]);
        assert_eq!(split("「行く。」彼は言った！？はい。"), ["「行く。」", "彼は言った！？", "はい。"]);
    }

    #[test]
    fn abbreviations_and_initials_go_on() {
        for whole in [
            "Give insulin, e.g. Glargine, at night.",
            "See Dr. Smith vs. Prof. Jones (cf. Fig. 3) first.",
            "It takes approx. 3 days, i.e. Monday to Wednesday.",
            "J. R. Tolkien wrote 3.14 books, etc. and more.",
            "Resturlaub verfällt am 31. März des folgenden Jahres.",
        ] {
            assert_eq!(split(whole), [whole]);
        }
    }

    #[test]
    fn spans_count_from_the_start_of_the_text() {
        let text = "Überall. Zwei Sätze. Öfter prüfen…";
        let spans = sentences_within(text, Span::new("Überall.".len(), text.len()));
        let found: Vec<&str> = spans.iter().map(|span| &text[span.start..span.end]).collect();
        assert_eq!(found, ["Zwei Sätze.", "Öfter prüfen…"]);
    }

    #[test]
    fn the_first_character_of_what_follows_is_enough() {
        assert!(ends_between("Take it.", " ", "T") && ends_between("Take it", "\n", "-"));
        assert!(ends_between("Take it", "\n", "2") && ends_between("Take it", "\n\n", "a"));
        assert!(!ends_between("Take it, e.g.", " ", "T") && !ends_between("Take it", "\n", "a"));
        assert!(!ends_between("Take it.", " ", "t") && !ends_between("Take it.", "", "T"));
    }
}
