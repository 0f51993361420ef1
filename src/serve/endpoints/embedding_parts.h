// Embeddings of the texts of a request, for the APIs that have them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "serve/endpoints/endpoint.h"
#include "serve/service/embedding.h"

namespace ergo::serve {

struct EmbeddingRequest {
  std::shared_ptr<ServedModel> model;
  std::vector<std::vector<generate::TokenId>> texts;
  std::optional<std::size_t> dimensions = {};
};

struct Embeddings {
  std::vector<std::vector<float>> values;
  std::size_t tokens = 0;
  double seconds = 0.0;
};

/// One text, texts, tokens, or lists of tokens. With `cut`, texts that are too long lose their end;
/// without it they are a failure, as are empty texts and unknown tokens.
Served<EmbeddingRequest> ReadEmbedding(std::shared_ptr<ServedModel> model, const OrderedJson& input,
                                       bool cut);

/// Computes them on a thread that may wait and hands them to `send` there. Failures are sent.
void StartEmbedding(const CallPtr& call, EmbeddingRequest request,
                    std::function<void(const CallPtr&, Embeddings)> send);

}  // namespace ergo::serve
