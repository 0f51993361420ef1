// Words of an English sentence and their base forms.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace ergo::reasoning {

struct LogicWord {
  std::string lower;
  bool capital = false;  ///< written with a capital
};

/// Words, whole numbers and commas; contractions are spelled out (isn't: is not, I'm: I am). Empty
/// if the sentence holds anything else.
std::vector<LogicWord> WordsOf(std::string_view sentence);

/// wumpuses -> wumpus, houses -> house (if `nouns` holds it), people -> person.
std::string SingularOf(std::string_view plural, const std::set<std::string, std::less<>>& nouns);

/// chases -> chase, watches -> watch, carries -> carry, has -> have.
std::string BaseOfVerb(std::string_view third_person);

/// Whether a plural subject's bare complement is a noun ("are rompuses"), not an adjective.
bool LooksPlural(std::string_view word);

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words);

}  // namespace ergo::reasoning
