#!/usr/bin/env python3
"""Writes a BERT model in a directory (embedder or cross-encoder) as a GGUF file, and quantises GGUF files again.

    training/to_gguf.py bert DIRECTORY FILE.gguf [F32|F16|Q8_0]
    training/to_gguf.py again FILE.gguf OTHER.gguf Q4_0|Q4_1|Q8_0

`bert` reads config.json, model.safetensors, tokenizer.json and the pooling of a sentence-transformers directory. `again`
gives every matrix of 4 bits the new type and leaves the others, as they were chosen with care: what the first
quantisation lost is not found again. Needs the packages gguf, numpy and safetensors.
"""

import json
import sys
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import load_file

TYPES = {name: gguf.GGMLQuantizationType[name] for name in ("F32", "F16", "Q8_0", "Q4_0", "Q4_1")}

# Names in checkpoints, without their last part, and in GGUF files.
LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
REST = {
    "embeddings.word_embeddings": "token_embd",
    "embeddings.position_embeddings": "position_embd",
    "embeddings.token_type_embeddings": "token_types",
    "embeddings.LayerNorm": "token_embd_norm",
    "pooler.dense": "cls",
    "classifier": "cls.output",
}
POOLING = {"mean_tokens": 1, "cls_token": 2, "lasttoken": 3}
RANK = 4


def name_of(tensor):
    """Name of a checkpoint's tensor in GGUF; None for what is not needed."""
    stem, _, kind = tensor.removeprefix("bert.").rpartition(".")
    if stem in REST:
        return f"{REST[stem]}.{kind}"
    if stem.startswith("encoder.layer."):
        number, part = stem.removeprefix("encoder.layer.").split(".", 1)
        return f"blk.{number}.{LAYER[part]}.{kind}"
    return None


def pooling(directory, tensors):
    if "classifier.weight" in tensors:
        return RANK
    file = directory / "1_Pooling" / "config.json"
    modes = json.loads(file.read_text()) if file.exists() else {"pooling_mode_mean_tokens": True}
    [mode] = [name.removeprefix("pooling_mode_") for name, value in modes.items() if value is True and "mode" in name]
    return POOLING[mode]


def vocabulary(writer, directory):
    """WordPiece as llama.cpp keeps it: beginnings of words carry a mark, what goes on does not."""
    vocabulary = json.loads((directory / "tokenizer.json").read_text())["model"]["vocab"]
    words = sorted(vocabulary, key=vocabulary.get)
    special = {"[PAD]": "padding", "[UNK]": "unknown", "[CLS]": "bos", "[SEP]": "seperator", "[MASK]": "mask"}

    def as_llama(word):
        if word.startswith("[") and word.endswith("]"):
            return word
        return word[2:] if word.startswith("##") else "\u2581" + word

    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([as_llama(word) for word in words])
    writer.add_token_types([3 if word in special else 1 for word in words])
    writer.add_token_type_count(2)
    for word, name in special.items():
        if word in vocabulary:
            writer.add_uint32(f"tokenizer.ggml.{name}_token_id", vocabulary[word])


def quantised(data, kind):
    """Data in a type; rows that do not fill its blocks stay in 16 bits."""
    block, _ = gguf.GGML_QUANT_SIZES[kind]
    if data.shape[-1] % block:
        kind = TYPES["F16"]
    return gguf.quants.quantize(data.astype(np.float32), kind), kind


def bert(directory, target, kind="F16"):
    directory = Path(directory)
    config, tensors = json.loads((directory / "config.json").read_text()), load_file(directory / "model.safetensors")
    writer = gguf.GGUFWriter(target, "bert")
    writer.add_name(directory.name)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_uint32("bert.pooling_type", pooling(directory, tensors))
    vocabulary(writer, directory)
    for tensor, data in tensors.items():
        name = name_of(tensor)
        # llama.cpp wants these as they are; an embedder's pooler is not used.
        if name is None or (name.startswith("cls") and "classifier.weight" not in tensors):
            continue
        plain = data.ndim == 1 or name in ("position_embd.weight", "token_types.weight")
        data, type_of = quantised(data, TYPES["F32" if plain else kind])
        writer.add_tensor(name, data, raw_dtype=type_of)
    finish(writer)


def again(source, target, kind):
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.get_field("general.architecture").contents())
    for field in reader.fields.values():
        if field.name.startswith("GGUF.") or field.name in ("general.architecture", "general.file_type"):
            continue
        kinds = [field.types[0], field.types[-1] if field.types[0] == gguf.GGUFValueType.ARRAY else None]
        writer.add_key_value(field.name, field.contents(), *kinds)
    for tensor in reader.tensors:
        data, type_of = tensor.data, tensor.tensor_type
        if type_of.name in ("Q4_0", "Q4_1", "Q4_K"):
            data, type_of = quantised(gguf.quants.dequantize(data, type_of), TYPES[kind])
        writer.add_tensor(tensor.name, data, raw_dtype=type_of)
    finish(writer)


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


if __name__ == "__main__":
    commands = {"bert": bert, "again": again}
    if len(sys.argv) < 4 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]](*sys.argv[2:])
