#!/usr/bin/env python3
"""Compares `ergo tokenize` with the `tokenizers` library, id by id, and the speed of one thread.

    parity_tokenizers.py --program "build/ergo tokenize" --speed build/tokenizer_speed MODEL…
    parity_tokenizers.py --program "build/ergo tokenize" --speed build/tokenizer_speed --made

MODEL is a GGUF file or a folder with tokenizer.json. `--made` trains small tokenizers with many
kinds of normalizers, pre-tokenizers and post-processors and compares those. The text is made here:
the same for every run and machine with the same Python.

Needs the packages tokenizers and, for GGUF files, transformers and gguf. A GGUF file does not hold
all that the model's own tokenizer.json says, and Transformers fills the gaps with a class's
defaults. Where the original is known to differ, it is the reference: CORRECTIONS below.
"""
import argparse
import json
import os
import pathlib
import random
import shlex
import subprocess
import sys
import sysconfig
import tempfile
import time
import unicodedata

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

from tokenizers import (
    AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers,
)

PIECE = 1 << 20  # bytes in one text


def digits_apart(backend):
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )


def composed(backend):
    backend.normalizer = normalizers.NFC()


# By tokenizer.ggml.pre: what the models' tokenizer.json files have and the conversion lacks.
CORRECTIONS = {"smollm": digits_apart, "starcoder": digits_apart, "refact": digits_apart, "qwen2": composed}


def stdlib_text(rng, size):
    folder = pathlib.Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(p for p in folder.rglob("*.py") if "site-packages" not in p.parts)
    rng.shuffle(paths)
    out, have = [], 0
    for path in paths:
        data = path.read_bytes()
        out.append(data)
        have += len(data)
        if have >= size:
            break
    return b"".join(out)[:size]


def prose(rng, size):
    """English sentences from the names of characters and the words of docstrings."""
    words = sorted({w for w in stdlib_text(random.Random(1), 400000).decode(errors="ignore").split() if w.isascii()})
    out, have = [], 0
    while have < size:
        sentence = " ".join(rng.choice(words) for _ in range(rng.randint(4, 20))).capitalize() + rng.choice(". ! ? ; \n \n\n".split(" "))
        out.append(sentence)
        have += len(sentence) + 1
    return " ".join(out).encode()


