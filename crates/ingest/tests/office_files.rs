//! Office files that another program wrote, against the words and cells that it was given: `evaluation/formats.py` makes
//! them.

#![allow(clippy::expect_used, clippy::print_stderr)]

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use qanda_ingest::readers::{Extracted, reader_for};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    /// Words in the order of the source.
    words: Vec<String>,
    /// Cells of its tables.
    cells: Vec<String>,
}

#[test]
#[ignore = "needs files that LibreOffice wrote: evaluation/formats.py"]
fn words_come_in_order_and_cells_are_found() {
    let folder = PathBuf::from(std::env::var_os("QANDA_OFFICE_FILES").expect("QANDA_OFFICE_FILES names a folder"));
    let list = fs::read_to_string(folder.join("expected.json")).expect("the list of files");
    let list: BTreeMap<String, Expected> = serde_json::from_str(&list).expect("a list of files");
    let (mut orders, mut found) = (Vec::new(), Vec::new());
    for (name, expected) in &list {
        let path = folder.join(name);
        let bytes = fs::read(&path).expect("a file");
        let read = reader_for(&path).and_then(|reader| reader.read(&bytes, &path)).expect("readable");
        let order = order(&expected.words, &words(&read.text));
        let cells = cells(&expected.cells, &read);
        eprintln!("{name}: order of words {order:.3}, cells {cells:.3}, notes {:?}", read.notes);
        orders.push(order);
        found.push(cells);
    }
    assert!(!orders.is_empty() && orders.iter().all(|order| *order >= 0.98), "{orders:?}");
    assert!(found.iter().all(|cells| *cells >= 0.95), "{found:?}");
}

/// Words as they are compared: without marks of lists and tables.
fn words(text: &str) -> Vec<String> {
    let tells = |word: &&str| word.contains(char::is_alphanumeric);
    text.split_whitespace().filter(tells).map(str::to_owned).collect()
}

/// Length of the longest row of words that both have in the same order, as a share of the source's.
fn order(source: &[String], read: &[String]) -> f64 {
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

/// Share of the source's cells that stand as cells in what was read.
fn cells(source: &[String], read: &Extracted) -> f64 {
    if source.is_empty() {
        return 1.0;
    }
    let mut there: HashMap<String, usize> = HashMap::new();
    let rows = read.text.lines().filter(|line| line.starts_with('|'));
    for cell in rows.flat_map(|row| row.trim_matches('|').split('|')) {
        *there.entry(cell.trim().to_owned()).or_default() += 1;
    }
    let is_there = |cell: &&String| match there.get_mut(cell.trim()) {
        Some(left) if *left > 0 => {
            *left -= 1;
            true
        }
        _ => false,
    };
    source.iter().filter(is_there).count() as f64 / source.len() as f64
}
