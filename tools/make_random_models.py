#!/usr/bin/env python3
"""Builds small random models of every supported family with Transformers, and their logits.

Each model becomes a folder: config.json, model.safetensors (or shards), and
  expected_tokens.json   {"tokens": [ids], "greedy": {"prompt": [ids], "tokens": [ids]}}
  expected_logits.f32    fp32 logits [tokens, vocabulary] of one forward pass in fp32
    (--every N keeps the rows 0, N, 2N … only, and says so in expected_tokens.json)

Needs torch, transformers and safetensors. The seed makes every run write the same models for the
same versions of these.

  make_random_models.py OUT            all models, 512 tokens
  make_random_models.py OUT --tiny     the few that unit tests use, 96 tokens
"""
import argparse
import json
import pathlib
import shutil

import torch
import transformers

BASE = dict(
    vocab_size=1003,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=3,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=1024,
    tie_word_embeddings=False,
    bos_token_id=1,
    eos_token_id=2,
    pad_token_id=0,
)
TINY = dict(
    BASE,
    vocab_size=211,
    hidden_size=32,
    intermediate_size=40,
    num_hidden_layers=2,
    max_position_embeddings=512,
)


def rope(kind, **more):
    return dict(rope_parameters=dict(rope_type=kind, rope_theta=10000.0, **more))


LLAMA3 = rope("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=64)

# name: (model type, settings over BASE, how it is saved)
MODELS = {
    "llama-f32": ("llama", {}, {}),
    "llama-tied": ("llama", dict(tie_word_embeddings=True), {}),
    "llama-heads-mha": ("llama", dict(num_key_value_heads=4), {}),
    "llama-heads-mqa": ("llama", dict(num_key_value_heads=1), {}),
    "llama-heads-7": ("llama", dict(num_attention_heads=14, num_key_value_heads=2, hidden_size=112),
                      {}),
    "llama-odd": ("llama", dict(hidden_size=72, intermediate_size=100, num_attention_heads=6,
                                num_key_value_heads=3), {}),
    "llama-odd-bf16": ("llama", dict(hidden_size=72, intermediate_size=100, num_attention_heads=6,
                                     num_key_value_heads=3), dict(dtype=torch.bfloat16)),
    "llama-f16": ("llama", {}, dict(dtype=torch.float16)),
    "llama-bf16-sharded": ("llama", {}, dict(dtype=torch.bfloat16, max_shard_size="100KB")),
    "llama-bias": ("llama", dict(attention_bias=True, mlp_bias=True), {}),
    "llama-linear": ("llama", rope("linear", factor=4.0), {}),
    "llama-dynamic": ("llama", dict(rope("dynamic", factor=4.0), max_position_embeddings=128), {}),
    "llama-yarn": ("llama", rope("yarn", factor=8.0, original_max_position_embeddings=64), {}),
    "llama-llama3": ("llama", LLAMA3, {}),
    "llama-head-dim": ("llama", dict(head_dim=24), {}),
    "mistral-window": ("mistral", dict(sliding_window=100), {}),
    "mistral-no-window": ("mistral", dict(sliding_window=None), {}),
    "qwen2": ("qwen2", {}, {}),
    "qwen2-tied-7": ("qwen2", dict(num_attention_heads=14, num_key_value_heads=2, hidden_size=112,
                                   tie_word_embeddings=True), dict(dtype=torch.bfloat16)),
    "qwen2-window": ("qwen2", dict(use_sliding_window=True, sliding_window=70,
                                   max_window_layers=1), {}),
    "qwen2-window-off": ("qwen2", dict(use_sliding_window=False, sliding_window=16), {}),
    "qwen3": ("qwen3", dict(head_dim=32), {}),
    "qwen3-tied": ("qwen3", dict(head_dim=32, tie_word_embeddings=True, num_key_value_heads=4), {}),
    "gemma3": ("gemma3_text", dict(head_dim=32, sliding_window=50, query_pre_attn_scalar=24,
                                   num_hidden_layers=7, tie_word_embeddings=True), {}),
    "gemma3-caps": ("gemma3_text", dict(head_dim=32, sliding_window=50, query_pre_attn_scalar=24,
                                        attn_logit_softcapping=5.0, final_logit_softcapping=3.0,
                                        num_hidden_layers=4, num_key_value_heads=1,
                                        layer_types=["sliding_attention", "full_attention"] * 2,
                                        tie_word_embeddings=True), {}),
    "gemma3-linear": ("gemma3_text", dict(head_dim=32, sliding_window=50, num_hidden_layers=7,
                                          rope_parameters=dict(
                                              full_attention=dict(rope_type="linear", factor=8.0,
                                                                  rope_theta=1e6),
                                              sliding_attention=dict(rope_type="default",
                                                                     rope_theta=1e4)),
                                          tie_word_embeddings=True), {}),
}

TINY_MODELS = {
    "llama-tiny": ("llama", dict(LLAMA3, hidden_size=24, num_attention_heads=6,
                                 num_key_value_heads=3, intermediate_size=44), {}),
    "mistral-tiny": ("mistral", dict(sliding_window=40, num_key_value_heads=1),
                     dict(dtype=torch.float16)),
    "qwen2-tiny": ("qwen2", dict(tie_word_embeddings=True), dict(dtype=torch.bfloat16)),
    "qwen3-tiny": ("qwen3", dict(head_dim=16), dict(dtype=torch.bfloat16, max_shard_size="20KB")),
    "gemma3-tiny": ("gemma3_text", dict(head_dim=16, sliding_window=36, query_pre_attn_scalar=24,
                                        num_hidden_layers=3,
                                        layer_types=["sliding_attention", "full_attention",
                                                     "sliding_attention"],
                                        tie_word_embeddings=True), dict(dtype=torch.bfloat16)),
}


def randomize(model, seed):
    """Weights large enough that attention is sharp and logits spread; norms and biases not trivial."""
    generator = torch.Generator().manual_seed(seed)
    for name, weights in sorted(model.named_parameters()):
        noise = torch.randn(weights.shape, generator=generator)
        with torch.no_grad():
            if weights.dim() == 2:
                scale = 0.5 if "embed" in name else 1.3 / weights.shape[1] ** 0.5
                weights.copy_(noise * scale)
            elif name.endswith("bias"):
                weights.copy_(noise * 0.3)
            else:
                centre = 0.0 if "gemma" in model.config.model_type else 1.0
                weights.copy_(centre + 0.2 * noise)


def greedy(model, prompt, count):
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=count,
                         min_new_tokens=count, do_sample=False)
    return out[0, len(prompt):].tolist()


