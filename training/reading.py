"""Rows of the reading data as tokens, and batches of them."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

CLS, SEP = 101, 102
LONGEST = 384
# Most windows of the first epoch are short, so that it is over soon; those of the later ones as long as real passages.
SHORT, USUAL = 128, 256
QUESTION = 64
LENGTHS = (40, 56, 72, 96, 120, 144, 168, 192, 224, 256, 320, 384)
TOKENS_IN_BATCH = 2048
# How much a row counts. Questions that people found unanswerable teach more than those a script put beside a passage.
WEIGHTS = {"answer": 1.0, "natural": 1.5, "paired": 1.0, "rest": 0.7}
VALIDATION = 5  # percent of the groups


@dataclass
class Row:
    """A question and a passage as tokens; `spans` are the first and last tokens of the answers in the passage."""

    id: str
    source: str
    kind: str
    group: str
    passage: str
    answers: list
    question_ids: np.ndarray
    ids: np.ndarray
    offsets: np.ndarray
    spans: list


def read_tokenizer(folder):
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def read_rows(folder):
    """All rows that are trained on: without long spans, and with half of the questions about single sentences."""
    for path in sorted(Path(folder).glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                row = json.loads(line)
                if row["source"] == "onestop-qa" or (row["source"] == "qamr" and hash_percent(row["id"]) >= 50):
                    continue
                yield row


def hash_percent(text):
    """A number from 0 to 99 that depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 100


def is_validation(group):
    return hash_percent("validation " + group) < VALIDATION


def tokenise(tokenizer, rows):
    rows = list(rows)
    questions = tokenizer.encode_batch([row["question"] for row in rows], add_special_tokens=False)
    passages = tokenizer.encode_batch([row["passage"] for row in rows], add_special_tokens=False)
    return [make_row(row, question, passage) for row, question, passage in zip(rows, questions, passages)]


def make_row(row, question, passage):
    offsets = np.array(passage.offsets, np.int32).reshape(-1, 2)
    spans = [token_span(offsets, answer["start"], answer["start"] + len(answer["text"]))
             for answer in row["answers"] if "start" in answer]
    return Row(row["id"], row["source"], row["kind"], row["group"], row["passage"],
               [answer["text"] for answer in row["answers"]], np.array(question.ids[:QUESTION], np.int32),
               np.array(passage.ids, np.int32), offsets, spans)


def token_span(offsets, start, end):
    """The first and the last token that touch the characters `start..end`."""
    touching = np.flatnonzero((offsets[:, 1] > start) & (offsets[:, 0] < end))
    return int(touching[0]), int(touching[-1])


def marks(question_ids, passage_ids):
    """0 and 1: question; 2 and 3: passage; the odd ones are tokens that the other side has too."""
    return np.isin(question_ids, passage_ids).astype(np.int32), 2 + np.isin(passage_ids, question_ids).astype(np.int32)


def example(question_ids, passage_ids, span=None, weight=1.0):
    """The model's input for one window; `span` in tokens of the passage, nothing where the answer is not there."""
    of_question, of_passage = marks(question_ids, passage_ids)
    first = len(question_ids) + 2
    special = np.zeros(1, np.int32)
    start, end = (0, 0) if span is None else (first + span[0], first + span[1])
    return {
        "ids": np.concatenate([[CLS], question_ids, [SEP], passage_ids, [SEP]]).astype(np.int32),
        # The last separator belongs to the passage, as BERT has it, but no answer ends there: its mark is 0.
        "types": np.concatenate([np.zeros(first, np.int32), np.ones(len(passage_ids) + 1, np.int32)]),
        "marks": np.concatenate([special, of_question, special, of_passage, special]),
        "start": start, "end": end, "weight": weight,
    }


def window(row, random, usual):
    """A part of the passage for training, up to a usual length most often; it holds one of the answers if there are any."""
    room = (min(LONGEST, 2 * usual) if random.random() < 0.1 else usual) - len(row.question_ids) - 3
    length = min(len(row.ids), room)
    if random.random() < 0.3:
        length = min(length, int(random.integers(48, usual)))
    span = row.spans[random.integers(len(row.spans))] if row.spans else None
    low, high = 0, len(row.ids) - length
    if span is not None:
        length = max(length, span[1] - span[0] + 1)
        high = len(row.ids) - length
        low = max(0, span[1] + 1 - length)
        high = min(high, span[0])
    begin = int(random.integers(low, high + 1))
    shifted = None if span is None else (span[0] - begin, span[1] - begin)
    return row.ids[begin:begin + length], shifted


class Titles:
    """Titles put before passages, since that is how passages come at run time. Taken from the passages' own names."""

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.known = {}

    def of(self, passage):
        if passage not in self.known:
            self.known[passage] = np.array(self.tokenizer.encode(title(passage) + ":", add_special_tokens=False).ids)
        return self.known[passage]


def title(passage):
    """The run of capitalised words that the passage has most often, else its first words."""
    words = passage.split()
    runs, run = {}, []
    for index, word in enumerate(words + ["."]):
        bare = word.strip(".,;:!?()\"'")
        if bare[:1].isupper() and len(bare) > 3 and index > 0 and not words[index - 1].endswith("."):
            run.append(bare)
            continue
        if run:
            runs[" ".join(run[:4])] = runs.get(" ".join(run[:4]), 0) + 1
        run = []
    return max(runs, key=lambda name: (runs[name], len(name))) if runs else " ".join(words[:3])


def training_example(row, titles, random, usual):
    passage_ids, span = window(row, random, usual)
    if random.random() < 0.25:
        prefix = titles.of(row.passage)
        passage_ids = np.concatenate([prefix, passage_ids])[:LONGEST - len(row.question_ids) - 3]
        span = None if span is None else (span[0] + len(prefix), span[1] + len(prefix))
        if span is not None and span[1] >= len(passage_ids):
            return training_example(row, titles, random, usual)
    return example(row.question_ids, passage_ids, span, WEIGHTS[row.kind])


def bucket(length):
    return next(limit for limit in LENGTHS if length <= limit)


def pad(examples, length):
    """A batch of one of a few shapes, so that few are compiled."""
    rows = max(1, TOKENS_IN_BATCH // length)
    batch = {name: np.zeros((rows, length), np.int32) for name in ("ids", "types", "marks")}
    batch["mask"] = np.zeros((rows, length), bool)
    # Rows that only fill up the batch attend to one token and weigh nothing.
    batch["mask"][:, 0] = True
    for name in ("start", "end"):
        batch[name] = np.array([one[name] for one in examples] + [0] * (rows - len(examples)), np.int32)
    weights = [one["weight"] for one in examples] + [0.0] * (rows - len(examples))
    batch["weight"] = np.array(weights, np.float32)
    for index, one in enumerate(examples):
        for name in ("ids", "types", "marks"):
            batch[name][index, :len(one[name])] = one[name]
        batch["mask"][index, :len(one["ids"])] = True
    return batch


def epoch(rows, titles, seed, number):
    """The batches of an epoch as lists of examples with their length; the same whenever it is asked for again."""
    random = np.random.default_rng([seed, number])
    buckets = {length: [] for length in LENGTHS}
    for row in rows:
        one = training_example(row, titles, random, SHORT if number == 0 else USUAL)
        buckets[bucket(len(one["ids"]))].append(one)
    batches = []
    for length, examples in buckets.items():
        random.shuffle(examples)
        rows_each = max(1, TOKENS_IN_BATCH // length)
        batches += [(length, examples[at:at + rows_each]) for at in range(0, len(examples), rows_each)]
    random.shuffle(batches)
    return batches
