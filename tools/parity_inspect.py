#!/usr/bin/env python3
"""States and attention of all layers, and entropies, of the fp32 path against Transformers (eager).

Usage: parity_inspect.py BUILD-FOLDER NAME=MODEL.gguf…
States are compared after division by the largest value of the reference's layer.
"""

import json
import os
import subprocess
import sys

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

STATE_LIMIT = 2e-5      # of the largest value of a layer
ATTENTION_LIMIT = 1e-4  # of a probability
ENTROPY_LIMIT = 1e-3    # nats

TEXT = ("The quick brown fox jumps over the lazy dog. In 1969, people first walked on the Moon; "
        "def add(a, b): return a + b. Water boils at 100 degrees, and 12 times 12 is 144. ")


def inspect(build, path, tokens, *options):
    command = [f"{build}/ergo", "inspect", "-m", path, "--compute", "f32", "--tokens", "--json",
               *options]
    done = subprocess.run(command, input=json.dumps(tokens), stdout=subprocess.PIPE, text=True,
                          check=True)
    return json.loads(done.stdout)


def compare(build, name, path):
    folder, file = os.path.split(path)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=file, dtype=torch.float32,
                                                 attn_implementation="eager").eval()
    tokens = tokenizer(TEXT).input_ids
    with torch.inference_mode():
        out = model(torch.tensor([tokens]), output_hidden_states=True, output_attentions=True)
    seen = inspect(build, path, tokens, "--hidden", "--attention")
    assert len(seen["hidden"]) == len(out.hidden_states)
    states = 0.0
    for layer, reference in zip(seen["hidden"], out.hidden_states):
        expected = reference[0].numpy()
        off = np.abs(np.array(layer["states"]) - expected).max() / np.abs(expected).max()
        states = max(states, float(off))
    heads = out.attentions[0].shape[1]
    assert len(seen["attention"]) == len(out.attentions) * heads
    attention = max(
        float(np.abs(np.array(one["weights"]) -
                     out.attentions[one["layer"]][0, one["head"]].numpy()).max())
        for one in seen["attention"])

    logprobs = torch.log_softmax(out.logits[0].double(), dim=-1)
    entropies = -(logprobs.exp() * logprobs).sum(dim=-1).numpy()
    expected = inspect(build, path, tokens, "--alternatives", "1")["expected"]
    entropy = max(abs(one["entropy"] - float(entropies[one["position"] - 1])) for one in expected)
    best = sum(one["alternatives"][0]["id"] == int(logprobs[one["position"] - 1].argmax())
               for one in expected)
    fine = (states <= STATE_LIMIT and attention <= ATTENTION_LIMIT and entropy <= ENTROPY_LIMIT
            and best == len(tokens))
    print(f"{name:12} {len(tokens):6} {states:14.2e} {attention:14.2e} {entropy:14.2e} "
          f"{best:6} of {len(tokens):<5} {'' if fine else 'NO'}")
    return 0 if fine else 1


def main():
    build, models = sys.argv[1], dict(argument.split("=", 1) for argument in sys.argv[2:])
    print("Inside: our fp32 path and Transformers, fp32, eager attention; largest differences")
    print(f"{'model':12} {'tokens':>6} {'states (rel.)':>14} {'attention':>14} {'entropy':>14} "
          f"{'same best':>15}")
    failures = sum(compare(build, name, path) for name, path in models.items())
    print(f"limits {STATE_LIMIT:g}, {ATTENTION_LIMIT:g} and {ENTROPY_LIMIT:g} nats; "
          f"{failures} models fail")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
