"""Run with: python -m unittest discover training (in the environment that scripts/train-reader.sh makes)."""

import tempfile
import unittest
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

import evaluate
import export
import model
import packed
import reading
import reference
import train

WORDS = "the pump has a five year warranty and its filter six months how long is when was it made café".split()


def tokenizer():
    made = Tokenizer(models.WordLevel({"[UNK]": 0, **{word: 200 + at for at, word in enumerate(WORDS)}}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return made


def row(question="how long is the warranty", passage="The café : the pump has a five year warranty and its filter six months",
        answer="five year", kind="answer"):
    answers = [{"text": answer, "start": passage.index(answer)}] if answer else []
    return {"id": question, "source": "s", "kind": kind, "group": "g", "question": question, "passage": passage, "answers": answers}


def random_encoder(seed):
    """Weights of the encoder's shape, small enough in vocabulary for a test."""
    random = np.random.default_rng(seed)
    tensors = {}

    def put(name, *shape):
        tensors[name] = random.normal(0.02 if "LayerNorm.bias" in name else 0, 0.05, shape).astype(np.float32)

    for index in range(model.LAYERS):
        prefix = f"encoder.layer.{index}."
        for part in ("query", "key", "value"):
            put(f"{prefix}attention.self.{part}.weight", model.HIDDEN, model.HIDDEN)
            put(f"{prefix}attention.self.{part}.bias", model.HIDDEN)
        for part, outputs, inputs in (("attention.output", 384, 384), ("intermediate", 1536, 384), ("output", 384, 1536)):
            put(f"{prefix}{part}.dense.weight", outputs, inputs)
            put(f"{prefix}{part}.dense.bias", outputs)
        for part in ("attention.output", "output"):
            tensors[f"{prefix}{part}.LayerNorm.weight"] = 1 + random.normal(0, 0.05, model.HIDDEN).astype(np.float32)
            put(f"{prefix}{part}.LayerNorm.bias", model.HIDDEN)
    draw = lambda *shape: random.normal(0, 0.1, shape).astype(np.float32)
    norm = {"weight": np.ones(model.HIDDEN, np.float32), "bias": np.zeros(model.HIDDEN, np.float32)}
    base = {"embeddings": {"words": draw(300, 384), "positions": draw(400, 384), "types": draw(2, 384), "norm": norm},
            "layers": [model.layer_from(tensors, index) for index in range(model.FROZEN)]}
    heads = model.new_heads(seed) | {"marks": draw(model.MARKS, model.HIDDEN)}
    return base, {"layers": [model.layer_from(tensors, index) for index in range(model.FROZEN, model.LAYERS)], "heads": heads}


class Reading(unittest.TestCase):
    def test_spans_point_at_the_answer_also_after_letters_of_two_bytes(self):
        made = reading.tokenise(tokenizer(), [row()])[0]
        first, last = made.spans[0]
        self.assertEqual(made.passage[made.offsets[first, 0]:made.offsets[last, 1]], "five year")

    def test_every_window_holds_the_answer(self):
        made = reading.tokenise(tokenizer(), [row(passage="the pump " * 200 + "has a five year warranty " + "its filter " * 200)])[0]
        answer = [200 + WORDS.index(word) for word in ("five", "year")]
        for seed in range(200):
            one = reading.training_example(made, reading.Titles(tokenizer()), np.random.default_rng(seed), reading.SHORT)
            self.assertEqual(one["ids"][one["start"]:one["end"] + 1].tolist(), answer)
            self.assertLessEqual(len(one["ids"]), reading.LONGEST)

    def test_marks_tell_the_sides_apart_and_what_they_share(self):
        of_question, of_passage = reading.marks(np.array([5, 6]), np.array([6, 7]))
        self.assertEqual((of_question.tolist(), of_passage.tolist()), ([0, 1], [3, 2]))

    def test_an_epoch_has_every_row_once_and_is_the_same_each_time(self):
        rows = reading.tokenise(tokenizer(), [row(question=f"how long is it {at}") for at in range(50)])
        rows += reading.tokenise(tokenizer(), [row(question="when was it made", answer=None, kind="natural")])
        first, second = (reading.epoch(rows, reading.Titles(tokenizer()), 1, 0) for _ in range(2))
        examples = [one for _, batch in first for one in batch]
        self.assertEqual(len(examples), 51)
        self.assertEqual(sum(one["start"] == 0 for one in examples), 1)
        self.assertEqual([one["ids"].tolist() for one in examples], [one["ids"].tolist() for _, batch in second for one in batch])

    def test_rows_of_a_group_are_on_one_side(self):
        sides = {reading.is_validation(f"group {at}") for at in range(200)}
        self.assertEqual(sides, {True, False})


class Models(unittest.TestCase):
    def setUp(self):
        self.base, self.trained = random_encoder(3)
        made = reading.tokenise(tokenizer(), [row()])[0]
        self.example = reading.example(made.question_ids, made.ids, made.spans[0])

    def test_numpy_and_jax_compute_the_same(self):
        start, end, here = reference.forward(self.base, self.trained, self.example)
        batch = reading.pad([self.example], 40)
        spans, logits = map(np.asarray, model.predict(self.base, self.trained, batch))
        first = len(made_question(self.example))
        for side, expected in ((0, start), (1, end)):
            np.testing.assert_allclose(spans[0, first:len(start), side], expected[first:], atol=2e-4)
            np.testing.assert_allclose(spans[0, 0, side], expected[0], atol=2e-4)
        self.assertAlmostEqual(float(logits[0]), here, places=3)
        self.assertTrue((spans[0, 1:first, :] < -1e8).all(), "a span in the question is allowed")

    def test_eight_bits_stay_near_and_come_back_from_the_file(self):
        tensors = packed.pack(self.trained)
        with tempfile.TemporaryDirectory() as folder:
            for name in ("model.safetensors", "tokenizer.json"):
                (Path(folder) / name).write_bytes(b"base")
            packed.write(Path(folder) / "reader.safetensors", tensors, folder)
            again = packed.read(Path(folder) / "reader.safetensors")
        old, new = self.trained["layers"][0]["up"]["weight"], again["layers"][0]["up"]["weight"]
        self.assertEqual(old.shape, new.shape)
        self.assertLessEqual(float((np.abs(old - new).max(axis=0) / np.abs(old).max(axis=0)).max()), 0.5 / 127 + 1e-6)
        self.assertEqual(tensors["encoder.layer.2.attention.self.query.weight"].dtype, np.int8)
        wanted = reference.forward(self.base, self.trained, self.example)
        got = reference.forward(self.base, again, self.example)
        np.testing.assert_allclose(got[0], wanted[0], atol=0.1)

    def test_half_precision_has_the_same_slopes(self):
        batch = reading.pad([self.example] * 2, 40)
        x = model.lower(self.base, batch)

        def value(weights, fast):
            spans, here = model.upper(weights, x, batch, None, fast)
            return spans[:, 0].sum() + spans[0, 9, 1] + (here * here).sum()

        for (path, exact), (_, got) in zip(*(jax.tree_util.tree_leaves_with_path(jax.grad(value)(self.trained, fast))
                                             for fast in (False, True))):
            difference = jnp.linalg.norm(exact - got) / (jnp.linalg.norm(exact) + 1e-3)
            self.assertLess(float(difference), 0.05, jax.tree_util.keystr(path))

    def test_training_learns_and_goes_on_from_a_checkpoint(self):
        state = model.new_state(self.trained["layers"], 1)
        batch = reading.pad([self.example] * 4, 40)
        first = None
        for _ in range(12):
            state, value, _ = model.step(self.base, state, batch, 1e-3)
            first = first if first is not None else float(value)
        self.assertLess(float(value), first / 2)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "checkpoint.safetensors"
            train.save(path, state, progress={"epoch": 2})
            again = train.restore(path, state)
            self.assertEqual(train.metadata_of(path)["progress"], {"epoch": 2})
        _, expected, _ = model.step(self.base, {**state}, batch, 1e-3)
        _, got, _ = model.step(self.base, again, batch, 1e-3)
        self.assertEqual(float(expected), float(got))


def made_question(example):
    return example["types"][example["types"] == 0]


class Figures(unittest.TestCase):
    def test_answers_are_compared_as_squad_does(self):
        self.assertEqual(evaluate.exact("The Five years.", ["five years"]), 1)
        self.assertAlmostEqual(evaluate.token_f1("five long years", ["five years", "six"]), 0.8)

    def test_auc_counts_ties_half(self):
        self.assertEqual(evaluate.auc([1, 2], [0, 1]), 0.875)

    def test_a_long_passage_is_read_in_windows_that_cover_it(self):
        made = reading.tokenise(tokenizer(), [row(passage="the pump " * 500 + "has a five year warranty")])[0]
        covered = set()
        for begin, ids in evaluate.windows(made):
            covered |= set(range(begin, begin + len(ids)))
        self.assertEqual(covered, set(range(len(made.ids))))

    def test_the_best_span_is_found(self):
        spans = np.zeros((8, 2))
        spans[0], spans[5, 0], spans[6, 1] = [1, 1], 4, 3
        self.assertEqual(evaluate.best_span(spans, 3, 5), (5.0, 2, 3))

    def test_calibration_finds_the_chances(self):
        random = np.random.default_rng(1)
        x = random.normal(0, 2, (4000, 2))
        label = random.random(4000) < 1 / (1 + np.exp(-(x[:, 0] - 0.5 * x[:, 1])))
        theta = export.fit_logistic(x, label)
        np.testing.assert_allclose(theta[:2], [1, -0.5], atol=0.1)
        self.assertLess(export.calibration_error(export.confidence(theta, x), label), 0.03)


if __name__ == "__main__":
    unittest.main()
