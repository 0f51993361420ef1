// A chat template and, after a zero byte, the JSON object of its variables.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/utf8.h"
#include "tokenizer/template/chat_template.h"

namespace {

using ergo::OrderedJson;

void Require(bool holds) {
  if (!holds) std::abort();
}

/// Used where the input has no variables of its own.
const OrderedJson& DefaultVariables() {
  static const OrderedJson variables = {
      {"messages",
       {{{"role", "system"}, {"content", "Be brief."}},
        {{"role", "user"}, {"content", "Gr\u00fc\u00dfe <b>\u4f60\u597d</b> \U0001F642"}},
        {{"role", "assistant"},
         {"content", nullptr},
         {"tool_calls", {{{"function", {{"name", "f"}, {"arguments", {{"x", 1}}}}}}}}}}},
      {"tools",
       {{{"type", "function"}, {"function", {{"name", "f"}, {"parameters", {{"a", 2.5}}}}}}}},
      {"add_generation_prompt", true},
      {"bos_token", "<s>"},
      {"n", 7},
      {"nil", nullptr}};
  return variables;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(input.find('\0'), input.size());
  // Small limits, so that a bomb costs the fuzzer little time.
  ergo::tokenizer::TemplateLimits limits;
  limits.max_steps = 20'000;
  limits.max_output_bytes = std::size_t{1} << 18;
  limits.fixed_time = 1'750'000'000;
  const auto parsed = ergo::tokenizer::ChatTemplate::Parse(input.substr(0, split), "t", limits);
  const auto check_error = [](const ergo::Error& error) {
    Require(error.Message().find('\n') == std::string::npos && !error.what.empty());
  };
  if (!parsed) {
    check_error(parsed.error());
    return 0;
  }
  OrderedJson variables = DefaultVariables();
  if (split < input.size()) {
    auto own = ergo::ParseOrderedJson(input.substr(split + 1), "variables");
    if (own && own->is_object()) variables = *std::move(own);
  }
  const auto text = parsed->Render(variables);
  const auto again = parsed->Render(variables);
  Require(text.has_value() == again.has_value());
  if (!text) {
    check_error(text.error());
    return 0;
  }
  Require(*text == *again && text->size() <= limits.max_output_bytes);
  Require(!ergo::FindInvalidUtf8(*text));
  return 0;
}
