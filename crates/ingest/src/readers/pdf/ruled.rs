//! Tables that ruling lines make: their words are taken out of the page before the rest is put in order, a mark stands
//! for each of them meanwhile, and in its place comes the table, row by row.

use std::collections::HashMap;

use lopdf::Document;
use pdf_inspector::extractor::group_into_lines_preserving_all_text;
use pdf_inspector::types::ItemType;
use pdf_inspector::{PageRotation, TextItem};

use super::grid::Grid;
use super::rules::Rules;
use crate::readers::table::Table;
use crate::readers::writer::Page;

/// Share of a table's cells that must have words. Fewer are a diagram's lines, or a form to be filled in.
const FILLED: f32 = 0.25;

/// Words of a cell on average. More are columns of text with lines between them.
const MOST_WORDS: usize = 60;

/// Points below which a row or column without words is the space between two lines.
const NARROW: f32 = 12.0;

/// Points by which a word must stand on both sides of a line to be two.
const ACROSS: f32 = 2.0;

/// Bytes that merged cells may add to a table by being repeated.
const MOST_REPEATED: usize = 1 << 20;

/// Lines of text that may stand above or below a table that goes on from one page to the next: what repeats at the
/// edge of every page.
const EDGE_LINES: usize = 2;

/// Points by which the columns of a table that goes on may be off.
const SAME: f32 = 3.0;

/// Table of a page.
#[derive(Debug)]
pub(super) struct Ruled {
    pub(super) page: u32,
    /// Word that stands for it in the text of the page.
    pub(super) mark: String,
    /// What stands above it across all of its columns.
    title: Option<String>,
    /// Texts of its cells. Merged ones are repeated.
    rows: Vec<Vec<String>>,
    /// Rows that name the columns.
    header_rows: usize,
    edges: Vec<f32>,
    /// Whether it begins where the page does, and ends where it does.
    first: bool,
    last: bool,
}

impl Ruled {
    /// The table as Markdown.
    pub(super) fn markdown(&self) -> String {
        let mut table = Table::default();
        for (number, row) in self.rows.iter().enumerate() {
            table.begin_row();
            row.iter().for_each(|cell| table.cell(cell, 1, 1));
            if number < self.header_rows {
                table.mark_header();
            }
        }
        let mut page = Page::default();
        table.write(&mut page);
        match &self.title {
            Some(title) => format!("{title}\n\n{}", page.text),
            None => page.text,
        }
    }
}

/// Takes the tables out of a document's words, in each of whose places a mark is left. Pages that are turned have their
/// words in another frame than their lines, so they keep them.
pub(super) fn take(document: &Document, turned: &HashMap<u32, PageRotation>, items: &mut Vec<TextItem>) -> Vec<Ruled> {
    let mut tables = Vec::new();
    for (number, page) in document.get_pages().into_iter().filter(|(number, _)| !turned.contains_key(number)) {
        for grid in Grid::of(Rules::of(document, page)) {
            if let Some(table) = table(grid, number, tables.len(), items) {
                tables.push(table);
            }
        }
    }
    continue_headers(&mut tables);
    tables
}

