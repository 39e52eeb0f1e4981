//! Workbooks: a section for each sheet, its rows as a table.

use std::path::Path;

use roxmltree::Node;

use super::super::BlockKind;
use super::table::Table;
use super::writer::Page;
use super::{Archive, Extracted, Find, Reader, damaged, parse, properties, relations};
use crate::ReadError;

mod formats;
use formats::Formats;

/// Columns and rows of a sheet that are read: what is farther out is somebody's slip.
const MAX_COLUMNS: usize = 1_000;
const MAX_ROWS: usize = 200_000;

pub(in crate::readers) struct Xlsx;

impl Reader for Xlsx {
    fn endings(&self) -> &'static [&'static str] {
        &["xlsx", "xlsm"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        const MAIN: &str = "xl/workbook.xml";
        let mut archive = Archive::open(bytes)?;
        let text = archive.read_text(MAIN)?.ok_or_else(|| damaged("it is no workbook: it has no list of sheets"))?;
        let parts = relations::of(&mut archive, MAIN)?;
        let mut part = |kind: &str| match parts.values().find(|relation| relation.kind == kind) {
            Some(relation) => archive.read_text(&relation.target),
            None => Ok(None),
        };
        let strings = part("sharedStrings")?.map(|text| shared_strings(&text)).transpose()?.unwrap_or_default();
        let formats = part("styles")?.map(|text| Formats::read(&text)).transpose()?.unwrap_or_default();

        let tree = parse(&text, MAIN)?;
        let since_1904 = tree
            .descendants()
            .any(|node| node.is("workbookPr") && node.value("date1904").is_some_and(|on| on != "0" && on != "false"));
        let values = Values { strings, formats, since_1904 };
        let mut page = Page::default();
        let mut notes = Vec::new();
        for sheet in tree.descendants().filter(|node| node.is("sheet")) {
            let name = sheet.value("name").unwrap_or_default();
            let id = sheet.attributes().find(|attribute| attribute.name() == "id" && attribute.namespace().is_some());
            let Some(relation) = id.and_then(|id| parts.get(id.value())) else { continue };
            if matches!(sheet.value("state"), Some("hidden" | "veryHidden")) {
                notes.push(format!("the hidden sheet \"{name}\" was left out"));
                continue;
            }
            if let Some(text) = archive.read_text(&relation.target)? {
                page.heading(1, name);
                values.sheet(&parse(&text, &relation.target)?.root_element(), &mut page);
            }
        }
        let (title, metadata) = properties::read(&mut archive, "docProps/core.xml")?;
        // The name of a sheet is no title of the workbook; the file's name tells more.
        let has_title = title.is_some();
        let extracted = page.finish(title);
        Ok(Extracted { title: extracted.title.filter(|_| has_title), metadata, notes, ..extracted })
    }
}

/// Texts that cells name by their numbers.
fn shared_strings(text: &str) -> Result<Vec<String>, ReadError> {
    let tree = parse(text, "xl/sharedStrings.xml")?;
    Ok(tree.root_element().all("si").map(rich_text).collect())
}

/// The words of a text in runs, without what is struck out or says how they are spoken.
fn rich_text(item: Node<'_, '_>) -> String {
    let mut words = String::new();
    for part in item.children().filter(Node::is_element) {
        match part.tag_name().name() {
            "t" => words.push_str(&part.words()),
            "r" => {
                let struck = part.child("rPr").and_then(|shape| shape.child("strike"));
                let holds = struck.is_none_or(|strike| strike.value("val") == Some("0"));
                words.push_str(&part.child("t").filter(|_| holds).map(Find::words).unwrap_or_default());
            }
            _ => {}
        }
    }
    words
}

/// Everything by which a cell's value is told.
struct Values {
    strings: Vec<String>,
    formats: Formats,
    /// Days are counted from 1904 on.
    since_1904: bool,
}

