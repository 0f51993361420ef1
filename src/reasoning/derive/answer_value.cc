#include "reasoning/derive/answer_value.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/text.h"
#include "reasoning/verify/answer_equivalence.h"

namespace ergo::reasoning {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string Lowered(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), Lower);
  return lower;
}

std::string_view FirstLine(std::string_view text) { return text.substr(0, text.find('\n')); }

/// Behind the last of the marks that announce an answer; nothing if there is none.
std::optional<std::string_view> Announced(std::string_view text) {
  const std::size_t hashes = text.rfind("####");
  if (hashes != std::string_view::npos) {
    std::string_view value = text.substr(hashes);
    value.remove_prefix(std::min(value.find_first_not_of('#'), value.size()));
    return Trimmed(FirstLine(Trimmed(value)));
  }
  constexpr std::string_view kBoxed = "\\boxed{";
  const std::size_t boxed = text.rfind(kBoxed);
  if (boxed != std::string_view::npos) {
    const std::size_t begin = boxed + kBoxed.size();
    int depth = 1;
    for (std::size_t i = begin; i < text.size(); ++i) {
      if (text[i] == '{') ++depth;
      if (text[i] == '}' && --depth == 0) return Trimmed(text.substr(begin, i - begin));
    }
  }
  const std::string lower = Lowered(text);
  for (const std::string_view mark :
       {"answer is", "answer:", "答案是", "答案为", "答案:", "答案:"}) {
    const std::size_t at = lower.rfind(mark);
    if (at == std::string::npos) continue;
    std::string_view value = Trimmed(FirstLine(text.substr(at + mark.size())));
    if (value.starts_with(':')) value = Trimmed(value.substr(1));
    while (value.starts_with('*')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '.' || value.back() == '*')) value.remove_suffix(1);
    if (!value.empty()) return value;
  }
  return std::nullopt;
}

/// A number that begins at `at`: digits, separators, decimals, perhaps "/digits".
std::size_t NumberEnd(std::string_view text, std::size_t at) {
  std::size_t end = at;
  const auto digits = [&] {
    while (end < text.size() && IsDigit(text[end])) ++end;
  };
  digits();
  while (end + 3 < text.size() && text[end] == ',' && IsDigit(text[end + 1]) &&
         IsDigit(text[end + 2]) && IsDigit(text[end + 3])) {
    ++end;
    digits();
  }
  if (end + 1 < text.size() && text[end] == '.' && IsDigit(text[end + 1])) {
    ++end;
    digits();
  }
  if (end + 1 < text.size() && text[end] == '/' && IsDigit(text[end + 1])) {
    ++end;
    digits();
  }
  return end;
}

/// The last number of a text; empty if there is none.
std::string_view LastNumber(std::string_view text) {
  std::string_view last;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!IsDigit(text[i])) continue;
    const std::size_t end = NumberEnd(text, i);
    const bool word = i > 0 && (IsLetter(text[i - 1]) || text[i - 1] == '_');
    std::size_t begin = i;
    if (begin > 0 && text[begin - 1] == '$') --begin;
    const bool minus = begin > 0 && text[begin - 1] == '-' &&
                       (begin == 1 || (!IsDigit(text[begin - 2]) && !IsLetter(text[begin - 2]) &&
                                       text[begin - 2] != ')'));
    if (minus) --begin;
    if (!word) last = text.substr(begin, end - begin);
    i = end - 1;
  }
  return last;
}

/// Where `option` stands last in `text` as a word of its own.
std::size_t LastNamed(const std::string& text, const std::string& option) {
  std::size_t at = text.size();
  while (at > 0 && (at = text.rfind(option, at - 1)) != std::string::npos) {
    const bool begins = at == 0 || !IsLetter(text[at - 1]) || !IsLetter(option.front());
    const std::size_t end = at + option.size();
    const bool ends = end >= text.size() || !IsLetter(text[end]) || !IsLetter(option.back());
    if (begins && ends) return at;
    if (at == 0) break;
  }
  return std::string::npos;
}

