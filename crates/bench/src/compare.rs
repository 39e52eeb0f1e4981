//! Two runs side by side.

use serde_json::Value;

use crate::{Report, Spread};

/// A figure of both runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// Its name.
    pub name: String,
    /// Whether it is seconds.
    pub seconds: bool,
    /// That of the first run.
    pub a: Option<f64>,
    /// That of the second run.
    pub b: Option<f64>,
}

impl Ratio {
    /// The second over the first, where both are there and the first is more than nothing.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let (a, b) = (self.a?, self.b?);
        (a > 0.0).then(|| b / a)
    }
}

/// All figures of two runs. Those that neither has are left out.
#[must_use]
pub fn compare(a: &Report, b: &Report) -> Vec<Ratio> {
    let (a, b) = (&a.figures, &b.figures);
    let count = |name: &str, a: f64, b: f64| Ratio { name: name.to_owned(), seconds: false, a: Some(a), b: Some(b) };
    let mut rows = vec![
        count("answered", a.completed as f64, b.completed as f64),
        count("failed", a.failed as f64, b.failed as f64),
        Ratio { name: "whole run".to_owned(), seconds: true, a: Some(a.seconds), b: Some(b.seconds) },
        count("answers/s", a.rate, b.rate),
        count("most in flight", a.most_in_flight as f64, b.most_in_flight as f64),
    ];
    rows.extend(spreads("latency", a.latency, b.latency));
    rows.extend(spreads("from sending", a.service, b.service));
    rows.extend(spreads("first token", a.first_token, b.first_token));
    rows.push(count("tokens/s", a.tokens_per_second, b.tokens_per_second));
    rows
}

fn spreads(name: &str, a: Option<Spread>, b: Option<Spread>) -> Vec<Ratio> {
    let Some(names) = a.or(b).map(|spread| spread.named()) else { return Vec::new() };
    let (a, b) = (a.map(|spread| spread.named()), b.map(|spread| spread.named()));
    let row = |(index, (figure, _)): (usize, (&str, f64))| Ratio {
        name: format!("{name} {figure}"),
        seconds: true,
        a: a.map(|figures| figures[index].1),
        b: b.map(|figures| figures[index].1),
    };
    names.into_iter().enumerate().map(row).collect()
}

/// In what the loads of two runs differ, as `name: a, b`.
#[must_use]
pub fn differences(a: &Report, b: &Report) -> Vec<String> {
    let fields = |report: &Report| match serde_json::to_value(&report.load) {
        Ok(Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (a, b) = (fields(a), fields(b));
    let differs = |(name, value): (&String, &Value)| {
        let other = b.get(name).unwrap_or(&Value::Null);
        (value != other).then(|| format!("{name}: {value}, {other}"))
    };
    a.iter().filter_map(differs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Figures, LoadInfo};

    fn report(rate: f64, p99: f64, first: Option<f64>) -> Report {
        let spread = |p99| Spread { p99, ..Spread::default() };
        let figures =
            Figures { rate, latency: Some(spread(p99)), first_token: first.map(spread), ..Figures::default() };
        let load = LoadInfo { rate: Some(rate), ..LoadInfo::default() };
        Report { version: 1, load, figures, goals: Vec::new(), requests: Vec::new() }
    }

    #[test]
    fn ratios_are_of_the_second_to_the_first() {
        let rows = compare(&report(10.0, 1.0, None), &report(30.0, 0.5, Some(2.0)));
        let find = |name: &str| rows.iter().find(|row| row.name == name).expect(name);
        assert_eq!(find("answers/s").ratio(), Some(3.0));
        assert_eq!(find("latency p99").ratio(), Some(0.5));
        assert_eq!(find("failed").ratio(), None);
        let first = find("first token p99");
        assert_eq!((first.a, first.b, first.ratio()), (None, Some(2.0), None));
        assert!(!rows.iter().any(|row| row.name.starts_with("from sending")));
    }

    #[test]
    fn loads_that_differ_are_told() {
        let (a, b) = (report(10.0, 1.0, None), report(30.0, 1.0, None));
        assert_eq!(differences(&a, &b), ["rate: 10.0, 30.0"]);
        assert!(differences(&a, &a).is_empty());
    }
}
