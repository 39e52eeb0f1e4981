//! Front matter at the start of a Markdown file: YAML between `---` and `---`, or TOML between `+++` and `+++`.

use qanda_core::Metadata;
use qanda_core::metadata::{SEPARATOR, list};
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

/// Front matter is a few lines. More is a text that happens to start with a rule.
const MAX_BYTES: usize = 64 << 10;

/// Maps and lists inside each other, as far as anybody writes them.
const MAX_DEPTH: usize = 32;

/// Front matter of a file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct FrontMatter {
    /// The facts that it states.
    pub(super) metadata: Metadata,
    /// Byte at which the body starts: 0 without front matter.
    pub(super) body: usize,
    /// Faults in it, each with its line in the file.
    pub(super) notes: Vec<String>,
}

/// Reads the front matter of a file.
///
/// Scalars are kept as written, lists as [`qanda_core::metadata`] does, maps inside maps flattened with dots
/// (`author: {name: X}` is `author.name`), a list of maps list by list. Where it cannot be read as a whole, it is read
/// field by field, and the faulty ones are reported. Two rules around something that is no map are body.
pub(super) fn split(text: &str) -> FrontMatter {
    if let Some((toml, body)) = fenced(text, "+++", &["+++"]) {
        return toml_fields(toml, body);
    }
    let Some((yaml, body)) = fenced(text, "---", &["---", "..."]) else { return FrontMatter::default() };
    match flatten(yaml) {
        Ok(Some(metadata)) => FrontMatter { metadata, body, notes: Vec::new() },
        Ok(None) => FrontMatter::default(),
        // YAML indents by spaces alone; editors do not know that.
        Err(Malformed) => match flatten(&yaml.replace('\t', "  ")) {
            Ok(Some(metadata)) => FrontMatter { metadata, body, notes: Vec::new() },
            _ => field_by_field(yaml, body, |field| flatten(&field.replace('\t', "  ")).ok().flatten()),
        },
    }
}

/// The text between the marks and the offset after the second one.
fn fenced<'a>(text: &'a str, open: &str, close: &[&str]) -> Option<(&'a str, usize)> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().filter(|line| line.trim_end() == open)?;
    let mut at = first.len();
    for line in lines {
        if close.contains(&line.trim_end()) {
            return Some((&text[first.len()..at], at + line.len()));
        }
        at += line.len();
        if at > MAX_BYTES {
            break;
        }
    }
    None
}

/// Reads each field on its own: a line that is not indented, with the lines below it that are.
fn field_by_field(text: &str, body: usize, read: impl Fn(&str) -> Option<Metadata>) -> FrontMatter {
    let mut found = FrontMatter { body, ..FrontMatter::default() };
    // Line of the file at which a field begins, counted from 1, and its text.
    let mut fields: Vec<(usize, String)> = Vec::new();
    for (number, line) in text.split_inclusive('\n').enumerate() {
        let goes_on = line.starts_with([' ', '\t', '-', ']', '}']) || line.trim().is_empty();
        match fields.last_mut().filter(|_| goes_on) {
            Some((_, field)) => field.push_str(line),
            None => fields.push((number + 2, line.to_owned())),
        }
    }
    for (line, field) in fields.iter().filter(|(_, field)| !field.trim().is_empty()) {
        match read(field) {
            Some(metadata) => found.metadata.extend(metadata),
            None if field.trim_start().starts_with('#') => {}
            None => found.notes.push(format!(
                "line {line} of its front matter cannot be read and was left out: {}",
                field.lines().next().unwrap_or_default().trim()
            )),
        }
    }
    found
}

fn toml_fields(text: &str, body: usize) -> FrontMatter {
    let read = |text: &str| {
        let table: toml::Table = text.parse().ok()?;
        let mut metadata = Metadata::new();
        table.iter().for_each(|(name, value)| flatten_toml(name, value, 0, &mut metadata));
        Some(metadata)
    };
    match read(text) {
        Some(metadata) => FrontMatter { metadata, body, notes: Vec::new() },
        None => field_by_field(text, body, read),
    }
}

