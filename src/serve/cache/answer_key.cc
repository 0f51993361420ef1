#include "serve/cache/answer_key.h"

#include <bit>
#include <cstdint>

#include "generate/constrain/constraint.h"
#include "serve/cache/digest.h"

namespace ergo::serve {
namespace {

/// Values one behind the other, so that no two rows of values give the same bytes: numbers have 8
/// bytes, texts their size before them.
class Bytes {
 public:
  void Add(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) text_ += static_cast<char>(value >> shift & 0xFF);
  }
  void Add(float value) { Add(std::uint64_t{std::bit_cast<std::uint32_t>(value)}); }
  void Add(std::string_view text) {
    Add(std::uint64_t{text.size()});
    text_ += text;
  }
  template <typename T>
  void AddMaybe(const std::optional<T>& value) {
    Add(std::uint64_t{value.has_value()});
    Add(value ? static_cast<std::uint64_t>(*value) : std::uint64_t{0});
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

void AddSampling(const runtime::SamplingParams& sampling, Bytes* bytes) {
  const bool greedy = sampling.temperature == 0.0f;
  bytes->Add(sampling.temperature);
  // Without chance neither the filters nor the seed change what is chosen.
  bytes->Add(greedy ? 0 : static_cast<std::uint64_t>(sampling.top_k));
  bytes->Add(greedy ? 0.0f : sampling.top_p);
  bytes->Add(greedy ? 0.0f : sampling.min_p);
  bytes->Add(greedy ? 0.0f : sampling.typical_p);
  bytes->Add(greedy ? 0 : sampling.seed);
  bytes->Add(sampling.repetition_penalty);
  bytes->Add(sampling.frequency_penalty);
  bytes->Add(sampling.presence_penalty);
  bytes->Add(std::uint64_t{sampling.penalty_window});
  bytes->Add(std::uint64_t{sampling.logit_bias.size()});
  for (const auto& [token, bias] : sampling.logit_bias) {
    bytes->Add(static_cast<std::uint64_t>(token));
    bytes->Add(bias);
  }
}

/// The language itself: the tables that a schema or a grammar was compiled to.
void AddGrammar(const generate::constrain::Grammar& grammar, Bytes* bytes) {
  bytes->Add(std::uint64_t{grammar.root()});
  bytes->Add(std::uint64_t{grammar.rule_count()});
  for (std::size_t id = 0; id < grammar.rule_count(); ++id) {
    const auto& rule = grammar.rule(static_cast<generate::constrain::RuleId>(id));
    bytes->Add(static_cast<std::uint64_t>(rule.kind));
    bytes->Add(std::uint64_t{rule.start});
    bytes->Add(std::uint64_t{rule.min});
    bytes->Add(std::uint64_t{rule.max});
    bytes->Add(std::uint64_t{rule.element});
  }
  bytes->Add(std::uint64_t{grammar.state_count()});
  for (std::size_t index = 0; index < grammar.state_count(); ++index) {
    const auto id = static_cast<std::uint32_t>(index);
    bytes->Add(std::uint64_t{grammar.state(id).rule} << 1 |
               std::uint64_t{grammar.state(id).accepting});
    bytes->Add(std::uint64_t{grammar.bytes(id).size()});
    for (const auto& edge : grammar.bytes(id)) {
      bytes->Add(std::uint64_t{edge.target} << 16 | std::uint64_t{edge.first} << 8 | edge.last);
    }
    bytes->Add(std::uint64_t{grammar.calls(id).size()});
    for (const auto& call : grammar.calls(id)) {
      bytes->Add(std::uint64_t{call.rule} << 32 | call.target);
    }
  }
}

void AddOptions(const generate::AnswerOptions& options, Bytes* bytes) {
  AddSampling(options.sampling, bytes);
  bytes->AddMaybe(options.max_tokens);
  bytes->Add(std::uint64_t{options.stop.size()});
  for (const std::string& stop : options.stop) bytes->Add(stop);
  bytes->Add(std::uint64_t{options.stop_tokens.size()});
  for (const generate::TokenId token : options.stop_tokens) {
    bytes->Add(static_cast<std::uint64_t>(token));
  }
  bytes->Add(std::uint64_t{options.ignore_end});
  bytes->AddMaybe(options.think_budget);
  bytes->AddMaybe(options.logprobs);
  bytes->Add(std::uint64_t{options.constraint != nullptr});
  if (options.constraint != nullptr) AddGrammar(options.constraint->grammar(), bytes);
}

void AddTools(const ToolUse& use, Bytes* bytes) {
  bytes->Add(static_cast<std::uint64_t>(use.choice));
  bytes->Add(use.name);
  bytes->Add(std::uint64_t{use.parallel});
  bytes->Add(std::uint64_t{use.tools.size()});
  for (const Tool& tool : use.tools) {
    bytes->Add(tool.name);
    bytes->Add(tool.description);
    bytes->Add(tool.parameters.dump(-1, ' ', false, OrderedJson::error_handler_t::replace));
  }
}

}  // namespace

std::optional<std::string> AnswerKey(const AnswerSource& source) {
  const GenerationRequest& request = source.request;
  const bool drawn = request.options.sampling.temperature != 0.0f && request.options.seed_drawn;
  // How far reasoning gets in a time is chance; a plain answer that got to its end is the same.
  const bool hurried = request.time && request.effort.reasons();
  if (drawn || hurried || request.options.stop_thinking) return std::nullopt;
  Bytes bytes;
  bytes.Add(std::uint64_t{source.context});
  bytes.Add(std::uint64_t{source.prompt.size()});
  for (const generate::TokenId token : source.prompt) bytes.Add(static_cast<std::uint64_t>(token));
  AddOptions(request.options, &bytes);
  bytes.Add(std::uint64_t{request.choices});
  bytes.Add(std::uint64_t{request.best_of});
  bytes.Add(std::uint64_t{request.tools.has_value()});
  if (request.tools) AddTools(*request.tools, &bytes);
  bytes.Add(request.effort.name);
  bytes.AddMaybe(request.effort.max_steps);
  bytes.AddMaybe(request.effort.budget_tokens);
  bytes.Add(request.effort.strategy);
  return Sha256Hex(source.owner).substr(0, 32) + ":" + Sha256Hex(source.model).substr(0, 32) + ":" +
         Sha256Hex(bytes.text());
}

}  // namespace ergo::serve
