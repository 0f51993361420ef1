#!/usr/bin/env python3
"""Dequantized values of our decoders against the gguf package, bit for bit.

Every format with random blocks, and one tensor of each format of every real model.
Usage: parity_decoders.py BUILD-FOLDER NAME=MODEL.gguf…
"""

import subprocess
import re
import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np

QUANT = Path(__file__).parent.parent / "src/kernels/quant/formats.h"
FORMATS = ["F32", "F16", "BF16"]
FORMATS += [name.upper() for name in re.findall(r'#include "kernels/quant/(q\w+)\.h"', QUANT.read_text())]
ROWS, COLUMNS = 64, 1024


def random_file(folder, rng):
    """A vocabulary-less GGUF with one tensor of random bytes for each format."""
    path = Path(folder) / "random.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    for name in FORMATS:
        kind = gguf.GGMLQuantizationType[name]
        block, size = gguf.GGML_QUANT_SIZES[kind]
        data = rng.integers(0, 256, (ROWS, COLUMNS // block * size), dtype=np.uint8)
        writer.add_tensor(f"{name}.weight", data, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def compare(ergo, path, name):
    tensor = next(t for t in gguf.GGUFReader(path).tensors if t.name == name)
    with np.errstate(all="ignore"):
        reference = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    reference = np.ascontiguousarray(reference, dtype=np.float32).ravel()
    done = subprocess.run([ergo, "show", "-m", str(path), "--dump", name], stdout=subprocess.PIPE,
                          check=True)
    ours = np.frombuffer(done.stdout, dtype=np.float32)
    if ours.shape != reference.shape:
        return reference.size, reference.size
    # One NaN is as good as another: its bits are the processor's choice.
    both_nan = np.isnan(ours) & np.isnan(reference)
    differ = (ours.view(np.uint32) != reference.view(np.uint32)) & ~both_nan
    return reference.size, int(differ.sum())


def main():
    ergo = sys.argv[1] + "/ergo"
    models = dict(argument.split("=", 1) for argument in sys.argv[2:])
    print("Decoders: values of `ergo show --dump` and of gguf.quants.dequantize")
    print(f"{'source':10} {'format':6} {'tensor':34} {'values':>10} {'differ':>7}")
    total = 0
    with tempfile.TemporaryDirectory() as folder:
        cases = []
        path = random_file(folder, np.random.default_rng(3))
        cases += [("random", path, f"{name}.weight", name) for name in FORMATS]
        for model, file in models.items():
            seen = set()
            for tensor in sorted(gguf.GGUFReader(file).tensors, key=lambda t: t.n_elements):
                if tensor.tensor_type not in seen:
                    seen.add(tensor.tensor_type)
                    cases.append((model, file, tensor.name, tensor.tensor_type.name))
        for source, file, tensor, kind in cases:
            values, differ = compare(ergo, file, tensor)
            total += differ
            print(f"{source:10} {kind:6} {tensor:34} {values:10} {differ:7}")
    print(f"{total} values differ")
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
