#include "reasoning/verify/logic_knights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <set>

#include "reasoning/verify/logic_knights_words.h"
#include "reasoning/verify/logic_reader.h"
#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {
namespace {

using Op = KnightsClaim::Op;
using Words = std::span<const LogicWord>;

constexpr std::size_t kMaxPeople = 16;
constexpr std::size_t kMaxSayings = 64;
constexpr std::size_t kMaxText = 20000;

bool IsSaying(const LogicWord& word) {
  return IsOneOf(word.lower, {"says",      "said",     "claims",   "claimed",  "states",
                              "stated",    "tells",    "told",     "remarks",  "remarked",
                              "asserts",   "asserted", "declares", "declared", "mentions",
                              "mentioned", "notes",    "noted",    "comments", "commented",
                              "expressed", "replies",  "replied",  "answers",  "answered"});
}

/// A sentence without quotes and colons, which mark no more than what the words already say.
std::string Plain(std::string_view sentence) {
  std::string plain(sentence);
  for (const std::string_view mark : {"\"", "“", "”", "‘", "’", ":", "*"}) {
    for (auto at = plain.find(mark); at != std::string::npos; at = plain.find(mark))
      plain.replace(at, mark.size(), mark == ":" ? " , " : " ");
  }
  // A single quote that is no apostrophe.
  const auto letter = [&](std::size_t at) {
    return at < plain.size() && ((plain[at] | 32) >= 'a' && (plain[at] | 32) <= 'z');
  };
  for (std::size_t at = 0; at < plain.size(); ++at) {
    if (plain[at] == '\'' && !(at > 0 && letter(at - 1) && letter(at + 1))) plain[at] = ' ';
  }
  return plain;
}

/// The words of a sentence, whatever else is in it.
std::vector<LogicWord> AllWords(std::string_view sentence) {
  std::string plain(sentence);
  for (char& c : plain) {
    const bool known = ((c | 32) >= 'a' && (c | 32) <= 'z') || (c >= '0' && c <= '9') || c == ',';
    if (!known) c = ' ';
  }
  return WordsOf(plain);
}

/// Whether quotes are open where each sentence of `text` begins, once those at its start are
/// closed.
std::vector<bool> WithinQuotes(std::string_view text, const std::vector<LogicSentence>& sentences) {
  std::vector<bool> within;
  bool open = false;
  std::size_t at = 0;
  const auto pass = [&](std::size_t end, bool marks_only) {
    while (at < end) {
      const std::string_view rest = text.substr(at);
      const bool blank = rest[0] == ' ' || rest[0] == '\n' || rest[0] == '\t' || rest[0] == '\r';
      std::size_t size = 1;
      if (rest[0] == '"') {
        open = !open;
      } else if (rest.starts_with("“") || rest.starts_with("”")) {
        open = rest.starts_with("“");
        size = std::string_view("“").size();
      } else if (marks_only && !blank) {
        return;
      }
      at += size;
    }
  };
  for (const LogicSentence& sentence : sentences) {
    pass(sentence.span.begin, false);
    const bool before = open;
    if (before) pass(sentence.span.end, true);
    within.push_back(before && open && at < sentence.span.end);
    pass(sentence.span.end, false);
  }
  return within;
}

/// Whether a sentence in which nobody was found to say anything may still say something that
/// matters: somebody speaks, or it tells who is what, or the island has other rules.
bool MayMatter(const LogicSentence& sentence) {
  const std::vector<LogicWord> words = AllWords(sentence.text);
  if (words.empty()) return false;
  if (IsOneOf(words[0].lower, {"who", "what", "which", "is", "are", "can", "answer", "determine",
                               "find", "so", "tell", "decide", "say"}))
    return false;
  bool kind = false;
  bool amount = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i].lower;
    const bool truth =
        i + 2 < words.size() && words[i + 1].lower == "the" && words[i + 2].lower == "truth";
    if (IsSaying(words[i]) && !truth) return true;
    if (IsOneOf(word, {"sometimes", "normal", "normals", "spy", "spies", "joker", "jokers",
                       "random", "randomly", "alternately", "except", "opposite"}))
      return true;
    kind = kind || KnightKind(word).has_value();
    amount = amount || IsOneOf(word, {"exactly", "least", "most", "more", "fewer", "none"});
    const bool tells = i > 0 && IsOneOf(word, {"is", "isn't"}) && words[i - 1].capital &&
                       i + 2 < words.size() && words.size() <= i + 4 &&
                       KnightKind(words.back().lower).has_value();
    if (tells) return true;
  }
  return kind && amount;
}

