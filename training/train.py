"""Trains the reader. Can be stopped at any time and goes on from its last checkpoint.

A long steady learning rate, then a short fall to zero (warm-up, stable, decay): touch the file DECAY in the working
folder, and the fall begins at the next step, wherever training is.
"""

import argparse
import json
import signal
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file, save_file

import evaluate
import model
import reading

WARM_UP = 200
SAVE_EVERY = 300  # seconds
LOG_EVERY = 25  # steps
LOOK_EVERY = 600  # steps


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reading/ and squad2/")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--fall", type=int, default=1500, help="steps of the fall, fewer when it begins early")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def flatten(tree):
    return {jax.tree_util.keystr(path): np.asarray(leaf) for path, leaf in jax.tree_util.tree_leaves_with_path(tree)}


def save(path, tree, **metadata):
    """Writes beside the old file and renames, so that a checkpoint is whole or the one before."""
    beside = path.with_suffix(".new")
    save_file(flatten(tree), beside, metadata={name: json.dumps(value) for name, value in metadata.items()})
    beside.rename(path)


def restore(path, like):
    tensors = load_file(path)
    names = [jax.tree_util.keystr(path) for path, _ in jax.tree_util.tree_leaves_with_path(like)]
    return jax.tree.unflatten(jax.tree.structure(like), [jnp.asarray(tensors[name]) for name in names])


def metadata_of(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return {name: json.loads(value) for name, value in header["__metadata__"].items()}


class Training:
    """The state of a run: weights, place in the data, and since when the learning rate falls."""

    def __init__(self, options):
        self.options = options
        options.work.mkdir(parents=True, exist_ok=True)
        self.checkpoint = options.work / "checkpoint.safetensors"
        self.tokenizer = reading.read_tokenizer(options.base)
        rows = reading.tokenise(self.tokenizer, reading.read_rows(options.data / "reading"))
        self.rows = [row for row in rows if not reading.is_validation(row.group)]
        self.validation = [row for row in rows if reading.is_validation(row.group)]
        self.squad = [row for row in evaluate.squad_rows(options.data / "squad2", "questions-small.jsonl", self.tokenizer)
                      if not evaluate.is_unseen(row)]
        self.titles = reading.Titles(self.tokenizer)
        base, upper = model.load_base(options.base)
        self.base = jax.tree.map(jnp.asarray, base)
        self.state = model.new_state(upper, options.seed)
        self.place = {"epoch": 0, "batch": 0, "fall_from": None, "fall": options.fall, "seconds": 0.0}
        if self.checkpoint.exists():
            self.state = restore(self.checkpoint, self.state)
            self.place = metadata_of(self.checkpoint)["place"]
            self.log(note="resumed", step=int(self.state["step"]), **self.place)
        self.stopping = False
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)

    def stop(self, *_):
        self.stopping = True

    def log(self, **fields):
        line = json.dumps({"time": time.strftime("%F %T"), **fields})
        print(line, flush=True)
        with open(self.options.work / "log.jsonl", "a", encoding="utf-8") as log:
            log.write(line + "\n")

    def save(self):
        save(self.checkpoint, self.state, place=self.place)

    def rate(self, step, steps_in_epoch):
        last = self.options.epochs * steps_in_epoch
        if self.place["fall_from"] is None:
            if (self.options.work / "DECAY").exists() or step >= last - self.options.fall:
                # A run that is ended early falls for a quarter of the steps that it had.
                fall = min(self.options.fall, max(200, step // 4))
                self.place |= {"fall_from": step, "fall": fall}
                self.log(note="the learning rate falls", step=step, steps=fall)
            else:
                return self.options.rate * min(1.0, (step + 1) / WARM_UP)
        return self.options.rate * max(0.0, 1 - (step - self.place["fall_from"]) / self.place["fall"])

    def look(self, name, rows, squad=False):
        """Figures of the running mean of the weights, which stand in for those after a fall."""
        weights = self.state["weights"] if self.finished() else self.state["mean"]
        shown = evaluate.figures(rows, evaluate.read(self.base, weights, rows))
        self.log(look=name, step=int(self.state["step"]), **shown)
        if squad:
            shown = evaluate.figures(self.squad, evaluate.read(self.base, weights, self.squad))
            self.log(look="squad2 small, development half", step=int(self.state["step"]), **shown)

    def finished(self):
        start = self.place["fall_from"]
        return start is not None and int(self.state["step"]) >= start + self.place["fall"]

    def run(self):
        part = [row for row in self.validation if reading.share(row.id) < 20]
        while not self.finished() and not self.stopping:
            self.run_epoch(part)
            if not self.stopping and not self.finished():
                save(self.options.work / f"epoch-{self.place['epoch']}.safetensors", self.state["mean"])
                self.look(f"validation, epoch {self.place['epoch']}", self.validation, squad=True)
        self.save()
        if self.finished():
            save(self.options.work / "final.safetensors", self.state["weights"])
            self.look("validation, at the end", self.validation, squad=True)
            self.log(note="finished", step=int(self.state["step"]), **self.place)

    def run_epoch(self, part):
        batches = reading.epoch(self.rows, self.titles, self.options.seed, self.place["epoch"])
        saved = began = time.monotonic()
        tokens, values = 0, []
        for length, examples in batches[self.place["batch"]:]:
            step = int(self.state["step"])
            self.state, value, _ = model.step(self.base, self.state, reading.pad(examples, length),
                                              self.rate(step, len(batches)))
            self.place["batch"] += 1
            values.append(float(value))
            tokens += sum(len(one["ids"]) for one in examples)
            if len(values) == LOG_EVERY:
                spent = time.monotonic() - began
                self.place["seconds"] += spent
                self.log(step=step + 1, of=len(batches), epoch=self.place["epoch"], loss=round(sum(values) / LOG_EVERY, 4),
                         tokens_per_second=round(tokens / spent))
                tokens, values, began = 0, [], time.monotonic()
            if self.stopping or self.finished():
                return
            if time.monotonic() - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
            if (step + 1) % LOOK_EVERY == 0:
                self.look("a fifth of validation", part, squad=False)
                began = time.monotonic()
        self.place = {**self.place, "epoch": self.place["epoch"] + 1, "batch": 0}


def main():
    options = arguments()
    jax.config.update("jax_compilation_cache_dir", str(options.work.parent / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    Training(options).run()


if __name__ == "__main__":
    main()
