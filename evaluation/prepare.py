#!/usr/bin/env python3
"""Turns public data sets into documents and questions as `qanda eval answers` reads them (evaluation/README.md),
and into collections with judgements as `qanda eval retrieval` reads them.

    evaluation/prepare.py DATA FOLDER [SET...]

DATA holds squad2/, xquad-en/, medquad/, dialogues/ and chunking/ as their READMEs describe them; what is missing is
skipped. Each set becomes FOLDER/<set>/documents/ and FOLDER/<set>/questions.jsonl; where the set names a smaller choice
of its questions, that is questions-small.jsonl. squad2, xquad-en and medquad have FOLDER/<set>/retrieval/ beside them,
dialogues has follow-ups/. Nothing is downloaded.
"""

import hashlib
import json
import os
import re
import shutil
import sys
from collections import Counter
from pathlib import Path


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def place(document, start, end):
    """A place; what stands there can be read in the document."""
    return {"document": document, "start": start, "end": end}


def places(first, *more):
    return {**first, **({"more": list(more)} if more else {})}


def squad2(source, documents):
    """As it is. Unanswerable means: not in the paragraph that the question was written for."""
    copy(source / "documents", documents)
    small = {row["id"] for row in lines(source / "questions-small.jsonl")}
    rows = lines(source / "questions.jsonl")
    paragraph_search(source, documents.parent / "retrieval", [row for row in rows if row["answerable"]])
    for row in rows:
        kind = "answerable" if row["answerable"] else "unanswerable"
        paragraph = f"{row['document']} {row['start']}"
        known = {key: value for key, value in row.items() if key != "in_xquad"}
        yield {**known, "kind": kind, "group": paragraph, "small": row["id"] in small}


def paragraph_search(source, folder, rows):
    """The paragraphs that the questions of articles were written for, and the questions."""
    name = lambda row: f"{row['document']} {row['start']}"
    texts = {path.name: path.read_bytes() for path in (source / "documents").glob("*.md")}
    corpus = {name(row): (title(row["document"]), texts[row["document"]][row["start"]:row["end"]].decode())
              for row in rows}
    judged(folder, corpus, [(row["id"], name(row), row["question"], [name(row)]) for row in rows])


def title(document):
    return document.removesuffix(".md").replace("_", " ")


def xquad_en(source, documents):
    """One document an article. The right place is the answer's paragraph."""
    found = {}
    articles = {}
    for paragraph in lines(source / "paragraphs.jsonl"):
        number = paragraph["id"].split("-")[0]
        text = articles.get(number, f"# {paragraph['title'].replace('_', ' ')}\n")
        text += "\n"
        start = len(text.encode())
        text += paragraph["text"] + "\n"
        found[paragraph["id"]] = place(f"{number}.md", start, start + len(paragraph["text"].encode()))
        articles[number] = text
    for number, text in articles.items():
        (documents / f"{number}.md").write_text(text, encoding="utf-8")
    rows = lines(source / "questions.jsonl")
    corpus = {paragraph["id"]: (title(paragraph["title"]), paragraph["text"])
              for paragraph in lines(source / "paragraphs.jsonl")}
    judged(documents.parent / "retrieval", corpus,
           [(row["id"], row["paragraph_id"], row["question"], [row["paragraph_id"]]) for row in rows])
    for row in rows:
        yield {"id": row["id"], "kind": "answerable", "question": row["question"], "answers": [row["answer"]],
               "group": row["paragraph_id"], **found[row["paragraph_id"]]}


def medquad(source, documents):
    """Long answers: right is what cites the answer's section; its words are compared as well. Half of the questions are
    asked without the page that answers them, if no other page names what that page is about: right is a refusal."""
    copy(source / "documents", documents)
    pairs = {row["id"]: row for row in lines(source / "qa.jsonl")}
    answer_search(source, documents.parent / "retrieval", list(pairs.values()))
    rows = lines(source / "questions.jsonl")
    # Not the hash that parts development from what is held out.
    without = [row["document"] for row in rows if hashlib.sha256(f"absent {row['id']}".encode()).digest()[0] < 128]
    texts = {path.name: path.read_bytes() for path in documents.glob("*.md")}
    titles = {name: front_title(documents / name) for name in without}
    for name in without:
        (documents / name).unlink()
    kept = " ".join(plain(text.decode()) for name, text in texts.items() if name not in titles)
    for row in rows:
        document, question = row["document"], row["question"]
        if document not in titles:
            answer = pairs[row["id"]]["answer"]
            heading = f"## {question}\n\n".encode()
            start = texts[document].index(heading + answer.encode()) + len(heading)
            yield {"id": row["id"], "kind": "answerable", "question": question, "reference": answer,
                   **place(document, start, start + len(answer.encode()))}
        elif plain(re.split(r"[(:]", titles[document])[0].removeprefix("Parasites - ")) not in kept:
            yield {"id": row["id"], "kind": "absent", "question": question, "answerable": False}


