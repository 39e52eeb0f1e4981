//! Presentations: a page for each slide, with its notes.

use std::path::Path;

use roxmltree::Node;

use super::table::Table;
use super::writer::{Next, Page};
use super::{Archive, Extracted, Find, Reader, counted, damaged, parse, properties, relations, shapes};
use crate::ReadError;

pub(in crate::readers) struct Pptx;

impl Reader for Pptx {
    fn endings(&self) -> &'static [&'static str] {
        &["pptx", "pptm", "ppsx"]
    }

    fn media_types(&self) -> &'static [&'static str] {
        &["application/vnd.openxmlformats-officedocument.presentationml.presentation"]
    }

    fn read(&self, bytes: &[u8], _: &Path) -> Result<Extracted, ReadError> {
        const MAIN: &str = "ppt/presentation.xml";
        let mut archive = Archive::open(bytes)?;
        let text =
            archive.read_text(MAIN)?.ok_or_else(|| damaged("it is no presentation: it has no list of slides"))?;
        let parts = relations::of(&mut archive, MAIN)?;
        let tree = parse(&text, MAIN)?;
        let listed = tree.descendants().filter(|node| node.is("sldId"));
        // The id of the relation has a prefix; the slide's own number has none.
        let relation = |slide: Node<'_, '_>| {
            slide
                .attributes()
                .find(|attribute| attribute.name() == "id" && attribute.namespace().is_some())
                .map(|id| id.value().to_owned())
        };
        let slides: Vec<String> =
            listed.filter_map(relation).filter_map(|id| Some(parts.get(&id)?.target.clone())).collect();

        let mut writer = Writer::default();
        let (mut pages, mut hidden) = (Vec::new(), 0);
        for slide in &slides {
            let Some(text) = archive.read_text(slide)? else { continue };
            let tree = parse(&text, slide)?;
            pages.push(writer.page.begin_page());
            if tree.root_element().value("show") == Some("0") {
                hidden += 1;
                continue;
            }
            writer.shapes(tree.root_element(), true);
            let notes = relations::of(&mut archive, slide)?.into_values().find(|part| part.kind == "notesSlide");
            if let Some(text) = notes.map(|notes| archive.read_text(&notes.target)).transpose()?.flatten() {
                writer.notes(parse(&text, "notes")?.root_element());
            }
        }
        let (title, metadata) = properties::read(&mut archive, "docProps/core.xml")?;
        let default_name = |title: &String| title.to_lowercase().starts_with("powerpoint presentation");
        let extracted = writer.page.finish(title.filter(|title| !default_name(title)));
        let notes = counted(hidden, "hidden slide was", "hidden slides were").into_iter().collect();
        let pages = pages.into_iter().map(|start| start.min(extracted.text.len())).collect();
        Ok(Extracted { metadata, notes, pages, ..extracted })
    }
}

#[derive(Default)]
struct Writer {
    page: Page,
}

impl Writer {
    /// The shapes of a slide; its title first, since it may stand anywhere in the file.
    fn shapes(&mut self, slide: Node<'_, '_>, titles: bool) {
        let shapes: Vec<Node<'_, '_>> = top_shapes(slide);
        let is_title = |shape: &&Node<'_, '_>| matches!(placeholder(**shape), Some("title" | "ctrTitle"));
        if titles {
            for shape in shapes.iter().filter(is_title) {
                self.page.heading(1, &shapes::paragraphs(*shape).join(" "));
            }
        }
        for shape in shapes.iter().filter(|shape| !is_title(shape)) {
            self.shape(*shape);
        }
    }

    fn shape(&mut self, shape: Node<'_, '_>) {
        // Numbers of slides, dates and footers are on each of them.
        if matches!(placeholder(shape), Some("sldNum" | "dt" | "ftr" | "hdr" | "sldImg")) {
            return;
        }
        if let Some(table) = shape.descendants().find(|node| node.is("tbl")) {
            return self.table(table);
        }
        let is_list = matches!(placeholder(shape), Some("body" | "obj" | "list"));
        match shape.child("txBody") {
            Some(body) => body.all("p").for_each(|paragraph| self.paragraph(paragraph, is_list)),
            // A chart or a diagram: what words it has.
            None if shape.is("graphicFrame") => {
                shapes::paragraphs(shape).iter().for_each(|words| self.page.paragraph(words));
            }
            None => {}
        }
        if shape.is("pic") {
            let properties = shape.descendants().find(|node| node.is("cNvPr"));
            self.page.paragraph(&properties.map(shapes::described).unwrap_or_default());
        }
    }

    fn paragraph(&mut self, paragraph: Node<'_, '_>, in_list: bool) {
        let words = shapes::paragraph_words(paragraph);
        let shape = paragraph.child("pPr");
        let depth = shape.and_then(|shape| shape.value("lvl")?.parse().ok()).unwrap_or(0);
        let marked = shape.is_some_and(|shape| shape.child("buChar").is_some() || shape.child("buAutoNum").is_some());
        let unmarked = shape.is_some_and(|shape| shape.child("buNone").is_some());
        if words.trim().is_empty() {
            return;
        }
        if marked || (in_list && !unmarked) {
            self.page.begin(Some(Next::Item { depth, marker: "-".to_owned() }));
            self.page.words(&words);
            self.page.begin(None);
        } else {
            self.page.paragraph(&words);
        }
    }

