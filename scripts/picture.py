#!/usr/bin/env python3
"""Runs a command in a terminal and draws what it shows as an SVG: picture.py OUT.svg TITLE COMMAND..."""

import html
import os
import pty
import re
import sys
import textwrap

COLOURS = {"36": "#56b6c2", "32": "#98c379", "31": "#e06c75"}
WIDTH, LINE, LEFT, TOP = 100, 20, 16, 52


def run(command):
    """What the command writes to a terminal."""
    pieces = []

    def read(descriptor):
        data = os.read(descriptor, 4096)
        pieces.append(data)
        return data

    os.environ["TERM"] = "xterm-256color"
    pty.spawn(command, read)
    return b"".join(pieces).decode().replace("\r\n", "\n")


def lines(text):
    """Lines of (style, text) pieces, wrapped like a terminal of WIDTH columns would."""
    style = ""
    for line in text.rstrip().split("\n"):
        pieces, column = [], 0
        for part in re.split(r"(\x1b\[[0-9;]*m)", line):
            code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
            if code:
                style = "" if code[1] in ("", "0") else code[1]
                continue
            while part:
                room = WIDTH - column
                chunk = part if len(part) <= room else (textwrap.wrap(part, room, drop_whitespace=False) or [part[:room]])[0]
                if chunk:
                    pieces.append((style, chunk))
                column += len(chunk)
                part = part[len(chunk):]
                if part:
                    yield pieces
                    pieces, column = [], 0
        yield pieces


def svg(title, rows):
    height = TOP + LINE * len(rows) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT * 2 + WIDTH * 8.42:.0f} {height}" role="img">',
        f"<title>{html.escape(title)}</title>",
        '<rect width="100%" height="100%" rx="8" fill="#21252b"/>',
        *(f'<circle cx="{20 + 18 * n}" cy="20" r="6" fill="{c}"/>' for n, c in enumerate(("#e06c75", "#e5c07b", "#98c379"))),
        '<g font-family="ui-monospace, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" fill="#dcdfe4" xml:space="preserve">',
    ]
    for number, row in enumerate(rows):
        spans = []
        for style, text in row:
            colour = next((COLOURS[code] for code in style.split(";") if code in COLOURS), None)
            attributes = f' fill="{colour}"' if colour else ""
            attributes += ' font-weight="bold"' if style == "1" else ""
            attributes += ' fill="#8a919c"' if style == "2" else ""
            spans.append(f"<tspan{attributes}>{html.escape(text)}</tspan>")
        out.append(f'<text x="{LEFT}" y="{TOP + LINE * number}">{"".join(spans)}</text>')
    out += ["</g>", "</svg>"]
    return "\n".join(out) + "\n"


def main():
    target, title, *command = sys.argv[1:]
    rows = [[("32", "$ "), ("", title)], *lines(run(command))]
    with open(target, "w", encoding="utf-8") as file:
        file.write(svg(title, rows))


if __name__ == "__main__":
    main()
