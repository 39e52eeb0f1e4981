//! Numbered lists of Word: `numbering.xml` and the counters of its lists.

use std::collections::HashMap;

use super::super::numbering::Style;
use super::{Find, parse};
use crate::ReadError;

/// Levels that a list may have.
const LEVELS: usize = 9;

/// One level of a list.
#[derive(Clone)]
struct Level {
    /// None for a bullet.
    style: Option<Style>,
    start: i64,
    /// Text of the number: "%1.%2." with the numbers of the levels for the signs.
    text: String,
}

/// The lists of a document and how far they are counted.
#[derive(Default)]
pub(super) struct Numbering {
    /// Levels by the number of a list.
    lists: HashMap<String, Vec<Level>>,
    /// Lists that share the counters of an abstract one, unless they start anew.
    counted_as: HashMap<String, String>,
    counters: HashMap<String, [Option<i64>; LEVELS]>,
}

impl Numbering {
    /// Reads `numbering.xml`.
    ///
    /// # Errors
    /// When it is no XML.
    pub(super) fn read(text: &str) -> Result<Self, ReadError> {
        let tree = parse(text, "word/numbering.xml")?;
        let root = tree.root_element();
        let shapes: HashMap<&str, Vec<Level>> =
            root.all("abstractNum").filter_map(|shape| Some((shape.value("abstractNumId")?, levels(shape)))).collect();
        let mut numbering = Self::default();
        for list in root.all("num") {
            let (Some(id), Some(shape)) =
                (list.value("numId"), list.child("abstractNumId").and_then(|shape| shape.value("val")))
            else {
                continue;
            };
            let mut levels = shapes.get(shape).cloned().unwrap_or_default();
            let mut counted_as = format!("abstract {shape}");
            for change in list.all("lvlOverride") {
                let at = change.value("ilvl").and_then(|level| level.parse::<usize>().ok());
                let start = change.child("startOverride").and_then(|start| start.value("val")?.parse().ok());
                if let (Some(start), Some(level)) = (start, at.and_then(|at| levels.get_mut(at))) {
                    level.start = start;
                    counted_as = id.to_owned();
                }
            }
            numbering.lists.insert(id.to_owned(), levels);
            numbering.counted_as.insert(id.to_owned(), counted_as);
        }
        Ok(numbering)
    }

    /// What stands before the next item of a list at a level: its number as Word shows it, or a bullet.
    pub(super) fn marker(&mut self, list: &str, level: usize) -> String {
        let bullet = || "-".to_owned();
        let Some(levels) = self.lists.get(list) else { return bullet() };
        let level = level.min(LEVELS - 1);
        let Some(shape) = levels.get(level) else { return bullet() };
        let counted_as = self.counted_as.get(list).cloned().unwrap_or_default();
        let counters = self.counters.entry(counted_as).or_default();
        counters[level] = Some(counters[level].map_or(shape.start, |number| number.saturating_add(1)));
        counters[level + 1..].fill(None);
        if shape.style.is_none() {
            return bullet();
        }
        let mut text = shape.text.clone();
        for (at, (counter, other)) in counters.iter().zip(levels).enumerate().take(level + 1) {
            let shown = other.style.unwrap_or(Style::Decimal).show(counter.unwrap_or(other.start));
            text = text.replace(&format!("%{}", at + 1), &shown);
        }
        if text.trim().is_empty() { bullet() } else { text.trim().to_owned() }
    }
}

fn levels(shape: roxmltree::Node<'_, '_>) -> Vec<Level> {
    let level = |level: roxmltree::Node<'_, '_>| {
        let of = |name: &str| level.child(name).and_then(|child| child.value("val"));
        let style = match of("numFmt").unwrap_or("decimal") {
            "bullet" | "none" => None,
            "lowerLetter" => Some(Style::Letters),
            "upperLetter" => Some(Style::CapitalLetters),
            "lowerRoman" => Some(Style::Roman),
            "upperRoman" => Some(Style::CapitalRoman),
            _ => Some(Style::Decimal),
        };
        let start = of("start").and_then(|start| start.parse().ok()).unwrap_or(1);
        Level { style, start, text: of("lvlText").unwrap_or_default().to_owned() }
    };
    shape.all("lvl").take(LEVELS).map(level).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_counted_as_word_counts_them() {
        let level = |at: usize, format: &str, text: &str| {
            format!("<lvl ilvl='{at}'><start val='1'/><numFmt val='{format}'/><lvlText val='{text}'/></lvl>")
        };
        let text = format!(
            "<numbering><abstractNum abstractNumId='0'>{}{}</abstractNum><abstractNum abstractNumId='1'>{}</abstractNum>\
             <num numId='1'><abstractNumId val='0'/></num>\
             <num numId='2'><abstractNumId val='0'/><lvlOverride ilvl='0'><startOverride val='4'/></lvlOverride></num>\
             <num numId='3'><abstractNumId val='1'/></num></numbering>",
            level(0, "decimal", "%1."),
            level(1, "lowerLetter", "%1.%2)"),
            level(0, "bullet", "•"),
        );
        let mut numbering = Numbering::read(&text).unwrap();
        let mut markers = |list: &str, levels: &[usize]| {
            levels.iter().map(|level| numbering.marker(list, *level)).collect::<Vec<_>>()
        };
        assert_eq!(markers("1", &[0, 1, 1, 0, 1]), ["1.", "1.a)", "1.b)", "2.", "2.a)"]);
        assert_eq!(markers("2", &[0, 0]), ["4.", "5."]);
        assert_eq!(markers("3", &[0]), ["-"]);
        assert_eq!(markers("none", &[0]), ["-"]);
    }
}