fn flatten_toml(name: &str, value: &toml::Value, depth: usize, metadata: &mut Metadata) {
    let text = match value {
        toml::Value::Table(table) if depth < MAX_DEPTH => {
            return table.iter().for_each(|(inner, value)| {
                flatten_toml(&format!("{name}.{inner}"), value, depth + 1, metadata);
            });
        }
        toml::Value::Array(values) if depth < MAX_DEPTH => {
            return values.iter().for_each(|value| flatten_toml(name, value, depth + 1, metadata));
        }
        toml::Value::String(text) => text.clone(),
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Float(number) => number.to_string(),
        toml::Value::Boolean(value) => value.to_string(),
        toml::Value::Datetime(moment) => moment.to_string(),
        toml::Value::Table(_) | toml::Value::Array(_) => return,
    };
    add(metadata, name.to_owned(), &text);
}

/// Adds a value: the first one, or one more item of a list.
fn add(metadata: &mut Metadata, name: String, text: &str) {
    let text = list([text]);
    metadata
        .entry(name)
        .and_modify(|value| {
            value.push(SEPARATOR);
            value.push_str(&text);
        })
        .or_insert(text);
}

struct Malformed;

/// Place in the tree to which the next event belongs.
enum Level {
    /// In a map: the next scalar is a key, or the value of this key.
    Map { key: Option<String> },
    /// In a list. Its items go where the list itself goes.
    List,
}

/// Flattens a document in one pass over the parser's events: no tree, so neither nesting nor aliases (which
/// could multiply without end) cost more than the text is long. `None` if it is not a map.
fn flatten(yaml: &str) -> Result<Option<Metadata>, Malformed> {
    let mut parser = Parser::new_from_str(yaml);
    let mut metadata = Metadata::new();
    let mut levels: Vec<Level> = Vec::new();
    loop {
        let (event, _) = parser.next_token().map_err(|_| Malformed)?;
        match event {
            Event::StreamEnd => return Ok(None),
            Event::DocumentEnd => return Ok(Some(metadata)),
            Event::Scalar(..) | Event::SequenceStart(..) if levels.is_empty() => return Ok(None),
            Event::Scalar(text, style, ..) => scalar(text, style, &mut levels, &mut metadata),
            Event::MappingStart(..) => open(Level::Map { key: None }, &mut levels)?,
            Event::SequenceStart(..) => open(Level::List, &mut levels)?,
            Event::MappingEnd | Event::SequenceEnd => {
                levels.pop();
                value_ended(&mut levels);
            }
            Event::Alias(_) => return Err(Malformed),
            Event::Nothing | Event::StreamStart | Event::DocumentStart => {}
        }
    }
}

fn open(level: Level, levels: &mut Vec<Level>) -> Result<(), Malformed> {
    let is_key = matches!(levels.last(), Some(Level::Map { key: None }));
    if is_key || levels.len() == MAX_DEPTH {
        return Err(Malformed);
    }
    levels.push(level);
    Ok(())
}

fn scalar(text: String, style: TScalarStyle, levels: &mut [Level], metadata: &mut Metadata) {
    if let Some(Level::Map { key: key @ None }) = levels.last_mut() {
        *key = Some(text);
        return;
    }
    let null = style == TScalarStyle::Plain && matches!(text.as_str(), "" | "~" | "null");
    if !null {
        let keys: Vec<&str> = levels.iter().filter_map(Level::key).collect();
        add(metadata, keys.join("."), &text);
    }
    value_ended(levels);
}

fn value_ended(levels: &mut [Level]) {
    if let Some(Level::Map { key }) = levels.last_mut() {
        *key = None;
    }
}

