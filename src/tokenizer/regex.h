// Regular expressions as tokenizer files write them, matched by PCRE2.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo::tokenizer {

/// Rewrites a pattern in the syntax of Oniguruma (which the reference tokenizers use) for PCRE2
/// with UTF and UCP: \s \w \d \h with the same members, categories of Unicode 16, {,n}, and class
/// intersections such as [\p{L}&&[^\p{Han}]]. Errors: syntax that has no counterpart.
Result<std::string> TranslatePattern(std::string_view pattern);

/// A compiled pattern; immutable, safe from many threads. Matching is bounded: a pattern that
/// backtracks without end counts as not matching.
class Regex {
 public:
  struct Match {
    std::size_t begin;
    std::size_t end;
  };

  /// Errors name `where`, the offset and PCRE2's reason.
  static Result<Regex> Compile(std::string_view pattern, const std::string& where);

  /// The first match at or after `from`. `text` is valid UTF-8 and `from` a character boundary.
  std::optional<Match> Find(std::string_view text, std::size_t from) const;

 private:
  std::shared_ptr<void> code_;
};

/// The matches in a text from left to right. An empty match right behind the match before it does
/// not count; the search then goes on one character further.
class RegexMatches {
 public:
  /// Both must live as long as this.
  RegexMatches(const Regex& regex, std::string_view text) : regex_(regex), text_(text) {}
  std::optional<Regex::Match> Next();

 private:
  const Regex& regex_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::optional<std::size_t> last_end_;
};

}  // namespace ergo::tokenizer
