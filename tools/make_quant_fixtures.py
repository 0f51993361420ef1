#!/usr/bin/env python3
"""Writes tests/golden/quant/<format>.bin: blocks of each number format and what they decode to.

  tools/make_quant_fixtures.py [FOLDER]

The values are those of the `gguf` Python package (tested with 0.19), which needs numpy. A file is
  u32 blocks | blocks, as in a GGUF file | blocks * block size float32
little-endian. The blocks are random, with scales of every size and sign; the first ones have the
largest, the smallest and zero scales with all codes set, none set, and random ones.
"""

import sys
from pathlib import Path

import gguf
import numpy as np

# Format -> byte offsets of its fp16 fields in a block.
HALF_FIELDS = {
    "Q2_K": [80, 82],
    "Q3_K": [108],
    "Q4_0": [0],
    "Q4_1": [0, 2],
    "Q4_K": [0, 2],
    "Q5_0": [0],
    "Q5_1": [0, 2],
    "Q5_K": [0, 2],
    "Q6_K": [208],
    "Q8_0": [0],
}
# Largest, smallest normal, largest and smallest subnormal, one, zeros; half of them negative.
EXTREMES = np.array(
    [0x7BFF, 0xFBFF, 0x0400, 0x83FF, 0x03FF, 0x0001, 0x8001, 0x3C00, 0xBC00, 0x0000, 0x8000],
    dtype="<u2",
)


def make_blocks(rng, name, block_bytes, count):
    blocks = rng.integers(0, 256, (count, block_bytes), dtype=np.uint8)
    blocks[: len(EXTREMES)][::3] = 0xFF
    blocks[: len(EXTREMES)][1::3] = 0x00
    for field, offset in enumerate(HALF_FIELDS[name]):
        # Any finite half: a random sign and mantissa, exponent 0 to 30.
        halves = rng.integers(0, 0x7C00, count).astype("<u2")
        halves |= (rng.integers(0, 2, count) << 15).astype("<u2")
        halves[: len(EXTREMES)] = np.roll(EXTREMES, 4 * field)
        blocks[:, offset : offset + 2] = halves.view(np.uint8).reshape(count, 2)
    return blocks


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/quant")
    folder.mkdir(parents=True, exist_ok=True)
    for name in HALF_FIELDS:
        kind = gguf.GGMLQuantizationType[name]
        block_elements, block_bytes = gguf.GGML_QUANT_SIZES[kind]
        count = 64 if block_elements == 32 else 24
        rng = np.random.default_rng(sum(name.encode()))
        blocks = make_blocks(rng, name, block_bytes, count)
        values = gguf.quants.dequantize(blocks, kind).astype("<f4")
        assert values.shape == (count, block_elements) and np.isfinite(values).all()
        path = folder / f"{name}.bin"
        path.write_bytes(np.uint32(count).tobytes() + blocks.tobytes() + values.tobytes())
        print(f"{path}: {count} blocks, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
