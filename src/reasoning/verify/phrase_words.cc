#include "reasoning/verify/phrase_words.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

namespace ergo::reasoning {
namespace {

struct Row {
  TokenKind kind;
  std::string_view phrases;  // apart by |
};

constexpr Row kPhrases[] = {
    {TokenKind::kPlus, "plus|added to|together with"},
    {TokenKind::kMinus, "minus|take away"},
    {TokenKind::kTimes, "times|multiplied by|times as many as|times as much as|groups of|lots of"},
    {TokenKind::kOver,
     "divided by|divided into|over|split among|shared among|split between|shared between|"
     "divided among|divided equally among|split equally among|shared equally among|"
     "divided between|divided evenly among|split evenly among|shared evenly among|split into"},
    {TokenKind::kEquals, "equals|equal|is equal to|are equal to|equal to|which equals|it equals"},
    {TokenKind::kApprox, "approximately equals|is approximately equal to"},
    {TokenKind::kIs,
     "is|are|was|were|gives|give|gives us|gives you|gave|comes to|come to|came to|comes out to|"
     "leaves|leave|leaves us with|leaves you with|yields|results in|amounts to|which is|which "
     "gives|"
     "which makes|which leaves|that is|that makes|that gives|that leaves|this is|this gives|we get|"
     "you get|he gets|she gets|they get|to get|giving|leaving|yielding|the result is|the answer is|"
     "it is|is the same as|the total is|works out to|i get|one gets|"
     "we obtain|the outcome is|turns out to be|would be|will be|must be|evaluates to|"
     "and we get|and you get|resulting in|and the result is|you end up with|we end up with"},
    {TokenKind::kAddUp,
     "add up to|adds up to|sum to|sums to|make|makes|together make|together are|together is|"
     "total|totals|for a total of|in total make|make a total of|combine to|combined is|making|"
     "combined give|come together to make|altogether make|gives a total of|give a total of"},
    {TokenKind::kAbout, "about|approximately|roughly|around|nearly|almost|close to"},
    {TokenKind::kOf, "of"},
    {TokenKind::kAnd, "and|with"},
    {TokenKind::kBy, "by"},
    {TokenKind::kFrom, "from"},
    {TokenKind::kTo, "to"},
    {TokenKind::kMoreThan, "more than|greater than|higher than|larger than|longer than|older than"},
    {TokenKind::kLessThan,
     "less than|fewer than|lower than|smaller than|shorter than|younger than|"
     "subtracted from|taken away from|taken from"},
    {TokenKind::kIncreasedBy, "increased by|raised by|grown by|increases by|increase by"},
    {TokenKind::kDecreasedBy,
     "decreased by|reduced by|lowered by|diminished by|decreases by|decrease by"},
    {TokenKind::kTwice, "twice|double|twice as many as|twice as much as|doubling"},
    {TokenKind::kThrice, "thrice|triple|tripling"},
    {TokenKind::kDozen, "dozen|dozens"},
    {TokenKind::kSquared, "squared"},
    {TokenKind::kCubed, "cubed"},
    {TokenKind::kEach, "each|apiece"},
    {TokenKind::kSumOf, "the sum of|sum of|the total of|a total of"},
    {TokenKind::kDifferenceOf, "the difference between|the difference of|difference between"},
    {TokenKind::kProductOf, "the product of|product of"},
    {TokenKind::kQuotientOf, "the quotient of|quotient of"},
    {TokenKind::kAverageOf, "the average of|average of|the mean of|mean of"},
    {TokenKind::kSquareOf, "the square of|square of"},
    {TokenKind::kAdding, "adding|add|adds|combining|combine|combines"},
    {TokenKind::kSubtracting,
     "subtracting|subtract|subtracts|taking|removing|take|remove|deducting|deduct"},
    {TokenKind::kMultiplying, "multiplying|multiply|multiplies"},
    {TokenKind::kDividing, "dividing|divide|divides|splitting|sharing"},
    {TokenKind::kHalfOf, "half|half of|halving|one half of|a half of"},
    {TokenKind::kDoubt,
     "not|isn't|aren't|doesn't|wrong|incorrect|false|mistake|mistaken|instead of|rather than|"
     "cannot|can't|error|never|wrongly"},
    {TokenKind::kBreak,
     "or|but|so|then|if|because|since|he|she|they|it|we|you|i|who|which|that|there|has|have|had|"
     "will|would|can|could|also|therefore|thus|hence|after|before|when|while|than|as|sold|bought|"
     "needs|need|does|do|did|where|let|until|more|less|fewer"},
    {TokenKind::kOpaque,
     "mod|modulo|choose|to the power|power|log|ln|sin|cos|tan|max|min|gcd|lcm|factorial|root"},
};

using Words = std::vector<std::string>;

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text = text.substr(end + 1);
  }
}

