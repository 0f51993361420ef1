// The parts that families of models are wired from. Every thread of a step calls them in the same
// order; a block that ends in a product leaves it complete (after a barrier).
//
// h: the residual stream [rows, hidden]; x: the input of the next products; y: a block's output
// [rows, hidden], not yet added to h.
#pragma once

#include <vector>

#include "model/blocks/pass.h"
#include "model/weights.h"

namespace ergo::model {

/// h = embedding of the tokens · embedding_scale; angles of their positions for every RoPE.
void Embed(Pass& pass);

/// x = RMSNorm(h) · weight.
void Normalize(Pass& pass, const std::vector<float>& weight);

/// y = attention of x: products of query, key and value with their biases, norms of heads, RoPE,
/// keys and values stored, attention, output product. In the last layer the keys and values of all
/// rows are stored, and the rest is done for the rows whose logits are wanted.
void SelfAttention(Pass& pass, const LayerWeights& layer);

/// How a layer attends.
kernels::AttentionParams AttentionOf(const ModelConfig& config, std::size_t layer);

/// y = down(activation(gate(x)) · up(x)).
void GatedMlp(Pass& pass, const LayerWeights& layer);

/// h += norm(y + bias), y being what `from` computed; no norm if `post_norm` is empty.
void Accumulate(Pass& pass, const Linear& from, const std::vector<float>& post_norm = {});

/// Logits of the rows that want them: final norm, output product, scale and soft-cap.
void Head(Pass& pass);

/// Embed, then for each layer attention and feed-forward, each behind a norm and added; Head.
void PreNormDecoder(Pass& pass);

}  // namespace ergo::model
