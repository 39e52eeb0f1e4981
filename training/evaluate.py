"""Figures: span F1 and exact match where there is an answer, and how well "not here" is told from it."""

import json
import re
import string
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

import model
import reading

STRIDE = 128
LONGEST_ANSWER = 30
BEST_STARTS = 20


def windows(row):
    """The passage in overlapping windows: where each begins, and its tokens."""
    room = reading.LONGEST - len(row.question_ids) - 3
    begin = 0
    while True:
        yield begin, row.ids[begin:begin + room]
        if begin + room >= len(row.ids):
            return
        begin += room - STRIDE


def best_span(spans, first, length):
    """The best span's score above that of "not here", with its first and last token in the window."""
    starts, ends = spans[first:first + length, 0], spans[first:first + length, 1]
    best = (-np.inf, 0, 0)
    for start in np.argsort(-starts)[:BEST_STARTS]:
        reach = ends[start:start + LONGEST_ANSWER]
        end = int(np.argmax(reach))
        best = max(best, (float(starts[start] + reach[end]), int(start), int(start) + end))
    return best[0] - float(spans[0, 0] + spans[0, 1]), best[1], best[2]


def read(base, weights, rows, predict=model.predict):
    """For each row: the words read, their score above "not here", and the "here" logit (the highest of the windows)."""
    found = {}
    pending = defaultdict(list)

    def flush(length):
        examples = pending.pop(length)
        batch = reading.pad([one for _, _, one in examples], length)
        spans, here = map(np.asarray, predict(base, weights, batch))
        for at, (index, begin, one) in enumerate(examples):
            first = len(rows[index].question_ids) + 2
            score, start, end = best_span(spans[at], first, len(one["ids"]) - first - 1)
            offsets = rows[index].offsets
            text = rows[index].passage[offsets[begin + start, 0]:offsets[begin + end, 1]]
            before = found.get(index, ("", -np.inf, -np.inf))
            found[index] = (text if score > before[1] else before[0], max(score, before[1]), max(float(here[at]), before[2]))

    for index, row in enumerate(rows):
        for begin, ids in windows(row):
            one = reading.example(row.question_ids, ids)
            length = reading.bucket(len(one["ids"]))
            pending[length].append((index, begin, one))
            if len(pending[length]) == reading.TOKENS_IN_BATCH // length:
                flush(length)
    for length in list(pending):
        flush(length)
    return [found[index] for index in range(len(rows))]


def normalised(text):
    """SQuAD's comparison: lower case, without articles and punctuation."""
    text = "".join(char for char in text.lower() if char not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", text).split()


def exact(predicted, answers):
    return float(any(normalised(predicted) == normalised(answer) for answer in answers))


def token_f1(predicted, answers):
    return max(_f1(normalised(predicted), normalised(answer)) for answer in answers)


def _f1(predicted, answer):
    if not predicted or not answer:
        return float(predicted == answer)
    common = sum((Counter(predicted) & Counter(answer)).values())
    return 2 * common / (len(predicted) + len(answer))


def auc(positive, negative):
    """The chance that a positive scores above a negative one."""
    if not len(positive) or not len(negative):
        return float("nan")
    order = np.sort(np.asarray(negative))
    positive = np.asarray(positive)
    below, not_above = np.searchsorted(order, positive, "left"), np.searchsorted(order, positive, "right")
    return float((below + not_above).mean() / 2 / len(order))


def figures(rows, results):
    """Span figures over answerable rows and AUCs of both "not here" scores, all and with natural negatives only."""
    has = np.array([bool(row.answers) for row in rows])
    natural = np.array([row.kind == "natural" for row in rows])
    span, here = np.array([result[1] for result in results]), np.array([result[2] for result in results])
    with_answer = [(result[0], row.answers) for row, result in zip(rows, results) if row.answers]
    out = {
        "rows": len(rows),
        "f1": float(np.mean([token_f1(*pair) for pair in with_answer])),
        "em": float(np.mean([exact(*pair) for pair in with_answer])),
        "auc_span": auc(span[has], span[~has]), "auc_here": auc(here[has], here[~has]),
    }
    if natural.any():
        # Natural ones come from SQuAD and Natural Questions only; so do the answers they are held against.
        same = np.array([row.source in {other.source for other, n in zip(rows, natural) if n} for row in rows]) & has
        out |= {"auc_span_natural": auc(span[same], span[natural]), "auc_here_natural": auc(here[same], here[natural])}
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in out.items()}


def squad_rows(folder, name, tokenizer):
    """Questions on their paragraph; `start` and `end` of the paragraph count bytes."""
    folder = Path(folder)
    rows = []
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        document = (folder / "documents" / row["document"]).read_bytes()
        rows.append({"id": row["id"], "source": "squad2", "kind": "answer" if row["answerable"] else "natural",
                     "group": row["document"], "question": row["question"],
                     "passage": document[row["start"]:row["end"]].decode(),
                     "answers": [{"text": answer} for answer in row["answers"]]})
    return reading.tokenise(tokenizer, rows)
