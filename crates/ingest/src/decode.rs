//! Bytes to characters.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::ReadError;

/// Share of control and undecodable characters, in percent, from which on a file is not taken for text. Random
/// bytes have 12 or more; a text with a few damaged places has less than 3.
const MAX_UNREADABLE_PERCENT: usize = 5;

/// Bytes in which an HTML file has to say its encoding.
const DECLARATION_WITHIN: usize = 1024;

/// The text of a file: by its byte order mark (which is not part of the text), else as UTF-8, else by what its
/// bytes look like.
///
/// # Errors
/// [`ReadError::Empty`], [`ReadError::NoText`], [`ReadError::Nul`] or [`ReadError::Binary`].
pub fn decode(bytes: &[u8]) -> Result<String, ReadError> {
    decode_as(bytes, None)
}

/// The source text of an HTML file. Like [`decode`], but what the file itself declares goes before guessing.
///
/// # Errors
/// As [`decode`].
pub fn decode_html(bytes: &[u8]) -> Result<String, ReadError> {
    decode_as(bytes, declared_in_html(bytes))
}

fn decode_as(bytes: &[u8], declared: Option<&'static Encoding>) -> Result<String, ReadError> {
    if bytes.is_empty() {
        return Err(ReadError::Empty);
    }
    let text = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned(),
        None => {
            if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
                return Err(ReadError::Nul { offset });
            }
            decode_unmarked(bytes, declared)
        }
    };
    reject_binary(&text)?;
    if text.trim().is_empty() { Err(ReadError::NoText) } else { Ok(text) }
}

fn decode_unmarked(bytes: &[u8], declared: Option<&'static Encoding>) -> String {
    if let Some(encoding) = declared.filter(|encoding| *encoding != UTF_8) {
        return encoding.decode_without_bom_handling(bytes).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) if declared.is_some() => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => match guess(bytes) {
            encoding if encoding == UTF_8 => decode_by_line(bytes),
            encoding => encoding.decode_without_bom_handling(bytes).0.into_owned(),
        },
    }
}

/// Text of a file that is UTF-8 for the most part: lines that came from elsewhere (a log of several programs, pieces
/// that were put together) are read in the encoding that those lines look like. A line that has whole characters of
/// UTF-8 too is a damaged one, and stays what it is.
fn decode_by_line(bytes: &[u8]) -> String {
    let is_foreign = |line: &&[u8]| {
        let whole = line.utf8_chunks().all(|chunk| chunk.valid().is_ascii());
        whole && std::str::from_utf8(line).is_err()
    };
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    for line in bytes.split_inclusive(|byte| *byte == b'\n').filter(is_foreign) {
        detector.feed(line, false);
    }
    detector.feed(b"", true);
    let foreign = detector.guess(None, Utf8Detection::Deny);
    let mut text = String::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if is_foreign(&line) {
            text.push_str(&foreign.decode_without_bom_handling(line).0);
        } else {
            text.push_str(&String::from_utf8_lossy(line));
        }
    }
    text
}

/// The likeliest encoding of bytes that are not valid UTF-8. A UTF-8 file with a few damaged places stays UTF-8
/// (with U+FFFD at those places): the detector knows only "valid" and "not", and would make "cafÃ©" of it.
fn guess(bytes: &[u8]) -> &'static Encoding {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guessed = detector.guess(None, Utf8Detection::Deny);

    let (mut whole, mut broken) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        broken += usize::from(!chunk.invalid().is_empty());
    }
    // In Western one-byte text a valid UTF-8 sequence is a rare accident ("É»"); in East Asian double-byte text
    // about every fifth pair is one.
    let damaged_utf8 = if guessed == WINDOWS_1252 { whole * 10 >= broken } else { whole >= broken * 4 };
    if damaged_utf8 { UTF_8 } else { guessed }
}

fn reject_binary(text: &str) -> Result<(), ReadError> {
    let (mut characters, mut unreadable) = (0, 0);
    for (offset, c) in text.char_indices() {
        if c == '\0' {
            return Err(ReadError::Nul { offset });
        }
        characters += 1;
        unreadable += usize::from((c.is_control() && !c.is_whitespace()) || c == char::REPLACEMENT_CHARACTER);
    }
    if unreadable * 100 > characters * MAX_UNREADABLE_PERCENT {
        return Err(ReadError::Binary { percent: unreadable * 100 / characters });
    }
    Ok(())
}