def build(folder, index, spec, base, count, every):
    kind, settings, save = spec
    config = transformers.AutoConfig.for_model(kind, **{**base, **settings})
    config._attn_implementation = "eager"
    torch.manual_seed(index)
    model = transformers.AutoModelForCausalLM.from_config(config).to(torch.float32)
    randomize(model, 1000 + index)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    dtype = save.get("dtype", torch.float32)
    shards = {k: v for k, v in save.items() if k == "max_shard_size"}
    model.to(dtype).save_pretrained(folder, **shards)
    (folder / "generation_config.json").unlink(missing_ok=True)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager").eval()
    # No end of text: generation must go on for as long as it is asked to.
    model.generation_config.eos_token_id = None
    generator = torch.Generator().manual_seed(7 + index)
    tokens = torch.randint(0, config.vocab_size, (count,), generator=generator).tolist()
    with torch.no_grad():
        logits = model(torch.tensor([tokens])).logits[0].float()
        prompt = tokens[:24]
        expected = {"tokens": tokens, "every": every,
                    "greedy": {"prompt": prompt, "tokens": greedy(model, prompt, 48)}}
    (folder / "expected_tokens.json").write_text(json.dumps(expected))
    (folder / "expected_logits.f32").write_bytes(logits[::every].contiguous().numpy().tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--tiny", action="store_true", help="the models of the unit tests")
    parser.add_argument("--only", help="names that contain this")
    arguments = parser.parse_args()
    models, base = (TINY_MODELS, TINY) if arguments.tiny else (MODELS, BASE)
    count, every = (96, 8) if arguments.tiny else (512, 1)
    for index, (name, spec) in enumerate(models.items()):
        if arguments.only and arguments.only not in name:
            continue
        build(arguments.out / name, index, spec, base, count, every)
        print(name, flush=True)


if __name__ == "__main__":
    main()
