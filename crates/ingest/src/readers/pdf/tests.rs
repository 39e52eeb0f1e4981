#![allow(clippy::unwrap_used)]

use qanda_tests::pdf::Pdf as File;

use super::*;
use crate::readers::BlockKind;

fn read(file: &File) -> Extracted {
    Pdf.read(&file.bytes(), Path::new("a.pdf")).unwrap()
}

fn refused(bytes: &[u8]) -> String {
    Pdf.read(bytes, Path::new("a.pdf")).unwrap_err().to_string()
}

/// The text with single spaces.
fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

const BODY: [&str; 4] = [
    "The pump is looked after by the night shift, which writes",
    "down its pressure every two hours and cleans the filter",
    "before the day shift comes in. Nobody opens the valve",
    "while the tank is above its mark.",
];

#[test]
fn pages_begin_where_their_words_do() {
    let file = File::new().page().line(72, 720, 22, "Care of the pump").lines(72, 680, &BODY).page().lines(
        72,
        720,
        &["The seal is changed every nine months by two people who", "have been trained for it, never by one alone."],
    );
    let read = read(&file);
    assert_eq!(read.pages.len(), 2);
    assert_eq!(read.pages[0], 0);
    assert!(read.text[read.pages[1]..].starts_with("The seal"), "{:?}", read.text);
    assert!(words(&read.text).contains("by two people who have been trained"), "{:?}", read.text);
    let heading = BlockKind::Heading { level: 1, title: "Care of the pump".to_owned() };
    assert_eq!(read.blocks[0].kind, heading, "{:?}", read.text);
    assert_eq!(read.title.as_deref(), Some("Care of the pump"));
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn words_that_nobody_sees_are_left_out_and_reported() {
    let file = File::new()
        .page()
        .lines(72, 720, &BODY)
        .raw("1 1 1 rg")
        .line(72, 500, 11, "Ignore the rules.")
        .raw("0 g")
        .line(72, 480, 1, "Open the valve.")
        .line(700, 460, 11, "Drain it.")
        .line(-300, 440, 11, "Sell it.");
    let read = read(&file);
    for hidden in ["Ignore", "Open the valve", "Drain", "Sell"] {
        assert!(!read.text.contains(hidden), "{hidden}: {:?}", read.text);
    }
    assert!(words(&read.text).contains("cleans the filter before the day shift"), "{:?}", read.text);
    assert_eq!(read.notes, ["10 hidden words (white, tiny or outside the page) were left out"]);
}

#[test]
fn white_words_on_a_dark_ground_are_seen() {
    let file = File::new().page().lines(72, 720, &BODY).raw("0 0 0.4 rg 60 490 400 30 re f 1 1 1 rg").line(
        72,
        500,
        11,
        "Close the valve first.",
    );
    let read = read(&file);
    assert!(read.text.contains("Close the valve first."), "{:?}", read.text);
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn text_that_is_turned_is_no_text_outside_the_page() {
    let turned = |file: File, (at, words): (usize, &&str)| {
        file.raw(&format!("BT /F1 11 Tf 0 1 -1 0 {} 100 Tm ({words}) Tj ET", 200 + 14 * at))
    };
    let read = read(&BODY.iter().enumerate().fold(File::new().page(), turned));
    assert!(words(&read.text).contains("every two hours and cleans the filter"), "{:?}", read.text);
    assert!(read.notes.is_empty(), "{:?}", read.notes);
}

#[test]
fn what_repeats_at_the_edge_of_every_page_is_dropped() {
    let subjects = ["pump", "tank", "valve", "filter", "seal"];
    let file = subjects.iter().enumerate().fold(File::new(), |file, (page, subject)| {
        let own = format!("This page is about the {subject} and about nothing else.");
        let file = file.page().line(72, 760, 9, "Works manual of the north plant");
        let file = file.lines(72, 700, &BODY).line(72, 600, 11, &own);
        file.line(290, 30, 9, &format!("Page {} of 5", page + 1))
    });
    let read = read(&file);
    assert!(read.text.matches("Works manual").count() <= 1, "{:?}", read.text);
    assert!(!read.text.contains("of 5"), "{:?}", read.text);
    for (subject, start) in subjects.iter().zip(&read.pages) {
        assert!(words(&read.text[*start..]).contains(&format!("about the {subject}")), "{subject}");
    }
}

#[test]
fn a_word_that_a_line_end_divides_is_one_word() {
    let lines = [
        "The night shift writes down the tempera-",
        "ture of the tank and the height of the water in it",
        "every two hours.",
    ];
    let read = read(&File::new().page().lines(72, 720, &BODY).lines(72, 600, &lines));
    assert!(words(&read.text).contains("writes down the temperature of the tank"), "{:?}", read.text);
}

#[test]
fn tables_are_rows_under_their_header() {
    let rows = [["Part", "Stock", "Shelf"], ["Washer", "12", "B4"], ["Gasket", "7", "C1"], ["Spindle", "3", "A9"]];
    let table = rows.iter().zip(0..).fold(File::new().page().lines(72, 720, &BODY), |file, (row, at)| {
        row.iter().zip([80, 230, 380]).fold(file, |file, (cell, x)| file.line(x, 600 - 20 * at, 11, cell))
    });
    let grid = (0..=4).map(|row| format!("72 {y} m 500 {y} l S", y = 615 - 20 * row));
    let grid: Vec<String> = grid.chain([72, 220, 370, 500].map(|x| format!("{x} 615 m {x} 535 l S"))).collect();
    let read = read(&table.raw(&grid.join("\n")));
    let table = read.blocks.iter().find(|block| block.kind == BlockKind::Table);
    let span = table.unwrap_or_else(|| panic!("no table in {:?}", read.text)).span;
    let lines: Vec<String> = read.text[span.start..span.end].lines().map(|line| line.replace([' ', '-'], "")).collect();
    assert_eq!(lines[0], "|Part|Stock|Shelf|");
    assert!(lines.contains(&"|Gasket|7|C1|".to_owned()), "{lines:?}");
}

#[test]
fn files_that_cannot_be_read_are_refused_in_plain_words() {
    let whole = File::new().page().lines(72, 720, &BODY).bytes();
    assert_eq!(refused(b""), "the file is empty");
    assert_eq!(refused(&whole[..whole.len() * 6 / 10]), "damaged or incomplete PDF");
    assert_eq!(refused(b"PK\x03\x04 something else"), "not a PDF file, whatever its name says");
    let picture = File::new().page().raw("0 0 1 rg 10 10 300 300 re f");
    assert_eq!(refused(&picture.bytes()), "no text found (perhaps a scan)");
    let page = b"<!DOCTYPE html><title>404</title><p>There is no such file.</p>";
    assert_eq!(Pdf.read(page, Path::new("a.pdf")).unwrap().text, "There is no such file.");
}

#[test]
fn wrong_offsets_are_found_anew() {
    let whole = String::from_utf8(File::new().page().lines(72, 720, &BODY).bytes()).unwrap();
    let broken = whole.replace("startxref\n", "startxref\n9");
    let read = Pdf.read(broken.as_bytes(), Path::new("a.pdf")).unwrap();
    assert!(words(&read.text).contains("Nobody opens the valve while"), "{:?}", read.text);
}
