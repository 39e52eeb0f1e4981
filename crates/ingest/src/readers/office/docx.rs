//! Word documents.

use std::collections::HashMap;
use std::path::Path;

use roxmltree::Node;

use super::numbering::Numbering;
use super::table::Table;
use super::writer::{Next, Page};
use super::{Archive, Extracted, Find, LeftOut, Reader, damaged, parse, properties, relations, shapes};
use crate::ReadError;

pub(in crate::readers) struct Docx;

impl Reader for Docx {
    fn endings(&self) -> &'static [&'static str] {
        &["docx", "docm", "dotx"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/vnd.openxmlformats-officedocument.wordprocessingml.document"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        let mut archive = Archive::open(bytes)?;
        let main = main_part(&mut archive)?;
        let text = archive.read_text(&main)?.ok_or_else(|| damaged("it is no Word document: it has no text part"))?;
        let parts = relations::of(&mut archive, &main)?;
        let mut part = |kind: &str| match parts.values().find(|relation| relation.kind == kind) {
            Some(relation) => archive.read_text(&relation.target),
            None => Ok(None),
        };
        let styles = part("styles")?.map(|text| Styles::read(&text)).transpose()?.unwrap_or_default();
        let numbering = part("numbering")?.map(|text| Numbering::read(&text)).transpose()?.unwrap_or_default();
        let notes = [("footnotes", "footnote"), ("endnotes", "endnote")];
        let mut note_parts = Vec::new();
        for (kind, element) in notes {
            note_parts.extend(part(kind)?.map(|text| (text, element)));
        }
        let mut diagrams = HashMap::new();
        for (id, relation) in parts.iter().filter(|(_, relation)| relation.kind == "diagramData") {
            diagrams.extend(archive.read_text(&relation.target)?.map(|text| (id.clone(), text)));
        }

        let tree = parse(&text, &main)?;
        let body =
            tree.root_element().child("body").ok_or_else(|| damaged("it is no Word document: it has no body"))?;
        let mut writer = Writer { styles, numbering, diagrams, ..Writer::default() };
        writer.blocks(body);
        for (text, element) in &note_parts {
            let tree = parse(text, element)?;
            writer.notes(tree.root_element(), element);
        }
        let (title, metadata) = properties::read(&mut archive, "docProps/core.xml")?;
        let notes = writer.left_out.notes();
        let extracted = writer.page.finish(title.filter(|title| !is_template_name(title)).or(writer.title));
        Ok(Extracted { metadata, notes, ..extracted })
    }
}

/// The part that holds the text, as the archive's own relations name it.
fn main_part(archive: &mut Archive<'_>) -> Result<String, ReadError> {
    const USUAL: &str = "word/document.xml";
    let named = relations::of(archive, "")?.into_values().find(|relation| relation.kind == "officeDocument");
    let main = named.map_or_else(|| USUAL.to_owned(), |relation| relation.target);
    if archive.has(&main) { Ok(main) } else { Ok(USUAL.to_owned()) }
}

/// Titles that programs write when nobody has given one.
fn is_template_name(title: &str) -> bool {
    let title = title.to_lowercase();
    ["word document", "document", "untitled", "title", "template"].contains(&title.as_str())
}

/// Meaning of the styles of a document.
#[derive(Default)]
struct Styles {
    /// Levels of headings, by the ids of styles.
    headings: HashMap<String, usize>,
    titles: Vec<String>,
    /// Styles of tables of contents, which repeat the headings.
    contents: Vec<String>,
    /// Lists by the ids of styles: number of the list and level.
    lists: HashMap<String, (String, usize)>,
    code: Vec<String>,
}

