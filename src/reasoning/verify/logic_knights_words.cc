#include "reasoning/verify/logic_knights_words.h"

#include <algorithm>
#include <array>

namespace ergo::reasoning {
namespace {

using Op = KnightsClaim::Op;
using Words = std::span<const LogicWord>;

constexpr int kMaxDepth = 12;

bool Matches(Words words, std::initializer_list<std::string_view> pattern) {
  return words.size() == pattern.size() &&
         std::equal(words.begin(), words.end(), pattern.begin(),
                    [](const LogicWord& w, std::string_view p) { return w.lower == p; });
}

bool StartsWith(Words words, std::initializer_list<std::string_view> pattern) {
  return words.size() > pattern.size() && Matches(words.first(pattern.size()), pattern);
}

std::optional<std::size_t> NumberWord(std::string_view word) {
  if (!word.empty() && word.size() <= 4 &&
      word.find_first_not_of("0123456789") == std::string_view::npos) {
    std::size_t value = 0;
    for (const char digit : word) value = value * 10 + static_cast<std::size_t>(digit - '0');
    return value;
  }
  if (word == "no") return 0;
  constexpr std::array<std::string_view, 11> kNumbers = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"};
  const auto at = std::find(kNumbers.begin(), kNumbers.end(), word);
  if (at == kNumbers.end()) return std::nullopt;
  return static_cast<std::size_t>(at - kNumbers.begin());
}

KnightsClaim Make(Op op, std::vector<KnightsClaim> parts) {
  KnightsClaim claim;
  claim.op = op;
  claim.parts = std::move(parts);
  return claim;
}

}  // namespace

std::optional<bool> KnightKind(std::string_view word) {
  if (IsOneOf(word, {"knight", "knights", "truth-teller", "truth-tellers", "truthful", "honest"}))
    return true;
  if (IsOneOf(word, {"knave", "knaves", "liar", "liars", "lying", "dishonest"})) return false;
  return std::nullopt;
}

std::optional<std::size_t> KnightsReader::Person(const LogicWord& word) const {
  if (IsOneOf(word.lower, {"i", "me", "myself"})) return speaker_;
  const auto at = std::find(people_.begin(), people_.end(), word.lower);
  if (at == people_.end() || !word.capital) return std::nullopt;
  return static_cast<std::size_t>(at - people_.begin());
}

KnightsClaim KnightsReader::Is(std::size_t who, bool knight) const {
  KnightsClaim claim;
  claim.who = who;
  if (knight) return claim;
  return Make(Op::kNot, {std::move(claim)});
}

KnightsClaim KnightsReader::Count(std::size_t fewest, std::size_t most, bool knights) const {
  const std::size_t all = people_.size();
  KnightsClaim claim;
  claim.op = Op::kCount;
  // So many knaves are all the others as knights; a number over all of them is never met.
  if (fewest > all) {
    claim.fewest = 1;
    claim.most = 0;
    return claim;
  }
  most = std::min(most, all);
  claim.fewest = knights ? fewest : all - most;
  claim.most = knights ? most : all - fewest;
  return claim;
}

std::optional<KnightsClaim> KnightsReader::Read(Words words, int depth) const {
  if (depth > kMaxDepth || words.empty() || words.size() > 80) return std::nullopt;
  while (!words.empty() && words.back().lower == ",") words = words.first(words.size() - 1);
  if (StartsWith(words, {"that"})) return Read(words.subspan(1), depth + 1);
  for (const auto& head :
       {std::initializer_list<std::string_view>{"it", "is", "not", "the", "case", "that"},
        std::initializer_list<std::string_view>{"it", "is", "not", "true", "that"},
        std::initializer_list<std::string_view>{"it", "is", "false", "that"}}) {
    if (!StartsWith(words, head)) continue;
    auto inner = Read(words.subspan(head.size()), depth + 1);
    if (!inner) return std::nullopt;
    return Make(Op::kNot, {std::move(*inner)});
  }
  if (StartsWith(words, {"if"})) {
    // "then", or else the first comma that leaves two parts that can be read.
    for (const std::string_view cut : {"then", ","}) {
      for (std::size_t i = 2; i + 1 < words.size(); ++i) {
        if (words[i].lower != cut) continue;
        auto condition = Read(words.subspan(1, i - 1), depth + 1);
        auto conclusion = Read(words.subspan(i + 1), depth + 1);
        if (condition && conclusion)
          return Make(Op::kImplies, {std::move(*condition), std::move(*conclusion)});
      }
    }
    return std::nullopt;
  }
  for (std::size_t i = 1; i + 5 < words.size(); ++i) {
    if (!StartsWith(words.subspan(i), {"if", "and", "only", "if"})) continue;
    auto left = Read(words.first(i), depth + 1);
    auto right = Read(words.subspan(i + 4), depth + 1);
    if (!left || !right) return std::nullopt;
    return Make(Op::kIff, {std::move(*left), std::move(*right)});
  }
  return Joined(words, depth);
}

std::optional<KnightsClaim> KnightsReader::Joined(Words words, int depth) const {
  if (auto atom = Atom(words)) return atom;
  const bool either = StartsWith(words, {"either"});
  const Words inner = either ? words.subspan(1) : words;
  for (const auto& [link, op] :
       {std::pair{"or", either ? Op::kEither : Op::kOr}, std::pair{"and", Op::kAnd}}) {
    for (std::size_t i = 1; i + 1 < inner.size(); ++i) {
      if (inner[i].lower != link) continue;
      auto left = Read(inner.first(i), depth + 1);
      auto right = left ? Read(inner.subspan(i + 1), depth + 1) : std::nullopt;
      if (left && right) return Make(op, {std::move(*left), std::move(*right)});
    }
  }
  return std::nullopt;
}

std::optional<KnightsClaim> KnightsReader::Atom(Words words) const {
  if (auto group = Group(words)) return group;
  if (auto pair = Pair(words)) return pair;
  if (words.size() < 3) return std::nullopt;
  const auto who = Person(words[0]);
  if (!who) return std::nullopt;
  // "Ada would say that …": as true as Ada is.
  if (IsOneOf(words[1].lower, {"would", "could", "will", "can"}) && words.size() > 4 &&
      IsOneOf(words[2].lower, {"say", "claim", "tell"})) {
    std::size_t begin = 3;
    while (begin < words.size() && IsOneOf(words[begin].lower, {"that", "you"})) ++begin;
    auto said = Read(words.subspan(begin), kMaxDepth - 2);
    if (!said) return std::nullopt;
    return Make(Op::kIff, {Is(*who, true), std::move(*said)});
  }
  if (Matches(words.subspan(1), {"always", "lies"})) return Is(*who, false);
  if (Matches(words.subspan(1), {"always", "tells", "the", "truth"})) return Is(*who, true);
  if (!IsOneOf(words[1].lower, {"is", "am", "are"})) return std::nullopt;
  words = words.subspan(2);
  bool positive = true;
  if (words[0].lower == "not") {
    positive = false;
    words = words.subspan(1);
  }
  if (words.size() == 2 && IsOneOf(words[0].lower, {"a", "an"})) words = words.subspan(1);
  if (Matches(words, {"telling", "the", "truth"})) return Is(*who, positive);
  if (words.size() != 1 || !KnightKind(words[0].lower)) return std::nullopt;
  return Is(*who, *KnightKind(words[0].lower) == positive);
}

/// "at least one of us is a knave", "all of us are knights", "we are both knaves", "exactly two …".
std::optional<KnightsClaim> KnightsReader::Group(Words words) const {
  const std::size_t all = people_.size();
  const auto be = std::find_if(words.begin(), words.end(), [](const LogicWord& w) {
    return IsOneOf(w.lower, {"is", "are"});
  });
  if (be == words.end()) return std::nullopt;
  // "There are at least two knights among us."
  if (words.size() > 5 && words[0].lower == "there" && Matches(words.last(2), {"among", "us"})) {
    const auto kind = KnightKind(words[words.size() - 3].lower);
    if (!kind || be != words.begin() + 1) return std::nullopt;
    const Words amount = words.subspan(2, words.size() - 5);
    if (amount.size() == 1 && amount[0].lower != "no") return std::nullopt;
    return amount[0].lower == "no" && amount.size() == 1 ? Count(0, 0, *kind)
                                                         : Amount(amount, *kind);
  }
  const Words who = words.first(static_cast<std::size_t>(be - words.begin()));
  Words what = words.subspan(who.size() + 1);
  const bool both = !what.empty() && IsOneOf(what[0].lower, {"both", "all"});
  if (both) what = what.subspan(1);
  if (what.size() == 2 && what[0].lower == "a") what = what.subspan(1);
  const bool same = Matches(what, {"the", "same"}) || StartsWith(what, {"the", "same"}) ||
                    StartsWith(what, {"of", "the", "same"});
  const bool everybody = Matches(who, {"we"}) || Matches(who, {"all", "of", "us"}) ||
                         Matches(who, {"everyone"}) || Matches(who, {"everybody"}) ||
                         (Matches(who, {"both", "of", "us"}) && all == 2);
  if (everybody && same) return Make(Op::kOr, {Count(all, all, true), Count(0, 0, true)});
  if (what.size() != 1 || !KnightKind(what[0].lower)) return std::nullopt;
  const bool knights = *KnightKind(what[0].lower);
  if (everybody)
    return both && what[0].lower.back() != 's' ? std::nullopt
                                               : std::optional(Count(all, all, knights));
  if (Matches(who, {"none", "of", "us"}) || Matches(who, {"nobody"}) ||
      (Matches(who, {"neither", "of", "us"}) && all == 2)) {
    return Count(0, 0, knights);
  }
  if (Matches(who, {"some", "of", "us"})) return Count(1, all, knights);
  if (who.size() < 3 || !Matches(who.last(2), {"of", "us"})) return std::nullopt;
  return Amount(who.first(who.size() - 2), knights);
}

/// "exactly two", "at least 1", "more than three", "no", "none", "not all", "each", "all 3".
std::optional<KnightsClaim> KnightsReader::Amount(Words amount, bool knights) const {
  const std::size_t all = people_.size();
  if (Matches(amount, {"not", "all"}) || Matches(amount, {"not", "every", "one"}))
    return Make(Op::kNot, {Count(all, all, knights)});
  if (Matches(amount, {"every", "one"}) || Matches(amount, {"each"}) || Matches(amount, {"all"}))
    return Count(all, all, knights);
  if (Matches(amount, {"not", "one"}) || Matches(amount, {"not", "a", "single", "one"}) ||
      Matches(amount, {"no", "one"}) || Matches(amount, {"none"})) {
    return Count(0, 0, knights);
  }
  const auto number = NumberWord(amount.back().lower);
  if (!number) return std::nullopt;
  const Words how = amount.first(amount.size() - 1);
  if (how.size() == 1) {
    if (IsOneOf(how[0].lower, {"exactly", "only", "just", "precisely"}))
      return Count(*number, *number, knights);
    if (how[0].lower == "all" && *number == all) return Count(all, all, knights);
    return std::nullopt;
  }
  if (Matches(how, {"at", "least"}) || Matches(how, {"no", "fewer", "than"}) ||
      Matches(how, {"no", "less", "than"})) {
    return Count(*number, all, knights);
  }
  if (Matches(how, {"at", "most"}) || Matches(how, {"no", "more", "than"}) ||
      Matches(how, {"not", "more", "than"})) {
    return Count(0, *number, knights);
  }
  if (Matches(how, {"more", "than"})) return Count(*number + 1, all, knights);
  if (Matches(how, {"fewer", "than"}) || Matches(how, {"less", "than"}))
    return *number > 0 ? Count(0, *number - 1, knights) : Count(all + 1, all, knights);
  return std::nullopt;
}

/// "Ada and I are of different kinds", "both Ada and Boris are knaves", "Ada is the same as Boris".
std::optional<KnightsClaim> KnightsReader::Pair(Words words) const {
  const bool neither = StartsWith(words, {"neither"});
  if (neither || StartsWith(words, {"both"})) words = words.subspan(1);
  if (words.size() < 5 || words[1].lower != (neither ? "nor" : "and")) return std::nullopt;
  const auto first = Person(words[0]);
  const auto second = Person(words[2]);
  if (!first || !second || !IsOneOf(words[3].lower, {"are", "is", "am"})) return std::nullopt;
  Words what = words.subspan(4);
  if (what[0].lower == "both" && what.size() > 1) what = what.subspan(1);
  if (what.size() == 2 && what[0].lower == "a") what = what.subspan(1);
  if (what.size() == 1 && KnightKind(what[0].lower)) {
    const bool knight = *KnightKind(what[0].lower) != neither;
    return Make(Op::kAnd, {Is(*first, knight), Is(*second, knight)});
  }
  if (neither) return std::nullopt;
  if (what[0].lower == "of" && what.size() > 1) what = what.subspan(1);
  const auto kind_word = [](const LogicWord& word) {
    return IsOneOf(word.lower, {"kind", "kinds", "type", "types"});
  };
  const bool same = Matches(what, {"the", "same"}) ||
                    (what.size() == 3 && StartsWith(what, {"the", "same"}) && kind_word(what[2]));
  const bool different = Matches(what, {"different"}) ||
                         (what.size() == 2 && what[0].lower == "different" && kind_word(what[1]));
  if (!same && !different) return std::nullopt;
  KnightsClaim equal = Make(Op::kIff, {Is(*first, true), Is(*second, true)});
  return same ? std::move(equal) : Make(Op::kNot, {std::move(equal)});
}

}  // namespace ergo::reasoning
