#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "reasoning/verify/answer_equivalence.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxText = 1 << 20;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

struct Boxed {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::string inside;
};

std::vector<Boxed> FindBoxed(std::string_view text) {
  std::vector<Boxed> found;
  std::size_t at = 0;
  while ((at = text.find("boxed", at)) != text.npos) {
    std::size_t open = at + 5;
    while (open < text.size() && text[open] == ' ') ++open;
    const std::size_t begin = at > 0 && text[at - 1] == '\\' ? at - 1 : at;
    at = open;
    if (open >= text.size() || text[open] != '{') continue;
    int depth = 0;
    std::size_t end = open;
    for (; end < text.size(); ++end) {
      const bool escaped = end > 0 && text[end - 1] == '\\' && (end < 2 || text[end - 2] != '\\');
      if (text[end] == '{' && !escaped) ++depth;
      if (text[end] == '}' && !escaped && --depth == 0) break;
    }
    found.push_back({begin, std::min(end + 1, text.size()),
                     std::string(text.substr(open + 1, end - open - 1))});
    at = end;
  }
  return found;
}

// Boxes with little between them are one answer.
bool Together(std::string_view between) {
  if (between.size() > 48) return false;
  std::string letters;
  int words = 0;
  bool in_word = false;
  for (std::size_t i = 0; i < between.size(); ++i) {
    const bool letter = IsLetter(between[i]);
    if (letter && !in_word) ++words;
    in_word = letter;
  }
  return between.find('.') == between.npos && words <= 6 &&
         (words == 0 || between.find("and") != between.npos || between.find("or") != between.npos ||
          between.find("quad") != between.npos || between.find(',') != between.npos ||
          between.find('=') != between.npos);
}

std::string JoinedBoxes(std::string_view text, const std::vector<Boxed>& boxes) {
  std::string answer = boxes.back().inside;
  for (std::size_t i = boxes.size() - 1; i > 0; --i) {
    const std::size_t end = boxes[i - 1].end;
    const std::string_view between = text.substr(end, boxes[i].begin - end);
    if (!Together(between)) break;
    answer = boxes[i - 1].inside + ", " + answer;
  }
  return answer;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

struct Math {
  std::size_t begin = 0;
  std::size_t end = 0;  ///< past the closing sign
  std::string inside;
};

// $…$, $$…$$, \(…\), \[…\], in order.
std::vector<Math> FindMath(std::string_view text) {
  std::vector<Math> found;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] == '\\' && text[i + 1] == '$') {
      ++i;
      continue;
    }
    std::string_view close;
    if (text.substr(i).starts_with("$$"))
      close = "$$";
    else if (text[i] == '$')
      close = "$";
    else if (text.substr(i).starts_with("\\("))
      close = "\\)";
    else if (text.substr(i).starts_with("\\["))
      close = "\\]";
    else
      continue;
    const std::size_t begin = i + close.size();
    std::size_t end = text.find(close, begin);
    while (close == "$" && end != text.npos && text[end - 1] == '\\')
      end = text.find(close, end + 1);
    if (end == text.npos) continue;
    const std::string_view inside = text.substr(begin, end - begin);
    const bool lines = (close == "$" || close == "\\)") && inside.find('\n') != inside.npos;
    if (!lines && !inside.empty()) found.push_back({i, end + close.size(), std::string(inside)});
    i = end + close.size() - 1;
  }
  return found;
}

// The last formula with those that stand together with it: "$1$ and $2$ and $3$".
std::string LastMath(std::string_view text, std::vector<Math> all) {
  std::string answer = all.back().inside;
  for (std::size_t i = all.size() - 1; i > 0; --i) {
    std::string between(text.substr(all[i - 1].end, all[i].begin - all[i - 1].end));
    std::erase(between, ' ');
    if (between != "and" && between != "or" && between != "," && between != ",and") break;
    answer = all[i - 1].inside + ", " + answer;
  }
  const std::string_view behind = text.substr(all.back().end, 12);
  const std::size_t sign = behind.find_first_not_of(' ');
  if (sign != behind.npos) {
    const std::string_view next = behind.substr(sign);
    if (next.starts_with('%') || next.starts_with("percent") || next.starts_with("pct"))
      answer += "%";
  }
  return answer;
}

