#!/usr/bin/env python3
"""Logits and greedy tokens of the fp32 path against Transformers.

Real models from their GGUF files (512 tokens of text, 64 greedy tokens on each of 20 prompts), and small
random models of every family (tools/make_random_models.py).
Usage: parity_logits.py BUILD-FOLDER NAME=MODEL.gguf…
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

LIMIT = 2e-3  # largest difference of a logit
TOKENS = 512
GREEDY = 64

PROMPTS = [
    "The capital of France is", "Once upon a time", "def fibonacci(n):", "Water boils at",
    "The opposite of hot is", "To make bread, you need", "In 1969, people first",
    "The three primary colours are", "If x + 3 = 7, then x =", "import numpy as np\n",
    "A poem about the sea:\n", "The best way to learn is", "Dear Sir or Madam,",
    "for (int i = 0; i <", "The sun rises in the", "Q: What is 12 times 12?\nA:",
    "SELECT name FROM", "Photosynthesis is the process", "My favourite season is",
    "The quick brown fox",
]


def text():
    """English that is on every machine: what Python says about itself."""
    lines = []
    for module in (json, subprocess, tempfile, os):
        lines.append(module.__doc__ or "")
        lines += [getattr(value, "__doc__", None) or "" for value in vars(module).values()
                  if callable(value)]
    return "\n".join(lines)


def ours(build, model, sequences, greedy, context=0):
    """Returns the logits of all tokens of all sequences, and the greedy continuations.

    A dynamic RoPE depends on the tokens that there is room for: `context`, or the model's own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "logits"
        command = [f"{build}/logits_dump", "-m", str(model), "--compute", "f32",
                   "--greedy", str(greedy), "--context", str(context)]
        if not greedy:
            command += ["--out", str(out)]
        done = subprocess.run(command, input="".join(" ".join(map(str, s)) + "\n" for s in sequences),
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              check=True)
        logits = None if greedy else np.fromfile(out, dtype=np.float32)
    continuations = [[int(t) for t in line.split()] for line in done.stdout.splitlines()]
    return logits, continuations


def row(name, tokens, difference, same, total, first):
    fine = difference <= LIMIT and same == total
    print(f"{name:28} {tokens:6} {difference:14.2e} {same:6} of {total:<5} {first:>10} "
          f"{'' if fine else 'NO'}")
    return 0 if fine else 1


def first_difference(pairs):
    """The earliest step at which any continuation differs, or '-'."""
    steps = [i for a, b in pairs for i, (x, y) in enumerate(zip(a, b)) if x != y]
    return min(steps) if steps else "-"


def real_model(build, name, path):
    folder, file = os.path.split(path)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32).eval()
    tokens = tokenizer(text()).input_ids[:TOKENS]
    prompts = [tokenizer(prompt).input_ids for prompt in PROMPTS]
    with torch.inference_mode():
        reference = model(torch.tensor([tokens])).logits[0].numpy()
        theirs = []
        for prompt in prompts:
            out = model.generate(torch.tensor([prompt]), max_new_tokens=GREEDY, do_sample=False,
                                 min_new_tokens=GREEDY, eos_token_id=None, pad_token_id=0,
                                 repetition_penalty=1.0)
            theirs.append(out[0, len(prompt):].tolist())
    logits, _ = ours(build, path, [tokens], 0)
    _, continuations = ours(build, path, prompts, GREEDY)
    difference = float(np.abs(logits.reshape(reference.shape) - reference).max())
    pairs = list(zip(continuations, theirs))
    same = sum(a == b for a, b in pairs)
    return row(name, len(tokens), difference, same, len(prompts), first_difference(pairs))


def random_model(build, folder):
    expected = json.loads((folder / "expected_tokens.json").read_text())
    reference = np.fromfile(folder / "expected_logits.f32", dtype=np.float32)
    logits, _ = ours(build, folder, [expected["tokens"]], 0, len(expected["tokens"]))
    vocabulary = logits.size // len(expected["tokens"])
    logits = logits.reshape(-1, vocabulary)[::expected.get("every", 1)]
    difference = float(np.abs(logits - reference.reshape(-1, vocabulary)).max())
    greedy = expected["greedy"]
    _, (continuation,) = ours(build, folder, [greedy["prompt"]], len(greedy["tokens"]))
    pairs = [(continuation, greedy["tokens"])]
    return row(folder.name, len(expected["tokens"]), difference,
               int(continuation == greedy["tokens"]), 1, first_difference(pairs))


def main():
    build, models = sys.argv[1], dict(argument.split("=", 1) for argument in sys.argv[2:])
    torch.manual_seed(0)
    print("Logits: our fp32 path and Transformers, fp32")
    print(f"{'model':28} {'tokens':>6} {'max difference':>14} {'same greedy':>15} {'first diff':>10}")
    failures = 0
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "tools/make_random_models.py", folder], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for path in sorted(Path(folder).iterdir()):
            failures += random_model(build, path)
    for name, path in models.items():
        failures += real_model(build, name, path)
    print(f"limit of the difference {LIMIT:g}; {failures} models fail")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