struct Phrase {
  Words words;
  TokenKind kind;
};

/// By first word, longest first.
const std::unordered_map<std::string, std::vector<Phrase>>& Phrases() {
  static const auto table = [] {
    std::unordered_map<std::string, std::vector<Phrase>> phrases;
    for (const Row& row : kPhrases) {
      for (const std::string& text : Split(row.phrases, '|')) {
        Words words = Split(text, ' ');
        const std::string first = words.front();
        phrases[first].push_back({std::move(words), row.kind});
      }
    }
    for (auto& [first, list] : phrases) {
      std::stable_sort(list.begin(), list.end(), [](const Phrase& a, const Phrase& b) {
        return a.words.size() > b.words.size();
      });
    }
    return phrases;
  }();
  return table;
}

const std::unordered_map<std::string, int>& SmallNumbers() {
  static const std::unordered_map<std::string, int> table = {
      {"zero", 0},     {"one", 1},      {"two", 2},        {"three", 3},     {"four", 4},
      {"five", 5},     {"six", 6},      {"seven", 7},      {"eight", 8},     {"nine", 9},
      {"ten", 10},     {"eleven", 11},  {"twelve", 12},    {"thirteen", 13}, {"fourteen", 14},
      {"fifteen", 15}, {"sixteen", 16}, {"seventeen", 17}, {"eighteen", 18}, {"nineteen", 19},
      {"twenty", 20},  {"thirty", 30},  {"forty", 40},     {"fifty", 50},    {"sixty", 60},
      {"seventy", 70}, {"eighty", 80},  {"ninety", 90}};
  return table;
}

long LargeNumber(const std::string& word) {
  if (word == "hundred") return 100;
  if (word == "thousand") return 1000;
  if (word == "million") return 1000000;
  if (word == "billion") return 1000000000;
  return 0;
}

int FractionName(const std::string& word) {
  static const std::unordered_map<std::string, int> table = {
      {"half", 2},     {"halves", 2}, {"third", 3},   {"thirds", 3},   {"quarter", 4},
      {"quarters", 4}, {"fourth", 4}, {"fourths", 4}, {"fifth", 5},    {"fifths", 5},
      {"sixth", 6},    {"sixths", 6}, {"seventh", 7}, {"sevenths", 7}, {"eighth", 8},
      {"eighths", 8},  {"ninth", 9},  {"ninths", 9},  {"tenth", 10},   {"tenths", 10}};
  const auto found = table.find(word);
  return found == table.end() ? 0 : found->second;
}

class Merger {
 public:
  explicit Merger(std::vector<Token>* tokens) : in_(*tokens) {}

  std::vector<Token> Run() {
    while (at_ < in_.size()) {
      if (EnglishNumber() || EnglishPhrase() || ChineseFraction() || Multiplier()) continue;
      out_.push_back(std::move(in_[at_++]));
    }
    return std::move(out_);
  }

 private:
  bool IsWord(std::size_t i) const {
    return i < in_.size() && in_[i].kind == TokenKind::kWord && !in_[i].text.empty();
  }
  const std::string& WordAt(std::size_t i) const {
    static const std::string kNone;
    return IsWord(i) ? in_[i].text : kNone;
  }
  bool NumberAt(std::size_t i) const { return i < in_.size() && in_[i].kind == TokenKind::kNumber; }

  Token& Join(std::size_t count, TokenKind kind) {
    Token token = in_[at_];
    token.kind = kind;
    token.span.end = in_[at_ + count - 1].span.end;
    token.worded = true;
    at_ += count;
    return out_.emplace_back(std::move(token));
  }

  bool EnglishPhrase() {
    if (!IsWord(at_)) return false;
    const auto found = Phrases().find(WordAt(at_));
    if (found == Phrases().end()) return false;
    for (const Phrase& phrase : found->second) {
      bool all = true;
      for (std::size_t i = 1; i < phrase.words.size() && all; ++i) {
        all = WordAt(at_ + i) == phrase.words[i];
      }
      if (!all) continue;
      Join(phrase.words.size(), phrase.kind);
      return true;
    }
    return false;
  }

  // "three hundred and five", "two thirds", "a third", "one and a half".
  bool EnglishNumber() {
    const bool article = WordAt(at_) == "a" || WordAt(at_) == "an";
    const auto& small = SmallNumbers();
    if (!article && small.find(WordAt(at_)) == small.end()) return false;
    std::size_t i = at_;
    Rational value = 1;
    if (article)
      ++i;
    else
      value = Cardinal(&i);
    const int parts = FractionName(WordAt(i));
    // "A second" and "a quarter" may be other things; what they are of says that they are parts.
    const bool of = WordAt(i + 1) == "of";
    if (parts != 0 && (of || !article)) {
      Token& token = Join(i + 1 - at_, TokenKind::kNumber);
      token.value = value / parts;
      token.fraction = true;
      return true;
    }
    if (article) {
      const bool counted = LargeNumber(WordAt(i)) != 0 || WordAt(i) == "dozen";
      if (!counted) return false;
      const long scale = std::max(1L, LargeNumber(WordAt(i)));
      Join(WordAt(i) == "dozen" ? 1 : 2, TokenKind::kNumber).value = Rational(scale);
      return true;
    }
    if (WordAt(i) == "and" && WordAt(i + 1) == "a" && WordAt(i + 2) == "half") {
      value += Rational(1, 2);
      i += 3;
    }
    Join(i - at_, TokenKind::kNumber).value = value;
    return true;
  }