impl Styles {
    fn read(text: &str) -> Result<Self, ReadError> {
        let tree = parse(text, "word/styles.xml")?;
        let mut styles = Self::default();
        let mut based_on = HashMap::new();
        for style in tree.root_element().all("style") {
            let Some(id) = style.value("styleId") else { continue };
            let of = |name: &str| style.child(name).and_then(|child| child.value("val"));
            let name = of("name").unwrap_or_default().to_lowercase();
            let shape = style.child("pPr");
            let outline = shape.and_then(|shape| shape.child("outlineLvl")?.value("val")?.parse::<usize>().ok());
            let named = name.strip_prefix("heading ").and_then(|level| level.parse::<usize>().ok());
            if let Some(level) = named.or(outline.filter(|level| *level < 9).map(|level| level + 1)) {
                styles.headings.insert(id.to_owned(), level);
            } else if name.starts_with("toc ") || name == "table of figures" {
                styles.contents.push(id.to_owned());
            } else if name == "title" {
                styles.titles.push(id.to_owned());
            } else if name.contains("code") || name.contains("preformatted") {
                styles.code.push(id.to_owned());
            }
            if let Some(list) = shape.and_then(|shape| shape.child("numPr")).and_then(list_of) {
                styles.lists.insert(id.to_owned(), list);
            }
            if let Some(parent) = of("basedOn") {
                based_on.insert(id.to_owned(), parent.to_owned());
            }
        }
        // "Heading 2 numbered" is based on "Heading 2".
        for (id, parent) in &based_on {
            let ancestors = std::iter::successors(Some(parent), |id| based_on.get(*id)).take(9);
            let level = ancestors.into_iter().find_map(|id| styles.headings.get(id)).copied();
            if let Some(level) = level.filter(|_| !styles.headings.contains_key(id)) {
                styles.headings.insert(id.clone(), level);
            }
        }
        Ok(styles)
    }
}

/// Number of a list and level in it, of a `numPr` element.
fn list_of(numbers: Node<'_, '_>) -> Option<(String, usize)> {
    let of = |name: &str| numbers.child(name).and_then(|child| child.value("val"));
    let level = of("ilvl").and_then(|level| level.parse().ok()).unwrap_or(0);
    of("numId").filter(|list| *list != "0").map(|list| (list.to_owned(), level))
}

#[derive(Default)]
struct Writer {
    page: Page,
    styles: Styles,
    numbering: Numbering,
    /// Data of diagrams, by the ids of their relations.
    diagrams: HashMap<String, String>,
    left_out: LeftOut,
    /// Words of a paragraph in the style of titles.
    title: Option<String>,
    /// Numbers of the footnotes and endnotes in the order in which the text names them, by kind and id.
    noted: Vec<(String, String)>,
}

