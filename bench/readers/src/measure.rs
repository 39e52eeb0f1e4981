//! Figures over a text that was read: as in `crates/ingest/tests/office_files.rs`, for any dialect of Markdown.

use std::collections::HashMap;

/// Words as they are compared: letters and digits, without marks of any kind. Escapes of Markdown are no letters.
pub fn words(text: &str) -> Vec<String> {
    let text = without_targets(&text.replace("<br>", " ").replace("&amp;", "&"));
    let bare = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    text.split(|c: char| c.is_whitespace() || c == '|').map(bare).filter(|word| !word.is_empty()).collect()
}

/// Length of the longest row of words that both have in the same order, as a share of the source's.
pub fn order_of_words(source: &[String], read: &[String]) -> f64 {
    let mut lengths = vec![0_usize; read.len() + 1];
    for word in source {
        let mut diagonal = 0;
        for (at, other) in read.iter().enumerate() {
            let above = lengths[at + 1];
            lengths[at + 1] = if word == other { diagonal + 1 } else { above.max(lengths[at]) };
            diagonal = above;
        }
    }
    lengths[read.len()] as f64 / source.len() as f64
}

/// Share of the source's cells that stand as cells in what was read: in rows of Markdown, or of HTML.
pub fn cells_found(source: &[String], text: &str) -> f64 {
    let key = |cell: &str| words(cell).join(" ");
    let mut there: HashMap<String, usize> = HashMap::new();
    let html = text.replace("</td>", "|\n").replace("</th>", "|\n").replace("<td>", "\n|").replace("<th>", "\n|");
    let rows = html.lines().map(str::trim).filter(|line| line.starts_with('|'));
    for cell in rows.flat_map(|row| row.trim_matches('|').split('|')) {
        *there.entry(key(cell)).or_default() += 1;
    }
    let is_there = |cell: &&String| match there.get_mut(&key(cell)) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    source.iter().filter(is_there).count() as f64 / source.len() as f64
}

/// A text without the targets of its links: `[words](target)` says its words.
fn without_targets(text: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find("](") {
        let Some(end) = rest[at..].find(')') else { break };
        kept.push_str(&rest[..at + 1]);
        rest = &rest[at + end + 1..];
    }
    kept + rest
}
