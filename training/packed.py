"""The reader's file: the trained layers in 8 bits with a scale for each output, the heads as they are."""

import hashlib
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

import model

# Names in the file, as BERT checkpoints have them, by names in `model.layer_from`.
PARTS = {
    "out": "attention.output.dense",
    "up": "intermediate.dense",
    "down": "output.dense",
    "norm": "attention.output.LayerNorm",
    "output_norm": "output.LayerNorm",
}


def quantise(weight):
    """`[outputs, inputs]` as whole numbers from -127 to 127 and a scale for each output."""
    scale = np.abs(weight).max(axis=1) / 127
    scale = np.where(scale == 0, 1, scale).astype(np.float32)
    return np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8), scale


def pack(trained):
    """The trained weights as tensors for the file: matrices `[outputs, inputs]`, each with `NAME.scale`."""
    tensors = {}

    def put(name, linear):
        whole, scale = quantise(np.asarray(linear["weight"]).T)
        tensors[name + ".weight"], tensors[name + ".weight.scale"] = whole, scale
        tensors[name + ".bias"] = np.asarray(linear["bias"])

    for index, layer in enumerate(trained["layers"], start=model.FROZEN):
        prefix = f"encoder.layer.{index}."
        for at, part in enumerate(("query", "key", "value")):
            columns = slice(at * model.HIDDEN, (at + 1) * model.HIDDEN)
            put(prefix + "attention.self." + part,
                {"weight": np.asarray(layer["qkv"]["weight"])[:, columns], "bias": np.asarray(layer["qkv"]["bias"])[columns]})
        for name, full in PARTS.items():
            if name.endswith("norm"):
                tensors |= {f"{prefix}{full}.{kind}": np.asarray(layer[name][kind]) for kind in ("weight", "bias")}
            else:
                put(prefix + full, layer[name])
    heads = trained["heads"]
    tensors["reader.marks.weight"] = np.asarray(heads["marks"])
    for name in ("span", "here"):
        tensors[f"reader.{name}.weight"] = np.ascontiguousarray(np.asarray(heads[name]["weight"]).T)
        tensors[f"reader.{name}.bias"] = np.asarray(heads[name]["bias"])
    return tensors


def unpack(tensors):
    """The trained weights as the file's reader computes with them."""
    whole = {}
    for name, value in tensors.items():
        if name.endswith(".scale"):
            continue
        scale = tensors.get(name + ".scale")
        whole[name] = value if scale is None else value.astype(np.float32) * scale[:, None]
    head = lambda name: {"weight": whole[f"reader.{name}.weight"].T, "bias": whole[f"reader.{name}.bias"]}
    return {"layers": [model.layer_from(whole, index) for index in range(model.FROZEN, model.LAYERS)],
            "heads": {"marks": whole["reader.marks.weight"], "span": head("span"), "here": head("here")}}


def write(path, tensors, base):
    metadata = {"format": "qanda-reader-1", "base": "all-MiniLM-L6-v2", "base_sha256": sha256(Path(base) / "model.safetensors"),
                "tokenizer_sha256": sha256(Path(base) / "tokenizer.json"), "frozen_layers": str(model.FROZEN)}
    save_file({name: np.ascontiguousarray(value) for name, value in tensors.items()}, path, metadata=metadata)
    return metadata


def read(path):
    return unpack(load_file(path))


def sha256(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()