struct Spoken {
  LogicWord speaker;
  std::vector<LogicWord> claim;
  Span span;
  std::string text;
};

/// Who says what, if the sentence is one in which somebody says something.
std::optional<Spoken> SpokenIn(const LogicSentence& sentence) {
  std::vector<LogicWord> words = WordsOf(Plain(sentence.text));
  const bool strange = words.empty();
  if (strange) words = AllWords(sentence.text);
  std::erase_if(
      words, [&](const LogicWord& word) { return word.lower == "," && &word == &words.front(); });
  if (words.size() < 3) return std::nullopt;
  std::size_t begin = 0;
  LogicWord speaker;
  if (words[0].lower == "according" && words[1].lower == "to") {
    speaker = words[2];
    begin = 3;
  } else if (IsSaying(words[1]) && words[0].capital) {
    speaker = words[0];
    begin = 2;
  } else {
    return std::nullopt;
  }
  while (begin < words.size() && IsOneOf(words[begin].lower, {",", "that", "you", "us", "me"}))
    ++begin;
  // With a character that is no part of a word nothing is sure to be understood.
  if (strange) begin = words.size();
  return Spoken{speaker,
                {words.begin() + static_cast<std::ptrdiff_t>(begin), words.end()},
                sentence.span,
                Plain(sentence.text)};
}

bool Holds(const KnightsClaim& claim, std::uint32_t world, bool exclusive) {
  const auto part = [&](std::size_t i) { return Holds(claim.parts[i], world, exclusive); };
  switch (claim.op) {
    case Op::kKnight:
      return (world >> claim.who & 1U) != 0;
    case Op::kNot:
      return !part(0);
    case Op::kAnd:
      return part(0) && part(1);
    case Op::kOr:
      return part(0) || part(1);
    case Op::kEither:
      return exclusive ? part(0) != part(1) : part(0) || part(1);
    case Op::kImplies:
      return !part(0) || part(1);
    case Op::kIff:
      return part(0) == part(1);
    case Op::kCount:
      break;
  }
  const auto knights = static_cast<std::size_t>(std::popcount(world));
  return claim.fewest <= knights && knights <= claim.most;
}

bool IsKnight(std::uint32_t world, std::size_t who) { return (world >> who & 1U) != 0; }

/// All assignments in which everybody's sayings are as true as they are.
std::vector<std::uint32_t> Solutions(const KnightsPuzzle& puzzle, const std::vector<bool>& used,
                                     bool exclusive) {
  std::vector<std::uint32_t> worlds;
  for (std::uint32_t world = 0; world < 1U << puzzle.people.size(); ++world) {
    bool fits = true;
    for (std::size_t i = 0; i < puzzle.sayings.size() && fits; ++i) {
      const KnightsPuzzle::Saying& saying = puzzle.sayings[i];
      fits = !used[i] || Holds(saying.claim, world, exclusive) == IsKnight(world, saying.speaker);
    }
    if (fits) worlds.push_back(world);
  }
  return worlds;
}

std::vector<std::string> Conflict(const KnightsPuzzle& puzzle) {
  std::vector<bool> used(puzzle.sayings.size(), true);
  std::vector<std::string> conflict;
  for (std::size_t i = 0; i < used.size(); ++i) {
    used[i] = false;
    if (!Solutions(puzzle, used, false).empty()) used[i] = true;
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) conflict.push_back(puzzle.sayings[i].text);
  }
  return conflict;
}

std::vector<std::optional<bool>> Settled(const KnightsPuzzle& puzzle,
                                         const std::vector<std::uint32_t>& worlds) {
  std::vector<std::optional<bool>> knight(puzzle.people.size());
  for (std::size_t who = 0; who < knight.size(); ++who) {
    const auto count = std::count_if(worlds.begin(), worlds.end(),
                                     [&](std::uint32_t world) { return IsKnight(world, who); });
    const bool all = count == static_cast<std::ptrdiff_t>(worlds.size());
    if (!worlds.empty() && (all || count == 0)) knight[who] = all;
  }
  return knight;
}

bool Counts(const KnightsClaim& claim) {
  return claim.op == Op::kCount || std::any_of(claim.parts.begin(), claim.parts.end(), Counts);
}

