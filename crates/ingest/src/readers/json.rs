//! JSON and JSON lines: records as tables or as lists of their values.

use std::fmt;
use std::path::Path;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::archive::damaged;
use super::table::Table;
use super::writer::{Next, Page};
use super::{BlockKind, Extracted, Reader, data_addresses};
use crate::{ReadError, decode::decode};

/// Levels of objects whose names become headings.
const MAX_HEADINGS: usize = 3;

pub(super) struct Json;

impl Reader for Json {
    fn endings(&self) -> &'static [&'static str] {
        &["json", "jsonl", "ndjson"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/json", "application/jsonl", "application/x-ndjson"]
    }

    fn version(&self) -> u32 {
        1
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let text = numbers_as_written(&decode(bytes)?);
        let (value, notes) = match serde_json::from_str(&text) {
            Ok(value) => (value, Vec::new()),
            Err(error) => lines(&text).ok_or_else(|| damaged(format!("it is no JSON ({error})")))?,
        };
        let title = value.named(&["title", "name"]);
        let mut page = Page::default();
        write(&value, &mut Vec::new(), &mut page);
        if page.text.is_empty() {
            return Err(ReadError::NoText);
        }
        Ok(Extracted { title, notes, ..page.finish(None) })
    }
}

/// Digits up to which a whole number is read as it is written.
const MAX_DIGITS: usize = 15;

/// Puts numbers into quotes that would come out changed: an identifier of twenty digits, a version `1.10`, a price
/// `2.50`, `1e-7`.
fn numbers_as_written(json: &str) -> String {
    let mut quoted = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let (before, token) = rest.split_at(at);
        quoted.push_str(before);
        let end = if token.starts_with('"') { end_of_string(token) } else { end_of_number(token) };
        let (token, after) = token.split_at(end);
        let digits = token.chars().filter(char::is_ascii_digit).count();
        let changes = !token.starts_with('"') && (digits > MAX_DIGITS || token.contains(['.', 'e', 'E']));
        // What is no number stays a fault.
        if changes && serde_json::from_str::<f64>(token).is_ok() {
            quoted.extend(["\"", token, "\""]);
        } else {
            quoted.push_str(token);
        }
        rest = after;
    }
    quoted + rest
}

fn end_of_number(token: &str) -> usize {
    token.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(token.len())
}

