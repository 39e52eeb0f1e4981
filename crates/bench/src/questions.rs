//! Questions from a file.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use serde_json::Value;

/// Reads questions: one a line, or one JSON object a line with `question` or `content`.
///
/// # Errors
/// When the file cannot be read, has no question, or a line of JSON has none; the line is named.
pub fn read(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    parse(&text).with_context(|| format!("{} is not right", path.display()))
}

fn parse(text: &str) -> anyhow::Result<Vec<String>> {
    // A byte order mark would become part of the first question.
    let lines = text.trim_start_matches('\u{feff}').lines().map(str::trim).enumerate();
    let questions: Vec<String> = lines
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| question(line).with_context(|| format!("line {}", number + 1)))
        .collect::<anyhow::Result<_>>()?;
    ensure!(!questions.is_empty(), "there is no question in it");
    Ok(questions)
}

fn question(line: &str) -> anyhow::Result<String> {
    if !line.starts_with('{') {
        return Ok(line.to_owned());
    }
    let json: Value = serde_json::from_str(line).context("starts like JSON and is none")?;
    for name in ["question", "content"] {
        match &json[name] {
            Value::Null => {}
            Value::String(question) if !question.trim().is_empty() => return Ok(question.clone()),
            _ => bail!("\"{name}\" must be a question, a string"),
        }
    }
    bail!("has neither \"question\" nor \"content\"")
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn questions_are_lines_or_objects() {
        let text = "\u{feff}Why?\r\n\n  How?  \n{\"question\": \"When?\", \"id\": 3}\n{\"content\": \"Who?\"}\n";
        assert_eq!(parse(text).expect("they are read"), ["Why?", "How?", "When?", "Who?"]);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        for (text, words) in [
            ("Why?\n{\"question\": 1}", "line 2: \"question\" must be a question"),
            ("{\"text\": \"x\"}", "line 1: has neither"),
            ("\n\n{\"question\"", "line 3: starts like JSON"),
            (" \n", "no question"),
        ] {
            let error = format!("{:#}", parse(text).expect_err("it is refused"));
            assert!(error.contains(words), "{error}");
        }
    }
}
