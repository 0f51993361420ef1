#!/usr/bin/env python3
"""Writes tests/golden/tokenizer: small trained tokenizers and what the `tokenizers` library makes of
texts with them. Needs that package. Usage: make_tokenizer_goldens.py FOLDER"""
import json
import pathlib
import sys

from tokenizers import Tokenizer, trainers

import parity_tokenizers as parity

NAMES = ["nfc-gpt4", "nfkc-lower-digits", "falcon", "suffix", "prefix", "metaspace-first", "llama", "gemma",
         "byte-normalizer", "ignore-merges", "split-merged_with_next-True"]
TEXTS = [
    "", " ", "Hello World, it's 42 naïve cafés — 中文字 🙂", "  leading and   inner spaces\n\n\ttabs \r\n",
    "<s>special</s> <|im_start|>user <mask>  x", "def f(x):\n    return x[0] + 1234567 # 1½ ٣", "'LL 'ſ DON'T don't we're",
    "e\u0301\u0327 \u1100\u1161\u11a8 ﬁ Å İ", "a\u0000b\u007f\u0085c\u180e\ufeff\u200d", "日本語のテスト。한국어!", "ing sing Hello World!",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "🇩🇪👩‍👩‍👧 \ufffd", "\u2581\u2581 Ġ <0x41>",
]


def main():
    target = pathlib.Path(sys.argv[1])
    corpus = [data.decode(errors="replace") for _, data in parity.make_texts(0.3)]
    for name, tokenizer, trainer in parity.made_tokenizers():
        if name not in NAMES:
            continue
        trainer.vocab_size = 1000 if name in ("llama", "gemma") else 700
        trainer.limit_alphabet = 300
        tokenizer.train_from_iterator(corpus, trainer)
        parity.finish_made(name, tokenizer)
        folder = target / name
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
        cases = []
        for text in TEXTS:
            tokenizer.encode_special_tokens = False
            ids = tokenizer.encode(text).ids
            tokenizer.encode_special_tokens = True
            plain = tokenizer.encode(text, add_special_tokens=False).ids
            case = {"text": text, "ids": ids, "plain": plain}
            # The library's BPEDecoder fails on an empty list.
            if ids:
                case["decoded"] = tokenizer.decode(ids, skip_special_tokens=False)
            if any(i > 3 for i in ids):
                case["shown"] = tokenizer.decode(ids, skip_special_tokens=True)
            cases.append(case)
        lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in cases)
        (folder / "cases.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
