#![allow(clippy::unwrap_used)]

use super::super::super::archive::fakes::archive;
use super::*;
use crate::readers::BlockKind;

const RELATIONS: &str = "<Relationships><Relationship Id='r1' Type='x/styles' Target='styles.xml'/>\
    <Relationship Id='r2' Type='x/numbering' Target='numbering.xml'/>\
    <Relationship Id='r3' Type='x/footnotes' Target='footnotes.xml'/></Relationships>";
const STYLES: &str = "<styles><style styleId='H1'><name val='heading 1'/></style>\
    <style styleId='My'><name val='Mine'/><basedOn val='H1'/></style></styles>";
const NUMBERING: &str = "<numbering><abstractNum abstractNumId='0'><lvl ilvl='0'><start val='3'/><numFmt val='decimal'/>\
    <lvlText val='%1.'/></lvl></abstractNum><num numId='1'><abstractNumId val='0'/></num></numbering>";
const FOOTNOTES: &str = "<footnotes><footnote id='-1'><p><r><t>no</t></r></p></footnote>\
    <footnote id='7'><p><r><footnoteRef/></r><r><t>At night.</t></r></p></footnote></footnotes>";

fn read(body: &str) -> Extracted {
    let document = format!("<w:document xmlns:w='w' xmlns:mc='mc'><w:body>{body}</w:body></w:document>");
    let members = [
        ("word/document.xml", document.as_str()),
        ("word/_rels/document.xml.rels", RELATIONS),
        ("word/styles.xml", STYLES),
        ("word/numbering.xml", NUMBERING),
        ("word/footnotes.xml", FOOTNOTES),
        (
            "docProps/core.xml",
            "<cp xmlns:dc='dc'><dc:title>Pump rules</dc:title><dc:creator>A. Smith</dc:creator></cp>",
        ),
    ];
    Docx.read(&archive(&members), Path::new("a.docx")).unwrap()
}

fn paragraph(style: &str, words: &str) -> String {
    format!("<w:p><w:pPr><w:pStyle w:val='{style}'/></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>")
}

#[test]
fn headings_lists_and_notes_keep_their_meaning() {
    let item = |words: &str| {
        format!(
            "<w:p><w:pPr><w:numPr><w:ilvl w:val='0'/><w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>{words}</w:t></w:r></w:p>"
        )
    };
    let noted = "<w:p><w:r><w:t>Take 10</w:t></w:r><w:r><w:rPr><w:vertAlign w:val='superscript'/></w:rPr><w:t>9</w:t></w:r>\
                 <w:r><w:footnoteReference w:id='7'/></w:r></w:p>";
    let read = read(&[&paragraph("My", "Doses"), noted, &item("Open it."), &item("Close it.")].concat());
    assert_eq!(read.text, "Doses\n\nTake 10^9[^1]\n\n3. Open it.\n4. Close it.\n\n[^1]: At night.");
    assert_eq!(read.blocks[0].kind, BlockKind::Heading { level: 1, title: "Doses".to_owned() });
    assert_eq!((read.title.as_deref(), read.metadata["author"].as_str()), (Some("Pump rules"), "A. Smith"));
}

#[test]
fn only_what_holds_is_read() {
    let read = read(
        "<w:p><w:r><w:t xml:space='preserve'>Every </w:t></w:r><w:del><w:r><w:delText>90</w:delText></w:r></w:del>\
         <w:ins><w:r><w:t>30</w:t></w:r></w:ins><w:r><w:t> days</w:t></w:r>\
         <w:r><w:rPr><w:strike/></w:rPr><w:t> or so</w:t></w:r><w:r><w:rPr><w:strike w:val='0'/></w:rPr><w:t>.</w:t></w:r></w:p>\
         <w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>",
    );
    assert_eq!(read.text, "Every 30 days.");
    assert_eq!(read.notes, ["2 struck-out or deleted passages were left out", "1 hidden passage was left out"]);
}

#[test]
fn tables_have_a_header_and_merged_cells_are_repeated() {
    let cell = |shape: &str, words: &str| format!("<w:tc><w:tcPr>{shape}</w:tcPr>{}</w:tc>", paragraph("", words));
    let row = |cells: &[String]| format!("<w:tr>{}</w:tr>", cells.concat());
    let rows = [
        row(&[cell("", "Ward"), cell("<w:gridSpan w:val='2'/>", "Tests")]),
        row(&[cell("<w:vMerge w:val='restart'/>", "North"), cell("", "INR"), cell("", "blue")]),
        row(&[cell("<w:vMerge/>", ""), cell("", "Iron"), cell("", "red")]),
    ];
    assert_eq!(
        read(&format!("<w:tbl>{}</w:tbl>", rows.concat())).text,
        "| Ward | Tests | Tests |\n|---|---|---|\n| North | INR | blue |\n| North | Iron | red |"
    );
    assert_eq!(read(&format!("<w:tbl>{}</w:tbl>", row(&[cell("", "Framed.")]))).text, "Framed.");
}

#[test]
fn a_text_box_that_is_stored_twice_is_read_once() {
    let inner = format!("<w:txbxContent>{}</w:txbxContent>", paragraph("", "In the box."));
    let body = format!(
        "<w:p><w:r><w:t>Around.</w:t></w:r><w:r><mc:AlternateContent><mc:Choice><w:drawing>{inner}</w:drawing></mc:Choice>\
         <mc:Fallback><w:pict>{inner}</w:pict></mc:Fallback></mc:AlternateContent></w:r></w:p>"
    );
    assert_eq!(read(&body).text, "Around.\n\nIn the box.");
}

#[test]
fn what_is_no_word_document_is_refused() {
    let refused = Docx.read(&archive(&[("other.xml", "<a/>")]), Path::new("a.docx")).unwrap_err().to_string();
    assert_eq!(refused, "damaged: it is no Word document: it has no text part");
}