std::string OptionIn(std::string_view text, const std::vector<std::string>& options) {
  const std::string lower = Lowered(text);
  std::size_t latest = 0;
  const std::string* found = nullptr;
  for (const std::string& option : options) {
    const std::size_t at = option.empty() ? std::string::npos : LastNamed(lower, Lowered(option));
    if (at == std::string::npos || (found != nullptr && at < latest)) continue;
    // "not true" is longer than "true" and ends where it does.
    latest = at;
    found = &option;
  }
  if (found != nullptr) return *found;
  // "B", "(B)" or "B." names the second one.
  const std::string_view trimmed = Trimmed(text);
  for (std::size_t i = 0; i < trimmed.size() && i < 3; ++i) {
    if (!IsLetter(trimmed[i])) continue;
    const std::size_t index = static_cast<std::size_t>(Lower(trimmed[i]) - 'a');
    if (index < options.size() && (i + 1 == trimmed.size() || !IsLetter(trimmed[i + 1]))) {
      return options[index];
    }
    break;
  }
  return {};
}

std::string CodeIn(std::string_view text) {
  std::size_t begin = text.find("```");
  if (begin == std::string_view::npos) return std::string(Trimmed(text));
  const std::string_view head = text.substr(0, begin);
  // An answer that begins inside a block ends at the first fence.
  if (head.find("def ") != std::string_view::npos) return std::string(head);
  begin = std::min(text.find('\n', begin), text.size() - 1) + 1;
  return std::string(text.substr(begin, text.find("```", begin) - begin));
}

}  // namespace

AnswerKind KindOf(const Question& question) {
  if (question.kind != AnswerKind::kAuto) return question.kind;
  if (!question.options.empty()) return AnswerKind::kChoice;
  const std::string text = Lowered(question.text);
  const auto has = [&](std::string_view word) { return text.find(word) != std::string::npos; };
  if (has("def ") && has("\"\"\"")) return AnswerKind::kCode;
  if (has("\\frac") || has("\\sqrt") || has("\\boxed") || has("$x$")) return AnswerKind::kMath;
  const bool digits = std::any_of(text.begin(), text.end(), IsDigit);
  constexpr std::array kAsks = {"how many", "how much", "how long",  "how old",
                                "how far",  "what is",  "calculate", "compute",
                                "多少",     "几",       "求",        "算"};
  if (digits && std::any_of(kAsks.begin(), kAsks.end(), has)) return AnswerKind::kNumber;
  return AnswerKind::kText;
}

std::string CanonicalNumber(std::string_view text) {
  std::string_view number = LastNumber(text);
  if (number.empty()) return {};
  std::string canonical;
  for (const char c : number) {
    if (c != ',' && c != '$') canonical += c;
  }
  const std::size_t slash = canonical.find('/');
  if (slash == std::string::npos && canonical.find('.') != std::string::npos) {
    while (canonical.back() == '0') canonical.pop_back();
    if (canonical.back() == '.') canonical.pop_back();
  }
  std::size_t first = canonical.starts_with('-') ? 1 : 0;
  while (first + 1 < canonical.size() && canonical[first] == '0' && IsDigit(canonical[first + 1])) {
    canonical.erase(first, 1);
  }
  return canonical == "-0" ? "0" : canonical;
}

bool Announces(std::string_view text) {
  const auto announced = Announced(text);
  return announced && !announced->empty();
}

std::string ValueIn(std::string_view text, AnswerKind kind, const Question& question) {
  const std::optional<std::string_view> announced = Announced(text);
  switch (kind) {
    case AnswerKind::kNumber: {
      if (announced) {
        // "18 dollars per 2 days" is 18: the first number counts there.
        for (std::size_t i = 0; i < announced->size(); ++i) {
          if (!IsDigit((*announced)[i])) continue;
          std::string value = CanonicalNumber(announced->substr(0, NumberEnd(*announced, i)));
          if (!value.empty()) return value;
        }
      }
      return CanonicalNumber(text);
    }
    case AnswerKind::kChoice: {
      if (announced) {
        std::string value = OptionIn(*announced, question.options);
        if (!value.empty()) return value;
      }
      return OptionIn(text, question.options);
    }
    case AnswerKind::kMath:
      return announced ? std::string(*announced) : CanonicalNumber(text);
    case AnswerKind::kCode:
      return CodeIn(text);
    case AnswerKind::kText:
    case AnswerKind::kAuto:
      break;
  }
  return std::string(announced.value_or(Trimmed(text)));
}

bool SameValue(std::string_view a, std::string_view b, AnswerKind kind) {
  if (a == b) return true;
  if (kind != AnswerKind::kNumber && kind != AnswerKind::kMath) return false;
  return Equivalent(a, b) == Equivalence::kYes;
}

}  // namespace ergo::reasoning
