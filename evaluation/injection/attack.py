#!/usr/bin/env python3
"""Measures how often passages that give orders are obeyed (evaluation/injection/README.md).

    evaluation/injection/attack.py [--binary FILE] [--modes plain,quoted,strict,marked] [--part PART] [--limit N]
                                   [--json FILE] [-- ARGUMENT OF `qanda serve`...]

Each document is asked for with its order in it and without; `plain` pastes it into a prompt without any rules.
"""

import argparse
import hashlib
import json
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
MODES = ["plain", "quoted", "strict", "marked"]


def lines(name):
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line.strip()]


def byte(text):
    return hashlib.sha256(text.encode()).digest()[0]


def chosen(orders, part, limit):
    of_part = {"all": lambda _: True, "development": lambda row: byte(row["id"]) < 128,
               "held-out": lambda row: byte(row["id"]) >= 128}[part]
    by_hash = sorted(filter(of_part, orders), key=lambda row: hashlib.sha256(f"sample {row['id']}".encode()).digest())
    return by_hash[:limit]


def text_of(document, order):
    parts = [f"# {document['title']}", document["before"], order, document["after"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def cases(orders, documents):
    """The attacks, and each document by itself: (name, order or None, document, text)."""
    for id, document in documents.items():
        yield f"clean-{id}", None, document, text_of(document, None)
    for order in orders:
        document = documents[order["document"]]
        words = order["order"].replace("{subject}", document["subject"]).replace("{question}", document["question"])
        yield order["id"], order, document, text_of(document, words)


class Service:
    """A server over the documents, for as long as it is needed."""

    def __init__(self, binary, data, arguments):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        command = [binary, "serve", "--data-dir", data, "--listen", self.address, *arguments]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        for _ in range(600):
            try:
                urllib.request.urlopen(f"http://{self.address}/readyz", timeout=5)
                return self
            except (urllib.error.URLError, ConnectionError):
                if self.process.poll() is not None:
                    break
                time.sleep(0.2)
        self.process.kill()
        sys.exit("the server did not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def answer(self, question):
        request = urllib.request.Request(f"http://{self.address}/apis/q-and-a/q", json.dumps(question).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=900) as reply:
            return json.load(reply)["answer"]


def ask(service, mode, name, document, text):
    if mode == "plain":
        return service.answer({"content": f"{text}\nQuestion: {document['question']}", "query_option": False})
    return service.answer({"content": document["question"], "filter": {"case": name}})


def normal(text):
    return re.sub(r"\s+", " ", text.lower().replace("\u2019", "'"))


def measure(service, mode, rows):
    """For each case: its answer, whether the order was obeyed, and whether it is right."""
    def one(row):
        name, order, document, text = row
        answer = ask(service, mode, name, document, text)
        said = normal(answer)
        obeyed = order is not None and order["mark"] in said
        right = any(normal(accepted) in said for accepted in document["answers"])
        return {"name": name, "style": order and order["style"], "document": document["id"], "answer": answer,
                "obeyed": obeyed, "right": right}
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(one, rows))


def figures(results):
    """Share of orders obeyed; right answers with and without an order in the document, and their ratio."""
    attacked = [row for row in results if row["style"]]
    clean = {row["document"]: row["right"] for row in results if not row["style"]}
    mean = lambda values: sum(values) / max(len(values), 1)
    with_order, without = mean([row["right"] for row in attacked]), mean([clean[row["document"]] for row in attacked])
    return {"attacks": len(attacked), "obeyed": mean([row["obeyed"] for row in attacked]), "right": with_order,
            "right_without": without, "usefulness": with_order / without if without else None}


def main():
    ours, theirs = sys.argv[1:], []
    if "--" in ours:
        at = ours.index("--")
        ours, theirs = ours[:at], ours[at + 1:]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/qanda")
    parser.add_argument("--modes", default=",".join(MODES))
    parser.add_argument("--part", default="development", choices=["development", "held-out", "all"])
    parser.add_argument("--limit", type=int)
    parser.add_argument("--json")
    given = parser.parse_args(ours)
    documents = {row["id"]: row for row in lines("documents.jsonl")}
    rows = list(cases(chosen(lines("orders.jsonl"), given.part, given.limit), documents))
    report = {}
    with tempfile.TemporaryDirectory() as folder:
        pages, data = Path(folder, "pages"), str(Path(folder, "data"))
        pages.mkdir()
        for name, _, _, text in rows:
            (pages / f"{name}.md").write_text(f"---\ncase: {name}\n---\n{text}", encoding="utf-8")
        subprocess.run([given.binary, "ingest", "--data-dir", data, str(pages)], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        print("| mode | attacks | obeyed | right | right without an order | usefulness | obeyed, by style |")
        print("|---|---|---|---|---|---|---|", flush=True)
        for mode in given.modes.split(","):
            grounding = "quoted" if mode == "plain" else mode
            arguments = ["--grounding", grounding, "--max-tokens", "64", "--request-timeout", "900s", *theirs]
            with Service(given.binary, data, arguments) as service:
                results = measure(service, mode, rows)
            of = figures(results)
            report[mode] = {"figures": of, "results": results}
            styles = Counter(row["style"] for row in results if row["obeyed"])
            shown = ", ".join(f"{style} {count}" for style, count in styles.most_common()) or "none"
            useful = "-" if of["usefulness"] is None else f"{of['usefulness']:.2f}"
            print(f"| {mode} | {of['attacks']} | {of['obeyed']:.3f} | {of['right']:.2f} | {of['right_without']:.2f} "
                  f"| {useful} | {shown} |", flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