  Rational Cardinal(std::size_t* i) const {
    const auto& small = SmallNumbers();
    Rational total = 0;
    long section = 0;
    int last = 100;  // a smaller word may follow a larger one: "twenty five"
    for (int words = 0; words < 16; ++words) {
      const auto found = small.find(WordAt(*i));
      if (found != small.end()) {
        const bool follows = last == 100 || (last >= 20 && found->second < 10);
        if (!follows || (words > 0 && last == 100 && section % 100 != 0)) break;
        section += found->second;
        last = found->second;
        ++*i;
        continue;
      }
      const long scale = LargeNumber(WordAt(*i));
      if (scale == 0) {
        const bool joined = WordAt(*i) == "and" && last == 100 && words > 0 &&
                            small.find(WordAt(*i + 1)) != small.end();
        if (!joined) break;
        ++*i;
        continue;
      }
      if (scale == 100) {
        section *= 100;
      } else {
        total += Rational(section) * Rational(scale);
        section = 0;
      }
      last = 100;
      ++*i;
    }
    return total + section;
  }

  // 百分之二十, 六分之五, 6分之5.
  bool ChineseFraction() {
    if (Starts(at_, {"百", "分", "之"}) && NumberAt(at_ + 3)) {
      const Rational value = in_[at_ + 3].value / 100;
      Token& token = Join(4, TokenKind::kNumber);
      token.value = value;
      token.percent = true;
      token.fraction = true;
      return true;
    }
    if (!NumberAt(at_) || !Starts(at_ + 1, {"分", "之"}) || !NumberAt(at_ + 3)) return false;
    if (in_[at_].value == 0) return false;
    const Rational value = in_[at_ + 3].value / in_[at_].value;
    Token& token = Join(4, TokenKind::kNumber);
    token.value = value;
    token.fraction = true;
    return true;
  }

  bool Starts(std::size_t i, std::initializer_list<std::string_view> words) const {
    for (const std::string_view word : words) {
      if (i >= in_.size() || in_[i].text != word) return false;
      ++i;
    }
    return true;
  }

  // "3 million", 3万, 3个半.
  bool Multiplier() {
    if (!NumberAt(at_) || !in_[at_].digits) return false;
    Rational scale = LargeNumber(WordAt(at_ + 1));
    if (scale == 0 && at_ + 1 < in_.size()) {
      const std::string& text = in_[at_ + 1].text;
      if (text == "万")
        scale = 10000;
      else if (text == "亿")
        scale = 100000000;
      else if (text == "千")
        scale = 1000;
      else if (text == "百" && !Starts(at_ + 1, {"百", "分", "之"}))
        scale = 100;
    }
    if (scale == 0) return false;
    const Rational value = in_[at_].value * scale;
    const int decimals = in_[at_].decimals;
    Token& token = Join(2, TokenKind::kNumber);
    token.value = value;
    token.decimals = decimals;
    return true;
  }

  std::vector<Token>& in_;
  std::vector<Token> out_;
  std::size_t at_ = 0;
};

// 多, 少, 大 and 小 compare only after 比; elsewhere they are parts of nouns. 半 counts.
void SettleChinese(std::vector<Token>* tokens) {
  std::size_t than = tokens->size();
  for (std::size_t i = 0; i < tokens->size(); ++i) {
    Token& token = (*tokens)[i];
    if (token.kind == TokenKind::kThan) than = i;
    if (token.kind == TokenKind::kStop) than = tokens->size();
    const bool compares = token.kind == TokenKind::kMore || token.kind == TokenKind::kLess;
    if (compares && (than > i || i - than > 12)) token.kind = TokenKind::kWord;
    if (token.kind == TokenKind::kDozen && token.text == "打" &&
        (i == 0 || (*tokens)[i - 1].kind != TokenKind::kNumber)) {
      token.kind = TokenKind::kWord;
    }
    if (token.text == "半" && token.kind == TokenKind::kWord) {
      token.kind = TokenKind::kNumber;
      token.value = Rational(1, 2);
    }
  }
}

}  // namespace

void MergePhrases(std::vector<Token>* tokens) {
  *tokens = Merger(tokens).Run();
  SettleChinese(tokens);
}

}  // namespace ergo::reasoning
