//! Formats of numbers: which of them are dates, times or per cents.

use super::super::{Find, parse};
use crate::ReadError;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Format {
    #[default]
    Number,
    Percent,
    Date,
    DateTime,
    Time,
}

/// Formats by the numbers of styles.
#[derive(Default)]
pub(super) struct Formats(Vec<Format>);

impl Formats {
    pub(super) fn read(text: &str) -> Result<Self, ReadError> {
        let tree = parse(text, "xl/styles.xml")?;
        let codes: Vec<(u32, Format)> = tree
            .descendants()
            .filter(|node| node.is("numFmt"))
            .filter_map(|format| Some((format.value("numFmtId")?.parse().ok()?, of_code(format.value("formatCode")?))))
            .collect();
        let format =
            |id: u32| codes.iter().find(|(own, _)| *own == id).map_or_else(|| built_in(id), |(_, format)| *format);
        let styles = tree.root_element().child("cellXfs").into_iter().flat_map(|styles| styles.all("xf"));
        Ok(Self(
            styles
                .map(|style| style.value("numFmtId").and_then(|id| id.parse().ok()).map_or(Format::Number, format))
                .collect(),
        ))
    }

    /// A number as a reader of the sheet sees it: dates in ISO 8601, other numbers without the noise of binary fractions.
    pub(super) fn show(&self, style: usize, raw: &str, since_1904: bool) -> String {
        let Ok(number) = raw.trim().parse::<f64>() else { return raw.to_owned() };
        match self.0.get(style).copied().unwrap_or_default() {
            Format::Number => plain(number),
            Format::Percent => format!("{} %", plain(number * 100.0)),
            kind => moment(number, kind, since_1904).unwrap_or_else(|| plain(number)),
        }
    }
}

/// Formats that every program knows by number (ECMA-376, 18.8.30).
fn built_in(id: u32) -> Format {
    match id {
        9 | 10 => Format::Percent,
        14..=17 | 27..=31 | 36 | 50..=58 => Format::Date,
        18..=21 | 32..=35 | 45..=47 => Format::Time,
        22 => Format::DateTime,
        _ => Format::Number,
    }
}

/// The format that a code describes; words in quotation marks and brackets are no part of it.
fn of_code(code: &str) -> Format {
    let (mut bare, mut quoted, mut bracketed, mut escaped) = (String::new(), false, false, false);
    for c in code.split(';').next().unwrap_or_default().chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ if !quoted && !bracketed => bare.push(c.to_ascii_lowercase()),
            _ => {}
        }
    }
    let (day, time) = (bare.contains(['y', 'd']), bare.contains(['h', 's']));
    match (day, time) {
        _ if bare.contains("general") => Format::Number,
        (true, true) => Format::DateTime,
        (true, false) => Format::Date,
        (false, true) => Format::Time,
        _ if bare.contains('%') => Format::Percent,
        _ => Format::Number,
    }
}

/// Fifteen digits are what a spreadsheet shows at most.
fn plain(number: f64) -> String {
    if number == number.trunc() && number.abs() < 1e15 {
        return format!("{number:.0}");
    }
    let rounded: f64 = format!("{number:.14e}").parse().unwrap_or(number);
    rounded.to_string()
}

/// A day and time of a serial number: days since the end of 1899, with a leap day in 1900 that never was.
fn moment(serial: f64, format: Format, since_1904: bool) -> Option<String> {
    const DAYS_UNTIL_1970: i64 = 25_569;
    const DAYS_OF_1904: i64 = 1_462;
    const SECONDS: f64 = 86_400.0;
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let seconds = (serial * SECONDS).round();
    let days = (seconds / SECONDS).floor();
    let second = (seconds - days * SECONDS) as i64;
    let time = match second % 60 {
        0 => format!("{:02}:{:02}", second / 3_600, second / 60 % 60),
        rest => format!("{:02}:{:02}:{rest:02}", second / 3_600, second / 60 % 60),
    };
    let days = days as i64 + if since_1904 { DAYS_OF_1904 } else { 0 };
    let days = if days < 60 && !since_1904 { days + 1 } else { days };
    let date = date(days - DAYS_UNTIL_1970);
    Some(match format {
        Format::Time if serial < 1.0 => time,
        Format::Time | Format::DateTime if second > 0 => format!("{date} {time}"),
        _ => date,
    })
}

/// A day in the Gregorian calendar by days since 1970 (Hinnant, "chrono-compatible low-level date algorithms", 2013).
fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_the_sheet_shows_them() {
        let formats = Formats(vec![Format::Number, Format::Percent, Format::Date, Format::DateTime, Format::Time]);
        let show = |style: usize, raw: &str| formats.show(style, raw, false);
        assert_eq!([show(0, "0.30000000000000004"), show(0, "12"), show(0, "1e3")], ["0.3", "12", "1000"]);
        assert_eq!(show(1, "0.07"), "7 %");
        assert_eq!(
            [show(2, "1"), show(2, "60"), show(2, "61"), show(2, "45292")],
            ["1900-01-01", "1900-02-28", "1900-03-01", "2024-01-01"]
        );
        assert_eq!([show(3, "45292.75"), show(4, "0.5"), show(2, "-3")], ["2024-01-01 18:00", "12:00", "-3"]);
        assert_eq!(formats.show(2, "0", true), "1904-01-01");
    }

    #[test]
    fn codes_say_what_is_a_date() {
        for (code, format) in [
            ("General", Format::Number),
            ("#,##0.00 \"days\"", Format::Number),
            ("[Red]0.00", Format::Number),
            ("0.0%", Format::Percent),
            ("dd.mm.yyyy", Format::Date),
            ("[$-409]d mmm yy h:mm AM/PM", Format::DateTime),
            ("[h]:mm:ss", Format::Time),
        ] {
            assert_eq!(of_code(code), format, "{code}");
        }
    }
}
