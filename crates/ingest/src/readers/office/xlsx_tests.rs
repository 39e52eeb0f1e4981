#![allow(clippy::unwrap_used)]

use super::super::super::archive::fakes::archive;
use super::*;

#[test]
fn sheets_are_tables_with_names_of_columns() {
    let sheet = "<worksheet><sheetData>\
        <row r='1'><c r='A1' t='s'><v>0</v></c></row>\
        <row r='3'><c r='B3' t='s'><v>1</v></c><c r='D3' t='inlineStr'><is><t>Since</t></is></c><c r='E3' t='str'><v>Share</v></c></row>\
        <row r='4'><c r='B4' t='s'><v>2</v></c><c r='D4' s='1'><v>45292</v></c><c r='E4' s='2'><v>0.07</v></c></row>\
        <row r='5'><c r='D5'><v>0.1</v></c><c r='E5' t='b'><v>1</v></c></row>\
        </sheetData><mergeCells><mergeCell ref='B4:B5'/></mergeCells></worksheet>";
    let members = [
        (
            "xl/workbook.xml",
            "<workbook xmlns:r='r'><sheets><sheet name='Stock' r:id='a'/><sheet name='Old' state='hidden' r:id='b'/></sheets></workbook>",
        ),
        (
            "xl/_rels/workbook.xml.rels",
            "<R><Relationship Id='a' Type='x/worksheet' Target='worksheets/s1.xml'/><Relationship Id='b' Type='x/worksheet' Target='worksheets/s2.xml'/><Relationship Id='c' Type='x/sharedStrings' Target='sharedStrings.xml'/><Relationship Id='d' Type='x/styles' Target='styles.xml'/></R>",
        ),
        (
            "xl/sharedStrings.xml",
            "<sst><si><t>As of May</t></si><si><t>Part</t></si><si><r><t>W-</t></r><r><rPr><strike/></rPr><t>9</t></r><r><t>4</t></r></si></sst>",
        ),
        (
            "xl/styles.xml",
            "<styleSheet><numFmts><numFmt numFmtId='170' formatCode='dd/mm/yyyy'/></numFmts><cellXfs><xf numFmtId='0'/><xf numFmtId='170'/><xf numFmtId='9'/></cellXfs></styleSheet>",
        ),
        ("xl/worksheets/s1.xml", sheet),
        ("xl/worksheets/s2.xml", "<worksheet/>"),
    ];
    let read = Xlsx.read(&archive(&members), Path::new("a.xlsx")).unwrap();
    assert_eq!(
        read.text,
        "Stock\n\nAs of May\n\n| Part | Since | Share |\n|---|---|---|\n| W-4 | 2024-01-01 | 7 % |\n| W-4 | 0.1 | TRUE |"
    );
    assert_eq!((read.title, read.notes), (None, vec!["the hidden sheet \"Old\" was left out".to_owned()]));
}

#[test]
fn places_are_columns_and_rows() {
    assert_eq!(
        [place("A1"), place("C7"), place("AA10"), place("7"), place("A")],
        [Some((0, 0)), Some((2, 6)), Some((26, 9)), None, None]
    );
    assert_eq!(place("ZZZZZZZZZZZZZZZZZZZZ1"), None);
}
