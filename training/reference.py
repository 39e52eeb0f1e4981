"""The reader's forward pass in numpy alone, and what it computes for three examples.

Another implementation is right when it gives the same logits for the same file: export.py writes them beside it.
"""

from math import erf, sqrt

import numpy as np

import model
import reading

EXAMPLES = [
    ("How long is the warranty of the pump?",
     "Pumps: The pump is built for outdoor use. It has a warranty of five years, its filter one of six months."),
    ("At what temperature is the vaccine kept?",
     "Storage > Vaccines: The vaccine is kept between 2 and 8 °C and must not be frozen. Once opened, it is used within "
     "28 days; vials that were left at room temperature for more than 12 hours are thrown away."),
    ("Who wrote the first edition?",
     "The second edition was edited by Maria Lindqvist and appeared in 1987. A third edition followed in 1994."),
]


def forward(base, trained, example):
    """Start and end logits of one example without padding, and its "here" logit."""
    tables, ids = base["embeddings"], example["ids"]
    x = tables["words"][ids] + tables["types"][example["types"]] + tables["positions"][:len(ids)]
    x = _normalise(tables["norm"], x)
    for layer in base["layers"]:
        x = _layer(layer, x)
    x = x + trained["heads"]["marks"][example["marks"]]
    for layer in trained["layers"]:
        x = _layer(layer, x)
    spans = _apply(trained["heads"]["span"], x)
    return spans[:, 0], spans[:, 1], float(_apply(trained["heads"]["here"], x[:1])[0, 0])


def _apply(linear, x):
    return x @ linear["weight"] + linear["bias"]


def _normalise(norm, x):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + model.EPSILON) * norm["weight"] + norm["bias"]


def _gelu(x):
    return x * 0.5 * (1 + np.vectorize(erf, otypes=[np.float32])(x / sqrt(2)))


def _layer(layer, x):
    size = model.HIDDEN // model.HEADS
    query, key, value = np.split(_apply(layer["qkv"], x), 3, axis=1)
    mixed = np.empty_like(x)
    for head in range(model.HEADS):
        part = slice(head * size, (head + 1) * size)
        scores = query[:, part] @ key[:, part].T / sqrt(size)
        weights = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed[:, part] = weights / weights.sum(axis=1, keepdims=True) @ value[:, part]
    x = _normalise(layer["norm"], x + _apply(layer["out"], mixed))
    return _normalise(layer["output_norm"], x + _apply(layer["down"], _gelu(_apply(layer["up"], x))))


def vectors(base, trained, tokenizer):
    """The three examples with inputs and logits; passage tokens begin after the first separator."""
    out = []
    for question, passage in EXAMPLES:
        question_ids = np.array(tokenizer.encode(question, add_special_tokens=False).ids, np.int32)
        encoded = tokenizer.encode(passage, add_special_tokens=False)
        one = reading.example(question_ids, np.array(encoded.ids, np.int32))
        start, end, here = forward(base, trained, one)
        first = len(question_ids) + 2
        span = best(start, end, first, len(encoded.ids))
        out.append({
            "question": question, "passage": passage,
            **{name: one[name].tolist() for name in ("ids", "types", "marks")},
            "start": np.round(start, 4).tolist(), "end": np.round(end, 4).tolist(), "here": round(here, 4),
            "span_score": round(span[0], 4),
            "answer": passage[encoded.offsets[span[1]][0]:encoded.offsets[span[2]][1]],
        })
    return out


def best(start, end, first, length, longest=30):
    """The best span of the passage by trying all: its score above "not here", its first and last token."""
    tried = [(float(start[first + low] + end[first + high]), low, high)
             for low in range(length) for high in range(low, min(length, low + longest))]
    score, low, high = max(tried, key=lambda span: span[0])
    return score - float(start[0] + end[0]), low, high
