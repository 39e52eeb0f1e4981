"""The reader: MiniLM with its lower layers as they are, its upper layers trained, and heads for spans and "not here"."""

import json
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from safetensors.numpy import load_file

import mixed

LAYERS = 6
FROZEN = 2
HIDDEN = 384
HEADS = 12
EPSILON = 1e-12
# A mark says of each token whether it is on the question's or the passage's side and whether the other side has it too.
MARKS = 4
# Of 256: a byte of randomness decides on each activation. Nearly the 0.9 that BERT keeps.
KEPT_IN_256 = 230


def load_base(folder):
    """The encoder's weights in the layout of the functions below: frozen part and the start of the trained part."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    expected = {"num_hidden_layers": LAYERS, "hidden_size": HIDDEN, "num_attention_heads": HEADS, "hidden_act": "gelu"}
    for name, value in expected.items():
        if config[name] != value:
            raise SystemExit(f"{folder}: {name} is {config[name]}, the reader is written for {value}.")
    tensors = load_file(folder / "model.safetensors")
    tensors = {name.removeprefix("bert."): value.astype(np.float32) for name, value in tensors.items()
               if value.dtype.kind == "f"}
    embeddings = {
        "words": tensors["embeddings.word_embeddings.weight"],
        "positions": tensors["embeddings.position_embeddings.weight"],
        "types": tensors["embeddings.token_type_embeddings.weight"],
        "norm": _norm(tensors, "embeddings.LayerNorm"),
    }
    layers = [layer_from(tensors, index) for index in range(LAYERS)]
    return {"embeddings": embeddings, "layers": layers[:FROZEN]}, layers[FROZEN:]


def layer_from(tensors, index):
    """One layer, query, key and value side by side, matrices as `[inputs, outputs]`."""
    prefix = f"encoder.layer.{index}."
    parts = [prefix + f"attention.self.{part}" for part in ("query", "key", "value")]
    return {
        "qkv": {
            "weight": np.concatenate([tensors[part + ".weight"].T for part in parts], axis=1),
            "bias": np.concatenate([tensors[part + ".bias"] for part in parts]),
        },
        "out": _linear(tensors, prefix + "attention.output.dense"),
        "norm": _norm(tensors, prefix + "attention.output.LayerNorm"),
        "up": _linear(tensors, prefix + "intermediate.dense"),
        "down": _linear(tensors, prefix + "output.dense"),
        "output_norm": _norm(tensors, prefix + "output.LayerNorm"),
    }


def _linear(tensors, name):
    return {"weight": np.ascontiguousarray(tensors[name + ".weight"].T), "bias": tensors[name + ".bias"]}


def _norm(tensors, name):
    return {"weight": tensors[name + ".weight"], "bias": tensors[name + ".bias"]}


def new_heads(seed):
    """Heads that know nothing yet: a start and an end score for each token, and one "it is here" score."""
    random = np.random.default_rng(seed)
    draw = lambda *shape: random.normal(0, 0.02, shape).astype(np.float32)
    return {
        "marks": np.zeros((MARKS, HIDDEN), np.float32),
        "span": {"weight": draw(HIDDEN, 2), "bias": np.zeros(2, np.float32)},
        "here": {"weight": draw(HIDDEN, 1), "bias": np.zeros(1, np.float32)},
    }


def apply(linear, x, fast=False):
    if not fast:
        return x @ linear["weight"] + linear["bias"]
    flat = mixed.product(x.reshape(-1, x.shape[-1]), linear["weight"])
    return flat.reshape(*x.shape[:-1], -1) + linear["bias"]


def layer_norm(norm, x):
    mean = x.mean(-1, keepdims=True)
    centred = x - mean
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + EPSILON) * norm["weight"] + norm["bias"]


def dropout(x, key):
    """Dropout with one mask for all tokens of a row: a mask for each token costs a tenth of the time of training."""
    if key is None:
        return x
    kept = jax.random.bits(key, (x.shape[0], 1, x.shape[2]), jnp.uint8) < KEPT_IN_256
    return jnp.where(kept, x * (256 / KEPT_IN_256), 0)


def encode_layer(layer, x, bias, keys, fast):
    """One transformer layer. `bias` is 0 for tokens and very low for padding, shape `[rows, 1, 1, length]`."""
    rows, length, _ = x.shape
    size = HIDDEN // HEADS
    qkv = apply(layer["qkv"], x, fast).reshape(rows, length, 3, HEADS, size)
    query, key, value = (mixed.row_major(part) for part in qkv.transpose(2, 0, 3, 1, 4))
    query = query * size**-0.5
    if fast:
        seen = mixed.attention(query, key, value, bias)
    else:
        seen = jax.nn.softmax(query @ mixed.transposed(key) + bias) @ value
    seen = seen.transpose(0, 2, 1, 3).reshape(rows, length, HIDDEN)
    x = layer_norm(layer["norm"], x + dropout(apply(layer["out"], seen, fast), keys[0]))
    wide = jax.nn.gelu(apply(layer["up"], x, fast), approximate=False)
    return layer_norm(layer["output_norm"], x + dropout(apply(layer["down"], wide, fast), keys[1]))


def padding_bias(mask):
    return jnp.where(mask, 0.0, -1e9)[:, None, None, :]


def lower(base, batch, fast=False):
    """The frozen part: embeddings and the first layers, the same as the embedder computes for other texts."""
    tables = base["embeddings"]
    length = batch["ids"].shape[1]
    x = tables["words"][batch["ids"]] + tables["types"][batch["types"]] + tables["positions"][:length]
    x = layer_norm(tables["norm"], x)
    bias = padding_bias(batch["mask"])
    for layer in base["layers"]:
        x = encode_layer(layer, x, bias, (None, None), fast)
    return x


def upper(trained, x, batch, key=None, fast=False):
    """Start and end logits `[rows, length, 2]` (position 0 means "not here") and the "here" logits `[rows]`."""
    x = x + trained["heads"]["marks"][batch["marks"]]
    bias = padding_bias(batch["mask"])
    keys = [None] * 2 * len(trained["layers"]) if key is None else jax.random.split(key, 2 * len(trained["layers"]))
    for index, layer in enumerate(trained["layers"]):
        x = encode_layer(layer, x, bias, (keys[2 * index], keys[2 * index + 1]), fast)
    spans = apply(trained["heads"]["span"], x)
    allowed = batch["mask"] & ((batch["types"] == 1) | (jnp.arange(x.shape[1]) == 0))
    spans = jnp.where(allowed[..., None], spans, -1e9)
    return spans, apply(trained["heads"]["here"], x[:, 0])[:, 0]


@jax.jit
def predict(base, trained, batch):
    return upper(trained, lower(base, batch), batch)


def loss(trained, x, batch, key):
    """Cross entropy of start and end, and of "here", weighed by row."""
    spans, here = upper(trained, x, batch, key, fast=True)
    chances = jax.nn.log_softmax(spans, axis=1)
    of_rows = jnp.arange(here.shape[0])
    span = -(chances[of_rows, batch["start"], 0] + chances[of_rows, batch["end"], 1]) / 2
    label = (batch["start"] > 0).astype(jnp.float32)
    absent = jax.nn.softplus(here) - label * here
    each = (span + 0.5 * absent) * batch["weight"]
    return each.sum() / batch["weight"].sum(), (span.mean(), absent.mean())


@partial(jax.jit, donate_argnums=(1,))
def step(base, state, batch, rate):
    """One step of AdamW with clipped gradients; `state` also carries a running average of the weights."""
    x = jax.lax.stop_gradient(lower(base, batch, fast=True))
    key = jax.random.fold_in(jax.random.key(state["seed"], impl="rbg"), state["step"])
    (value, parts), gradients = jax.value_and_grad(loss, has_aux=True)(state["weights"], x, batch, key)
    norm = jnp.sqrt(sum((gradient * gradient).sum() for gradient in jax.tree.leaves(gradients)))
    gradients = jax.tree.map(lambda gradient: gradient * jnp.minimum(1.0, 1.0 / (norm + 1e-6)), gradients)
    count = state["step"] + 1
    first = jax.tree.map(lambda old, new: 0.9 * old + 0.1 * new, state["first_moment"], gradients)
    second = jax.tree.map(lambda old, new: 0.98 * old + 0.02 * new * new, state["second_moment"], gradients)
    time = count.astype(jnp.float32)

    def update(weight, mean, square):
        change = (mean / (1 - 0.9**time)) / (jnp.sqrt(square / (1 - 0.98**time)) + 1e-6)
        decay = 0.01 if weight.ndim > 1 else 0.0
        return weight - rate * (change + decay * weight)

    weights = jax.tree.map(update, state["weights"], first, second)
    # The average spans a thousand steps, fewer at the start.
    keep = jnp.minimum(0.999, time / (time + 10))
    average = jax.tree.map(lambda old, new: keep * old + (1 - keep) * new, state["average"], weights)
    state = {"seed": state["seed"], "step": count, "weights": weights, "first_moment": first,
             "second_moment": second, "average": average}
    return state, value, parts


def new_state(upper_layers, seed):
    weights = jax.tree.map(jnp.asarray, {"layers": upper_layers, "heads": new_heads(seed)})
    zeros = lambda: jax.tree.map(jnp.zeros_like, weights)
    copy = jax.tree.map(jnp.copy, weights)
    return {"seed": jnp.int32(seed), "step": jnp.int32(0), "weights": weights, "first_moment": zeros(),
            "second_moment": zeros(), "average": copy}
