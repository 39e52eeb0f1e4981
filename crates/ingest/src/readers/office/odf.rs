//! OpenDocument: texts, sheets and slides, which have the same elements for paragraphs, lists and tables.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use roxmltree::Node;

use super::super::numbering::Style;
use super::table::Table;
use super::writer::{Next, Page};
use super::{Archive, Extracted, Find, LeftOut, Reader, counted, damaged, parse, properties, shapes};
use crate::ReadError;

/// Times that an empty row or column at the end of a sheet may say it repeats, before it is taken for the sheet's end.
const MAX_REPEATED: usize = 1_000;

pub(in crate::readers) struct Odf;

impl Reader for Odf {
    fn endings(&self) -> &'static [&'static str] {
        &["odt", "ods", "odp", "ott"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &[
            "application/vnd.oasis.opendocument.text",
            "application/vnd.oasis.opendocument.spreadsheet",
            "application/vnd.oasis.opendocument.presentation",
        ]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        const MAIN: &str = "content.xml";
        let mut archive = Archive::open(bytes)?;
        if archive.read_text("META-INF/manifest.xml")?.is_some_and(|manifest| manifest.contains("encryption-data")) {
            return Err(damaged("it is encrypted; a password is needed"));
        }
        let text = archive.read_text(MAIN)?.ok_or_else(|| damaged("it is no OpenDocument: it has no content"))?;
        let styles = archive.read_text("styles.xml")?.unwrap_or_default();
        let mut writer = Writer::default();
        if let Ok(tree) = parse(&styles, "styles.xml") {
            writer.styles.take(tree.root_element());
        }
        let tree = parse(&text, MAIN)?;
        let root = tree.root_element();
        writer.styles.take(root);
        let body = root.child("body").ok_or_else(|| damaged("it is no OpenDocument: it has no body"))?;
        body.children().filter(Node::is_element).for_each(|content| writer.blocks(content, 0));
        for (number, note) in std::mem::take(&mut writer.noted).into_iter().enumerate() {
            writer.page.paragraph(&format!("[^{}]: {note}", number + 1));
        }
        let (title, metadata) = properties::read(&mut archive, "meta.xml")?;
        let mut notes = writer.left_out.notes();
        notes.extend(writer.hidden_sheets.iter().map(|name| format!("the hidden sheet \"{name}\" was left out")));
        notes.extend(counted(writer.hidden_slides, "hidden slide was", "hidden slides were"));
        let is_sheet = body.child("spreadsheet").is_some();
        let has_title = title.is_some();
        let extracted = writer.page.finish(title);
        let pages = writer.pages.into_iter().map(|start| start.min(extracted.text.len())).collect();
        // The name of a sheet is no title.
        let title = extracted.title.filter(|_| has_title || !is_sheet);
        Ok(Extracted { title, metadata, notes, pages, ..extracted })
    }
}

/// Meaning of the styles of a document.
#[derive(Default)]
struct Styles {
    /// Styles of text that is struck out.
    struck: HashSet<String>,
    hidden: HashSet<String>,
    raised: HashSet<String>,
    /// Numbers of lists, by style and level.
    numbers: HashMap<(String, usize), (Style, i64, String)>,
    /// Styles of paragraphs that are titles.
    titles: HashSet<String>,
    code: HashSet<String>,
}

impl Styles {
    fn take(&mut self, root: Node<'_, '_>) {
        for style in root.descendants().filter(|node| node.is("style")) {
            let Some(name) = style.value("name") else { continue };
            let parent = style.value("parent-style-name").unwrap_or_default();
            let properties: Vec<Node<'_, '_>> = style.children().filter(Node::is_element).collect();
            let of = |key: &str| properties.iter().find_map(|properties| properties.value(key));
            let kinds = [
                (of("text-line-through-style").is_some_and(|line| line != "none"), &mut self.struck),
                (
                    of("display") == Some("none")
                        || of("display") == Some("false")
                        || of("visibility") == Some("hidden"),
                    &mut self.hidden,
                ),
                (
                    of("text-position").is_some_and(|place| {
                        place.starts_with("super") || place.starts_with(|c: char| c.is_ascii_digit() && c != '0')
                    }),
                    &mut self.raised,
                ),
                (name == "Title" || parent == "Title", &mut self.titles),
                (name == "Preformatted_20_Text" || parent == "Preformatted_20_Text", &mut self.code),
            ];
            for (is_one, kind) in kinds {
                if is_one {
                    kind.insert(name.to_owned());
                }
            }
        }
        for list in root.descendants().filter(|node| node.is("list-style")) {
            let Some(name) = list.value("name") else { continue };
            for level in list.all("list-level-style-number") {
                let at = level.value("level").and_then(|at| at.parse().ok()).unwrap_or(1);
                let style = match level.value("num-format") {
                    Some("a") => Style::Letters,
                    Some("A") => Style::CapitalLetters,
                    Some("i") => Style::Roman,
                    Some("I") => Style::CapitalRoman,
                    Some("") => continue,
                    _ => Style::Decimal,
                };
                let start = level.value("start-value").and_then(|start| start.parse().ok()).unwrap_or(1);
                let mark = level.value("num-suffix").unwrap_or(".").trim().to_owned();
                self.numbers.insert((name.to_owned(), at), (style, start, mark));
            }
        }
    }
}

