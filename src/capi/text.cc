// Text to tokens and back; chat templates.
#include <fmt/format.h>

#include "base/json.h"
#include "capi/model_state.h"
#include "capi/tokens.h"
#include "capi/versioned.h"

namespace ergo::capi {
namespace {

/// JSON that the caller gives as text; null for NULL.
Outcome<OrderedJson> JsonOf(const char* text, const char* argument) {
  if (text == nullptr) return OrderedJson(nullptr);
  auto parsed = ParseOrderedJson(text, argument);
  if (!parsed) return tl::unexpected(Failure(ERGO_INVALID, std::move(parsed).error()));
  return std::move(*parsed);
}

Outcome<generate::ChatInput> ChatOf(const char* messages, const ergo_chat_options* given) {
  if (auto there = NotNull(messages, "messages"); !there) return Refused(there);
  auto options = ReadStruct(given, ergo_chat_options{}, "options");
  if (!options) return Refused(options);
  generate::ChatInput chat;
  auto parsed = JsonOf(messages, "messages");
  if (!parsed) return Refused(parsed);
  if (!parsed->is_array()) {
    return Invalid("is not a JSON array", "messages",
                   R"(give [{"role": "user", "content": "…"}, …])");
  }
  chat.messages = std::move(*parsed);
  auto tools = JsonOf(options->tools, "tools");
  if (!tools) return Refused(tools);
  if (!tools->is_array() && !tools->is_null()) return Invalid("is not a JSON array", "tools");
  chat.tools = std::move(*tools);
  auto variables = JsonOf(options->variables, "variables");
  if (!variables) return Refused(variables);
  if (!variables->is_object() && !variables->is_null()) {
    return Invalid("is not a JSON object", "variables");
  }
  chat.variables = std::move(*variables);
  chat.add_generation_prompt = options->no_generation_prompt == 0;
  return chat;
}

Outcome<ergo_status> Give(const std::vector<TokenId>& ids, std::int32_t** tokens,
                          std::size_t* count) {
  *tokens = CopyTokens(ids);
  *count = ids.size();
  return ERGO_OK;
}

Outcome<void> TokensWanted(const ergo_model* model, std::int32_t* const* tokens,
                           const std::size_t* count) {
  if (auto given = NotNull(model, "model"); !given) return given;
  if (auto given = NotNull(tokens, "tokens"); !given) return given;
  return NotNull(count, "count");
}

Outcome<char*> Detokenize(const ergo_model* model, std::span<const std::int32_t> ids,
                          bool with_special, std::size_t* length) {
  if (auto known = KnownTokens(*model->state, ids, "tokens"); !known) return Refused(known);
  const std::string text = model->state->model().tokenizer().Decode(ids, !with_special);
  char* copy = CopyString(text);
  if (length != nullptr) *length = text.size();
  return copy;
}

}  // namespace

Outcome<void> KnownTokens(const ModelState& model, std::span<const std::int32_t> ids,
                          const char* argument) {
  const std::size_t vocabulary = model.vocabulary();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && static_cast<std::size_t>(ids[i]) < vocabulary) continue;
    return Invalid(fmt::format("the model has no token {} (entry {})", ids[i], i), argument,
                   fmt::format("token ids are 0 to {}", vocabulary - 1));
  }
  return {};
}

}  // namespace ergo::capi

using ergo::capi::Outcome;
using ergo::capi::Refused;

extern "C" {

ergo_status ergo_tokenize(const ergo_model* model, const char* text, size_t length, uint32_t flags,
                          int32_t** tokens, size_t* count, ergo_error** error) {
  return ergo::capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = ergo::capi::TokensWanted(model, tokens, count); !given) return Refused(given);
    auto given = ergo::capi::TextOf(text, length, "text");
    if (!given) return Refused(given);
    if ((flags & ~std::uint32_t{ERGO_ADD_SPECIAL | ERGO_PARSE_SPECIAL}) != 0) {
      return ergo::capi::Invalid("there is no such flag", "flags");
    }
    ergo::tokenizer::EncodeOptions options;
    options.add_special = (flags & ERGO_ADD_SPECIAL) != 0;
    options.parse_special = (flags & ERGO_PARSE_SPECIAL) != 0;
    return ergo::capi::Give(model->state->model().tokenizer().Encode(*given, options), tokens,
                            count);
  });
}

char* ergo_detokenize(const ergo_model* model, const int32_t* tokens, size_t count,
                      int32_t with_special, size_t* length, ergo_error** error) {
  return ergo::capi::GuardedPointer<char>(error, [&]() -> Outcome<char*> {
    if (auto given = ergo::capi::NotNull(model, "model"); !given) return Refused(given);
    auto ids = ergo::capi::ArrayOf(tokens, count, ergo::capi::kMostTokens, "tokens");
    if (!ids) return Refused(ids);
    return ergo::capi::Detokenize(model, *ids, with_special != 0, length);
  });
}

char* ergo_render_chat(const ergo_model* model, const char* messages,
                       const ergo_chat_options* options, ergo_error** error) {
  return ergo::capi::GuardedPointer<char>(error, [&]() -> Outcome<char*> {
    if (auto given = ergo::capi::NotNull(model, "model"); !given) return Refused(given);
    auto chat = ergo::capi::ChatOf(messages, options);
    if (!chat) return Refused(chat);
    auto text = model->state->model().RenderChat(*chat);
    if (!text) return ergo::Fail(std::move(text));
    return ergo::capi::CopyString(*text);
  });
}

ergo_status ergo_encode_chat(const ergo_model* model, const char* messages,
                             const ergo_chat_options* options, int32_t** tokens, size_t* count,
                             ergo_error** error) {
  return ergo::capi::Guarded(error, [&]() -> Outcome<ergo_status> {
    if (auto given = ergo::capi::TokensWanted(model, tokens, count); !given) return Refused(given);
    auto chat = ergo::capi::ChatOf(messages, options);
    if (!chat) return Refused(chat);
    auto ids = model->state->model().EncodeChat(*chat);
    if (!ids) return ergo::Fail(std::move(ids));
    return ergo::capi::Give(*ids, tokens, count);
  });
}

char* ergo_json_string(const char* text, size_t length, ergo_error** error) {
  return ergo::capi::GuardedPointer<char>(error, [&]() -> Outcome<char*> {
    auto given = ergo::capi::TextOf(text, length, "text");
    if (!given) return Refused(given);
    return ergo::capi::CopyString(ergo::Json(std::string(*given)).dump());
  });
}

}  // extern "C"