    fn table(&mut self, table: Node<'_, '_>) {
        let mut data = Table::with_header();
        for row in table.all("tr") {
            data.begin_row();
            for cell in row.all("tc") {
                let number = |name: &str| cell.value(name).and_then(|number| number.parse().ok()).unwrap_or(1);
                // A merged cell covers cells that are there as well.
                let covered = |name: &str| matches!(cell.value(name), Some("1" | "true"));
                if covered("hMerge") || covered("vMerge") {
                    continue;
                }
                let words = shapes::paragraphs(cell).join(" ");
                data.cell(&words, number("gridSpan"), number("rowSpan"));
            }
        }
        data.write(&mut self.page);
    }

    /// What the speaker says to a slide.
    fn notes(&mut self, notes: Node<'_, '_>) {
        for shape in top_shapes(notes).into_iter().filter(|shape| placeholder(*shape) == Some("body")) {
            shapes::paragraphs(shape).iter().for_each(|words| self.page.paragraph(words));
        }
    }
}

/// The shapes of a slide in the order of the file, those in groups among them.
fn top_shapes<'a, 'i>(slide: Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    let is_shape = |node: &Node<'_, '_>| ["sp", "graphicFrame", "pic"].iter().any(|name| node.is(name));
    let is_second = |node: &Node<'_, '_>| node.ancestors().any(|above| above.is("Fallback"));
    slide.descendants().filter(|node| is_shape(node) && !is_second(node)).collect()
}

/// Kind of the place on the slide that a shape fills.
fn placeholder<'a>(shape: Node<'a, '_>) -> Option<&'a str> {
    let properties = shape.children().find(|child| child.tag_name().name().starts_with("nv"))?;
    let place = properties.child("nvPr")?.child("ph")?;
    Some(place.value("type").unwrap_or("obj"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::archive::fakes::archive;
    use super::*;

    fn shape(kind: &str, words: &str) -> String {
        format!(
            "<p:sp><p:nvSpPr><p:nvPr><p:ph type='{kind}'/></p:nvPr></p:nvSpPr><p:txBody><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:txBody></p:sp>"
        )
    }

    fn slide(attributes: &str, shapes: &str) -> String {
        format!("<p:sld xmlns:p='p' xmlns:a='a' {attributes}><p:spTree>{shapes}</p:spTree></p:sld>")
    }

    #[test]
    fn slides_are_pages_with_their_notes_and_hidden_ones_are_reported() {
        let table = "<p:graphicFrame><a:tbl><a:tr><a:tc><a:p><a:r><a:t>Part</a:t></a:r></a:p></a:tc><a:tc gridSpan='1'><a:p><a:r><a:t>Level</a:t></a:r></a:p></a:tc></a:tr>\
                     <a:tr><a:tc><a:p><a:r><a:t>W-4</a:t></a:r></a:p></a:tc><a:tc><a:p><a:r><a:t>12</a:t></a:r></a:p></a:tc></a:tr></a:tbl></p:graphicFrame>";
        let first = slide(
            "",
            &[shape("body", "One point"), shape("title", "Pumps"), shape("sldNum", "1"), table.to_owned()].concat(),
        );
        let members = [
            (
                "ppt/presentation.xml",
                "<p xmlns:r='r'><sldId id='1' r:id='a'/><sldId id='2' r:id='b'/><sldId id='3' r:id='c'/></p>",
            ),
            (
                "ppt/_rels/presentation.xml.rels",
                "<R><Relationship Id='a' Type='x/slide' Target='slides/s1.xml'/><Relationship Id='b' Type='x/slide' Target='slides/s2.xml'/><Relationship Id='c' Type='x/slide' Target='slides/s3.xml'/></R>",
            ),
            ("ppt/slides/s1.xml", &first),
            ("ppt/slides/s2.xml", &slide("show='0'", &shape("title", "Old"))),
            ("ppt/slides/s3.xml", &slide("", &shape("title", "End"))),
            (
                "ppt/slides/_rels/s1.xml.rels",
                "<R><Relationship Id='n' Type='x/notesSlide' Target='../notesSlides/n1.xml'/></R>",
            ),
            ("ppt/notesSlides/n1.xml", &slide("", &shape("body", "Say it slowly."))),
        ];
        let read = Pptx.read(&archive(&members), Path::new("a.pptx")).unwrap();
        assert_eq!(
            read.text,
            "Pumps\n\n- One point\n\n| Part | Level |\n|---|---|\n| W-4 | 12 |\n\nSay it slowly.\n\nEnd"
        );
        assert_eq!(read.notes, ["1 hidden slide was left out"]);
        assert_eq!(read.pages.len(), 3);
        assert!(read.text[read.pages[2]..].starts_with("End"));
    }
}