/// Words of a table's places, and all others.
fn table(grid: Grid, page: u32, number: usize, items: &mut Vec<TextItem>) -> Option<Ruled> {
    let is_inside = |item: &TextItem| {
        let (x, y) = middle(item);
        item.page == page
            && matches!(item.item_type, ItemType::Text | ItemType::FormField)
            && grid.place(x, y).is_some()
    };
    let (inside, outside): (Vec<TextItem>, Vec<TextItem>) = items.iter().cloned().partition(is_inside);
    let model = inside.first()?.clone();
    let at = items.iter().position(is_inside)?;
    let mut places: HashMap<usize, Vec<TextItem>> = HashMap::new();
    let (mut used_rows, mut used_columns) = (vec![false; grid.rows()], vec![false; grid.columns()]);
    for piece in inside.iter().flat_map(|item| pieces(item, &grid)) {
        let (x, y) = middle(&piece);
        let (row, column) = grid.place(x, y)?;
        used_rows[row] = true;
        used_columns[column] = true;
        places.entry(grid.cell(row, column)).or_default().push(piece);
    }
    let words: usize = inside.iter().map(|item| item.text.split_whitespace().count()).sum();
    let kept = |used: &[bool], edges: &[f32]| -> Vec<usize> {
        let wide = |&at: &usize| used[at] || (edges[at] - edges[at + 1]).abs() >= NARROW;
        (0..used.len()).filter(wide).collect()
    };
    let (rows, columns) = (kept(&used_rows, &grid.ys), kept(&used_columns, &grid.xs));
    let mut cells: Vec<usize> = rows
        .iter()
        .flat_map(|&row| columns.iter().map(move |&column| (row, column)))
        .map(|(row, column)| grid.cell(row, column))
        .collect();
    cells.sort_unstable();
    cells.dedup();
    let is_table = rows.len() > 1
        && columns.len() > 1
        && places.len() as f32 >= FILLED * cells.len() as f32
        && places.len() > 2
        && words <= MOST_WORDS * places.len();
    if !is_table {
        return None;
    }
    let texts: HashMap<usize, String> = places.into_iter().map(|(cell, items)| (cell, text(items))).collect();
    let mut ruled = Ruled {
        page,
        mark: mark(number),
        title: None,
        rows: written(&grid, &rows, &columns, &texts),
        header_rows: header_rows(&grid, &rows, &columns),
        edges: columns.iter().map(|&column| grid.xs[column]).collect(),
        first: edge_lines(&outside, page, |y| y > grid.top()) <= EDGE_LINES,
        last: edge_lines(&outside, page, |y| y < grid.bottom()) <= EDGE_LINES,
    };
    let across = |row: &[String]| row.iter().all(|cell| *cell == row[0]);
    if ruled.rows.len() > 2
        && grid.cell(rows[0], columns[0]) == grid.cell(rows[0], columns[columns.len() - 1])
        && across(&ruled.rows[0])
    {
        ruled.title = Some(ruled.rows.remove(0).swap_remove(0));
        ruled.header_rows = header_rows(&grid, &rows[1..], &columns);
    }
    let mark = TextItem {
        text: ruled.mark.clone(),
        x: grid.left(),
        y: (grid.top() + grid.bottom()) / 2.0,
        width: grid.right() - grid.left(),
        baseline_shift: 0.0,
        is_bold: false,
        mcid: None,
        item_type: ItemType::Text,
        ..model
    };
    // In the place of its first word: words are put in order by where they stand in the file, too.
    *items = outside;
    items.insert(at.min(items.len()), mark);
    Some(ruled)
}

/// Texts of the places that are kept, row by row.
fn written(grid: &Grid, rows: &[usize], columns: &[usize], texts: &HashMap<usize, String>) -> Vec<Vec<String>> {
    let mut seen = HashMap::new();
    let mut repeated = 0;
    let mut place = |row: usize, column: usize| {
        let cell = grid.cell(row, column);
        let text = texts.get(&cell).map_or("", String::as_str);
        if seen.insert(cell, ()).is_some() {
            repeated += text.len();
        }
        if repeated > MOST_REPEATED { String::new() } else { text.to_owned() }
    };
    rows.iter().map(|&row| columns.iter().map(|&column| place(row, column)).collect()).collect()
}

/// Rows that name the columns: two where a name in the first one stands above several columns, or reaches into the
/// second beside others that do not.
fn header_rows(grid: &Grid, rows: &[usize], columns: &[usize]) -> usize {
    let [first, second, _, ..] = rows else { return 1 };
    let above = columns.windows(2).any(|pair| grid.cell(*first, pair[0]) == grid.cell(*first, pair[1]));
    let reaching = columns.iter().filter(|&&column| grid.cell(*first, column) == grid.cell(*second, column)).count();
    let parted = columns.windows(2).all(|pair| grid.cell(*second, pair[0]) != grid.cell(*second, pair[1]));
    if parted && (above || (reaching > 0 && reaching < columns.len())) { 2 } else { 1 }
}

/// Gives a table that goes on from the page before the names of its columns, if it does not repeat them itself.
fn continue_headers(tables: &mut [Ruled]) {
    for at in 1..tables.len() {
        let (before, after) = tables.split_at_mut(at);
        let (Some(before), Some(after)) = (before.last(), after.first_mut()) else { return };
        let same = before.edges.len() == after.edges.len()
            && before.edges.iter().zip(&after.edges).all(|(one, other)| (one - other).abs() <= SAME);
        let goes_on = before.page + 1 == after.page && before.last && after.first && same && after.title.is_none();
        let header = &before.rows[..before.header_rows.min(before.rows.len())];
        if goes_on && !after.rows.starts_with(header) {
            after.rows.splice(0..0, header.iter().cloned());
            after.header_rows = before.header_rows;
        }
    }
}

