"""Sentences of Markdown and plain text documents, with the headings and the sentences that they stand among."""

import re
from dataclasses import dataclass
from pathlib import Path

from flips import IMPERATIVES

ABBREVIATIONS = ("e.g.", "i.e.", "etc.", "vs.", "Dr.", "Drs.", "St.", "No.", "approx.", "U.S.", "Fig.", "Mr.", "Mrs.", "al.")
END = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(]?[A-Z0-9])")
ITEM = re.compile(r"^(?:[-*+]|\d{1,2}[.)])\s+")
HEADING = re.compile(r"^(#{1,6})\s+(.*)")


@dataclass(frozen=True)
class Sentence:
    """A sentence, what stands around it in its section, and its title and heading (empty when there is none)."""

    text: str
    before: str
    after: str
    title: str
    heading: str
    document: str


def of_file(path):
    """The sentences of a document in which something is said: a verb, no question, neither too short nor too long."""
    path = Path(path)
    return [sentence for section in sections(path.read_text(encoding="utf-8"))
            for sentence in of_section(*section, path.name) if says_something(sentence.text)]


def sections(text):
    """Title, heading and blocks of each part of a document; plain text has headings in capitals."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    title, heading, blocks, out = "", "", [], []
    for block in re.split(r"\n\s*\n", text):
        block = block.strip()
        line = HEADING.match(block)
        capitals = "\n" not in block and block.isupper() and len(block.split()) < 10
        if not line and not capitals:
            blocks.append(block)
            continue
        out.append((title, heading, blocks))
        blocks = []
        name, rest = (line[2].split("\n")[0].strip(), block.partition("\n")[2]) if line else (block.capitalize(), "")
        if not title:
            title = name
        else:
            heading = name
        if rest.strip():
            blocks.append(rest.strip())
    out.append((title, heading, blocks))
    return [section for section in out if section[2]]


def of_section(title, heading, blocks, document):
    texts, lead = [], ""
    for block in blocks:
        if block.startswith(("|", "<", "```", "    ", ">")):
            continue
        for part, is_item in parts(block):
            if is_item and lead and not re.match(r"[A-Z].*[.!]$", part):
                texts.append(f"{lead} {part.rstrip(',;.')}.")
                continue
            split = split_sentences(part)
            texts += split
            lead = split[-1] if split and split[-1].endswith(":") else ("" if not is_item else lead)
    texts = [re.sub(r"^Summary\s*:\s*", "", plain(text)) for text in texts]
    for index, text in enumerate(texts):
        before = texts[index - 1] if index else ""
        after = texts[index + 1] if index + 1 < len(texts) else ""
        yield Sentence(text, before, after, title, heading, document)


def parts(block):
    """A paragraph, or the items of a list; lines that go on are joined."""
    part, is_item = [], False
    for line in block.split("\n"):
        if ITEM.match(line.strip()) and not part_continues(line, part):
            if part:
                yield " ".join(part), is_item
            part, is_item = [ITEM.sub("", line.strip())], True
        else:
            part.append(line.strip())
    if part:
        yield " ".join(part), is_item


def part_continues(line, part):
    """A line that begins with a number amid a sentence is no list item."""
    return bool(part) and line.strip()[0].isdigit() and not re.search(r"[.:;,!?]$|,? (and|or)$", part[-1])


def split_sentences(text):
    out, begin = [], 0
    for gap in END.finditer(text):
        so_far = text[begin:gap.start() + 1].strip()
        if so_far.endswith(ABBREVIATIONS) or re.search(r"\b[A-Z]\.$", so_far):
            continue
        out.append(text[begin:gap.end()].strip())
        begin = gap.end()
    rest = text[begin:].strip()
    return out + [rest] if rest else out


def plain(text):
    """Without emphasis, links and doubled spaces."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"(\*\*|__|`)(.+?)\1", r"\2", text)
    return re.sub(r"\s+", " ", text).strip()


VERB = re.compile(
    r"\b(is|are|was|were|be|has|have|had|do|does|can|cannot|could|should|must|may|might|will|would|need|needs|help|helps|"
    r"cause|causes|include|includes|use|uses|take|takes|give|gives|given|occur|occurs|affect|affects|make|makes|start|stop|"
    r"avoid|keep|check|treat|measure|offer|ask|wash|get|gets|become|becomes|show|shows|found|increase|increases|reduce|"
    r"reduces|prevent|prevents)\b|\w+n't\b", re.I)


def says_something(text):
    words = text.split()
    return (6 <= len(words) <= 45 and text[0].isupper() and text.endswith(".") and not re.search(r"http|[\[\]|]", text)
            and text.count("(") == text.count(")") and (words[0] in IMPERATIVES or bool(VERB.search(text)))
            and not re.match(r"(NIH|CDC|Photo|Image|Figure|Source|See|Click|Visit|Learn|Watch)\b", text))