def plain(text):
    """Words in lower case, with single spaces around them."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


def answer_search(source, folder, pairs):
    """The answers under the titles of their pages, without the headings that repeat the questions. The 200 questions of
    the set are left to the evaluation of answers: asked are those of the others whose text stands once. A third of the
    pages, so that they are embedded in minutes: all of the development part, by the hash that decides it."""
    pairs = [row for row in pairs if hashlib.sha256(row["document"].encode()).digest()[0] < 256 // 3]
    kept = {row["id"] for row in lines(source / "questions.jsonl")}
    titles = {row["document"]: front_title(source / "documents" / row["document"]) for row in pairs}
    times = Counter(row["question"] for row in pairs)
    asked = [row for row in pairs if times[row["question"]] == 1 and row["id"] not in kept]
    judged(folder, {row["id"]: (titles[row["document"]], row["answer"]) for row in pairs},
           [(row["id"], row["document"], row["question"], [row["id"]]) for row in asked])


def front_title(document):
    found = re.search(r"^# (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else ""


def judged(folder, corpus, queries):
    """A collection with judgements: `corpus` has title and text by id, `queries` are (id, group, text, right ids)."""
    folder.mkdir()
    write(folder / "corpus.jsonl", [{"_id": id, "title": title, "text": text} for id, (title, text) in corpus.items()])
    write(folder / "queries.jsonl", [{"_id": id, "group": group, "text": text} for id, group, text, _ in queries])
    rows = [f"{id}\t{right}\t1\n" for id, _, _, found in queries for right in found]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows), encoding="utf-8")


def dialogues(source, documents):
    """One document a passage. What is not clear, and thanks, are left out: neither answer nor refusal is right."""
    whole = {}
    for passage in lines(source / "corpus.jsonl"):
        name = f"{passage['id']}.txt"
        (documents / name).write_text(passage["text"], encoding="utf-8")
        whole[passage["id"]] = place(name, 0, len(passage["text"].encode()))
    for row in lines(source / "dialogues.jsonl") + lines(source / "dialogues-un.jsonl"):
        if row["answerability"] not in ("answerable", "partial", "unanswerable"):
            continue
        kind = "unanswerable" if not row["answerable"] else "first_turn" if row["turn"] == 1 else "later_turn"
        question = {"id": row["id"], "kind": kind, "question": row["question"], "answerable": row["answerable"],
                    "history": row["history"], "group": row["conversation"]}
        if row["answerable"]:
            question |= {"reference": row["answer"], **places(*(whole[id] for id in row["relevant"]))}
        yield question
    follow_ups(source, documents.parent / "follow-ups")


def follow_ups(source, folder):
    """The tasks that have a rewritten question, as `qanda eval retrieval` reads them: with their history, alone, and
    rewritten."""
    folder.mkdir()
    tasks = [row for row in lines(source / "dialogues.jsonl") if row["relevant"] and row["rewrite"] and row["history"]]
    write(folder / "corpus.jsonl", [{"_id": row["id"], "title": row["title"], "text": row["text"]}
                                    for row in lines(source / "corpus.jsonl")])
    query = lambda row, text: {"_id": row["id"], "group": row["conversation"], "text": text}
    write(folder / "with-history.jsonl", [query(row, row["question"]) | {"history": row["history"]} for row in tasks])
    write(folder / "alone.jsonl", [query(row, row["question"]) for row in tasks])
    write(folder / "rewritten.jsonl", [query(row, row["rewrite"]) for row in tasks])
    judged = [f"{row['id']}\t{passage}\t1\n" for row in tasks for passage in row["relevant"]]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(judged), encoding="utf-8")


def chunking(source, documents):
    """The excerpts that answer a question are the right places."""
    copy(source / "corpora", documents)
    for row in lines(source / "questions.jsonl"):
        name = f"{row['corpus_id']}.md"
        found = [place(name, part["byte_start"], part["byte_end"]) for part in row["references"]]
        yield {"id": str(row["id"]), "kind": row["corpus_id"], "question": row["question"],
               "reference": " ".join(part["content"] for part in row["references"]), **places(*found)}


def copy(source, documents):
    """Copies documents (a link would be followed to a path that says nothing of the set)."""
    shutil.copytree(source, documents, dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.chmod(documents, 0o755)


SETS = {"squad2": squad2, "xquad-en": xquad_en, "medquad": medquad, "dialogues": dialogues, "chunking": chunking}


def main(data, folder, wanted):
    for name in wanted or SETS:
        make = SETS[name]
        if not (data / name).is_dir():
            print(f"there is no {data / name}; left out", file=sys.stderr)
            continue
        documents = folder / name / "documents"
        shutil.rmtree(folder / name, ignore_errors=True)
        documents.mkdir(parents=True)
        questions = list(make(data / name, documents))
        small = [question for question in questions if question.pop("small", False)]
        write(folder / name / "questions.jsonl", questions)
        if small:
            write(folder / name / "questions-small.jsonl", small)


def write(path, questions):
    with open(path, "w", encoding="utf-8") as out:
        out.writelines(json.dumps(question, ensure_ascii=False) + "\n" for question in questions)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