/// Number of a page's lines above or below some height.
fn edge_lines(items: &[TextItem], page: u32, is_there: impl Fn(f32) -> bool) -> usize {
    let there = items.iter().filter(|item| item.page == page && is_there(item.y) && !item.text.trim().is_empty());
    let mut heights: Vec<i64> = there.map(|item| (item.y / 3.0) as i64).collect();
    heights.sort_unstable();
    heights.dedup();
    heights.len()
}

/// The middle of a word's letters: their line is at its foot.
fn middle(item: &TextItem) -> (f32, f32) {
    (item.x + item.width / 2.0, item.y + item.height * 0.3)
}

/// A run of words that stands in several columns of one row, parted at the spaces nearest to the lines between them.
fn pieces(item: &TextItem, grid: &Grid) -> Vec<TextItem> {
    let (x, y) = middle(item);
    let Some((row, _)) = grid.place(x, y) else { return vec![item.clone()] };
    let mut parts = Vec::new();
    let mut rest = item.clone();
    for column in 1..grid.columns() {
        let edge = grid.xs[column];
        let crosses = rest.x + ACROSS < edge && edge + ACROSS < rest.x + rest.width;
        if !crosses || grid.cell(row, column - 1) == grid.cell(row, column) {
            continue;
        }
        let count = rest.text.chars().count() as f32;
        let at = |number: usize| rest.x + rest.width * number as f32 / count;
        let spaces = rest.text.char_indices().enumerate().filter(|(_, (_, c))| c.is_whitespace());
        let nearest = spaces
            .map(|(number, (byte, _))| (number, byte))
            .min_by(|one, other| (at(one.0) - edge).abs().total_cmp(&(at(other.0) - edge).abs()));
        if let Some((number, byte)) = nearest {
            let parted = at(number);
            let (before, after) = rest.text.split_at(byte);
            let before = TextItem { text: before.to_owned(), width: parted - rest.x, ..rest.clone() };
            let right = rest.x + rest.width;
            rest = TextItem { text: after.trim_start().to_owned(), x: parted, width: right - parted, ..rest.clone() };
            parts.push(before);
        }
    }
    parts.push(rest);
    parts.retain(|part| !part.text.trim().is_empty());
    parts
}

/// Words of one cell, line by line. A number that the end of a line parts from its hyphen ("panel-" above "3752") is
/// put to it again; of words that are divided so nobody knows yet whether the hyphen is theirs.
fn text(items: Vec<TextItem>) -> String {
    let mut text = String::new();
    for line in group_into_lines_preserving_all_text(items) {
        let line = line.text();
        let line = line.trim();
        let hyphen = text.strip_suffix('-').is_some_and(|before| before.ends_with(char::is_alphanumeric));
        let is_joined = hyphen && line.starts_with(|c: char| c.is_numeric() || c.is_uppercase());
        if !text.is_empty() && !is_joined {
            text.push(' ');
        }
        text.push_str(line);
    }
    text
}

/// A word that no document has, without digits, which would make it look like a page's number.
fn mark(number: usize) -> String {
    let letter = |at: u32| char::from(b'a' + (number / 26_usize.pow(at) % 26) as u8);
    format!("qztafelq{}", (0..4).map(letter).collect::<String>())
}

/// Puts the tables of a page where their marks are. What stood in a mark's line stays around it.
pub(super) fn put_back(body: &str, tables: &[&Ruled]) -> String {
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    for table in tables {
        let markdown = table.markdown();
        let Some(at) = lines.iter().position(|line| line.contains(&table.mark)) else {
            lines.extend([String::new(), markdown]);
            continue;
        };
        let line = std::mem::take(&mut lines[at]);
        let (before, after) = line.split_once(&table.mark).unwrap_or((&line, ""));
        // What Markdown puts before a heading or around a word in bold.
        let bare = |text: &str| text.trim().trim_matches(['#', '*', '-', '`']).trim().is_empty();
        let parts = if line.trim_start().starts_with('|') {
            vec![format!("{before}{after}"), String::new(), markdown]
        } else {
            let around = |text: &str| if bare(text) { String::new() } else { text.trim().to_owned() };
            vec![around(before), String::new(), markdown, String::new(), around(after)]
        };
        lines.splice(at..=at, parts);
    }
    lines.join("\n")
}
