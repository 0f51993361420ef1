#!/usr/bin/env python3
"""Writes the small model files that the tests of src/formats read, and the fuzzers' first inputs.

The files are made by the formats' own packages, so that a misunderstanding of ours can't agree with
itself. Needs Python packages: gguf numpy safetensors torch. The result is the same on every run.

usage: tools/make_format_fixtures.py [REPOSITORY]
"""

import json
import pathlib
import struct
import sys

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

SAFETENSORS_TYPES = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "U16": torch.uint16,
    "I16": torch.int16,
    "U32": torch.uint32,
    "I32": torch.int32,
    "U64": torch.uint64,
    "I64": torch.int64,
    "F8_E4M3": torch.float8_e4m3fn,
    "F8_E5M2": torch.float8_e5m2,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}

BLOCK_TYPES = ["Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"]


def fnv1a(data: bytes) -> str:
    """64-bit FNV-1a, which the tests compute too."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"{value:016x}"


def describe(name: str, dtype: str, shape, data: bytes) -> dict:
    return {"name": name, "dtype": dtype, "shape": list(shape), "bytes": len(data), "fnv": fnv1a(data)}


def add_keys(writer: gguf.GGUFWriter) -> None:
    writer.add_uint8("test.u8", 255)
    writer.add_int8("test.i8", -128)
    writer.add_uint16("test.u16", 65535)
    writer.add_int16("test.i16", -32768)
    writer.add_uint32("test.u32", 2**32 - 1)
    writer.add_int32("test.i32", -(2**31))
    writer.add_uint64("test.u64", 2**64 - 1)
    writer.add_int64("test.i64", -(2**63))
    writer.add_float32("test.f32", 0.5)
    writer.add_float64("test.f64", 1e300)
    writer.add_bool("test.bool", True)
    writer.add_string("test.string", "grüße, 世界")
    writer.add_array("test.strings", ["", "a", "▁the", "Ġ"])
    writer.add_array("test.ints", [1, -2, 3])
    writer.add_array("test.floats", [0.5, -1.5])
    writer.add_array("test.bools", [True, False])


def add_tensors(writer: gguf.GGUFWriter, rng: np.random.Generator) -> list:
    described = []
    for name in BLOCK_TYPES:
        kind = gguf.GGMLQuantizationType[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        raw = rng.integers(0, 256, (3, size * (256 // block)), dtype=np.uint8)
        writer.add_tensor(f"block.{name}", raw, raw_dtype=kind)
        described.append(describe(f"block.{name}", name, (3, 256), raw.tobytes()))
    plain = {"F32": np.float32, "F16": np.float16, "F64": np.float64, "I8": np.int8,
             "I16": np.int16, "I32": np.int32, "I64": np.int64}
    for name, dtype in plain.items():
        values = rng.integers(-100, 100, (2, 3, 5)).astype(dtype)
        writer.add_tensor(f"plain.{name}", values)
        described.append(describe(f"plain.{name}", name, values.shape, values.tobytes()))
    bf16 = rng.integers(0, 256, (4, 6), dtype=np.uint8)
    writer.add_tensor("plain.BF16", bf16, raw_dtype=gguf.GGMLQuantizationType.BF16)
    described.append(describe("plain.BF16", "BF16", (4, 3), bf16.tobytes()))
    return described


def finish(writer: gguf.GGUFWriter) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_gguf(folder: pathlib.Path) -> list:
    writer = gguf.GGUFWriter(folder / "all.gguf", "test")
    add_keys(writer)
    described = add_tensors(writer, np.random.default_rng(1))
    finish(writer)
    tiny = folder / "vocabulary.gguf"
    writer = gguf.GGUFWriter(tiny, "test")
    writer.add_array("tokenizer.ggml.tokens", ["a", "b"])
    finish(writer)
    # Version 2 differs in the number alone.
    data = tiny.read_bytes()
    (folder / "vocabulary_v2.gguf").write_bytes(data[:4] + struct.pack("<I", 2) + data[8:])
    writer = gguf.GGUFWriter(folder / "big_endian.gguf", "test", endianess=gguf.GGUFEndian.BIG)
    finish(writer)
    return described


def make_split(folder: pathlib.Path) -> None:
    writer = gguf.GGUFWriter(folder / "split.gguf", "test", split_max_tensors=2)
    for i in range(5):
        writer.add_tensor(f"t{i}", np.full((2, 4), i, dtype=np.float32))
    finish(writer)


def make_safetensors(folder: pathlib.Path) -> list:
    generator = torch.Generator().manual_seed(1)
    tensors = {}
    for name, dtype in SAFETENSORS_TYPES.items():
        raw = torch.randint(0, 2, (2, 3 * torch.empty(0, dtype=dtype).element_size()),
                            dtype=torch.uint8, generator=generator)
        tensors[f"t.{name}"] = raw.view(dtype)
    tensors["scalar"] = torch.tensor(1.5)
    tensors["empty"] = torch.zeros((0, 4))
    save_file(tensors, folder / "all.safetensors", metadata={"format": "pt"})
    names = {dtype: name for name, dtype in SAFETENSORS_TYPES.items()}
    return [describe(name, names[t.dtype], t.shape, t.contiguous().view(-1).view(torch.uint8)
                     .numpy().tobytes() if t.dim() else t.numpy().tobytes())
            for name, t in tensors.items()]


def make_sharded(folder: pathlib.Path) -> None:
    folder.mkdir(exist_ok=True)
    weight_map = {}
    for shard in (1, 2):
        file = f"model-0000{shard}-of-00002.safetensors"
        tensors = {f"layer.{shard}.{part}": torch.full((2, 2), float(shard)) for part in "ab"}
        save_file(tensors, folder / file)
        weight_map |= {name: file for name in tensors}
    index = {"metadata": {"total_size": 64}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")
    config = {"model_type": "llama", "hidden_size": 2, "rope_scaling": None}
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    (folder / "generation_config.json").write_text('{"eos_token_id": [1, 2]}\n')
    (folder / "tokenizer.json").write_text('{"version": "1.0"}\n')
    (folder / "tokenizer_config.json").write_text('{"bos_token": "<s>"}\n')
    (folder / "chat_template.jinja").write_text("{{ messages[0].content }}\n")


def seed_corpora(root: pathlib.Path, golden: pathlib.Path) -> None:
    for name in ("gguf", "safetensors", "config"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for file in ("vocabulary.gguf", "vocabulary_v2.gguf", "big_endian.gguf",
                 "split-00001-of-00003.gguf"):
        (root / "gguf" / file).write_bytes((golden / file).read_bytes())
    # Of the large one the keys and the list of tensors with a little data are enough.
    (root / "gguf" / "all_cut.gguf").write_bytes((golden / "all.gguf").read_bytes()[:4096])
    writer = gguf.GGUFWriter(root / "gguf" / "keys.gguf", "test")
    add_keys(writer)
    writer.add_custom_alignment(64)
    writer.add_tensor("w", np.ones((2, 2), dtype=np.float32))
    writer.add_tensor("q", np.zeros((1, 34), dtype=np.uint8),
                      raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    finish(writer)
    (root / "safetensors" / "all.safetensors").write_bytes((golden / "all.safetensors").read_bytes())
    save_file({"a": torch.ones(2), "b": torch.zeros((1, 0))},
              root / "safetensors" / "small.safetensors")
    index = golden / "sharded" / "model.safetensors.index.json"
    (root / "safetensors" / "index.json").write_bytes(index.read_bytes())
    for file in ("config.json", "generation_config.json"):
        (root / "config" / file).write_bytes((golden / "sharded" / file).read_bytes())
    odd = {"a": [1, -1, 1.5e300, 2**64 - 1, True, None, {"b": "\ud83d\ude00\n\u2028"}], "": {}}
    (root / "config" / "odd.json").write_text(json.dumps(odd))
    repo = {"sha": "0" * 40, "siblings": [
        {"rfilename": "config.json", "size": 2, "blobId": "1" * 40},
        {"rfilename": "model.safetensors", "size": 9, "lfs": {"sha256": "2" * 64, "size": 9}},
        {"rfilename": "q/m-00001-of-00002.gguf"}, {"rfilename": "q/m-00002-of-00002.gguf"}]}
    (root / "config" / "repo.json").write_text(json.dumps(repo))


def main() -> None:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parents[1])
    golden = root / "tests" / "golden" / "formats"
    golden.mkdir(parents=True, exist_ok=True)
    expected = {"all.gguf": make_gguf(golden), "all.safetensors": make_safetensors(golden)}
    make_split(golden)
    make_sharded(golden / "sharded")
    (golden / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    seed_corpora(root / "tests" / "fuzz" / "corpus", golden)


if __name__ == "__main__":
    main()
