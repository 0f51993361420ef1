#include "reasoning/eval/judges.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/text.h"
#include "reasoning/eval/number.h"
#include "reasoning/verify/answer_equivalence.h"

namespace ergo::reasoning::eval {

namespace {

char Lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

std::string Lowered(std::string_view text) {
  std::string lowered(text);
  std::transform(lowered.begin(), lowered.end(), lowered.begin(), Lower);
  return lowered;
}

bool IsWordByte(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

/// The words of `text`: runs of letters and digits.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  bool inside = false;
  for (const char c : text) {
    if (!IsWordByte(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    words.back() += Lower(c);
    inside = true;
  }
  return words;
}

/// in.size() if it is not there.
std::size_t IndexOf(const std::vector<std::string>& in, const std::string& word) {
  return static_cast<std::size_t>(std::find(in.begin(), in.end(), word) - in.begin());
}

/// Without what is typography alone in LaTeX.
std::string PlainMath(std::string_view text) {
  std::string plain(Trimmed(text));
  for (const std::string_view noise :
       {"\\left", "\\right", "\\!", "\\,", "\\;", "\\ ", "$", " ", "\\displaystyle"}) {
    for (std::size_t at = plain.find(noise); at != std::string::npos; at = plain.find(noise)) {
      plain.erase(at, noise.size());
    }
  }
  for (const std::string_view large : {"\\dfrac", "\\tfrac"}) {
    for (std::size_t at = plain.find(large); at != std::string::npos; at = plain.find(large)) {
      plain.erase(at + 1, 1);
    }
  }
  while (plain.ends_with('.')) plain.pop_back();
  return plain;
}

}  // namespace

Judge JudgeNumber(std::string expected) {
  return [expected = std::move(expected)](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    return SameNumber(answer.value, expected) ? Judgement::kRight : Judgement::kWrong;
  };
}

Judge JudgeMath(std::string expected) {
  return [expected = std::move(expected)](const Answer& answer) -> Result<Judgement> {
    if (Trimmed(answer.value).empty()) return Judgement::kNone;
    const bool same = SameNumber(answer.value, expected) ||
                      PlainMath(answer.value) == PlainMath(expected) ||
                      Equivalent(answer.value, expected) == Equivalence::kYes;
    return same ? Judgement::kRight : Judgement::kWrong;
  };
}

Judge JudgeOption(std::vector<std::string> options, std::size_t right) {
  return [options = std::move(options), right](const Answer& answer) -> Result<Judgement> {
    std::string_view value = Trimmed(answer.value);
    while (value.ends_with('.') || value.ends_with(')')) value.remove_suffix(1);
    if (value.starts_with('(')) value.remove_prefix(1);
    if (value.empty()) return Judgement::kNone;
    if (Lowered(value) == Lowered(options[right])) return Judgement::kRight;
    for (const std::string& option : options) {
      if (Lowered(value) == Lowered(option)) return Judgement::kWrong;
    }
    const bool letter = value.size() == 1 && static_cast<std::size_t>(value[0] - 'A') == right;
    return letter ? Judgement::kRight : Judgement::kWrong;
  };
}

std::vector<std::string> SaidOf(std::string_view text, const std::vector<std::string>& names,
                                const std::vector<std::string>& values) {
  std::vector<std::string> lowered_names;
  for (const std::string& name : names) lowered_names.push_back(Lowered(name));
  std::vector<std::string> said(names.size());
  std::vector<bool> torn(names.size(), false);
  const std::size_t nobody = names.size();
  std::size_t of = nobody;
  for (const std::string& word : Words(text)) {
    if (const std::size_t name = IndexOf(lowered_names, word); name != nobody) {
      of = name;
    } else if (of != nobody && IndexOf(values, word) != values.size()) {
      if (!said[of].empty() && said[of] != word) torn[of] = true;
      said[of] = word;
      of = nobody;
    }
  }
  for (std::size_t i = 0; i < said.size(); ++i) {
    if (torn[i]) said[i].clear();
  }
  return said;
}

}  // namespace ergo::reasoning::eval
