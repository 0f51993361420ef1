// From controlled English and Chinese to facts and rules.
//
// English: "Anne is (not) kind and quiet", "Max is a yumpus", "The cat chases the dog", "Anne is
// taller than Bob", "If someone is kind and not big then they are green", "All round, blue things
// are cold", "Every wumpus is not a rompus", "Wumpuses are red", "No cat is green", "Whoever is
// kind is happy", "Tweety can fly". Chinese: "小明是(一个)学生", "小明不高兴", "小明喜欢小红",
// "所有A都是B", "没有A是B", "如果某人是A而且不是B，那么他是C". Words are open; the forms are not.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/verify/check.h"
#include "reasoning/verify/logic_theory.h"

namespace ergo::reasoning {

struct LogicSentence {
  std::string text;  ///< without its full stop
  Span span;         ///< of the text that was read
  bool understood = false;
};

/// Sentences of a text, split at . ! ? ; and line ends and their Chinese forms.
std::vector<LogicSentence> SplitSentences(std::string_view text);

class LogicReader {
 public:
  /// Adds a text's sentences to the theory. What is not understood as a whole is left out, and
  /// listed in sentences() as such.
  void Read(std::string_view text);
  /// The facts or rules that one sentence claims, if it is understood. Nothing is added to the
  /// rules.
  std::optional<std::vector<LogicRule>> Claim(std::string_view sentence);

  const LogicTheory& theory() const { return theory_; }
  /// LogicRule::sentence counts these.
  const std::vector<LogicSentence>& sentences() const { return sentences_; }
  bool understood_all() const;

 private:
  LogicTheory theory_;
  std::vector<LogicSentence> sentences_;
  std::set<std::string, std::less<>> nouns_;  ///< English nouns met in the singular
};

}  // namespace ergo::reasoning