#[derive(Default)]
struct Writer {
    page: Page,
    styles: Styles,
    left_out: LeftOut,
    noted: Vec<String>,
    pages: Vec<usize>,
    hidden_sheets: Vec<String>,
    hidden_slides: usize,
    /// Style of the list around, and the next number of each of its levels.
    lists: Vec<(String, i64)>,
    /// Where each list stopped counting, for one that goes on.
    counted: HashMap<String, i64>,
}

impl Writer {
    fn blocks(&mut self, parent: Node<'_, '_>, depth: usize) {
        for child in parent.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "h" => {
                    let level = child.value("outline-level").and_then(|level| level.parse().ok()).unwrap_or(1);
                    let words = self.words(child);
                    self.page.heading(level, &words);
                }
                "p" => self.paragraph(child),
                "list" => self.list(child, depth),
                "table" => self.table(child),
                "page" => self.slide(child, depth),
                "notes" => self.notes(child, depth),
                "frame" | "text-box" | "section" | "index-body" | "g" | "custom-shape" | "object" | "image" => {
                    self.blocks(child, depth);
                }
                "desc" => self.page.paragraph(&child.words()),
                "text" | "spreadsheet" | "presentation" => self.blocks(child, depth),
                // What was deleted under revision stands here, apart from the text.
                "tracked-changes" => {
                    self.left_out.struck_out += child.descendants().filter(|node| node.is("deletion")).count();
                }
                _ => {}
            }
        }
    }

    fn paragraph(&mut self, paragraph: Node<'_, '_>) {
        let style = paragraph.value("style-name").unwrap_or_default().to_owned();
        let words = self.words(paragraph);
        if self.styles.titles.contains(&style) {
            self.page.heading(1, &words);
        } else if self.styles.code.contains(&style) {
            self.page.code_line(&words);
        } else {
            self.page.paragraph(&words);
        }
        // Boxes that are anchored in it.
        for frame in paragraph.children().filter(|child| child.is("frame") || child.is("custom-shape")) {
            self.blocks(frame, 0);
        }
    }

    fn list(&mut self, list: Node<'_, '_>, depth: usize) {
        let style = list.value("style-name").map(str::to_owned);
        let style = style.or_else(|| self.lists.last().map(|(style, _)| style.clone())).unwrap_or_default();
        let numbers = self.styles.numbers.get(&(style.clone(), depth + 1)).cloned();
        let start = numbers.as_ref().map_or(1, |(_, start, _)| *start);
        let goes_on = list.value("continue-numbering") == Some("true") || list.value("continue-list").is_some();
        let first = self.counted.get(&style).copied().filter(|_| goes_on && depth == 0).unwrap_or(start);
        self.lists.push((style.clone(), first));
        for item in list.children().filter(Node::is_element) {
            if item.is("list-header") {
                self.blocks(item, depth + 1);
                continue;
            }
            let own = item.value("start-value").and_then(|start| start.parse().ok());
            let Some((_, next)) = self.lists.last_mut() else { return };
            let number = own.unwrap_or(*next);
            *next = number.saturating_add(1);
            let marker = match &numbers {
                Some((style, _, mark)) => format!("{}{mark}", style.show(number)),
                None => "-".to_owned(),
            };
            self.item(item, depth, marker);
        }
        if let Some((style, next)) = self.lists.pop() {
            self.counted.insert(style, next);
        }
    }

    fn item(&mut self, item: Node<'_, '_>, depth: usize, marker: String) {
        let mut first = Some(marker);
        for part in item.children().filter(Node::is_element) {
            match (part.tag_name().name(), first.take()) {
                ("p" | "h", Some(marker)) => {
                    let words = self.words(part);
                    self.page.begin(Some(Next::Item { depth, marker }));
                    for (number, line) in words.lines().enumerate() {
                        if number > 0 {
                            self.page.line_break();
                        }
                        self.page.words(line);
                    }
                    self.page.begin(None);
                }
                ("list", _) => self.list(part, depth + 1),
                ("p", None) => self.paragraph(part),
                _ => {}
            }
        }
    }

    fn words(&mut self, paragraph: Node<'_, '_>) -> String {
        let mut words = String::new();
        self.inline(paragraph, &mut words);
        words
    }

    fn inline(&mut self, parent: Node<'_, '_>, words: &mut String) {
        for child in parent.children() {
            if child.is_text() {
                words.push_str(child.text().unwrap_or_default());
                continue;
            }
            match child.tag_name().name() {
                "s" => words.push_str(&" ".repeat(child.value("c").and_then(|c| c.parse().ok()).unwrap_or(1).min(80))),
                "tab" => words.push('\t'),
                "line-break" => words.push('\n'),
                "note" => {
                    let body = child.child("note-body");
                    let note = body.map(|body| self.inside(body)).unwrap_or_default();
                    self.noted.push(note);
                    words.push_str(&format!("[^{}]", self.noted.len()));
                }
                "span" => {
                    let style = child.value("style-name").unwrap_or_default();
                    let said = !child.words().trim().is_empty();
                    if self.styles.struck.contains(style) {
                        self.left_out.struck_out += usize::from(said);
                    } else if self.styles.hidden.contains(style) {
                        self.left_out.hidden += usize::from(said);
                    } else {
                        let start = words.len();
                        let raised = self.styles.raised.contains(style);
                        self.inline(child, words);
                        shapes::set_apart(words, start, if raised { "superscript" } else { "" });
                    }
                }
                "annotation" | "frame" | "custom-shape" | "tracked-changes" | "ruby-text" => {}
                _ => self.inline(child, words),
            }
        }
    }

    /// The text of blocks inside an element, for a cell or a note.
    fn inside(&mut self, parent: Node<'_, '_>) -> String {
        let outside = std::mem::take(&mut self.page);
        self.blocks(parent, 0);
        std::mem::replace(&mut self.page, outside).finish(None).text
    }

    fn table(&mut self, table: Node<'_, '_>) {
        let is_sheet = table.parent().is_some_and(|parent| parent.is("spreadsheet"));
        if is_sheet {
            let name = table.value("name").unwrap_or_default().to_owned();
            if table.value("style-name").is_some_and(|style| self.styles.hidden.contains(style)) {
                self.hidden_sheets.push(name);
                return;
            }
            self.page.heading(1, &name);
        }
        let mut data = Table::with_header();
        // Equal rows say nothing new: however often one says that it is repeated, it is read once.
        for row in rows(table) {
            data.begin_row();
            let cells: Vec<Node<'_, '_>> =
                row.children().filter(|cell| cell.is("table-cell") || cell.is("covered-table-cell")).collect();
            let last = cells.iter().rposition(|cell| !cell.words().trim().is_empty());
            // Covered cells are written by the cell that covers them.
            for cell in cells.iter().take(last.map_or(0, |last| last + 1)).filter(|cell| cell.is("table-cell")) {
                let number = |name: &str| cell.value(name).and_then(|number| number.parse().ok()).unwrap_or(1);
                let words = self.inside(*cell);
                for _ in 0..repeated(*cell, "number-columns-repeated") {
                    data.cell(&words, number("number-columns-spanned"), number("number-rows-spanned"));
                }
            }
        }
        data.write(&mut self.page);
    }

    fn slide(&mut self, slide: Node<'_, '_>, depth: usize) {
        self.pages.push(self.page.begin_page());
        if slide.value("style-name").is_some_and(|style| self.styles.hidden.contains(style)) {
            self.hidden_slides += 1;
            return;
        }
        let is_title = |frame: &Node<'_, '_>| frame.value("class") == Some("title");
        let frames: Vec<Node<'_, '_>> = slide.children().filter(Node::is_element).collect();
        for frame in frames.iter().filter(|frame| is_title(frame)) {
            let words = self.inside(*frame);
            self.page.heading(1, &words);
        }
        for frame in frames.iter().filter(|frame| !is_title(frame)) {
            match frame.tag_name().name() {
                "notes" => self.notes(*frame, depth),
                _ if matches!(frame.value("class"), Some("footer" | "date-time" | "page-number" | "header")) => {}
                _ => self.blocks(*frame, depth),
            }
        }
    }

    fn notes(&mut self, notes: Node<'_, '_>, depth: usize) {
        for frame in notes.all("frame").filter(|frame| frame.value("class") == Some("notes")) {
            self.blocks(frame, depth);
        }
    }
}