def cjk(rng, size):
    common = [chr(rng.randint(0x4E00, 0x9FA5)) for _ in range(1500)]
    rest = [chr(c) for c in [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), *range(0xAC00, 0xAF00)]]
    out = []
    for _ in range(size // 3):
        kind = rng.random()
        if kind < 0.75:
            out.append(rng.choice(common))
        elif kind < 0.85:
            out.append(rng.choice("，。、；：？！“”（）《》　"))
        elif kind < 0.95:
            out.append(rng.choice(rest))
        else:
            out.append(rng.choice([" ", "\n", "GPT", "2024", "３", "Ａ"]))
    return "".join(out).encode()


def emoji(rng, size):
    pool = [chr(c) for c in [*range(0x1F300, 0x1F650), *range(0x1F680, 0x1F700), *range(0x2600, 0x27C0)]]
    out, have = [], 0
    while have < size:
        piece = rng.choice(pool)
        if rng.random() < 0.3:
            piece += rng.choice(["\u200d", "\ufe0f", chr(rng.randint(0x1F3FB, 0x1F3FF)), " ", "\u20e3"])
        out.append(piece)
        have += len(piece.encode())
    return "".join(out).encode()


def combining(rng, size):
    marks = [c for c in range(0x300, 0x370)] + [c for c in range(0x483, 0x20F1) if unicodedata.combining(chr(c))]
    out, have = [], 0
    while have < size:
        piece = rng.choice("aeiouAEIOUnNcCsSzZоиГאبकকกがはㅏ ") + "".join(
            chr(rng.choice(marks)) for _ in range(rng.choice([0, 1, 1, 2, 3, 9]))
        )
        out.append(piece)
        have += len(piece.encode())
    return "".join(out).encode()


def any_unicode(rng, size):
    out, have = [], 0
    while have < size:
        c = rng.choice([rng.randint(0, 0x7F), rng.randint(0, 0x7FF), rng.randint(0, 0xFFFF), rng.randint(0, 0x10FFFF)])
        if 0xD800 <= c < 0xE000:
            continue
        out.append(chr(c))
        have += len(out[-1].encode())
    return "".join(out).encode()


def spaces_and_digits(rng, size):
    atoms = [" ", "  ", "   ", "\t", "\n", "\r\n", "\u00a0", "\u3000", "\u2009", "\u180e", "1", "23", "456789", "½", "٣", "Ⅷ", "a", "B", "'s", "'LL", "'ſ", "!", "…", "_", "<|im_start|>", "</s>", "\u2581", " " * 40]
    out, have = [], 0
    while have < size:
        out.append(rng.choice(atoms))
        have += len(out[-1].encode())
    return "".join(out).encode()


def control(rng, size):
    return bytes(rng.choice([rng.randint(0, 31), 127, rng.randint(32, 126)]) for _ in range(size))


def long_words(rng, size):
    out, have = [], 0
    while have < size:
        n = rng.choice([100, 1000, 20000])
        alphabet = rng.choice(["a", "ab", "abcdefghijklmnopqrstuvwxyz", "0123456789", "=-", "中", "aé", " ", "\n"])
        out.append("".join(rng.choice(alphabet) for _ in range(n)) + " ")
        have += len(out[-1].encode())
    return "".join(out).encode()


def invalid(rng, size):
    data = bytearray(prose(rng, size))
    for _ in range(size // 20):
        data[rng.randrange(len(data))] = rng.randint(0x80, 0xFF)
    return bytes(data)


SHARES = [
    (stdlib_text, 0.30), (prose, 0.15), (cjk, 0.15), (emoji, 0.05), (combining, 0.05), (any_unicode, 0.10),
    (spaces_and_digits, 0.10), (control, 0.02), (long_words, 0.05), (invalid, 0.03),
]


def make_texts(megabytes):
    """(name, bytes) of at most PIECE each."""
    texts = []
    for number, (maker, share) in enumerate(SHARES):
        data = maker(random.Random(1000 + number), int(megabytes * share * 1e6))
        texts += [(f"{maker.__name__} {i}", data[i : i + PIECE]) for i in range(0, len(data), PIECE)]
    return texts


def load_reference(model):
    path = pathlib.Path(model)
    if path.is_dir():
        return Tokenizer.from_file(str(path / "tokenizer.json")), ""
    import gguf
    from transformers import AutoTokenizer

    backend = AutoTokenizer.from_pretrained(str(path.parent), gguf_file=path.name).backend_tokenizer
    field = gguf.GGUFReader(str(path)).fields.get("tokenizer.ggml.pre")
    name = field.contents() if field else ""
    if name in CORRECTIONS:
        CORRECTIONS[name](backend)
        return backend, f" ({name} as the original)"
    return backend, ""


def run(program, model, data, *flags):
    done = subprocess.run([*program, "-m", str(model), *flags], input=data, capture_output=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(program)} -m {model}: {done.stderr.decode().strip()}")
    return done.stdout


def show_difference(reference, name, want, got):
    at = next((i for i, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
    before = reference.decode(want[max(0, at - 6) : at], skip_special_tokens=False)
    print(f"  {name}: differs at id {at} of {len(want)}/{len(got)}, after {before!r}")
    for label, ids in (("reference", want), ("ergo", got)):
        print(f"    {label:9} {[(i, reference.id_to_token(i)) for i in ids[at : at + 8]]}")


class Table:
    """One row for each tokenizer."""

    LAYOUT = "{:44} {:>6} {:>11} {:>6} {:>10} {:>12} {:>6}"

    def __init__(self, program, speed):
        self.program = program
        self.speed = speed
        self.bad = 0
        print(self.LAYOUT.format("tokenizer", "MB", "ids", "differ", "ergo MB/s", "library MB/s", "ratio"))

    def add(self, model, texts, name=None):
        """Encodes each text as it is, and again with nothing around it and special tokens as plain text."""
        reference, correction = load_reference(model)
        bad = ids_total = 0
        seconds = 0.0
        for label, data in texts:
            text = data.decode(errors="replace")
            for flags, special in (((), True), (("--no-bos", "--no-parse-special"), False)):
                reference.encode_special_tokens = not special
                start = time.thread_time()
                # The library's fastest way: without offsets in characters.
                want = reference.encode_batch_fast([text], add_special_tokens=special)[0].ids
                seconds += (time.thread_time() - start) if special else 0.0
                got = json.loads(run(self.program, model, data, *flags))
                ids_total += len(want)
                if want != got:
                    bad += 1
                    show_difference(reference, " ".join([label, *flags]), want, got)
        size = sum(len(data) for _, data in texts)
        theirs = size / 1e6 / seconds
        ours = self.measure(model, texts) if self.speed else None
        columns = [f"{ours:.1f}" if ours else "-", f"{theirs:.2f}", f"{ours / theirs:.1f}" if ours else "-"]
        name = (name or pathlib.Path(model).name) + correction
        print(self.LAYOUT.format(name, f"{size / 1e6:.1f}", ids_total, bad, *columns), flush=True)
        self.bad += bad

    def measure(self, model, texts):
        """MB per second of the processor's time on one thread."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for number, (_, data) in enumerate(texts):
                paths.append(pathlib.Path(folder) / str(number))
                paths[-1].write_bytes(data)
            return json.loads(run(self.speed, model, None, "-r", "3", *map(str, paths)))["mb_per_cpu_second"]


def bpe(**options):
    return models.BPE(**options)


def made_tokenizers():
    """(name, tokenizer, trainer options)"""
    split = pre_tokenizers.Split
    gpt4 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    byte_level = pre_tokenizers.ByteLevel
    bytes_only = byte_level(add_prefix_space=False, use_regex=False)
    rows = [
        ("byte-level", None, byte_level(add_prefix_space=False), {}),
        ("byte-level-prefix", None, byte_level(add_prefix_space=True), {}),
        ("nfc-gpt4", normalizers.NFC(), pre_tokenizers.Sequence([split(Regex(gpt4), "isolated"), bytes_only]), {}),
        ("nfkc-lower-digits", normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
         pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level(add_prefix_space=False)]), {}),
        ("nfd-accents", normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]), pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), bytes_only]), {}),
        ("nfkd-nmt-strip", normalizers.Sequence([normalizers.NFKD(), normalizers.Nmt(), normalizers.Strip()]), byte_level(add_prefix_space=False), {}),
        ("falcon", None, pre_tokenizers.Sequence([pre_tokenizers.Punctuation("contiguous"), byte_level(add_prefix_space=False), pre_tokenizers.Digits(), split(Regex("[0-9][0-9][0-9]"), "isolated")]), {}),
        ("whitespace", None, pre_tokenizers.Whitespace(), {"unk_token": "<unk>"}),
        ("bert-like", normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer(), {"unk_token": "<unk>", "fuse_unk": True}),
        ("suffix", None, pre_tokenizers.WhitespaceSplit(), {"unk_token": "<unk>", "end_of_word_suffix": "</w>"}),
        ("prefix", None, pre_tokenizers.Whitespace(), {"unk_token": "<unk>", "continuing_subword_prefix": "##"}),
        ("metaspace", None, pre_tokenizers.Metaspace(), {"unk_token": "<unk>"}),
        ("metaspace-first", None, pre_tokenizers.Metaspace(prepend_scheme="first", split=False), {"unk_token": "<unk>", "fuse_unk": True}),
        ("llama", normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]), None, {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}),
        ("gemma", normalizers.Replace(" ", "\u2581"), split(" ", "merged_with_previous"), {"unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True}),
        ("delimiter", normalizers.Replace(Regex(r"\s+"), " "), pre_tokenizers.CharDelimiterSplit(" "), {"unk_token": "<unk>"}),
        ("byte-normalizer", normalizers.ByteLevel(), split(Regex("\u0120"), "merged_with_next"), {}),
        ("ignore-merges", None, pre_tokenizers.Sequence([split(Regex(gpt4), "isolated"), bytes_only]), {"ignore_merges": True}),
    ]
    for behavior in ("removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"):
        for invert in (False, True):
            rows.append((f"split-{behavior}-{invert}", None, pre_tokenizers.Sequence([split(Regex(r"[aeiou]+|\d|\s"), behavior, invert), bytes_only]), {}))
            rows.append((f"split-empty-{behavior}-{invert}", None, pre_tokenizers.Sequence([split(Regex(r"(?=[A-Z])|\w\b|[\p{L}&&[^\p{Han}]]{3}|\W\h"), behavior, invert), bytes_only]), {}))
    for name, normalizer, pre_tokenizer, options in rows:
        tokenizer = Tokenizer(bpe(**{k: v for k, v in options.items() if k not in ("continuing_subword_prefix", "end_of_word_suffix")}))
        if normalizer:
            tokenizer.normalizer = normalizer
        if pre_tokenizer:
            tokenizer.pre_tokenizer = pre_tokenizer
        affixes = {k: options[k] for k in ("continuing_subword_prefix", "end_of_word_suffix") if k in options}
        special = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] * bool(options.get("byte_fallback"))
        trainer = trainers.BpeTrainer(vocab_size=4000 if "llama" not in name else 2000, special_tokens=special, show_progress=False, initial_alphabet=alphabet if not options.get("unk_token") else [], limit_alphabet=600, max_token_length=16, **affixes)
        yield name, tokenizer, trainer


def finish_made(name, tokenizer):
    if "suffix" in name:
        tokenizer.decoder = decoders.BPEDecoder()
    elif "metaspace" in name:
        tokenizer.decoder = decoders.Metaspace()
    elif name in ("llama", "gemma"):
        tokenizer.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()] + [decoders.Strip(" ", 1, 0)] * (name == "llama"))
    elif tokenizer.model.unk_token is None:
        tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_tokens([
        AddedToken("<|im_start|>", special=True), AddedToken("Hello World", normalized=True, single_word=True),
        AddedToken("ing", single_word=True), AddedToken("<mask>", lstrip=True, rstrip=True, special=True),
        AddedToken("   ", normalized=False), AddedToken("é", normalized=True),
    ])
    first, last = tokenizer.token_to_id("<s>"), tokenizer.token_to_id("</s>")
    if len(name) % 3 == 0:
        tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="$A $B", special_tokens=[("<s>", first), ("</s>", last)])
    elif len(name) % 3 == 1:
        tokenizer.post_processor = processors.RobertaProcessing(("</s>", last), ("<s>", first))
    else:
        tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", first)])])


def compare_decoding(program, folder):
    reference = Tokenizer.from_file(str(folder / "tokenizer.json"))
    text = "Hello World, it's 42 naïve cafés —  <mask> 中文字 🙂 <|im_start|> end"
    ids = reference.encode(text).ids
    for skip in (True, False):
        want = reference.decode(ids, skip_special_tokens=skip)
        got = run(program, folder, json.dumps(ids).encode(), "--decode", *(["--skip-special"] if skip else [])).decode()
        if got.removesuffix("\n") != want.removesuffix("\n"):
            print(f"  {folder.name}: decoding differs\n    reference {want!r}\n    ergo      {got!r}")
            return 1
    return 0


def compare_made(table, megabytes, only, decode):
    corpus = [data.decode(errors="replace") for _, data in make_texts(0.6)]
    texts = make_texts(megabytes)
    texts.append(("added", b"ing sing Hello World! hello world\u00c9 <mask>  x  <mask> <|im_start|>e\xcc\x81 \xc3\xa9   .   <s></s>" * 50))
    with tempfile.TemporaryDirectory() as root:
        for name, tokenizer, trainer in made_tokenizers():
            if only and name not in only:
                continue
            tokenizer.train_from_iterator(corpus, trainer)
            finish_made(name, tokenizer)
            folder = pathlib.Path(root) / name
            folder.mkdir()
            tokenizer.save(str(folder / "tokenizer.json"))
            (folder / "config.json").write_text("{}")
            table.add(folder, texts, "made: " + name)
            if decode:
                table.bad += compare_decoding(table.program, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*")
    parser.add_argument("--program", required=True, help='command that reads text and prints a JSON array, as "ergo tokenize"')
    parser.add_argument("--speed", default="", help="program that measures ours: build/tokenizer_speed")
    parser.add_argument("--megabytes", type=float, default=10.0, help="of text for each tokenizer")
    parser.add_argument("--made", nargs="*", metavar="NAME", help="train small tokenizers and compare them (those named, or all)")
    parser.add_argument("--decode", action="store_true", help="compare decoding too (needs --decode and --skip-special)")
    arguments = parser.parse_args()
    table = Table(shlex.split(arguments.program), shlex.split(arguments.speed))
    if arguments.models:
        texts = make_texts(arguments.megabytes)
        for model in arguments.models:
            table.add(model, texts)
    if arguments.made is not None:
        compare_made(table, arguments.megabytes, arguments.made, arguments.decode)
    sys.exit(1 if table.bad else 0)


if __name__ == "__main__":
    main()