/// Names in a sentence that nobody says: people, if it introduces them, and else perhaps.
template <typename Meet>
void MeetOthers(const LogicSentence& sentence, Meet meet, std::vector<LogicWord>& others) {
  const std::vector<LogicWord> words = WordsOf(Plain(sentence.text));
  const bool introduces = std::any_of(words.begin(), words.end(), [](const LogicWord& word) {
    return IsOneOf(word.lower, {"meet", "inhabitants", "islanders", "people", "natives", "persons",
                                "encounter"});
  });
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool first =
        i == 0 && (words.size() < 2 || !IsOneOf(words[1].lower, {"is", "was", "and", "keeps",
                                                                 "stays", "remains", ","}));
    if (!words[i].capital || first ||
        IsOneOf(words[i].lower,
                {"who", "what", "this", "that", "it", "there", "everyone", "everybody", "one",
                 "each", "i", "knight", "knights", "knave", "knaves"})) {
      continue;
    }
    if (introduces && i > 0) meet(words[i]);
    others.push_back(words[i]);
  }
}

std::vector<std::string> Lower(const std::vector<std::string>& names) {
  std::vector<std::string> lower = names;
  for (std::string& name : lower) name[0] = static_cast<char>(name[0] - 'A' + 'a');
  return lower;
}

}  // namespace

std::string KnightsAnswer::Say() const {
  std::string text;
  for (std::size_t i = 0; i < people.size(); ++i) {
    text += fmt::format("{}{}: {}", i == 0 ? "" : ", ", people[i],
                        !knight[i]   ? "unknown"
                        : *knight[i] ? "knight"
                                     : "knave");
  }
  return text;
}

std::optional<KnightsPuzzle> ReadKnights(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  std::vector<Spoken> spoken;
  std::vector<std::string> people;
  const auto meet = [&](const LogicWord& word) {
    std::string name = word.lower;
    name[0] = static_cast<char>(name[0] - 'a' + 'A');
    if (std::find(people.begin(), people.end(), name) == people.end()) people.push_back(name);
  };
  std::vector<LogicWord> others;
  std::vector<Span> missed;
  const std::vector<LogicSentence> sentences = SplitSentences(text);
  const std::vector<bool> quoted = WithinQuotes(text, sentences);
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const LogicSentence& sentence = sentences[i];
    auto found = quoted[i] ? std::nullopt : SpokenIn(sentence);
    if (!found) {
      if (quoted[i] || MayMatter(sentence)) missed.push_back(sentence.span);
      MeetOthers(sentence, meet, others);
      continue;
    }
    meet(found->speaker);
    if (spoken.size() >= kMaxSayings) return std::nullopt;
    spoken.push_back(std::move(*found));
  }
  // Whoever is spoken of is on the island too: a capital before "is" or beside "and".
  for (const Spoken& one : spoken) {
    for (const LogicWord& word : one.claim) {
      const bool name =
          word.capital && word.lower.size() > 1 &&
          !IsOneOf(word.lower, {"if",       "exactly",   "at",     "all",   "both", "neither",
                                "either",   "we",        "none",   "some",  "it",   "only",
                                "everyone", "everybody", "nobody", "that",  "no",   "not",
                                "every",    "each",      "more",   "fewer", "less", "there",
                                "just",     "precisely", "four",   "five",  "six",  "zero",
                                "then",     "one",       "two",    "three", "of",   "the"});
      if (name) meet(word);
    }
  }
  if (spoken.empty() || people.size() > kMaxPeople) return std::nullopt;
  KnightsPuzzle puzzle;
  puzzle.people = people;
  puzzle.unparsed = missed;
  const std::vector<std::string> lower = Lower(people);
  for (const Spoken& one : spoken) {
    const auto speaker = static_cast<std::size_t>(
        std::find(lower.begin(), lower.end(), one.speaker.lower) - lower.begin());
    auto claim = KnightsReader(lower, speaker).Read(one.claim);
    if (!claim) {
      puzzle.unparsed.push_back(one.span);
      continue;
    }
    puzzle.sayings.push_back({speaker, std::move(*claim), one.text});
  }
  if (puzzle.sayings.empty()) return std::nullopt;
  puzzle.unsure_of_us = std::any_of(puzzle.sayings.begin(), puzzle.sayings.end(),
                                    [](const auto& saying) { return Counts(saying.claim); }) &&
                        std::any_of(others.begin(), others.end(), [&](const LogicWord& word) {
                          return std::find(lower.begin(), lower.end(), word.lower) == lower.end();
                        });
  return puzzle;
}

