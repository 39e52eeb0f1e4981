"""Makes office files whose words and cells are known, for the test of the readers (docs/formats.md).

    python3 evaluation/formats.py FOLDER
    QANDA_OFFICE_FILES=FOLDER cargo test --release --workspace --test office_files -- --ignored --nocapture

Needs LibreOffice (`soffice`), which writes every format from the same sources. FOLDER/expected.json has for each file
its words in order and the cells of its tables.
"""

import csv
import json
import pathlib
import random
import subprocess
import sys
import zipfile

WORDS = """pump valve drain filter gauge bypass sensor cable panel ward dose tablet needle glove mask steam tray shelf
label washer bolt spring motor fan room door key badge shift report log week month leak noise heat pressure water oil
air cold clean open close check write call wait turn press lift carry count weigh""".split()


# Designs of tables in PDF files: what the table says of itself, and what each cell does.
BORDERS = {
    "separate": ("border=1", ""),
    "single": ('cellspacing=0 style="border-collapse:collapse"', "border:1px solid black"),
    "double": ('cellspacing=0 style="border-collapse:collapse"', "border:6px double black"),
    "thick": ('cellspacing=0 style="border-collapse:collapse"', "border:4px solid black"),
    "dashed": ('cellspacing=0 style="border-collapse:collapse"', "border:1px dashed black"),
    "dotted": ('cellspacing=0 style="border-collapse:collapse"', "border:2px dotted black"),
    "framed": ("cellspacing=4", "border:1px solid black"),
}


def sentence(dice):
    words = [dice.choice(WORDS) for _ in range(dice.randint(6, 14))]
    words.insert(dice.randint(1, 5), str(dice.randint(2, 9999)))
    return " ".join(words).capitalize() + "."


def table(dice, rows, columns):
    header = [f"{dice.choice(WORDS)} {number}" for number in range(columns)]
    cells = [[f"{dice.choice(WORDS)}-{dice.randint(10, 9999)}" for _ in range(columns)] for _ in range(rows)]
    return [header, *cells]


def text(dice):
    """A text as HTML, its words in order and its cells."""
    parts, said, cells = [], [], []

    def put(tag, words):
        parts.append(f"<{tag}>{words}</{tag}>")
        said.append(words)

    put("h1", f"Handbook of the {dice.choice(WORDS)}")
    for number in range(6):
        put("h2", f"Part {number}: {dice.choice(WORDS)}")
        for _ in range(3):
            put("p", " ".join(sentence(dice) for _ in range(4)))
        parts.append("<ol>" if number % 2 else "<ul>")
        for _ in range(4):
            put("li", sentence(dice))
        parts.append("</ol>" if number % 2 else "</ul>")
        rows = table(dice, 5, 4)
        cells += [cell for row in rows for cell in row]
        said += [cell for row in rows for cell in row]
        head = "".join(f"<th>{cell}</th>" for cell in rows[0])
        body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows[1:])
        parts.append(f"<table border=1><thead><tr>{head}</tr></thead>{body}</table>")
        put("p", sentence(dice))
    page = "<html><head><meta charset=utf-8><title>Handbook</title></head><body>" + "".join(parts) + "</body></html>"
    return page, said, cells


def print_texts(folder, expected):
    """Prints the texts as PDF, in each design of tables."""
    pages = sorted(folder.glob("text?.html"))
    for name, (table, cell) in BORDERS.items():
        for page in pages:
            source = page.read_text().replace("<table border=1>", f"<table {table} cellpadding=3>")
            for tag in ["td", "th"] if cell else []:
                source = source.replace(f"<{tag}>", f'<{tag} style="{cell}">')
            copy = folder / f"{page.stem}-{name}.html"
            copy.write_text(source)
            expected[f"{copy.stem}.pdf"] = expected[page.name]
        copies = sorted(folder.glob(f"text?-{name}.html"))
        convert(folder, ["--infilter=HTML (StarWriter)", "--convert-to", "odt:writer8"], copies)
        convert(folder, ["--convert-to", "pdf"], [copy.with_suffix(".odt") for copy in copies])
        for copy in copies:
            copy.unlink()
            copy.with_suffix(".odt").unlink()


