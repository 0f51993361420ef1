#include "reasoning/verify/logic_words.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ergo::reasoning {
namespace {

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kIrregular = {{
    {"people", "person"},
    {"men", "man"},
    {"women", "woman"},
    {"children", "child"},
    {"mice", "mouse"},
    {"geese", "goose"},
    {"feet", "foot"},
    {"wolves", "wolf"},
    {"leaves", "leaf"},
    {"knives", "knife"},
    {"lives", "life"},
    {"sheep", "sheep"},
    {"fish", "fish"},
    {"deer", "deer"},
    {"oxen", "ox"},
    {"species", "species"},
}};

/// The verb behind the apostrophe of "I'm", "we're", "there's"; nothing of "Ada's", which may be a
/// genitive.
std::string_view ShortVerb(std::string_view word, std::size_t mark) {
  const std::string_view who = word.substr(0, mark);
  const std::string_view end = word.substr(mark + 1);
  if (who == "i" && end == "m") return "am";
  if (end == "re" && IsOneOf(who, {"we", "you", "they"})) return "are";
  if (end == "ll" && IsOneOf(who, {"i", "we", "you", "they", "it", "he", "she"})) return "will";
  if (end == "s" && IsOneOf(who, {"it", "he", "she", "that", "there", "who"})) return "is";
  return {};
}

}  // namespace

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<LogicWord> WordsOf(std::string_view sentence) {
  std::vector<LogicWord> words;
  for (std::size_t at = 0; at < sentence.size();) {
    const char c = sentence[at];
    if (c == ' ' || c == '\t' || c == '\r') {
      ++at;
    } else if (c == ',') {
      words.push_back({","});
      ++at;
    } else if (c >= '0' && c <= '9') {
      const std::size_t end =
          std::min(sentence.find_first_not_of("0123456789", at), sentence.size());
      words.push_back({std::string(sentence.substr(at, end - at))});
      at = end;
    } else if (IsLetter(c)) {
      std::size_t end = at;
      while (end < sentence.size() &&
             (IsLetter(sentence[end]) || sentence[end] == '-' || sentence[end] == '\''))
        ++end;
      LogicWord word{std::string(sentence.substr(at, end - at)), c >= 'A' && c <= 'Z'};
      for (char& letter : word.lower) {
        if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
      }
      const bool contracted = word.lower.ends_with("n't");
      if (word.lower == "can't" || word.lower == "cannot") {
        words.push_back({"can"});
      } else if (contracted) {
        words.push_back({word.lower.substr(0, word.lower.size() - 3), word.capital});
      } else if (const auto mark = word.lower.find('\''); mark != std::string::npos) {
        const std::string_view verb = ShortVerb(word.lower, mark);
        if (verb.empty()) return {};
        words.push_back({word.lower.substr(0, mark), word.capital});
        words.push_back({std::string(verb)});
      } else {
        words.push_back(std::move(word));
      }
      if (contracted || sentence.substr(at, end - at) == "cannot") words.push_back({"not"});
      at = end;
    } else {
      return {};
    }
  }
  return words;
}

std::string SingularOf(std::string_view plural, const std::set<std::string, std::less<>>& nouns) {
  for (const auto& [many, one] : kIrregular) {
    if (plural == many) return std::string(one);
  }
  const auto without = [&](std::size_t n) {
    return std::string(plural.substr(0, plural.size() - n));
  };
  if (nouns.contains(plural) || !plural.ends_with('s') || plural.size() < 3)
    return std::string(plural);
  if (plural.ends_with("es") && nouns.contains(without(2))) return without(2);
  if (nouns.contains(without(1))) return without(1);
  if (plural.ends_with("ies") && plural.size() > 4) return without(3) + "y";
  for (const std::string_view end : {"ses", "xes", "zes", "ches", "shes"}) {
    if (plural.ends_with(end)) return without(2);
  }
  return LooksPlural(plural) ? without(1) : std::string(plural);
}

std::string BaseOfVerb(std::string_view third_person) {
  if (third_person == "has") return "have";
  const auto without = [&](std::size_t n) {
    return std::string(third_person.substr(0, third_person.size() - n));
  };
  if (third_person.ends_with("ies") && third_person.size() > 4) return without(3) + "y";
  for (const std::string_view end : {"sses", "xes", "zes", "ches", "shes", "oes"}) {
    if (third_person.ends_with(end)) return without(2);
  }
  return third_person.ends_with('s') && !third_person.ends_with("ss") ? without(1)
                                                                      : std::string(third_person);
}

bool LooksPlural(std::string_view word) {
  if (IsOneOf(word, {"men", "women", "children", "people", "mice", "geese", "wolves"})) return true;
  if (!word.ends_with('s') || word.size() < 4) return false;
  for (const std::string_view end : {"ss", "us", "is", "ous"}) {
    if (word.ends_with(end)) return false;
  }
  return true;
}

}  // namespace ergo::reasoning
