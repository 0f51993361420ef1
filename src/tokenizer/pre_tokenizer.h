// Cutting text into words before the model sees it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tokenizer/regex.h"
#include "tokenizer/scanner.h"

namespace ergo::tokenizer {

/// Receives words in order; the view is valid during the call only.
class WordSink {
 public:
  virtual void Word(std::string_view word) = 0;

 protected:
  ~WordSink() = default;
};

/// What becomes of the matches of a pattern; the parts between matches are always words.
enum class SplitBehavior {
  kRemoved,
  kIsolated,            ///< each match is a word
  kMergedWithPrevious,  ///< a match ends the word before it
  kMergedWithNext,      ///< a match starts the word after it
  kContiguous,          ///< neighbouring matches are one word
};

/// A rule that takes one character.
enum class CharRule { kNumeric, kPunctuation, kWhiteSpace };
/// Runs of word characters and runs of what is neither that nor white space.
struct WordRuns {};
struct Literal {
  std::string text;
};
using SplitPattern = std::variant<Regex, ScannerKind, Literal, CharRule, WordRuns>;

/// A pattern in Oniguruma's syntax: a scanner where there is an equal one.
Result<SplitPattern> MakeSplitPattern(std::string_view regex, const std::string& where);

struct SplitStep {
  SplitPattern pattern;
  SplitBehavior behavior = SplitBehavior::kIsolated;
  bool invert = false;  ///< matches and the rest trade places
};
/// Writes the text in the byte alphabet (byte_alphabet.h).
struct ByteLevelStep {
  bool add_prefix_space = false;
  bool use_regex = true;
};
struct MetaspaceStep {
  enum class Prepend { kNever, kFirst, kAlways };
  std::string replacement = "\u2581";
  Prepend prepend = Prepend::kAlways;
  bool split = true;
};

/// A sequence of steps, each applied to every word of the step before. Immutable.
class PreTokenizer {
 public:
  using Step = std::variant<SplitStep, ByteLevelStep, MetaspaceStep>;

  PreTokenizer() = default;
  explicit PreTokenizer(std::vector<Step> steps);

  /// From the "pre_tokenizer" member of a tokenizer.json; null means none. Errors name `where` and
  /// the kind that is not supported.
  static Result<PreTokenizer> FromJson(const Json& json, const std::string& where);

  /// Whether the byte alphabet comes last: then Run leaves it out and its words are plain bytes.
  bool ends_in_bytes() const { return ends_in_bytes_; }

  /// No step at all: Run hands on the text as one word.
  bool empty() const { return steps_.empty(); }

  /// Cuts `text` (valid UTF-8). `at_start`: it is the beginning of the whole input.
  void Run(std::string_view text, bool at_start, WordSink* sink) const;

 private:
  struct Runner;

  std::vector<Step> steps_;
  bool ends_in_bytes_ = false;
};

}  // namespace ergo::tokenizer
