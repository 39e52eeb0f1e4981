"""Makes pairs of a statement and a passage that supports it, contradicts it, or says neither.

From each true sentence: its own words and others (supports), the same with one thing flipped (contradicts), and
statements that the passage does not hold (neither). In a third of the pairs the passage is what was flipped, so that
no statement gives its label away by itself. Every choice depends on the seed and the sentence only.

    python training/contrast.py --data ../shared/data --examples examples --out FILE.jsonl
"""

import argparse
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import flips
import halves
import names
import opposites
import rewordings
import sentences

FLIPS = {
    "number": flips.number,
    "swap": flips.swap,
    "unit": flips.unit,
    "negation": flips.negation,
    "comparator": lambda text, random: flips.pairs_of(opposites.COMPARATORS, text, random) if has_number(text) else None,
    "opposite": lambda text, random: flips.pairs_of(opposites.OPPOSITES, text, random),
}
# What may be flipped in a sentence that only says what may happen: "can" has a denial, "may" has none.
SURE_IN_HEDGED = {"number", "comparator", "unit"}
STOP = set("a an the of to in on at for and or is are was were be been it its this that these those with by from as if when "
           "not can may do does have has you your they their than more most other some any all also who which".split())
LABELS = {"supports": "supports", "refutes": "contradicts", "neutral": "neither"}


def has_number(text):
    return bool(re.search(r"\d|\b(two|three|four|five|six|seven|eight|nine|ten|twelve)\b", text))


def hash_percent(text):
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 100


def split_of(document):
    """By document: 80 % to train on, 10 % to choose on, 10 % unseen."""
    place = hash_percent("contrast " + document)
    return "train" if place < 80 else "validation" if place < 90 else "unseen"


def content(text):
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in STOP}


def passage(sentence, text, random):
    """The sentence, or what stands in its place, as it comes at run time: among neighbours, under its headings."""
    way = random.random()
    parts = [text]
    if way > 0.3:
        parts = [sentence.before, text] if way > 0.8 else [text, sentence.after] if way > 0.6 else [sentence.before, text, sentence.after]
    body = " ".join(part for part in parts if part)
    if sentence.title and random.random() < 0.5:
        heading = sentence.heading if sentence.heading and "what is (are)" not in sentence.heading.lower() else ""
        body = " > ".join(part for part in (sentence.title, heading) if part) + ": " + body
    return body


def flipped(sentence, acronyms, random):
    """Kind and text of up to two flips of those that the sentence allows."""
    text, around = sentence.text, " ".join((sentence.before, sentence.text, sentence.after))
    hedged = flips.hedged(text)
    ways = [kind for kind in FLIPS if not hedged or kind in SURE_IN_HEDGED]
    ways = ways if hedged else [*ways, "name"]
    random.shuffle(ways)
    # Few sentences have numbers, so what can be flipped about them comes first.
    ways.sort(key=lambda kind: kind not in ("number", "swap", "unit", "comparator"))
    found = []
    for kind in ways:
        new = names.other(text, around, acronyms, random) if kind == "name" else FLIPS[kind](text, random)
        if new and new != text and new not in around:
            found.append((kind, new))
    return found[:2]


def unrelated(sentence, others, random):
    """A sentence of the same document that shares words with the passage but is not said in it."""
    around = " ".join((sentence.before, sentence.text, sentence.after))
    here = content(around)
    near = []
    for other in others:
        words = content(other.text)
        common = len(words & here)
        if other.text not in around and common >= 2 and common < 0.6 * len(words):
            near.append((common, other.text))
    near.sort(reverse=True)
    return random.choice(near[:5])[1] if near else None


def of_sentence(sentence, others, titles, acronyms, random):
    """Up to nine pairs: claim, evidence, label, kind."""
    text = sentence.text
    reworded = rewordings.reword(text, random)
    if random.random() < 0.15:
        yield text, passage(sentence, text, random), "supports", "copy"
    if reworded:
        yield reworded, passage(sentence, text, random), "supports", "reworded"
    for kind, other in flipped(sentence, acronyms, random):
        if random.random() < 0.33:
            yield text, passage(sentence, other, random), "contradicts", kind + " in the passage"
            again = rewordings.reword(other, random) or other
            yield again, passage(sentence, other, random), "supports", kind + " in both"
        else:
            said = rewordings.reword(other, random) if random.random() < 0.4 else None
            yield said or other, passage(sentence, text, random), "contradicts", kind
    yield from under_headings(sentence, titles, random)
    about_another = names.subject(text, sentence.title, titles, text, random)
    if about_another:
        yield about_another, passage(replace(sentence, title="", heading=""), text, random), "neither", "subject"
    elsewhere = unrelated(sentence, others, random) if random.random() < 0.6 else None
    if elsewhere:
        said = rewordings.reword(elsewhere, random) if random.random() < 0.4 else None
        false = flips.number(elsewhere, random) if random.random() < 0.2 else None
        yield false or said or elsewhere, passage(sentence, text, random), "neither", "elsewhere"


