#include "serve/endpoints/embedding_parts.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "serve/endpoints/session_parts.h"
#include "serve/endpoints/waiting_work.h"

namespace ergo::serve {
namespace {

using Tokens = std::vector<generate::TokenId>;

Served<Tokens> ReadText(const ServedModel& model, const OrderedJson& text, const std::string& param,
                        bool cut) {
  auto tokens = text.is_string()
                    ? Served<Tokens>(model->tokenizer().Encode(text.get_ref<const std::string&>()))
                    : TokensOf(model, text, param);
  if (!tokens) return tokens;
  const std::size_t most = std::min(kMostEmbedded, model->context());
  if (tokens->empty() || text == "") {
    return Refuse(FailureKind::kInvalid, param + ": is empty", "invalid_value", param);
  }
  if (tokens->size() > most && !cut) {
    return Refuse(FailureKind::kInvalid,
                  fmt::format("{}: {} tokens are more than the {} that can be embedded", param,
                              tokens->size(), most),
                  "context_length_exceeded", param);
  }
  tokens->resize(std::min(tokens->size(), most));
  return tokens;
}

}  // namespace

Served<EmbeddingRequest> ReadEmbedding(std::shared_ptr<ServedModel> model, const OrderedJson& input,
                                       bool cut) {
  EmbeddingRequest request;
  const bool one = input.is_string() || (!input.empty() && input.front().is_number());
  const OrderedJson texts = one ? OrderedJson::array({input}) : input;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string param = one ? "input" : fmt::format("input[{}]", i);
    auto tokens = ReadText(*model, texts[i], param, cut);
    if (!tokens) return tl::unexpected(tokens.error());
    request.texts.push_back(*std::move(tokens));
  }
  request.model = std::move(model);
  return request;
}

void StartEmbedding(const CallPtr& call, EmbeddingRequest request,
                    std::function<void(const CallPtr&, Embeddings)> send) {
  const auto model = request.model;
  StartWaitingWork(call, model, [request = std::move(request), send](const WaitingWork& work) {
    const auto begin = std::chrono::steady_clock::now();
    Embeddings embeddings;
    for (const Tokens& text : request.texts) {
      if (work.cancelled()) return;
      auto values = Embed(*request.model, text, request.dimensions);
      if (!values) return work.call->Fail(values.error());
      embeddings.values.push_back(*std::move(values));
      embeddings.tokens += text.size();
    }
    work.Count({.prompt_tokens = embeddings.tokens});
    embeddings.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    send(work.call, std::move(embeddings));
  });
}

}  // namespace ergo::serve
