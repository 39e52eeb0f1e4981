"""Turns trained weights into the reader's file: 8 bits, calibrated on the validation rows, with its figures."""

import argparse
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

import evaluate
import halves
import model
import packed
import reading
import reference
import train

LICENCES = {
    "all-MiniLM-L6-v2": "Apache-2.0",
    "SQuAD 2.0 (questions also by way of SQuAD2-CR)": "CC BY-SA 4.0",
    "SQuADShifts, new Wikipedia": "CC BY 4.0, text CC BY-SA",
    "Natural Questions, QED, NQ-open gold": "CC BY-SA 3.0",
    "ClapNQ": "Apache-2.0, text CC BY-SA",
    "COVID-QA": "Apache-2.0, text CC BY",
    "FairytaleQA": "Apache-2.0, text in the public domain",
    "QAMR": "MIT, text CC BY-SA or CC BY 2.5",
}
# Of the natural unanswerable rows of validation, the share that may be answered at each named threshold.
FALSE_ANSWERS = {"bold": 0.4, "usual": 0.25, "careful": 0.1}


def features(results):
    return np.array([(score, here) for _, score, here in results], np.float64)


def fit_logistic(x, label, rounds=50):
    """Logistic regression by Newton's method, both labels with the same weight in sum; scale of each feature and bias."""
    x = np.column_stack([x, np.ones(len(x))])
    weight = np.where(label, 0.5 / label.mean(), 0.5 / (1 - label.mean()))
    theta = np.zeros(x.shape[1])
    for _ in range(rounds):
        chance = 1 / (1 + np.exp(-x @ theta))
        slope = x.T @ (weight * (label - chance)) - 1e-3 * theta
        bend = (x * (weight * chance * (1 - chance))[:, None]).T @ x + 1e-3 * np.eye(len(theta))
        theta += np.linalg.solve(bend, slope)
    return theta


def confidence(theta, x):
    return 1 / (1 + np.exp(-(x @ theta[:-1] + theta[-1])))


def calibration_error(chance, label, bins=10):
    """Expected calibration error, where both labels weigh the same in sum."""
    weight = np.where(label, 0.5 / label.sum(), 0.5 / (~label).sum())
    error = 0.0
    for at in range(bins):
        inside = (chance >= at / bins) & ((chance < (at + 1) / bins) | (at == bins - 1))
        if inside.any():
            share = weight[inside].sum()
            error += share * abs(np.average(chance[inside] - label[inside], weights=weight[inside]))
    return float(error)


def answering(rows, results, chance, threshold):
    """At a threshold: right answers (contained either way counts as SQuAD's exact match does not), false ones."""
    has = np.array([bool(row.answers) for row in rows])
    answered = chance >= threshold
    exact = [evaluate.exact(predicted[0], row.answers) if row.answers else 0.0 for row, predicted in zip(rows, results)]
    overlap = [evaluate.token_f1(predicted[0], row.answers) if row.answers else 0.0 for row, predicted in zip(rows, results)]
    return {
        "threshold": round(float(threshold), 4),
        "answered_of_answerable": round(float(answered[has].mean()), 4),
        "right_exact": round(float((answered * np.array(exact))[has].mean()), 4),
        "right_f1": round(float((answered * np.array(overlap))[has].mean()), 4),
        "false_answers": round(float(answered[~has].mean()), 4),
    }


def calibrate(rows, results):
    """Calibration and thresholds from validation; thresholds look at natural rows and the answers of their sources."""
    label = np.array([bool(row.answers) for row in rows])
    x = features(results)
    theta = fit_logistic(x, label)
    chance = confidence(theta, x)
    natural = np.array([row.kind == "natural" for row in rows])
    sources = {row.source for row in rows if row.kind == "natural"}
    kept = np.array([row.source in sources and row.kind in ("natural", "answer") for row in rows])
    thresholds = {name: float(np.quantile(chance[natural], 1 - share)) for name, share in FALSE_ANSWERS.items()}
    chosen = [(row, result) for row, result, keep in zip(rows, results, kept) if keep]
    figures = {name: answering(*zip(*chosen), chance[kept], threshold) for name, threshold in thresholds.items()}
    return theta, thresholds, {
        "calibration_error": round(calibration_error(chance, label), 4),
        "auc_confidence": round(evaluate.auc(chance[label], chance[~label]), 4),
        "auc_confidence_natural": round(evaluate.auc(chance[label & kept], chance[natural]), 4),
        "natural": figures,
    }


