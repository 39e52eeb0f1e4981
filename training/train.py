"""Trains the reader. Can be stopped at any time and goes on from its last checkpoint.

A long steady learning rate, then a short decay to zero (warm-up, stable, decay): touch the file DECAY in the working
folder, and the decay begins at the next step, wherever training is.
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
import halves
import model
import reading

WARM_UP = 200
SAVE_EVERY = 300  # seconds
LOG_EVERY = 25  # steps
REPORT_EVERY = 600  # steps


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", type=Path, required=True, help="folder of all-MiniLM-L6-v2")
    parser.add_argument("--data", type=Path, required=True, help="folder that holds reading/ and squad2/")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and the log")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--decay-steps", type=int, default=1500,
                        help="steps in which the learning rate falls to zero, fewer when that begins early")
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
                      if halves.is_development(row.id)]
        self.titles = reading.Titles(self.tokenizer)
        base, upper = model.load_base(options.base)
        self.base = jax.tree.map(jnp.asarray, base)
        self.state = model.new_state(upper, options.seed)
        self.progress = {"epoch": 0, "batch": 0, "decay_from": None, "decay_steps": options.decay_steps, "seconds": 0.0}
        if self.checkpoint.exists():
            self.state = restore(self.checkpoint, self.state)
            self.progress = metadata_of(self.checkpoint)["progress"]
            self.log(note="resumed", step=int(self.state["step"]), **self.progress)
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
        save(self.checkpoint, self.state, progress=self.progress)

    def rate(self, step, steps_in_epoch):
        last = self.options.epochs * steps_in_epoch
        if self.progress["decay_from"] is None:
            if (self.options.work / "DECAY").exists() or step >= last - self.options.decay_steps:
                # A run that is ended early decays for a quarter of the steps that it had.
                steps = min(self.options.decay_steps, max(200, step // 4))
                self.progress |= {"decay_from": step, "decay_steps": steps}
                self.log(note="the learning rate falls", step=step, steps=steps)
            else:
                return self.options.rate * min(1.0, (step + 1) / WARM_UP)
        return self.options.rate * max(0.0, 1 - (step - self.progress["decay_from"]) / self.progress["decay_steps"])

    def report(self, name, rows, squad=False):
        """Figures of the running average of the weights, which stand in for those after the decay."""
        weights = self.state["weights"] if self.finished() else self.state["average"]
        shown = evaluate.figures(rows, evaluate.read(self.base, weights, rows))
        self.log(figures=name, step=int(self.state["step"]), **shown)
        if squad:
            shown = evaluate.figures(self.squad, evaluate.read(self.base, weights, self.squad))
            self.log(figures="squad2 small, development half", step=int(self.state["step"]), **shown)

    def finished(self):
        start = self.progress["decay_from"]
        return start is not None and int(self.state["step"]) >= start + self.progress["decay_steps"]

    def run(self):
        part = [row for row in self.validation if reading.hash_percent(row.id) < 20]
        while not self.finished() and not self.stopping:
            self.run_epoch(part)
            if not self.stopping and not self.finished():
                save(self.options.work / f"epoch-{self.progress['epoch']}.safetensors", self.state["average"])
                self.report(f"validation, epoch {self.progress['epoch']}", self.validation, squad=True)
        self.save()
        if self.finished():
            save(self.options.work / "final.safetensors", self.state["weights"])
            self.report("validation, at the end", self.validation, squad=True)
            self.log(note="finished", step=int(self.state["step"]), **self.progress)

    def run_epoch(self, part):
        batches = reading.epoch(self.rows, self.titles, self.options.seed, self.progress["epoch"])
        saved = began = time.monotonic()
        tokens, values = 0, []
        for length, examples in batches[self.progress["batch"]:]:
            step = int(self.state["step"])
            self.state, value, _ = model.step(self.base, self.state, reading.pad(examples, length),
                                              self.rate(step, len(batches)))
            self.progress["batch"] += 1
            values.append(float(value))
            tokens += sum(len(one["ids"]) for one in examples)
            if len(values) == LOG_EVERY:
                spent = time.monotonic() - began
                self.progress["seconds"] += spent
                self.log(step=step + 1, of=len(batches), epoch=self.progress["epoch"], loss=round(sum(values) / LOG_EVERY, 4),
                         tokens_per_second=round(tokens / spent))
                tokens, values, began = 0, [], time.monotonic()
            if self.stopping or self.finished():
                return
            if time.monotonic() - saved > SAVE_EVERY:
                self.save()
                saved = time.monotonic()
            if (step + 1) % REPORT_EVERY == 0:
                self.report("a fifth of validation", part, squad=False)
                began = time.monotonic()
        self.progress = {**self.progress, "epoch": self.progress["epoch"] + 1, "batch": 0}


def main():
    options = arguments()
    jax.config.update("jax_compilation_cache_dir", str(options.work.parent / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 1.0)
    Training(options).run()


if __name__ == "__main__":
    main()