/// The encoding named by `<meta charset=…>`, `<meta http-equiv … content="…; charset=…">` or
/// `<?xml … encoding=…?>`.
fn declared_in_html(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(DECLARATION_WITHIN)]).to_ascii_lowercase();
    let encoding = head.split('<').find_map(|tag| {
        let key = if tag.starts_with("meta") {
            "charset"
        } else if tag.starts_with("?xml") {
            "encoding"
        } else {
            return None;
        };
        let (_, after) = tag.split('>').next()?.split_once(key)?;
        let value = after.trim_start().strip_prefix('=')?;
        let label = value.trim_start_matches([' ', '"', '\'']).split(['"', '\'', ' ', ';', '/', '?']).next()?;
        Encoding::for_label(label.as_bytes())
    })?;
    // The declaration itself was readable as ASCII, so it cannot be UTF-16 (the HTML standard says the same).
    Some(if encoding == UTF_16LE || encoding == UTF_16BE { UTF_8 } else { encoding })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn byte_order_marks_choose_the_encoding_and_are_not_part_of_the_text() {
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| {
            "\u{feff}Größe ≥ 5\r\n".encode_utf16().flat_map(to_bytes).collect::<Vec<_>>()
        };
        assert_eq!(decode(b"\xef\xbb\xbfText").unwrap(), "Text");
        assert_eq!(decode(&utf16(u16::to_le_bytes)).unwrap(), "Größe ≥ 5\r\n");
        assert_eq!(decode(&utf16(u16::to_be_bytes)).unwrap(), "Größe ≥ 5\r\n");
    }

    #[test]
    fn utf8_is_kept_verbatim_and_other_bytes_are_guessed() {
        assert_eq!(decode("  Blutdruck über 140\r\n".as_bytes()).unwrap(), "  Blutdruck über 140\r\n");
        let latin1 = b"w\xe4hrend sie f\xfcr die Gr\xf6\xdfe pr\xfcfen, \xd6fter als sonst";
        assert_eq!(decode(latin1).unwrap(), "während sie für die Größe prüfen, Öfter als sonst");
        let (cyrillic, _, _) =
            encoding_rs::WINDOWS_1251.encode("Съешь же ещё этих мягких французских булок, да выпей чаю");
        assert!(decode(&cyrillic).unwrap().contains("мягких"));
    }

    #[test]
    fn a_few_broken_bytes_do_not_make_mojibake_of_utf8() {
        assert_eq!(decode(b"caf\xc3\xa9 and one lone \x80 byte").unwrap(), "café and one lone \u{fffd} byte");
    }

    #[test]
    fn lines_of_another_encoding_are_read_in_it() {
        let mixed = ["Grüße aus München\n".as_bytes(), b"Temperatur \xfcber 8 Grad\n", "Größe: 5 µm\n".as_bytes()];
        assert_eq!(decode(&mixed.concat()).unwrap(), "Grüße aus München\nTemperatur über 8 Grad\nGröße: 5 µm\n");
    }

    #[test]
    fn what_is_not_text_is_refused_with_the_reason() {
        let reason = |bytes: &[u8]| decode(bytes).unwrap_err().to_string();
        assert_eq!(reason(b""), "the file is empty");
        assert_eq!(reason(b" \r\n\t "), "no text in it");
        assert_eq!(reason(b"\xef\xbb\xbf"), "no text in it");
        assert_eq!(reason(b"MZ and more text\0\x01\0"), "not a text file: byte 16 is NUL");
        let without_nul: Vec<u8> = (1..=255).cycle().take(2000).collect();
        assert!(reason(&without_nul).starts_with("not a text file: "), "{}", reason(&without_nul));
    }

    #[test]
    fn html_may_declare_its_encoding() {
        for head in [
            "<meta charset=\"iso-8859-1\">",
            "<META http-equiv='Content-Type' content='text/html; charset=ISO-8859-1'>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>",
            "<meta name=\"charset-note\"><meta charset = latin1>",
        ] {
            let page = [head.as_bytes(), b"<p>\xc3\xa9 caf\xe9"].concat();
            assert!(decode_html(&page).unwrap().ends_with("Ã© café"), "{head}");
        }
        assert!(decode_html(b"<meta charset=utf-16><p>x").unwrap().ends_with('x'));
        assert_eq!(decode_html("<meta charset=utf-8>é".as_bytes()).unwrap(), "<meta charset=utf-8>é");
    }
}
