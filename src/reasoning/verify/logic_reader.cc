#include "reasoning/verify/logic_reader.h"

#include <algorithm>

#include "reasoning/verify/logic_chinese.h"
#include "reasoning/verify/logic_english.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxSentences = 2000;

bool HasChinese(std::string_view text) {
  // The lead bytes of U+3000 to U+9FFF.
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xE3 && byte <= 0xE9;
  });
}

/// Bytes of the sentence end at `at`, or 0.
std::size_t EndAt(std::string_view text, std::size_t at) {
  if (std::string_view(".!?;\n").find(text[at]) != std::string_view::npos) {
    // Not within a number.
    const bool digits = text[at] == '.' && at > 0 && at + 1 < text.size() && text[at - 1] >= '0' &&
                        text[at - 1] <= '9' && text[at + 1] >= '0' && text[at + 1] <= '9';
    return digits ? 0 : 1;
  }
  for (const std::string_view mark : {"。", "！", "？", "；"}) {
    if (text.substr(at).starts_with(mark)) return mark.size();
  }
  return 0;
}

}  // namespace

std::vector<LogicSentence> SplitSentences(std::string_view text) {
  std::vector<LogicSentence> sentences;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = at == text.size() ? 1 : EndAt(text, at);
    if (end > 0) {
      std::size_t first = begin;
      std::size_t last = at;
      const auto blank = [&](std::size_t i) {
        return std::string_view(" \t\r\n").find(text[i]) != std::string_view::npos;
      };
      while (first < last && blank(first)) ++first;
      while (last > first && blank(last - 1)) --last;
      if (last > first)
        sentences.push_back({std::string(text.substr(first, last - first)), {first, last}, false});
      begin = at + end;
    }
    at += std::max<std::size_t>(end, 1);
  }
  return sentences;
}

void LogicReader::Read(std::string_view text) {
  CollectNouns(text, nouns_);
  for (LogicSentence& sentence : SplitSentences(text)) {
    if (sentences_.size() >= kMaxSentences) {
      // Said once for all that follows.
      sentences_.push_back({"…", {sentence.span.begin, text.size()}, false});
      return;
    }
    auto rules = Claim(sentence.text);
    sentence.understood = rules.has_value();
    if (rules) {
      for (LogicRule& rule : *rules) {
        rule.sentence = sentences_.size();
        theory_.rules.push_back(std::move(rule));
      }
    }
    sentences_.push_back(std::move(sentence));
  }
}

std::optional<std::vector<LogicRule>> LogicReader::Claim(std::string_view sentence) {
  CollectNouns(sentence, nouns_);
  return HasChinese(sentence) ? ReadChinese(sentence, theory_)
                              : ReadEnglish(sentence, nouns_, theory_);
}

bool LogicReader::understood_all() const {
  return std::all_of(sentences_.begin(), sentences_.end(),
                     [](const LogicSentence& s) { return s.understood; });
}

}  // namespace ergo::reasoning
