#![allow(clippy::unwrap_used)]

use qanda_tests::pdf::Pdf as File;

use super::*;

const ROWS: [[&str; 3]; 4] =
    [["Part", "Stock", "Shelf"], ["Washer", "12", "B4"], ["Gasket", "7", "C1"], ["Spindle", "3", "A9"]];

/// Edges of the columns and rows that the words of [`table`] stand between.
const XS: [i32; 4] = [72, 220, 370, 500];
const YS: [i32; 5] = [615, 595, 575, 555, 535];

const TABLE: &str =
    "| Part | Stock | Shelf |\n|---|---|---|\n| Washer | 12 | B4 |\n| Gasket | 7 | C1 |\n| Spindle | 3 | A9 |";

/// A page with a line above a table's words and one below them, and with instructions that draw its lines.
fn table(file: File, lines: &str) -> File {
    let file = file.page().line(72, 700, 11, "These parts are in the store.");
    let words = ROWS.iter().zip(YS).fold(file, |file, (row, y)| {
        row.iter().zip(XS).fold(file, |file, (cell, x)| file.line(x + 8, y - 15, 11, cell))
    });
    words.line(72, 480, 11, "Ask the night shift for the key.").raw(lines)
}

fn text(file: &File) -> String {
    Pdf.read(&file.bytes(), Path::new("a.pdf")).unwrap().text
}

/// Lines at all edges, each drawn by a function from its ends.
fn grid(line: impl Fn(i32, i32, i32, i32) -> String) -> String {
    let rows = YS.map(|y| line(XS[0], y, XS[3], y));
    let columns = XS.map(|x| line(x, YS[0], x, YS[4]));
    rows.into_iter().chain(columns).collect::<Vec<_>>().join("\n")
}

fn single(x1: i32, y1: i32, x2: i32, y2: i32) -> String {
    format!("{x1} {y1} m {x2} {y2} l S")
}

/// Each cell, with the numbers of its edges.
fn cells() -> impl Iterator<Item = (usize, usize)> {
    (0..4).flat_map(|row| (0..3).map(move |column| (row, column)))
}

#[test]
fn tables_are_found_however_their_borders_are_drawn() {
    let double = |x1: i32, y1: i32, x2: i32, y2: i32| {
        let (dx, dy) = if y1 == y2 { (0, 2) } else { (2, 0) };
        [single(x1, y1, x2, y2), single(x1 + dx, y1 - dy, x2 + dx, y2 - dy)].join("\n")
    };
    let thick = |x1: i32, y1: i32, x2: i32, y2: i32| {
        let (width, height) = ((x2 - x1).max(3), (y1 - y2).max(3));
        format!("{x1} {y2} {width} {height} re f")
    };
    let dots = |x1: i32, y1: i32, x2: i32, y2: i32| {
        let dot = |at: i32| if y1 == y2 { single(at, y1, at + 2, y1) } else { single(x1, at, x1, at + 2) };
        let (from, to) = if y1 == y2 { (x1, x2) } else { (y2, y1) };
        (from..to).step_by(5).map(dot).collect::<Vec<_>>().join("\n")
    };
    // A frame for each cell, with space between them.
    let frames = cells().map(|(row, column)| {
        let (x, y) = (XS[column] + 1, YS[row + 1] + 1);
        format!("{x} {y} {} {} re S", XS[column + 1] - x - 1, YS[row] - y - 1)
    });
    // Lines between the cells alone, all of them sticking out.
    let inner = YS[1..4].iter().map(|&y| single(XS[0], y, XS[3], y));
    let inner = inner.chain(XS[1..3].iter().map(|&x| single(x, YS[0], x, YS[4])));
    let drawings = [
        ("single", grid(single)),
        ("double", grid(double)),
        ("thick", grid(thick)),
        ("dotted", grid(dots)),
        ("a frame for each cell", frames.collect::<Vec<_>>().join("\n")),
        ("no border outside", inner.collect::<Vec<_>>().join("\n")),
        (
            "scaled",
            format!(
                "q 0.5 0 0 0.5 100 0 cm {} Q",
                grid(|x1, y1, x2, y2| { single(2 * x1 - 200, 2 * y1, 2 * x2 - 200, 2 * y2) })
            ),
        ),
    ];
    for (name, drawing) in drawings {
        let text = text(&table(File::new(), &drawing));
        // A line that stands alone may be taken for a heading.
        let parts: Vec<&str> = text.split("\n\n").map(|part| part.trim_matches(['#', ' ', '\n'])).collect();
        let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        assert_eq!(parts, ["These parts are in the store.", TABLE, "Ask the night shift for the key."], "{name}");
    }
}