std::string Stripped(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \n\t\r*:\"");
  if (begin == text.npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(" \n\t\r.*\"") - begin + 1));
}

bool MostlyWords(std::string_view text) {
  int words = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts =
        IsLetter(text[i]) && (i == 0 || (!IsLetter(text[i - 1]) && text[i - 1] != '\\'));
    if (starts && i + 1 < text.size() && IsLetter(text[i + 1])) ++words;
  }
  return words >= 3;
}

std::string LastNumber(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && !IsDigit(text[end - 1])) --end;
  if (end == 0) return "";
  std::size_t begin = end;
  while (begin > 0) {
    const char c = text[begin - 1];
    const bool inner = (c == '.' || c == ',' || c == '/') && begin >= 2 && IsDigit(text[begin - 2]);
    const bool leading = c == '.' && IsDigit(text[begin]);
    if (!IsDigit(c) && !inner && !leading) break;
    --begin;
  }
  if (begin > 0 && (IsLetter(text[begin - 1]) || (end < text.size() && IsLetter(text[end]) &&
                                                  text[end] != 'm' && text[end] != 'c'))) {
    return "";
  }
  if (begin > 0 && text[begin - 1] == '-' && (begin < 2 || !IsDigit(text[begin - 2]))) --begin;
  std::string number(text.substr(begin, end - begin));
  if (end < text.size() && (text[end] == '%' || text.substr(end).starts_with(" percent")))
    number += '%';
  return number;
}

}  // namespace

std::string ExtractAnswer(std::string_view text) {
  if (text.size() > kMaxText) text = text.substr(text.size() - kMaxText);
  const std::size_t think = text.rfind("</think>");
  if (think != text.npos) text = text.substr(think + 8);
  const std::size_t chat = text.find("<|im_");
  if (chat != text.npos) text = text.substr(0, chat);
  std::string lower = LowerCase(text);
  const std::vector<Boxed> boxes = FindBoxed(text);
  if (!boxes.empty()) {
    std::string answer = JoinedBoxes(text, boxes);
    const std::string_view behind = std::string_view(lower).substr(boxes.back().end);
    if (behind.substr(0, 12).find("percent") != behind.npos ||
        behind.substr(0, 6).find("pct") != behind.npos) {
      answer += "%";
    }
    return answer;
  }
  // What is said behind the answer does not count.
  static constexpr std::array<std::string_view, 2> kAsides = {"i hope it is correct", "[note"};
  for (const std::string_view aside : kAsides) {
    const std::size_t at = lower.find(aside);
    if (at == lower.npos || at == 0) continue;
    text = text.substr(0, at);
    lower.resize(at);
  }
  static constexpr std::array<std::string_view, 5> kPhrases = {
      "####", "final answer is", "final answer:", "answer is", "答案是"};
  for (const std::string_view phrase : kPhrases) {
    const std::size_t at = lower.rfind(phrase);
    if (at == lower.npos) continue;
    std::string_view rest = text.substr(at + phrase.size());
    const bool sentence = phrase.ends_with(':') && rest.find(" is ") != rest.npos;
    const std::vector<Math> math = FindMath(rest);
    if (!math.empty() && !sentence) return LastMath(rest, {math.front()});
    const std::size_t end = std::min(rest.find('\n'), rest.find(". "));
    rest = rest.substr(0, end);
    const std::size_t is = phrase.ends_with(':') ? rest.rfind(" is ") : rest.npos;
    if (is != rest.npos) rest = rest.substr(is + 4);
    const std::vector<Math> inner = FindMath(rest);
    if (!inner.empty()) return LastMath(rest, inner);
    if (!MostlyWords(rest) && !Stripped(rest).empty()) return Stripped(rest);
    const std::string number = LastNumber(rest);
    if (!number.empty()) return number;
  }
  const std::vector<Math> math = FindMath(text);
  if (!math.empty()) {
    const std::string_view behind = text.substr(math.back().end);
    const std::string number = behind.size() > 60 ? LastNumber(behind) : "";
    return number.empty() ? LastMath(text, math) : number;
  }
  if (MostlyWords(text)) {
    std::string number = LastNumber(text);
    if (!number.empty()) return number;
  }
  return Stripped(text);
}

}  // namespace ergo::reasoning