def under_headings(sentence, titles, random):
    """A statement that names what it is about, with a passage that says so in its title, or has another title."""
    about = sentence.title
    if not about or len(about.split()) > 4 or random.random() < 0.7 or content(about) & content(sentence.text):
        return
    claim = f"{random.choice(['For', 'In', 'About'])} {about.lower()}: {sentence.text}"
    yield claim, f"{about}: {sentence.text}", "supports", "heading"
    other = names.another(about, titles, sentence.text, random)
    if other:
        yield claim, f"{other}: {sentence.text}", "neither", "another heading"


def of_documents(files, source, per_document, seed):
    """Pairs of all documents; of long ones a part of their sentences, chosen by the seed."""
    documents = {path: sentences.of_file(path) for path in files}
    titles = sorted({found[0].title for found in documents.values() if found and 1 <= len(found[0].title.split()) <= 3})
    acronyms = sorted({match[0] for found in documents.values() for one in found for match in names.ACRONYM.finditer(one.text)})
    for path, found in documents.items():
        unique = list({one.text: one for one in found}.values())
        random = Random(f"{seed} {path.name}")
        random.shuffle(unique)
        # Sentences with numbers are rare and what matters most: up to half of the choice.
        first = [sentence for sentence in unique if has_number(sentence.text)][:per_document // 2]
        rest = [sentence for sentence in unique if sentence not in first]
        random.shuffle(rest)
        for sentence in first + rest[:per_document - len(first)]:
            own = Random(f"{seed} {path.name} {sentence.text}")
            for at, (claim, evidence, label, kind) in enumerate(of_sentence(sentence, unique, titles, acronyms, own)):
                yield {"id": f"{source}-{path.stem}-{short_hash(sentence.text)}-{at}", "claim": claim, "evidence": evidence,
                       "label": label, "kind": kind, "source": source, "group": path.name, "split": split_of(path.name)}


def short_hash(text):
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def of_claims(path):
    """The half of the claims that may be learned from, by group."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if halves.is_development(row["group"]):
            yield {"id": row["id"], "claim": row["claim"], "evidence": row["evidence"], "label": LABELS[row["label"]],
                   "kind": "written", "source": row["source"], "group": row["group"],
                   "split": "validation" if hash_percent("claims " + row["group"]) < 10 else "train"}


def medquad_files(folder):
    """Without the documents whose questions are held for evaluation."""
    held = {json.loads(line)["document"] for line in (folder / "questions.jsonl").read_text(encoding="utf-8").splitlines()}
    return [path for path in sorted((folder / "documents").glob("*.md")) if path.name not in held]


def without_conflicts(pairs):
    """Each pair of claim and evidence once, and only where all who made it agree on the label."""
    pairs = list(pairs)
    labels = {}
    for pair in pairs:
        labels.setdefault((pair["claim"], pair["evidence"]), set()).add(pair["label"])
    seen = set()
    for pair in pairs:
        key = (pair["claim"], pair["evidence"])
        if len(labels[key]) == 1 and key not in seen:
            seen.add(key)
            yield pair


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds medquad/ and claims/")
    parser.add_argument("--examples", type=Path, required=True, help="folder of the sample documents")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-document", type=int, default=12, help="sentences of each document of medquad")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    examples = sorted(path for path in options.examples.iterdir() if path.suffix in (".md", ".txt"))
    pairs = list(without_conflicts([
        *of_documents(medquad_files(options.data / "medquad"), "medquad", options.per_document, options.seed),
        *of_documents(examples, "examples", 1000, options.seed),
        *of_claims(options.data / "claims" / "claims.jsonl"),
    ]))
    with open(options.out, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
    for name in ("split", "source", "label", "kind"):
        print(name, dict(Counter(pair[name] for pair in pairs).most_common()))


if __name__ == "__main__":
    main()