impl Level {
    fn key(&self) -> Option<&str> {
        match self {
            Self::Map { key } => key.as_deref(),
            Self::List => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_lists_and_nested_maps_become_text() {
        let file = "---\r\ntitle: \"Größe: wichtig\"\r\nversion: 1.10\nnone: ~\nquoted: \"\"\ntags: [a, 'b c']\n\
                    author:\n  name: X\n  address: {city: Y}\nnav:\n  - text: One\n    href: '#1'\n  - text: Two\n---\nBody";
        let FrontMatter { metadata, body, notes } = split(file);
        assert_eq!((&file[body..], notes.len()), ("Body", 0));
        let expected = [
            ("author.address.city", "Y"),
            ("author.name", "X"),
            ("nav.href", "#1"),
            ("nav.text", "One\u{1f}Two"),
            ("quoted", ""),
            ("tags", "a\u{1f}b c"),
            ("title", "Größe: wichtig"),
            ("version", "1.10"),
        ];
        assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn toml_is_read_like_yaml() {
        let file =
            "+++\ntitle = \"Größe\"\ntags = [\"a\", \"b c\"]\ndate = 2026-01-02\n[author]\nname = \"X\"\n+++\nBody";
        let FrontMatter { metadata, body, .. } = split(file);
        let expected = [("author.name", "X"), ("date", "2026-01-02"), ("tags", "a\u{1f}b c"), ("title", "Größe")];
        assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert_eq!(&file[body..], "Body");
    }

    #[test]
    fn a_faulty_field_is_reported_with_its_line_and_the_others_are_kept() {
        let yaml = "---\nyear: 2026\ntitle: a: b: c\ntags:\n  - x\n  - y\n---\nBody";
        let toml = "+++\nyear = 2026\ntitle = a b\ntags = [\"x\", \"y\"]\n+++\nBody";
        for (file, line) in [(yaml, "title: a: b: c"), (toml, "title = a b")] {
            let FrontMatter { metadata, body, notes } = split(file);
            assert_eq!((metadata["year"].as_str(), metadata["tags"].as_str()), ("2026", "x\u{1f}y"));
            assert_eq!(notes, [format!("line 3 of its front matter cannot be read and was left out: {line}")]);
            assert_eq!(&file[body..], "Body");
        }
    }

    #[test]
    fn tabs_are_read_as_spaces() {
        let fields = "title:\tPump care\ntags:\n\t- pump\n\t- care\nauthor:\n\tname:\tX\n";
        let FrontMatter { metadata, notes, .. } = split(&format!("---\n{fields}---\nBody"));
        let expected = [("author.name", "X"), ("tags", "pump\u{1f}care"), ("title", "Pump care")];
        assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        assert!(notes.is_empty(), "{notes:?}");
        // And beside a fault.
        let FrontMatter { metadata, notes, .. } = split(&format!("---\n{fields}note: a: b: c\n---\nBody"));
        assert_eq!((metadata["tags"].as_str(), metadata["title"].as_str()), ("pump\u{1f}care", "Pump care"));
        assert_eq!(notes.len(), 1);
    }

    #[test]
    fn bad_yaml_is_no_body_and_costs_no_more_than_its_length() {
        for yaml in ["title: a: b: c\n", "a: [1\n", "a: &x [1]\nb: [*x, *x]\n", "? {a: b}\n: c\n"] {
            let file = format!("---\n{yaml}---\nBody");
            let FrontMatter { body, notes, .. } = split(&file);
            assert_eq!(&file[body..], "Body", "{yaml}");
            assert!(!notes.is_empty(), "{yaml}");
        }
        let deep = format!("---\na: {}\n---\nBody", "- ".repeat(20_000));
        assert!(split(&deep).metadata.is_empty());
    }

    #[test]
    fn rules_around_prose_are_no_front_matter() {
        for file in [
            "---\nJust a sentence.\n---\nBody",
            "---\nnever closed: x\n",
            "# Title\n---\na: b\n---\n",
            "----\na: b\n---\n",
        ] {
            assert_eq!(split(file), FrontMatter::default(), "{file}");
        }
    }
}
