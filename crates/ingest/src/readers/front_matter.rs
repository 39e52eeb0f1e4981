//! YAML front matter: the lines between `---` and `---` at the start of a Markdown file.

use qanda_core::Metadata;
use yaml_rust2::parser::{Event, Parser};
use yaml_rust2::scanner::TScalarStyle;

/// Front matter is a few lines. More is a text that happens to start with a rule.
const MAX_BYTES: usize = 64 << 10;

/// Maps and lists inside each other, as far as anybody writes them.
const MAX_DEPTH: usize = 32;

/// Metadata of a file and the byte at which its body starts (0 without front matter).
///
/// Scalars are kept as written, lists joined with ", ", maps inside maps flattened with dots
/// (`author: {name: X}` is `author.name`), a list of maps list by list. What is no valid YAML gives no metadata,
/// but is still no part of the body; two rules around something that is no map are body.
pub(super) fn split(text: &str) -> (Metadata, usize) {
    let Some((yaml, body)) = fenced(text) else { return (Metadata::new(), 0) };
    match flatten(yaml) {
        Ok(Some(metadata)) => (metadata, body),
        Ok(None) => (Metadata::new(), 0),
        Err(Malformed) => (Metadata::new(), body),
    }
}

/// The text between the `---` lines and the offset after the second one.
fn fenced(text: &str) -> Option<(&str, usize)> {
    let mut lines = text.split_inclusive('\n');
    let first = lines.next().filter(|line| line.trim_end() == "---")?;
    let mut at = first.len();
    for line in lines {
        if matches!(line.trim_end(), "---" | "...") {
            return Some((&text[first.len()..at], at + line.len()));
        }
        at += line.len();
        if at > MAX_BYTES {
            break;
        }
    }
    None
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
        metadata
            .entry(keys.join("."))
            .and_modify(|list| {
                list.push_str(", ");
                list.push_str(&text);
            })
            .or_insert(text);
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
        let (metadata, body) = split(file);
        assert_eq!(&file[body..], "Body");
        let expected = [
            ("author.address.city", "Y"),
            ("author.name", "X"),
            ("nav.href", "#1"),
            ("nav.text", "One, Two"),
            ("quoted", ""),
            ("tags", "a, b c"),
            ("title", "Größe: wichtig"),
            ("version", "1.10"),
        ];
        assert_eq!(metadata, expected.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn bad_yaml_gives_no_metadata_and_is_still_no_body() {
        for yaml in ["title: a: b: c\n", "a: [1\n", "a: &x [1]\nb: [*x, *x]\n", "? {a: b}\n: c\n"] {
            let file = format!("---\n{yaml}---\nBody");
            let (metadata, body) = split(&file);
            assert_eq!((metadata.len(), &file[body..]), (0, "Body"), "{yaml}");
        }
        let deep = format!("---\na: {}\n---\nBody", "- ".repeat(20_000));
        assert!(split(&deep).0.is_empty());
    }

    #[test]
    fn rules_around_prose_are_no_front_matter() {
        for file in [
            "---\nJust a sentence.\n---\nBody",
            "---\nnever closed: x\n",
            "# Title\n---\na: b\n---\n",
            "----\na: b\n---\n",
        ] {
            assert_eq!(split(file), (Metadata::new(), 0), "{file}");
        }
    }
}
