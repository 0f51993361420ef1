"""Ids of `ergo tokenize` against the tokenizers library, on ten kinds of text, 10 MB in all.

Usage: parity_tokenizers.py BUILD-FOLDER NAME=MODEL.gguf…
"""

import json
import os
import random
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

from transformers import AutoTokenizer

BYTES = 1_000_000  # of each kind


def library_sources():
    """Texts of Python's own library: the same on every machine with the same Python."""
    root = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(root.glob("*.py")) + sorted(root.glob("*/*.py")):
        if "site-packages" not in path.parts:
            yield path.read_text(encoding="utf-8", errors="replace")


def take(parts):
    out, size = [], 0
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        out.append(data)
        size += len(data)
        if size >= BYTES:
            break
    return b"".join(out)[:BYTES]


def forever(make):
    while True:
        yield make()


def kinds():
    rng = random.Random(7)
    code = list(library_sources())
    words = sorted({w for text in code[:60] for w in text.split() if w.isalpha() and len(w) < 15})

    def character(*ranges):
        low, high = rng.choice(ranges)
        return chr(rng.randint(low, high))

    def sentence():
        line = " ".join(rng.choice(words) for _ in range(rng.randint(3, 25)))
        line = line.capitalize() + rng.choice([".", "?", "!", ";", "...", '."', ")"])
        return line + rng.choice([" ", "  ", "\n", "\n\n", "\r\n", "\t", " \n "])

    def contraction():
        return rng.choice(words) + rng.choice(
            ["'s", "'LL", "'t", "’re", "'Ve", "'", "''"]) + rng.choice([" ", "", "\n"])

    def chinese():
        text = "".join(character((0x4E00, 0x9FA5)) for _ in range(rng.randint(2, 20)))
        return text + rng.choice(["，", "。", "！", "\n", "", " ", "：「"])

    def scripts():
        ranges = rng.choice([((0x0400, 0x045F),), ((0x0600, 0x064A),), ((0x0900, 0x0965),),
                             ((0xAC00, 0xD7A3),), ((0x3041, 0x30FE),), ((0x0E01, 0x0E5B),),
                             ((0x0370, 0x03FF),), ((0x00C0, 0x024F),)])
        return "".join(character(*ranges) for _ in range(rng.randint(1, 12))) + " "

    def emoji():
        base = character((0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x2600, 0x27BF))
        joined = rng.choice(["", "\ufe0f", "\u200d" + character((0x1F466, 0x1F469)),
                             character((0x1F3FB, 0x1F3FF))])
        return base + joined + rng.choice(["", "", " ", rng.choice(words)])

    def combining():
        return character((0x41, 0x7A), (0xC0, 0xFF)) + "".join(
            character((0x0300, 0x036F), (0x1AB0, 0x1ABD), (0x20D0, 0x20F0))
            for _ in range(rng.randint(0, 4))) + rng.choice(["", "", " "])

    def numbers():
        return rng.choice([str(rng.randint(0, 10 ** rng.randint(1, 30))), f"{rng.random():.12f}",
                           hex(rng.getrandbits(64)), "1,234,567.89", "٣٤٥", "½", "²", "Ⅷ",
                           "+-*/=<>{}[]()#@$%^&~`|\\"]) + rng.choice([" ", "", "\n", ", "])

    def control():
        return rng.choice([chr(rng.randint(0, 31)), "\x7f", "\u0085", "\u00a0", "\u2028", "\u200b",
                           "\ufeff", " " * rng.randint(1, 40), "\n" * rng.randint(1, 9),
                           "\t" * rng.randint(1, 9), rng.choice(words), character((0xE000, 0xF8FF)),
                           character((0x10000, 0x10FFFF))])

    def long_words():
        return rng.choice(["a", "ab", "The", "é", "中", "_", "=", "0", "хо"]) * rng.randint(
            1, 3000) + rng.choice([" ", "\n"])

    def invalid():
        return bytes(rng.randint(0, 255) for _ in range(rng.randint(1, 6))) + rng.choice(
            words).encode()

    return {
        "code": take(code),
        "English": take(forever(sentence)),
        "contractions": take(forever(contraction)),
        "Chinese": take(forever(chinese)),
        "other scripts": take(forever(scripts)),
        "emoji": take(forever(emoji)),
        "combining": take(forever(combining)),
        "numbers": take(forever(numbers)),
        "control": take(forever(control)),
        "long words": take(forever(long_words)),
        "invalid bytes": take(forever(invalid)),
    }


def ours(ergo, model, data):
    start = time.perf_counter()
    done = subprocess.run([ergo, "tokenize", "-m", model, "--no-bos", "--no-parse-special"],
                          input=data, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout), time.perf_counter() - start


def main():
    ergo = sys.argv[1] + "/ergo"
    models = dict(argument.split("=", 1) for argument in sys.argv[2:])
    texts = kinds()
    different = 0
    print("Tokenizers: ids of `ergo tokenize` and of the tokenizers library")
    print(f"{'model':10} {'text':14} {'bytes':>9} {'ids':>9}  {'equal':6} "
          f"{'theirs MB/s':>11} {'ours MB/s':>10} {'ratio':>6}")
    for name, model in models.items():
        reference = AutoTokenizer.from_pretrained(
            os.path.dirname(model), gguf_file=os.path.basename(model)).backend_tokenizer
        reference.encode_special_tokens = True
        _, loading = min((ours(ergo, model, b"") for _ in range(3)), key=lambda r: r[1])
        for kind, data in texts.items():
            text = data.decode("utf-8", "replace")
            start = time.perf_counter()
            theirs = reference.encode(text, add_special_tokens=False).ids
            their_time = time.perf_counter() - start
            ids, our_time = ours(ergo, model, data)
            our_time = max(our_time - loading, 1e-6)
            equal = ids == theirs
            different += not equal
            rate = len(data) / 1e6
            print(f"{name:10} {kind:14} {len(data):9} {len(theirs):9}  {'yes' if equal else 'NO':6} "
                  f"{rate / their_time:11.2f} {rate / our_time:10.2f} {their_time / our_time:6.1f}")
            if not equal:
                at = next((i for i, (a, b) in enumerate(zip(ids, theirs)) if a != b),
                          min(len(ids), len(theirs)))
                print(f"    first difference at id {at}: ours {ids[at:at + 6]}, "
                      f"theirs {theirs[at:at + 6]}, after {reference.decode(theirs[max(0, at - 8):at])!r}")
    print(f"ours: the whole command less its start; {different} differences")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