impl Values {
    fn sheet(&self, sheet: &Node<'_, '_>, page: &mut Page) {
        let mut rows: Vec<(usize, Vec<String>)> = Vec::new();
        let listed = sheet.child("sheetData").into_iter().flat_map(|data| data.all("row"));
        for (number, row) in listed.take(MAX_ROWS).enumerate() {
            let number = row.value("r").and_then(|number| number.parse::<usize>().ok()).unwrap_or(number + 1);
            let mut cells = Vec::new();
            for cell in row.all("c") {
                let column = cell.value("r").and_then(place).map_or(cells.len(), |(column, _)| column);
                if column < MAX_COLUMNS {
                    cells.resize(cells.len().max(column + 1), String::new());
                    cells[column] = self.value(cell);
                }
            }
            rows.push((number, cells));
        }
        repeat_merged(sheet, &mut rows);
        // A table ends at an empty row: what comes below has names of its own.
        let mut last = None;
        let mut tables: Vec<Vec<Vec<String>>> = Vec::new();
        for (number, cells) in rows {
            if cells.iter().all(String::is_empty) {
                continue;
            }
            if last.is_none_or(|last| number != last + 1) {
                tables.push(Vec::new());
            }
            last = Some(number);
            if let Some(table) = tables.last_mut() {
                table.push(cells);
            }
        }
        tables.into_iter().for_each(|rows| write(rows, page));
    }

    fn value(&self, cell: Node<'_, '_>) -> String {
        let raw = cell.child("v").map(Find::words).unwrap_or_default();
        match cell.value("t") {
            Some("s") => {
                raw.trim().parse().ok().and_then(|at: usize| self.strings.get(at)).cloned().unwrap_or_default()
            }
            Some("inlineStr") => cell.child("is").map(rich_text).unwrap_or_default(),
            Some("b") => if raw == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            Some("str" | "e" | "d") => raw,
            _ => {
                let style = cell.value("s").and_then(|style| style.parse().ok()).unwrap_or(0);
                self.formats.show(style, &raw, self.since_1904)
            }
        }
    }
}

/// Columns that are empty in all rows are left out; lines of one cell above the table stand on their own.
fn write(rows: Vec<Vec<String>>, page: &mut Page) {
    let width = rows.iter().map(Vec::len).max().unwrap_or(0);
    let used: Vec<usize> = (0..width)
        .filter(|column| rows.iter().any(|row| row.get(*column).is_some_and(|cell| !cell.is_empty())))
        .collect();
    let narrow = |row: &Vec<String>| -> Vec<String> {
        used.iter().map(|column| row.get(*column).cloned().unwrap_or_default()).collect()
    };
    let mut rows: Vec<Vec<String>> = rows.iter().map(narrow).collect();
    let filled = |row: &Vec<String>| {
        let mut cells: Vec<&String> = row.iter().filter(|cell| !cell.is_empty()).collect();
        cells.dedup();
        cells.len()
    };
    if used.len() == 1 {
        let lines: Vec<&str> = rows.iter().flatten().map(String::as_str).collect();
        return page.block(BlockKind::Table, &lines.join("\n"));
    }
    let captions = rows.iter().take_while(|row| filled(row) == 1).count();
    for row in rows.drain(..captions) {
        page.paragraph(row.iter().find(|cell| !cell.is_empty()).map_or("", String::as_str));
    }
    Table::of_rows(rows).write(page);
}

/// Column and row of a place such as `C7`, from 0 on.
fn place(name: &str) -> Option<(usize, usize)> {
    let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let column = letters.bytes().try_fold(0_usize, |column, letter| {
        let digit = letter.to_ascii_uppercase().checked_sub(b'A').filter(|digit| *digit < 26)?;
        column.checked_mul(26)?.checked_add(usize::from(digit) + 1)
    })?;
    let row: usize = name[letters.len()..].parse().ok()?;
    Some((column.checked_sub(1)?, row.checked_sub(1)?))
}

/// Puts the value of each merged cell into all the places that it covers.
fn repeat_merged(sheet: &Node<'_, '_>, rows: &mut [(usize, Vec<String>)]) {
    const MOST: usize = 100_000;
    let mut filled = 0;
    for merged in sheet.descendants().filter(|node| node.is("mergeCell")) {
        let corners = merged.value("ref").and_then(|range| range.split_once(':'));
        let Some((Some((left, top)), Some((right, bottom)))) = corners.map(|(a, b)| (place(a), place(b))) else {
            continue;
        };
        let at =
            |number: usize, rows: &[(usize, Vec<String>)]| rows.binary_search_by_key(&(number + 1), |row| row.0).ok();
        let Some(value) = at(top, rows).and_then(|row| rows[row].1.get(left)).cloned() else { continue };
        for number in top..=bottom.min(top + MAX_ROWS) {
            let Some(row) = at(number, rows) else { continue };
            let cells = &mut rows[row].1;
            let right = right.min(MAX_COLUMNS - 1);
            cells.resize(cells.len().max(right + 1), String::new());
            for cell in cells.iter_mut().take(right + 1).skip(left) {
                filled += 1;
                if filled < MOST {
                    cell.clone_from(&value);
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "xlsx_tests.rs"]
mod tests;
