//! Text that cannot control a terminal.
//!
//! Documents, file names, models and servers decide what stands in many lines that people see. A terminal obeys some of
//! those characters: they move the cursor, clear the screen, set the window's title or turn the order of words around.
//! Such a character is shown by its number (`\u{1b}`) instead.

use std::fmt::Write;

/// Text of several lines: line breaks and tabs stay.
pub(crate) fn text(raw: &str) -> String {
    shown(raw, |character| matches!(character, '\n' | '\t'))
}

/// Text that must stay on its line, such as a path: a line break in it would make it look like two lines of ours.
pub(crate) fn one_line(raw: &str) -> String {
    shown(raw, |_| false)
}

/// JSON with the same characters as `\u001b`, which readers turn back into what they were. JSON itself demands that of
/// the first 32 only. All that is escaped here can stand inside of JSON's strings only.
pub(crate) fn json(raw: &str) -> String {
    let mut safe = String::with_capacity(raw.len());
    for character in raw.chars() {
        if is_control(character) && character != '\n' {
            let _ = write!(safe, "\\u{:04x}", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

fn shown(raw: &str, stays: impl Fn(char) -> bool) -> String {
    let mut safe = String::with_capacity(raw.len());
    let mut characters = raw.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            // The line ends of Windows; a piece of a stream may stop between the two.
            '\r' if stays('\n') && matches!(characters.peek(), None | Some('\n')) => {}
            character if is_control(character) && !stays(character) => safe.extend(character.escape_unicode()),
            character => safe.push(character),
        }
    }
    safe
}

/// Control characters (C0, DEL, C1), and those that set the direction of the text around them. The marks that Hebrew
/// and Arabic texts need (U+200E, U+200F) are none of the latter.
fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing that a terminal obeys: no control character but line break and tab, no override of directions.
    fn is_safe(text: &str) -> bool {
        let obeyed = |c: char| (c.is_control() && c != '\n' && c != '\t') || ('\u{202a}'..='\u{202e}').contains(&c);
        !text.chars().any(obeyed)
    }

    #[test]
    fn no_control_character_is_left() {
        for code in (0..0xa0).chain(0x2020..0x2070) {
            let raw = format!("a{}b", char::from_u32(code).expect("a character"));
            for safe in [text(&raw), one_line(&raw), json(&raw)] {
                assert!(is_safe(&safe), "{code:x}: {safe:?}");
            }
        }
    }

    #[test]
    fn sequences_are_shown_and_text_is_left_alone() {
        for (raw, safe) in [
            ("\u{1b}]0;owned\u{7}", "\\u{1b}]0;owned\\u{7}"),
            ("\u{9b}2J", "\\u{9b}2J"),
            ("abc\u{202e}fdp.exe", "abc\\u{202e}fdp.exe"),
            ("over\rwritten", "over\\u{d}written"),
            ("one\r\ntwo\r\n", "one\ntwo\n"),
            ("a\tb", "a\tb"),
            ("naïve ≥ 7 % 👩‍⚕️ שלום", "naïve ≥ 7 % 👩‍⚕️ שלום"),
        ] {
            assert_eq!(text(raw), safe, "{raw:?}");
        }
        assert_eq!(one_line("a\nfailed b.md"), "a\\u{a}failed b.md");
    }

    #[test]
    fn json_says_the_same_as_before() {
        let value = serde_json::json!({"text": "\u{1b}[2J \u{9b}2J \u{7f} \u{202e} é \n"});
        let safe = json(&serde_json::to_string_pretty(&value).expect("JSON"));
        assert!(is_safe(&safe), "{safe}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&safe).expect("still JSON"), value);
    }
}