impl Writer {
    /// Paragraphs and tables inside an element.
    fn blocks(&mut self, parent: Node<'_, '_>) {
        for child in parent.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "p" => self.paragraph(child),
                "tbl" => self.table(child),
                "del" | "moveFrom" => self.left_out.struck_out += 1,
                "sdt" | "sdtContent" | "ins" | "moveTo" | "customXml" | "smartTag" | "txbxContent" => {
                    self.blocks(child)
                }
                "AlternateContent" => {
                    if let Some(content) = shapes::alternative(child) {
                        self.blocks(content);
                    }
                }
                _ => {}
            }
        }
    }

    fn paragraph(&mut self, paragraph: Node<'_, '_>) {
        let shape = paragraph.child("pPr");
        let style = shape.and_then(|shape| shape.child("pStyle")?.value("val")).unwrap_or_default();
        if self.styles.contents.iter().any(|contents| contents == style) {
            return;
        }
        let mut boxes = Vec::new();
        let words = self.words(paragraph, &mut boxes);
        let outline = shape.and_then(|shape| shape.child("outlineLvl")?.value("val")?.parse::<usize>().ok());
        let heading = outline.filter(|level| *level < 9).map(|level| level + 1);
        let heading = heading.or_else(|| self.styles.headings.get(style).copied());
        let own_list = shape.and_then(|shape| shape.child("numPr"));
        let list = match own_list {
            Some(numbers) => list_of(numbers),
            None => self.styles.lists.get(style).cloned(),
        };
        if words.trim().is_empty() {
            // Nothing to be seen, so nothing to be counted.
        } else if let Some(level) = heading {
            let number = list.map(|(list, level)| self.numbering.marker(&list, level)).filter(|marker| marker != "-");
            self.page.heading(level, &number.map_or(words.clone(), |number| format!("{number} {words}")));
        } else if let Some((list, depth)) = list {
            let marker = self.numbering.marker(&list, depth);
            self.page.begin(Some(Next::Item { depth, marker }));
            self.lines(&words);
            self.page.begin(None);
        } else if self.styles.code.iter().any(|code| code == style) {
            self.page.code_line(&words);
        } else {
            if self.styles.titles.iter().any(|title| title == style) {
                self.title.get_or_insert_with(|| words.clone());
            }
            self.page.paragraph(&words);
        }
        boxes.into_iter().for_each(|inner| self.blocks(inner));
    }

    fn lines(&mut self, words: &str) {
        for (number, line) in words.lines().enumerate() {
            if number > 0 {
                self.page.line_break();
            }
            self.page.words(line);
        }
    }

    /// The words of a paragraph as they hold; text boxes in it are put into `boxes`, to come behind it.
    fn words<'a, 'i>(&mut self, paragraph: Node<'a, 'i>, boxes: &mut Vec<Node<'a, 'i>>) -> String {
        let mut words = String::new();
        self.inline(paragraph, &mut words, boxes);
        words
    }

    fn inline<'a, 'i>(&mut self, parent: Node<'a, 'i>, words: &mut String, boxes: &mut Vec<Node<'a, 'i>>) {
        for child in parent.children().filter(Node::is_element) {
            match child.tag_name().name() {
                "r" => self.run(child, words, boxes),
                "del" | "moveFrom" => self.left_out.struck_out += 1,
                "AlternateContent" => {
                    if let Some(content) = shapes::alternative(child) {
                        self.inline(content, words, boxes);
                    }
                }
                "txbxContent" => boxes.push(child),
                "t" => words.push_str(&child.words()),
                "pPr" | "rPr" | "instrText" => {}
                "relIds" => self.diagram(child, words),
                "docPr" => words.push_str(&shapes::described(child)),
                // Parts of formulas.
                name @ ("sup" | "sub" | "den") => {
                    words.push(match name {
                        "sup" => '^',
                        "sub" => '_',
                        _ => '/',
                    });
                    self.inline(child, words, boxes);
                }
                _ => self.inline(child, words, boxes),
            }
        }
    }

    fn run<'a, 'i>(&mut self, run: Node<'a, 'i>, words: &mut String, boxes: &mut Vec<Node<'a, 'i>>) {
        let is_on = |shape: Node<'_, '_>, name: &str| {
            shape.child(name).is_some_and(|mark| !matches!(mark.value("val"), Some("0" | "false" | "off")))
        };
        let shape = run.child("rPr");
        let has = |name: &str| shape.is_some_and(|shape| is_on(shape, name));
        if has("strike") || has("dstrike") || has("vanish") {
            let count = if has("vanish") { &mut self.left_out.hidden } else { &mut self.left_out.struck_out };
            *count += usize::from(!run.words().trim().is_empty());
            return;
        }
        let set = shape.and_then(|shape| shape.child("vertAlign")?.value("val"));
        let start = words.len();
        for part in run.children().filter(Node::is_element) {
            match part.tag_name().name() {
                "t" => words.push_str(&part.words()),
                "tab" | "ptab" => words.push('\t'),
                "br" | "cr" => words.push('\n'),
                "noBreakHyphen" => words.push('\u{2011}'),
                "sym" => words.push_str(&symbol(part)),
                name @ ("footnoteReference" | "endnoteReference") => {
                    let kind = name.trim_end_matches("Reference").to_owned();
                    self.noted.push((kind, part.value("id").unwrap_or_default().to_owned()));
                    words.push_str(&format!("[^{}]", self.noted.len()));
                }
                "rPr" | "delText" | "instrText" | "footnoteRef" | "endnoteRef" => {}
                "AlternateContent" => {
                    if let Some(content) = shapes::alternative(part) {
                        self.inline(content, words, boxes);
                    }
                }
                _ => self.inline(part, words, boxes),
            }
        }
        shapes::set_apart(words, start, set.unwrap_or_default());
    }

    /// The words of a diagram's boxes.
    fn diagram(&mut self, ids: Node<'_, '_>, words: &mut String) {
        let Some(text) = ids.value("dm").and_then(|id| self.diagrams.get(id)) else { return };
        if let Ok(tree) = parse(text, "diagram") {
            for point in tree.descendants().filter(|node| node.is("pt")) {
                let said = shapes::paragraphs(point).join(" ");
                if !said.trim().is_empty() {
                    words.push('\n');
                    words.push_str(&said);
                }
            }
        }
    }

    fn table(&mut self, table: Node<'_, '_>) {
        let rows: Vec<Node<'_, '_>> = flattened(table, "tr");
        let is_data = rows.iter().any(|row| flattened(*row, "tc").len() > 1);
        if !is_data {
            // A frame around text.
            for cell in rows.iter().flat_map(|row| flattened(*row, "tc")) {
                self.blocks(cell);
            }
            return;
        }
        let mut data = Table::with_header();
        for row in rows {
            if row.child("trPr").is_some_and(|shape| shape.child("del").is_some()) {
                self.left_out.struck_out += 1;
                continue;
            }
            data.begin_row();
            for cell in flattened(row, "tc") {
                let shape = cell.child("tcPr");
                let of = |name: &str| shape.and_then(|shape| shape.child(name));
                let columns = of("gridSpan").and_then(|span| span.value("val")?.parse().ok()).unwrap_or(1);
                match of("vMerge").map(|merge| merge.value("val")) {
                    Some(None | Some("continue")) => data.continued_cell(columns),
                    _ => data.cell(&self.cell(cell), columns, 1),
                }
            }
        }
        data.write(&mut self.page);
    }

    /// The words of a cell, whatever stands in it; a table in it row by row.
    fn cell(&mut self, cell: Node<'_, '_>) -> String {
        let outside = std::mem::take(&mut self.page);
        self.blocks(cell);
        let inside = std::mem::replace(&mut self.page, outside);
        inside.finish(None).text
    }

    /// Footnotes or endnotes, in the order in which the text names them.
    fn notes(&mut self, root: Node<'_, '_>, kind: &str) {
        for (number, (_, id)) in self.noted.clone().iter().enumerate().filter(|(_, (noted, _))| noted == kind) {
            let note = root.children().find(|note| note.is(kind) && note.value("id") == Some(id));
            let words = note.map(|note| self.cell(note)).unwrap_or_default();
            if !words.is_empty() {
                self.page.paragraph(&format!("[^{}]: {words}", number + 1));
            }
        }
    }
}