#[test]
fn merged_cells_are_repeated_and_a_header_of_two_rows_is_one() {
    let file = File::new().page();
    let words = [("Part", 80, 590), ("Stock", 300, 600), ("north", 240, 580), ("south", 400, 580), ("Washer", 80, 550)];
    let words = words.iter().chain(&[("12", 240, 560), ("40", 400, 560), ("7", 240, 540), ("9", 400, 540)]);
    let file = words.fold(file, |file, &(word, x, y)| file.line(x, y, 11, word));
    let lines = [
        (72, 615, 500, 615),
        (220, 595, 500, 595),
        (72, 575, 500, 575),
        (220, 555, 500, 555),
        (72, 535, 500, 535),
        (72, 615, 72, 535),
        (220, 615, 220, 535),
        (370, 595, 370, 535),
        (500, 615, 500, 535),
    ];
    let lines: Vec<String> = lines.iter().map(|&(x1, y1, x2, y2)| single(x1, y1, x2, y2)).collect();
    assert_eq!(
        text(&file.raw(&lines.join("\n"))),
        "| Part | Stock north | Stock south |\n|---|---|---|\n| Washer | 12 | 40 |\n| Washer | 7 | 9 |"
    );
}

#[test]
fn a_table_that_goes_on_over_the_page_has_its_header_there_too() {
    let file = File::new().page();
    let page = |file: File, rows: &[[&str; 2]], top: i32| {
        let bottom = top - 20 * rows.len() as i32;
        let file = rows.iter().zip(0..).fold(file, |file, (row, number)| {
            file.line(80, top - 15 - 20 * number, 11, row[0]).line(308, top - 15 - 20 * number, 11, row[1])
        });
        let lines = (0..=rows.len() as i32).map(|row| single(72, top - 20 * row, 500, top - 20 * row));
        let lines = lines.chain([72, 300, 500].map(|x| single(x, top, x, bottom)));
        file.raw(&lines.collect::<Vec<_>>().join("\n"))
    };
    let file = file.line(72, 700, 11, "Stock in May.");
    let file = page(file, &[["Part", "Stock"], ["Washer", "12"], ["Gasket", "7"]], 160);
    let file = page(file.page(), &[["Spindle", "3"], ["Spring", "4"]], 720).line(72, 300, 11, "Counted by night.");
    let read = Pdf.read(&file.bytes(), Path::new("a.pdf")).unwrap();
    let second = &read.text[read.pages[1]..];
    assert!(second.starts_with("| Part | Stock |\n|---|---|\n| Spindle | 3 |\n| Spring | 4 |"), "{second}");
}

#[test]
fn a_drawing_with_lines_is_no_table_and_keeps_its_words() {
    // Lines behind a curve, with words beside and below them, and two in the picture.
    let lines = (0..10).map(|row| single(72, 600 - 20 * row, 500, 600 - 20 * row));
    let lines = lines.chain((0..10).map(|column| single(72 + 40 * column, 600, 72 + 40 * column, 420)));
    let file = File::new().page().raw(&lines.collect::<Vec<_>>().join("\n"));
    let file = file.line(120, 505, 11, "pressure").line(300, 545, 11, "heat").line(200, 400, 11, "minutes");
    let text = text(&file);
    assert!(!text.contains('|'), "{text}");
    for word in ["pressure", "heat", "minutes"] {
        assert!(text.contains(word), "{word}: {text}");
    }
}

#[test]
fn words_that_run_over_a_line_are_parted_and_a_number_stays_with_its_hyphen() {
    let row = "Washer                                12";
    let file = File::new().page().line(80, 600, 11, "Part").line(230, 600, 11, "Stock");
    let file =
        file.line(80, 580, 11, row).line(80, 560, 11, "Gasket-").line(80, 546, 11, "3752").line(230, 560, 11, "7");
    let lines = [615, 595, 575, 535].map(|y| single(72, y, 400, y));
    let lines = lines.into_iter().chain([72, 190, 400].map(|x| single(x, 615, x, 535))).collect::<Vec<_>>();
    let text = text(&file.raw(&lines.join("\n")));
    assert_eq!(text, "| Part | Stock |\n|---|---|\n| Washer | 12 |\n| Gasket-3752 | 7 |");
}
