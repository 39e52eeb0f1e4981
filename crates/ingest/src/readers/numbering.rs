//! Numbers of list items: 4, d, iv.

/// Way in which numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// 1, 2, 3.
    Decimal,
    /// a, b, c.
    Letters,
    /// A, B, C.
    CapitalLetters,
    /// i, ii, iii.
    Roman,
    /// I, II, III.
    CapitalRoman,
}

impl Style {
    /// A number in this way; one that letters or Roman numerals cannot say is decimal.
    pub(super) fn show(self, number: i64) -> String {
        match self {
            Self::Decimal => number.to_string(),
            Self::Letters => letters(number).unwrap_or_else(|| number.to_string()),
            Self::CapitalLetters => Self::Letters.show(number).to_uppercase(),
            Self::Roman => roman(number).unwrap_or_else(|| number.to_string()),
            Self::CapitalRoman => Self::Roman.show(number).to_uppercase(),
        }
    }
}

/// a to z, aa, ab and so on.
fn letters(mut number: i64) -> Option<String> {
    let mut digits = Vec::new();
    while number > 0 {
        let digit = u8::try_from((number - 1) % 26).ok()?;
        digits.push(char::from(b'a' + digit));
        number = (number - 1) / 26;
    }
    (!digits.is_empty()).then(|| digits.iter().rev().collect())
}

fn roman(mut number: i64) -> Option<String> {
    const NUMERALS: [(i64, &str); 13] = [
        (1000, "m"),
        (900, "cm"),
        (500, "d"),
        (400, "cd"),
        (100, "c"),
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ];
    if !(1..4_000).contains(&number) {
        return None;
    }
    let mut text = String::new();
    for (value, numeral) in NUMERALS {
        while number >= value {
            text.push_str(numeral);
            number -= value;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::Style;

    #[test]
    fn numbers_are_written_in_each_style() {
        let shown = |number: i64| {
            [Style::Decimal, Style::Letters, Style::CapitalLetters, Style::Roman, Style::CapitalRoman]
                .map(|style| style.show(number))
        };
        assert_eq!(shown(4), ["4", "d", "D", "iv", "IV"]);
        assert_eq!(shown(28), ["28", "ab", "AB", "xxviii", "XXVIII"]);
        assert_eq!(shown(0), ["0"; 5]);
        assert_eq!(Style::Roman.show(i64::MAX), i64::MAX.to_string());
    }
}