std::optional<KnightsAnswer> SolveKnights(std::string_view text) {
  const auto puzzle = ReadKnights(text);
  if (!puzzle) return std::nullopt;
  const std::vector<bool> all(puzzle->sayings.size(), true);
  const std::vector<std::uint32_t> worlds = Solutions(*puzzle, all, false);
  KnightsAnswer answer;
  answer.people = puzzle->people;
  answer.unparsed = puzzle->unparsed;
  answer.solutions = worlds.size();
  answer.knight = Settled(*puzzle, worlds);
  if (worlds.empty()) answer.conflict = Conflict(*puzzle);
  // "Either … or" that could exclude "both" must not matter.
  answer.exact = answer.unparsed.empty() && !puzzle->unsure_of_us && !worlds.empty() &&
                 worlds == Solutions(*puzzle, all, true);
  if (worlds.size() != 1) return answer;
  for (const KnightsPuzzle::Saying& saying : puzzle->sayings) {
    const bool knight = IsKnight(worlds[0], saying.speaker);
    answer.steps.push_back(fmt::format("{} is a {}, and what {} says is {}: {}",
                                       puzzle->people[saying.speaker], knight ? "knight" : "knave",
                                       puzzle->people[saying.speaker], knight ? "true" : "false",
                                       saying.text));
  }
  return answer;
}

std::vector<Finding> CheckKnights(const CheckInput& input) {
  if (input.text.size() > kMaxText || CheckInput::Clock::now() >= input.until) return {};
  const auto puzzle = ReadKnights(input.question);
  if (!puzzle) return {};
  const std::vector<bool> all(puzzle->sayings.size(), true);
  const auto worlds = Solutions(*puzzle, all, false);
  const bool one_reading = worlds == Solutions(*puzzle, all, true);
  const std::string conflict =
      worlds.empty() ? fmt::format("{}", fmt::join(Conflict(*puzzle), " ")) : "";
  std::string lower_text(input.text);
  std::transform(lower_text.begin(), lower_text.end(), lower_text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  bool hypothetical = false;
  for (const std::string_view word :
       {"assum", "suppos", "contradict", "if ", "would", "imagine", "case", "let "}) {
    hypothetical = hypothetical || lower_text.find(word) != std::string::npos;
  }
  const KnightsReader reader(Lower(puzzle->people), std::nullopt);
  std::vector<Finding> findings;
  const auto judge = [&](const KnightsClaim& claim, Span span) {
    const auto holding = static_cast<std::size_t>(
        std::count_if(worlds.begin(), worlds.end(),
                      [&](std::uint32_t world) { return Holds(claim, world, false); }));
    Finding finding;
    finding.method = "logic";
    finding.semantics = "every assignment of knights and knaves";
    finding.span = span;
    if (worlds.empty()) {
      finding.reason = "What the islanders say contradicts itself: " + conflict;
    } else {
      finding.verdict = holding == worlds.size() ? Verdict::kVerified
                        : holding == 0           ? Verdict::kRefuted
                                                 : Verdict::kUnsupported;
      finding.reason =
          fmt::format("It holds in {} of the {} possible assignments.", holding, worlds.size());
      finding.exact = puzzle->unparsed.empty() && !puzzle->unsure_of_us && one_reading &&
                      !hypothetical && finding.verdict != Verdict::kUnsupported;
    }
    findings.push_back(std::move(finding));
  };
  for (const LogicSentence& sentence : SplitSentences(input.text)) {
    const std::vector<LogicWord> words = WordsOf(Plain(sentence.text));
    // "Ada: knight, Boris: knave" is a list of claims, with its colons read as commas.
    std::vector<LogicWord> bare = words;
    std::erase_if(bare, [](const LogicWord& word) {
      return IsOneOf(word.lower, {",", "and", "a"});
    });
    bool list = bare.size() >= 2 && bare.size() % 2 == 0;
    for (std::size_t i = 0; list && i < bare.size(); i += 2)
      list = bare[i].capital && KnightKind(bare[i + 1].lower).has_value();
    if (list) {
      for (std::size_t i = 0; i < bare.size(); i += 2) {
        const std::vector<LogicWord> said = {bare[i], {"is", false}, bare[i + 1]};
        if (const auto claim = reader.Read(said)) judge(*claim, sentence.span);
      }
      continue;
    }
    Words rest = words;
    while (!rest.empty() && IsOneOf(rest[0].lower, {"so", "therefore", "thus", "hence", "then", ",",
                                                    "and", "finally", "since"}))
      rest = rest.subspan(1);
    if (rest.size() > 1 && IsSaying(rest[1])) continue;
    if (const auto claim = reader.Read(rest)) judge(*claim, sentence.span);
  }
  return findings;
}

}  // namespace ergo::reasoning
