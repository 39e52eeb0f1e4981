//! Marks of list items: bullets, numbers, letters and Roman numerals.

/// Mark that begins an item of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemMark {
    /// A mark that stands for nothing else at the start of a line: `-`, `12.`, `b)`, `(iv)`.
    Clear,
    /// A letter or a Roman numeral with a full stop, which may also be an initial: `a.`, `IV.`
    Lettered,
}

/// The mark that a line begins with, if it is an item's.
pub(crate) fn item_mark(line: &str) -> Option<ItemMark> {
    let followed = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\n', '\t']);
    if let Some(rest) = line.strip_prefix(['-', '*', '+', '•']) {
        return followed(rest).then_some(ItemMark::Clear);
    }
    let (bare, bracketed) = line.strip_prefix('(').map_or((line, false), |rest| (rest, true));
    let end = bare.find(|c: char| !c.is_ascii_alphanumeric())?;
    let (number, rest) = bare.split_at(end);
    let close = rest.chars().next().filter(|close| *close == ')' || (*close == '.' && !bracketed))?;
    let is_digits = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let counts = is_digits || is_letter_or_roman(number);
    if !counts || !rest[1..].starts_with([' ', '\n', '\t']) {
        return None;
    }
    Some(if is_digits || close == ')' { ItemMark::Clear } else { ItemMark::Lettered })
}

/// Whether this is one letter, or a Roman numeral as lists have them: up to 39, all in capitals or none.
pub(crate) fn is_letter_or_roman(number: &str) -> bool {
    let is_letter = number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_alphabetic());
    let one_case =
        number.bytes().all(|byte| byte.is_ascii_lowercase()) || number.bytes().all(|byte| byte.is_ascii_uppercase());
    is_letter || one_case && is_roman(&number.to_ascii_lowercase())
}

fn is_roman(number: &str) -> bool {
    let ones = number.trim_start_matches('x');
    let tens = number.len() - ones.len();
    let is_below_ten = ["", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix"].contains(&ones);
    !number.is_empty() && tens <= 3 && is_below_ten
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_items() {
        for line in ["- one", "* one", "1. one", "12) one", "a) one", "(a) one", "(iv) one", "(2) one", "B) one", "-"] {
            assert_eq!(item_mark(line), Some(ItemMark::Clear), "{line}");
        }
        for line in ["a. one", "B. one", "iv. one", "XII. one", "xxxix. one"] {
            assert_eq!(item_mark(line), Some(ItemMark::Lettered), "{line}");
        }
        for line in [
            "one",
            "-5 mg",
            "*one*",
            "1.5 mg",
            "500 mg daily",
            "i.e. one",
            "mm. one",
            "xxxx. one",
            "Iv. one",
            "(see",
            "(a. one",
            "é) one",
            "",
        ] {
            assert_eq!(item_mark(line), None, "{line}");
        }
    }
}