def slides(dice):
    """A presentation as flat OpenDocument, its words in order and its cells."""
    said, pages = [], []
    for number in range(8):
        title, points = f"Slide {number} about {dice.choice(WORDS)}", [sentence(dice) for _ in range(4)]
        said += [title, *points]
        items = "".join(f"<text:p>{point}</text:p>" for point in points)
        box = '<draw:frame presentation:class="{}" svg:width="20cm" svg:height="{}cm" svg:x="2cm" svg:y="{}cm"><draw:text-box>{}</draw:text-box></draw:frame>'
        pages.append(
            f'<draw:page draw:name="p{number}">'
            + box.format("title", 3, 1, f"<text:p>{title}</text:p>")
            + box.format("outline", 12, 5, items)
            + "</draw:page>"
        )
    spaces = {
        "office": "office", "text": "text", "draw": "drawing", "presentation": "presentation",
    }
    named = " ".join(f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"' for short, long in spaces.items())
    return (
        f'<?xml version="1.0"?><office:document {named} xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
        ' office:version="1.2" office:mimetype="application/vnd.oasis.opendocument.presentation">'
        f"<office:body><office:presentation>{''.join(pages)}</office:presentation></office:body></office:document>"
    ), said, []


def book(page):
    """Writes a page as an EPUB of one part: LibreOffice's own export loses the header rows of tables."""
    with zipfile.ZipFile(page.with_suffix(".epub"), "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", '<container><rootfiles><rootfile full-path="a.opf"/></rootfiles></container>')
        archive.writestr(
            "a.opf",
            '<package><metadata/><manifest><item id="a" href="a.xhtml"/></manifest><spine><itemref idref="a"/></spine></package>',
        )
        archive.writestr("a.xhtml", page.read_text())


def convert(folder, filters, files):
    command = ["soffice", "--headless", *filters, "--outdir", str(folder), *map(str, files)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=600)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    dice, expected = random.Random(11), {}
    for number in range(3):
        page, said, cells = text(dice)
        (folder / f"text{number}.html").write_text(page)
        for ending in ["html", "odt", "docx", "epub"]:
            expected[f"text{number}.{ending}"] = {"words": " ".join(said).split(), "cells": cells}
    for number in range(2):
        rows = table(dice, 40, 5)
        with open(folder / f"sheet{number}.csv", "w", newline="") as file:
            csv.writer(file).writerows(rows)
        cells = [cell for row in rows for cell in row]
        for ending in ["csv", "xlsx", "ods"]:
            expected[f"sheet{number}.{ending}"] = {"words": " ".join(cells).split(), "cells": cells}
    deck, said, cells = slides(dice)
    (folder / "slides.fodp").write_text(deck)
    for ending in ["odp", "pptx"]:
        expected[f"slides.{ending}"] = {"words": " ".join(said).split(), "cells": cells}
    texts = sorted(folder.glob("text*.html"))
    for page in texts:
        book(page)
    for ending in ["odt:writer8", "docx:MS Word 2007 XML"]:
        # Else LibreOffice takes the page for one of the web, which it writes as nothing but HTML.
        convert(folder, ["--infilter=HTML (StarWriter)", "--convert-to", ending], texts)
    for ending in ["xlsx", "ods"]:
        convert(folder, ["--convert-to", ending], sorted(folder.glob("sheet*.csv")))
    for ending in ["odp", "pptx"]:
        convert(folder, ["--convert-to", ending], [folder / "slides.fodp"])
    print_texts(folder, expected)
    (folder / "expected.json").write_text(json.dumps(expected))
    missing = [name for name in expected if not (folder / name).exists()]
    print(f"{len(expected) - len(missing)} files in {folder}" + (f"; missing: {missing}" if missing else ""))


main()
