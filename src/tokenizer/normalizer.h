// Changing text before it is cut: Unicode normal forms, replacements, prefixes.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tokenizer/regex.h"

namespace ergo::tokenizer {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };

/// `text` in a normal form. Parts that can't change are copied, so that plain text is cheap.
std::string Normalized(std::string_view text, NormalForm form);

struct ReplaceStep {
  std::variant<std::string, Regex> pattern;
  std::string content;
};
struct PrependStep {
  std::string text;  ///< put before text that is not empty
};
struct StripStep {
  bool left = true;
  bool right = true;
};
struct LowercaseStep {};
struct StripAccentsStep {};
/// The clean-up of neural machine translation: control characters go, odd spaces become plain.
struct NmtStep {};
struct ByteAlphabetStep {};

/// Every match of `pattern` in `text` replaced; from where the result is over `max_bytes` long, no
/// longer. `text` is valid UTF-8 where the pattern is a Regex.
std::string ReplaceAll(const ReplaceStep& step, std::string_view text, std::size_t max_bytes);

/// How long steps that a file describes may make a text of `bytes`: a chain of replacements could
/// double it again and again.
constexpr std::size_t GrowthLimit(std::size_t bytes) { return bytes * 16 + 65536; }

/// A sequence of steps. Immutable.
class Normalizer {
 public:
  using Step = std::variant<NormalForm, ReplaceStep, PrependStep, StripStep, LowercaseStep,
                            StripAccentsStep, NmtStep, ByteAlphabetStep>;

  Normalizer() = default;
  explicit Normalizer(std::vector<Step> steps) : steps_(std::move(steps)) {}

  /// From the "normalizer" member of a tokenizer.json; null means none. Errors name `where` and the
  /// kind that is not supported.
  static Result<Normalizer> FromJson(const Json& json, const std::string& where);

  bool empty() const { return steps_.empty(); }

  /// The changed text: a view of `*storage`, or `text` itself when no step changes it. A step that
  /// would pass GrowthLimit is left out.
  std::string_view Apply(std::string_view text, std::string* storage) const;

 private:
  std::vector<Step> steps_;
};

/// The pattern of a Replace or Split object: {"String": …} or {"Regex": …}.
Result<ReplaceStep> ParseReplace(const Json& json, const std::string& where);

}  // namespace ergo::tokenizer
