#include <fmt/format.h>

#include <optional>

#include "base/utf8.h"
#include "tokenizer/json_fields.h"
#include "tokenizer/pre_tokenizer.h"

namespace ergo::tokenizer {
namespace {

constexpr std::size_t kMaxSteps = 64;
/// Steps that make the text longer: each may do so several times.
constexpr int kMaxRewrites = 4;

std::optional<SplitBehavior> ParseBehavior(std::string_view name) {
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  return std::nullopt;
}

using Steps = std::vector<PreTokenizer::Step>;

class Parser {
 public:
  explicit Parser(std::string where) : where_(std::move(where)) {}

  /// Appends the steps of one object; sequences may nest as deep as the JSON parser allows.
  Status Add(const Json& json) {
    const std::string type = StringOr(json, "type", "");
    if (type == "Sequence") return AddSequence(json);
    if (steps_.size() >= kMaxSteps) return Fail("too many pre-tokenizers", where_);
    if (type == "Split") return AddSplit(json);
    if ((type == "ByteLevel" || type == "Metaspace") && ++rewrites_ > kMaxRewrites) {
      return Fail("too many pre-tokenizers", where_);
    }
    if (type == "ByteLevel") {
      steps_.emplace_back(
          ByteLevelStep{BoolOr(json, "add_prefix_space", true), BoolOr(json, "use_regex", true)});
      return {};
    }
    if (type == "Digits") {
      return AddRule(CharRule::kNumeric, BoolOr(json, "individual_digits", false)
                                             ? SplitBehavior::kIsolated
                                             : SplitBehavior::kContiguous);
    }
    if (type == "Punctuation") {
      const auto behavior = ParseBehavior(StringOr(json, "behavior", "Isolated"));
      if (!behavior) return Fail("Punctuation with an unknown behavior", where_);
      return AddRule(CharRule::kPunctuation, *behavior);
    }
    if (type == "Whitespace") {
      steps_.emplace_back(SplitStep{WordRuns{}, SplitBehavior::kRemoved, true});
      return {};
    }
    if (type == "WhitespaceSplit") return AddRule(CharRule::kWhiteSpace, SplitBehavior::kRemoved);
    if (type == "BertPreTokenizer") {
      if (auto added = AddRule(CharRule::kWhiteSpace, SplitBehavior::kRemoved); !added) {
        return added;
      }
      return AddRule(CharRule::kPunctuation, SplitBehavior::kIsolated);
    }
    if (type == "CharDelimiterSplit") {
      steps_.emplace_back(
          SplitStep{Literal{StringOr(json, "delimiter", "")}, SplitBehavior::kRemoved, false});
      return {};
    }
    if (type == "Metaspace") return AddMetaspace(json);
    return Fail(fmt::format("pre-tokenizer {} is not supported", QuoteForMessage(type, 40)),
                where_);
  }

  Steps Take() { return std::move(steps_); }

 private:
  Status AddSequence(const Json& json) {
    const Json* members = Member(json, "pretokenizers");
    if (members == nullptr || !members->is_array()) {
      return Fail("pre-tokenizer Sequence without \"pretokenizers\"", where_);
    }
    for (const Json& member : *members) {
      if (auto added = Add(member); !added) return added;
    }
    return {};
  }

  Status AddRule(CharRule rule, SplitBehavior behavior) {
    steps_.emplace_back(SplitStep{rule, behavior, false});
    return {};
  }

  Status AddSplit(const Json& json) {
    const auto behavior = ParseBehavior(StringOr(json, "behavior", ""));
    if (!behavior) return Fail("Split with an unknown behavior", where_);
    SplitStep step{Literal{}, *behavior, BoolOr(json, "invert", false)};
    const Json* pattern = Member(json, "pattern");
    if (pattern == nullptr) return Fail("Split without a pattern", where_);
    if (const std::string* regex = StringMember(*pattern, "Regex")) {
      auto compiled = MakeSplitPattern(*regex, where_);
      if (!compiled) return Fail(std::move(compiled));
      step.pattern = std::move(*compiled);
    } else if (const std::string* text = StringMember(*pattern, "String")) {
      step.pattern = Literal{*text};
    } else {
      return Fail("Split whose pattern is neither Regex nor String", where_);
    }
    steps_.emplace_back(std::move(step));
    return {};
  }

  Status AddMetaspace(const Json& json) {
    MetaspaceStep step;
    step.replacement = StringOr(json, "replacement", "\u2581");
    if (step.replacement.empty() || DecodeUtf8(step.replacement).bytes != step.replacement.size()) {
      return Fail("Metaspace whose replacement is not one character", where_);
    }
    const std::string scheme = StringOr(
        json, "prepend_scheme", BoolOr(json, "add_prefix_space", true) ? "always" : "never");
    if (scheme == "never") {
      step.prepend = MetaspaceStep::Prepend::kNever;
    } else if (scheme == "first") {
      step.prepend = MetaspaceStep::Prepend::kFirst;
    } else if (scheme == "always") {
      step.prepend = MetaspaceStep::Prepend::kAlways;
    } else {
      return Fail(fmt::format("Metaspace with prepend_scheme {}", QuoteForMessage(scheme, 40)),
                  where_);
    }
    step.split = BoolOr(json, "split", true);
    steps_.emplace_back(std::move(step));
    return {};
  }

  std::string where_;
  int rewrites_ = 0;
  Steps steps_;
};

}  // namespace

Result<PreTokenizer> PreTokenizer::FromJson(const Json& json, const std::string& where) {
  if (json.is_null()) return PreTokenizer();
  Parser parser(where + ": pre_tokenizer");
  if (auto added = parser.Add(json); !added) return tl::unexpected<Error>(std::move(added.error()));
  return PreTokenizer(parser.Take());
}

}  // namespace ergo::tokenizer