/// Rows of a table, those of its header among them.
fn rows<'a, 'i>(table: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    let mut found = Vec::new();
    for child in table.children().filter(Node::is_element) {
        match child.tag_name().name() {
            "table-row" => found.push(child),
            "table-header-rows" | "table-rows" | "table-row-group" => found.extend(rows(child)),
            _ => {}
        }
    }
    found
}

fn repeated(node: Node<'_, '_>, name: &str) -> usize {
    node.value(name).and_then(|times| times.parse().ok()).unwrap_or(1).min(MAX_REPEATED)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::archive::fakes::archive;
    use super::*;

    fn read(styles: &str, body: &str) -> Extracted {
        let content = format!(
            "<o:document-content xmlns:o='o' xmlns:text='t' xmlns:style='s' xmlns:table='tb' xmlns:draw='d' xmlns:p='p'>\
             <o:automatic-styles>{styles}</o:automatic-styles><o:body>{body}</o:body></o:document-content>"
        );
        Odf.read(&archive(&[("content.xml", &content)]), Path::new("a.odt")).unwrap()
    }

    #[test]
    fn texts_keep_lists_notes_and_what_holds() {
        let styles = "<style:style style:name='T1'><style:text-properties style:text-line-through-style='solid'/></style:style>\
            <text:list-style style:name='L1'><text:list-level-style-number text:level='1' style:num-format='1' style:num-suffix='.' text:start-value='4'/></text:list-style>";
        let body = "<o:text><text:h text:outline-level='2'>Doses</text:h>\
            <text:p>Every <text:span text:style-name='T1'>90</text:span>30<text:s/>days<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>At night.</text:p></text:note-body></text:note></text:p>\
            <text:list text:style-name='L1'><text:list-item><text:p>Open it.</text:p></text:list-item><text:list-item><text:p>Close it.</text:p></text:list-item></text:list></o:text>";
        let read = read(styles, body);
        assert_eq!(read.text, "Doses\n\nEvery 30 days[^1]\n\n4. Open it.\n5. Close it.\n\n[^1]: At night.");
        assert_eq!(read.notes, ["1 struck-out or deleted passage was left out"]);
    }

    #[test]
    fn sheets_are_tables_and_hidden_ones_are_reported() {
        let styles = "<style:style style:name='hid'><style:table-properties table:display='false'/></style:style>";
        let cell = |attributes: &str, words: &str| {
            format!("<table:table-cell {attributes}><text:p>{words}</text:p></table:table-cell>")
        };
        let rows = [
            format!("<table:table-row>{}{}</table:table-row>", cell("", "Part"), cell("", "Level")),
            format!(
                "<table:table-row>{}{}</table:table-row>",
                cell("table:number-rows-spanned='2'", "W-4"),
                cell("", "12")
            ),
            format!(
                "<table:table-row><table:covered-table-cell/>{}<table:table-cell table:number-columns-repeated='16000'/></table:table-row>",
                cell("", "13")
            ),
            "<table:table-row table:number-rows-repeated='1048000'><table:table-cell/></table:table-row>".to_owned(),
        ];
        let sheet = format!("<table:table table:name='Stock'>{}</table:table>", rows.concat());
        let read = read(
            styles,
            &format!("<o:spreadsheet>{sheet}<table:table table:name='Old' table:style-name='hid'/></o:spreadsheet>"),
        );
        assert_eq!(read.text, "Stock\n\n| Part | Level |\n|---|---|\n| W-4 | 12 |\n| W-4 | 13 |");
        assert_eq!((read.title, read.notes), (None, vec!["the hidden sheet \"Old\" was left out".to_owned()]));
    }

    #[test]
    fn slides_are_pages() {
        let frame = |class: &str, words: &str| {
            format!(
                "<draw:frame p:class='{class}'><draw:text-box><text:p>{words}</text:p></draw:text-box></draw:frame>"
            )
        };
        let body = format!(
            "<o:presentation><draw:page>{}{}<p:notes>{}</p:notes></draw:page><draw:page>{}</draw:page></o:presentation>",
            frame("outline", "A point"),
            frame("title", "Pumps"),
            frame("notes", "Slowly."),
            frame("title", "End")
        );
        let read = read("", &body);
        assert_eq!(read.text, "Pumps\n\nA point\n\nSlowly.\n\nEnd");
        assert_eq!(read.pages.len(), 2);
        assert_eq!(&read.text[read.pages[1]..], "End");
    }
}