/// Bytes of a string with its quotes; all there are, where it does not end.
fn end_of_string(token: &str) -> usize {
    let mut escaped = true;
    let end = token.char_indices().find(|&(_, c)| {
        let ends = c == '"' && !escaped;
        // The quote that opens it ends nothing.
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map_or(token.len(), |(at, _)| at + 1)
}

/// The values of a file that has one in each line, and notes about lines that are none.
fn lines(text: &str) -> Option<(Value, Vec<String>)> {
    let (mut values, mut notes) = (Vec::new(), Vec::new());
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match serde_json::from_str(line) {
            Ok(value) => values.push(value),
            Err(_) if values.is_empty() => return None,
            Err(error) => notes.push(format!("line {} is no JSON and was left out ({error})", number + 1)),
        }
    }
    (values.len() > 1).then_some((Value::List(values), notes))
}

/// A value that keeps its fields in the order of the file.
enum Value {
    Nothing,
    Plain(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl Value {
    fn named(&self, names: &[&str]) -> Option<String> {
        let Self::Map(fields) = self else { return None };
        names.iter().find_map(|name| match fields.iter().find(|(field, _)| field == name) {
            Some((_, Self::Plain(text))) if !text.is_empty() => Some(text.clone()),
            _ => None,
        })
    }

    /// A value that can stand in a line: plain, or a list of such.
    fn in_line(&self) -> Option<String> {
        match self {
            Self::Nothing => Some(String::new()),
            Self::Plain(text) => Some(data_addresses::without(text)),
            Self::List(values) if values.iter().all(|value| matches!(value, Self::Plain(_) | Self::Nothing)) => {
                let shown: Vec<String> = values.iter().filter_map(Self::in_line).collect();
                Some(shown.join(", "))
            }
            _ => None,
        }
    }

    /// The columns of a list of records that all have plain values.
    fn columns(values: &[Self]) -> Option<Vec<&str>> {
        let mut columns: Vec<&str> = Vec::new();
        for value in values {
            let Self::Map(fields) = value else { return None };
            for (name, value) in fields {
                value.in_line()?;
                if !columns.contains(&name.as_str()) {
                    columns.push(name);
                }
            }
            // A name in each record that no other has: no table.
            if columns.len() > 100 {
                return None;
            }
        }
        (!columns.is_empty()).then_some(columns)
    }
}

fn write(value: &Value, above: &mut Vec<String>, page: &mut Page) {
    match value {
        Value::List(values) => match Value::columns(values) {
            Some(columns) => table(values, &columns, page),
            None => values.iter().for_each(|value| record(value, page)),
        },
        Value::Map(fields) => map(fields, above, page),
        other => page.paragraph(&other.in_line().unwrap_or_default()),
    }
}

fn table(values: &[Value], columns: &[&str], page: &mut Page) {
    let names = columns.iter().map(|name| (*name).to_owned()).collect();
    let row = |value: &Value| {
        let Value::Map(fields) = value else { return Vec::new() };
        let cell = |name: &&str| fields.iter().find(|(field, _)| field == name).and_then(|(_, value)| value.in_line());
        columns.iter().map(|name| cell(name).unwrap_or_default()).collect()
    };
    Table::of_rows(std::iter::once(names).chain(values.iter().map(row))).write(page);
}

/// One of a list: all its values below each other.
fn record(value: &Value, page: &mut Page) {
    if let Some(words) = value.in_line() {
        page.begin(Some(Next::Item { depth: 0, marker: "-".to_owned() }));
        page.words(&words);
        page.begin(None);
        return;
    }
    let mut lines = Vec::new();
    flatten(value, "", &mut lines);
    page.block(BlockKind::Table, &lines.join("\n"));
}

fn flatten(value: &Value, name: &str, lines: &mut Vec<String>) {
    if let Some(words) = value.in_line() {
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        if !words.is_empty() {
            lines.push(if name.is_empty() { format!("- {words}") } else { format!("- {name}: {words}") });
        }
        return;
    }
    match value {
        Value::Map(fields) => {
            for (field, value) in fields {
                let name = if name.is_empty() { field.clone() } else { format!("{name}.{field}") };
                flatten(value, &name, lines);
            }
        }
        Value::List(values) => values.iter().for_each(|value| flatten(value, name, lines)),
        _ => {}
    }
}

fn map(fields: &[(String, Value)], above: &mut Vec<String>, page: &mut Page) {
    let plain: Vec<String> = fields
        .iter()
        .filter_map(|(name, value)| Some(format!("- {name}: {}", value.in_line().filter(|words| !words.is_empty())?)))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    page.block(BlockKind::Table, &plain.join("\n"));
    for (name, value) in fields.iter().filter(|(_, value)| value.in_line().is_none()) {
        if above.len() < MAX_HEADINGS {
            above.push(name.clone());
            page.heading(above.len(), name);
            write(value, above, page);
            above.pop();
        } else {
            let mut lines = Vec::new();
            flatten(value, name, &mut lines);
            page.block(BlockKind::Table, &lines.join("\n"));
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

struct AnyValue;

macro_rules! plain {
    ($($name:ident: $type:ty),+) => {
        $(fn $name<E>(self, value: $type) -> Result<Value, E> {
            Ok(Value::Plain(value.to_string()))
        })+
    };
}

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    plain!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(Value::Map(fields))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(file: &str) -> Extracted {
        Json.read(file.as_bytes(), Path::new("a.json")).unwrap()
    }

    #[test]
    fn records_become_tables_and_objects_sections() {
        let rows = "| part | level |\n|---|---|\n| W-4 | 12 |\n| W-5 |  |";
        assert_eq!(read(r#"[{"part":"W-4","level":12},{"part":"W-5"}]"#).text, rows);
        assert_eq!(read("{\"part\":\"W-4\",\"level\":12}\n\n{\"part\":\"W-5\"}\n").text, rows);
        let file = read(
            r#"{"title":"Stock","open":true,"shelf":{"tags":["a","b"],"none":null},"parts":[{"id":1,"at":{"x":2}}]}"#,
        );
        assert_eq!(file.text, "- title: Stock\n- open: true\n\nshelf\n\n- tags: a, b\n\nparts\n\n- id: 1\n- at.x: 2");
        assert_eq!(file.title.as_deref(), Some("Stock"));
    }

    #[test]
    fn numbers_are_kept_as_they_are_written() {
        let file = r#"{"id":12345678901234567890123,"version":1.10,"small":-1e-7,"text":"a \\" 2.50 \\\\","n":12,"list":[1.0,2]}"#;
        let file = file.replace("\\\\", "\\");
        assert_eq!(
            read(&file).text,
            "- id: 12345678901234567890123\n- version: 1.10\n- small: -1e-7\n- text: a \" 2.50 \\\n- n: 12\n- list: 1.0, 2"
        );
        for wrong in ["{\"a\": 1.2.3}", "{\"a\": 01.5}", "{\"a\": -}", "{\"a\": \"open", "[1.5e]"] {
            assert!(Json.read(wrong.as_bytes(), Path::new("a.json")).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_is_no_json_is_said_so() {
        let refused = Json.read(b"{\"a\": ", Path::new("a.json")).unwrap_err().to_string();
        assert!(refused.starts_with("damaged: it is no JSON ("), "{refused}");
        let file = read("{\"a\":1}\n{\"a\":2}\n{\"a\n");
        assert!(file.notes[0].starts_with("line 3 is no JSON and was left out"), "{:?}", file.notes);
        let deep = "[".repeat(100_000);
        assert!(Json.read(deep.as_bytes(), Path::new("a.json")).is_err());
    }
}