def squad_figures(rows, results, theta, thresholds):
    chance = confidence(theta, features(results))
    has = np.array([bool(row.answers) for row in rows])
    return {**evaluate.figures(rows, results), "auc_confidence": round(evaluate.auc(chance[has], chance[~has]), 4),
            **{name: answering(rows, results, chance, threshold) for name, threshold in thresholds.items()}}


def some(rows, number):
    """So many rows, evenly spread over their sources; all without a number."""
    return rows if number is None or number >= len(rows) else [rows[at * len(rows) // number] for at in range(number)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reading/ and squad2/")
    parser.add_argument("--weights", type=Path, required=True, help="final.safetensors, epoch-N.safetensors or checkpoint.safetensors of training")
    parser.add_argument("--out", type=Path, required=True, help="folder for reader.safetensors and what belongs to it")
    parser.add_argument("--held-out", action="store_true", help="look at the held-out half of squad2 as well (once, at the end)")
    parser.add_argument("--rows", type=int, help="look at so many rows of each set only: a quick, provisional export")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)

    tokenizer = reading.read_tokenizer(options.base)
    base, upper = model.load_base(options.base)
    like = {"layers": upper, "heads": model.new_heads(0)}
    whole_run = options.weights.name.startswith("checkpoint")
    trained = train.restore(options.weights, {"average": like})["average"] if whole_run else train.restore(options.weights, like)
    tensors = packed.pack(trained)
    small = packed.unpack(tensors)
    rows = reading.tokenise(tokenizer, (row for row in reading.read_rows(options.data / "reading")
                                        if reading.is_validation(row["group"])))
    rows = some(rows, options.rows)
    on_device = jax.tree.map(jnp.asarray, base)
    whole = evaluate.figures(rows, evaluate.read(on_device, trained, rows))
    results = evaluate.read(on_device, jax.tree.map(jnp.asarray, small), rows)
    theta, thresholds, calibrated = calibrate(rows, results)
    report = {"validation, 32 bits": whole, "validation, 8 bits": {**evaluate.figures(rows, results), **calibrated}}
    if options.rows is None and abs(whole["f1"] - report["validation, 8 bits"]["f1"]) > 0.005:
        raise SystemExit(f"8 bits cost more than half a point of F1: {json.dumps(report)}")

    squad = evaluate.squad_rows(options.data / "squad2", "questions-small.jsonl", tokenizer)
    for name, development in (("development", True), ("held-out", False)):
        if not development and not options.held_out:
            continue
        half = some([row for row in squad if halves.is_development(row.id) == development], options.rows)
        read = evaluate.read(on_device, small, half)
        report[f"squad2 small, {name} half"] = squad_figures(half, read, theta, thresholds)

    metadata = packed.write(options.out / "reader.safetensors", tensors, options.base)
    config = {**metadata, "sha256": packed.sha256(options.out / "reader.safetensors"),
              "max_tokens": reading.LONGEST, "max_question_tokens": reading.QUESTION, "stride": evaluate.STRIDE,
              "longest_answer_tokens": evaluate.LONGEST_ANSWER,
              "confidence": {"span_score": float(theta[0]), "here": float(theta[1]), "bias": float(theta[2]), "prior": 0.5},
              "thresholds": thresholds, "provisional": options.rows is not None, "licences": LICENCES, "figures": report}
    (options.out / "reader.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    vectors = reference.vectors(base, small, tokenizer)
    (options.out / "vectors.json").write_text(json.dumps(vectors, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
