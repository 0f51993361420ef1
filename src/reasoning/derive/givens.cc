#include "reasoning/derive/givens.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostGivens = 64;
constexpr std::size_t kMostText = std::size_t{1} << 16;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWord(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Word {
  std::string_view text;
  std::vector<Rational> values;
};

/// Whole words; ASCII in lower case.
const std::vector<Word>& Words() {
  static const std::vector<Word> kWords = {
      {"dozen", {12}},
      {"dozens", {12}},
      {"half", {2, Rational(1, 2)}},
      {"twice", {2}},
      {"double", {2}},
      {"doubled", {2}},
      {"triple", {3}},
      {"tripled", {3}},
      {"thrice", {3}},
      {"quarter", {4, Rational(1, 4), 25, 3, 75, Rational(3, 4)}},
      {"third", {3}},
      {"two", {2}},
      {"three", {3}},
      {"four", {4}},
      {"five", {5}},
      {"six", {6}},
      {"seven", {7}},
      {"eight", {8}},
      {"nine", {9}},
      {"ten", {10}},
      {"eleven", {11}},
      {"twelve", {12}},
      {"twenty", {20}},
      {"thirty", {30}},
      {"forty", {40}},
      {"fifty", {50}},
      {"hundred", {100}},
  };
  return kWords;
}

const std::vector<Word>& ChineseWords() {
  static const std::vector<Word> kWords = {
      {"打", {12}}, {"一半", {2, Rational(1, 2)}}, {"两倍", {2}}, {"三倍", {3}}, {"双倍", {2}}};
  return kWords;
}

struct Number {
  Rational value;
  std::size_t end = 0;
};

/// "1,234.5" at a digit.
std::optional<Number> NumberAt(std::string_view text, std::size_t at) {
  std::string digits;
  std::size_t end = at;
  while (end < text.size()) {
    const bool digit = IsDigit(text[end]);
    const bool next = end + 1 < text.size() && IsDigit(text[end + 1]);
    const bool group = text[end] == ',' && end + 3 < text.size() && next &&
                       IsDigit(text[end + 2]) && IsDigit(text[end + 3]) &&
                       (end + 4 >= text.size() || !IsDigit(text[end + 4]));
    const bool point = text[end] == '.' && next && digits.find('.') == std::string::npos;
    if (!digit && !group && !point) break;
    if (digit || point) digits += text[end];
    ++end;
  }
  auto value = ParseDecimal(digits);
  if (!value) return std::nullopt;
  return Number{*std::move(value), end};
}

Given PerCent(const Rational& value) {
  const Rational share = value / 100;
  return {value, share, 100 - value, 1 - share, 1 + share, 100 + value};
}

void Add(Given given, std::vector<Given>* givens) {
  const auto same = std::find_if(givens->begin(), givens->end(), [&](const Given& other) {
    return other.front() == given.front();
  });
  if (same == givens->end() && givens->size() < kMostGivens) givens->push_back(std::move(given));
}

}  // namespace

std::vector<Given> GivensOf(std::string_view question) {
  question = question.substr(0, kMostText);
  std::vector<Given> givens;
  for (std::size_t i = 0; i < question.size();) {
    if (IsDigit(question[i])) {
      const auto number = NumberAt(question, i);
      if (!number) return givens;
      i = number->end;
      if (i < question.size() && question[i] == '%') {
        Add(PerCent(number->value), &givens);
      } else {
        Add({number->value}, &givens);
      }
      continue;
    }
    if (static_cast<unsigned char>(question[i]) >= 0x80) {
      for (const Word& word : ChineseWords()) {
        if (question.substr(i).starts_with(word.text)) Add(word.values, &givens);
      }
      ++i;
      continue;
    }
    if (!IsWord(question[i])) {
      ++i;
      continue;
    }
    std::string lower;
    while (i < question.size() && IsWord(question[i])) {
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(question[i++])));
    }
    for (const Word& word : Words()) {
      if (word.text == lower) Add(word.values, &givens);
    }
  }
  return givens;
}

std::string CountsOf(std::string_view question) {
  struct Unit {
    std::string_view word;
    int count;
  };
  constexpr std::array kUnits = {Unit{" dozen", 12}, Unit{"打", 12}, Unit{" score ", 20}};
  question = question.substr(0, kMostText);
  std::string lines;
  for (std::size_t i = 0; i < question.size(); ++i) {
    if (!IsDigit(question[i])) continue;
    const auto number = NumberAt(question, i);
    if (!number) break;
    for (const Unit& unit : kUnits) {
      if (!question.substr(number->end).starts_with(unit.word)) continue;
      lines += std::string(question.substr(i, number->end - i + unit.word.size())) + " = " +
               Text(number->value * unit.count) + "\n";
    }
    i = number->end - 1;
  }
  return lines;
}

std::size_t MissingGivens(const std::vector<Given>& givens, std::string_view derivation) {
  derivation = derivation.substr(0, kMostText);
  std::vector<bool> used(givens.size(), false);
  const auto mark = [&](const Rational& value) {
    for (std::size_t g = 0; g < givens.size(); ++g) {
      if (std::find(givens[g].begin(), givens[g].end(), value) != givens[g].end()) used[g] = true;
    }
  };
  for (std::size_t i = 0; i < derivation.size();) {
    if (!IsDigit(derivation[i])) {
      ++i;
      continue;
    }
    const auto number = NumberAt(derivation, i);
    if (!number) break;
    i = number->end;
    mark(number->value);
  }
  // Words that stand for numbers serve as well: "half of 12".
  for (const Given& spoken : GivensOf(derivation)) {
    if (spoken.size() > 1) mark(spoken.front());
  }
  return static_cast<std::size_t>(std::count(used.begin(), used.end(), false));
}

}  // namespace ergo::reasoning