/// Child elements of a name, also those inside content controls, insertions and the like.
fn flattened<'a, 'i>(parent: Node<'a, 'i>, name: &'static str) -> Vec<Node<'a, 'i>> {
    let mut found = Vec::new();
    for child in parent.children().filter(Node::is_element) {
        match child.tag_name().name() {
            inner if inner == name => found.push(child),
            "sdt" | "sdtContent" | "ins" | "customXml" | "smartTag" => found.extend(flattened(child, name)),
            _ => {}
        }
    }
    found
}

/// A sign of a symbol font. The private code points of such fonts say nothing; a few are known.
fn symbol(sign: Node<'_, '_>) -> String {
    let code = sign.value("char").and_then(|code| u32::from_str_radix(code, 16).ok()).unwrap_or(0);
    let known = match code & 0xFF {
        0xB7 => '•',
        0xA3 => '≤',
        0xB3 => '≥',
        0xB1 => '±',
        0xB0 => '°',
        0x6D => 'µ',
        0x61 => 'α',
        0x62 => 'β',
        0xAE => '→',
        _ => {
            return char::from_u32(code)
                .filter(|c| !('\u{e000}'..='\u{f8ff}').contains(c))
                .map_or(String::new(), String::from);
        }
    };
    known.to_string()
}

#[cfg(test)]
#[path = "docx_tests.rs"]
mod tests;
