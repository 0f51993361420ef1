#include "reasoning/verify/logic_paraphrase.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace ergo::reasoning {
namespace {

using Words = std::span<const LogicWord>;
using Tokens = std::vector<std::string_view>;

constexpr std::size_t kMaxSlot = 16;

/// A form is a row of: words with their alternatives ("means|implies", "rules_out"), a class in
/// capitals, either of them with "?" before it if it may be missing, and slots: $C and $Y say what
/// something is, $Z and $D do without "and", "or" and "not", $N is a name, $R a noun with its
/// adjectives, $S anything.
struct Form {
  std::string_view said;
  std::string_view plain;
};

constexpr auto kClasses = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"ALWAYS",
     "always|necessarily|inevitably|invariably|automatically|certainly|surely|also|thereby"},
    {"ONE",
     "a_person|someone|somebody|something|anyone|anybody|anything|everyone|everything|one|you|"
     "people|things|a_thing|them|it"},
    {"WHO", "who|that|which"},
    {"BEING", "being|to_be"},
    {"IMPLIES", "means|implies|entails|guarantees|ensures|requires"},
    {"EXCLUDES",
     "rules_out|excludes|precludes|prevents|forbids|prohibits|is_incompatible_with|"
     "is_not_compatible_with|is_inconsistent_with"},
    {"MAKES", "makes|renders"},
    {"NOBODY", "nobody|no_one|nothing|no_person|no_thing"},
    {"CANNOT_BE",
     "you_can_not_be|you_can_never_be|one_can_not_be|one_can_never_be|a_person_can_not_be|"
     "nobody_can_be|no_one_can_be|nothing_can_be|no_person_can_be|it_is_impossible_to_be|"
     "it_is_not_possible_to_be|there_is_no_way_to_be"},
    {"JUST", "no_more_than|nothing_more_than|nothing_but|only|just|merely"},
    {"ENOUGH", "is_enough|is_sufficient|suffices"},
    {"TOGETHER_BE",
     "and_at_the_same_time_be|and_at_the_same_time|,_and_at_the_same_time_be|and_simultaneously_be|"
     "and_simultaneously|while_being|while_also_being|and_yet_be|and_still_be|and_also_be"},
    {"AT_ONCE", "at_once|at_the_same_time|simultaneously|together"},
    {"FITS", "fits|applies|is_right|is_apt"},
    {"DESCRIBES", "fits|describes|suits|applies_to|is_true_of"},
    {"CERTAIN",
     "certain|sure|clear|known|well_known|true|obvious|evident|agreed|a_fact|beyond_doubt"},
    {"EVERYONE", "everybody|everyone|we|all|people|we_all"},
});

constexpr std::array kForms = {
    // What is put before a claim without changing it.
    Form{"it|this_much|one_thing is CERTAIN that $S", "$S"},
    Form{"it|this_much|one_thing|this is CERTAIN : $S", "$S"},
    Form{"it|this_much|one_thing|this is CERTAIN about|of $N : $S", "$S"},
    Form{"EVERYONE agrees|agree|knows|know that $S", "$S"},
    Form{"there_is_no_doubt|without_a_doubt|the_fact_is|we_are_told that|, $S", "$S"},
    Form{"in_fact|indeed|certainly|of_course|without_doubt|clearly ?, $S", "$S"},
    // Of somebody.
    Form{"you|we|one|people|everyone|everybody|anyone will|do find $N to_be $C", "$N is $C"},
    Form{"you|we|one find|finds $N to_be $C", "$N is $C"},
    Form{"as_for|regarding|concerning $N , the word|description|term|label|adjective $Z FITS",
         "$N is $Z"},
    Form{"as_for|regarding|concerning $N , the word|description|term|label|adjective $Z does_not "
         "fit|apply",
         "$N is not $Z"},
    Form{"as_for|regarding|concerning $N , he|she|it|they $S", "$N $S"},
    Form{"the word|description|term|label|adjective $Z DESCRIBES $N", "$N is $Z"},
    Form{"the word|description|term|label|adjective $Z does_not fit|describe|suit|apply_to $N",
         "$N is not $Z"},
    // What being something comes to.
    Form{"BEING $C ?ALWAYS IMPLIES|is|will_mean ?ALWAYS BEING $Y",
         "if something is $C then it is $Y"},
    Form{"BEING $C ?ALWAYS means|implies|entails|guarantees|ensures that ONE is|are $Y",
         "if something is $C then it is $Y"},
    Form{"BEING $C ?ALWAYS means|implies|entails|guarantees|ensures not being $Z",
         "if something is $C then it is not $Z"},
    Form{"BEING $C ?ALWAYS MAKES ONE $Y", "if something is $C then it is $Y"},
    Form{"BEING $C ?ALWAYS EXCLUDES ?ONE ?from being $Z", "if something is $C then it is not $Z"},
    Form{"BEING $C ?ALWAYS keeps|stops|prevents ONE from being $Z",
         "if something is $C then it is not $Z"},
    Form{"$Z ?ALWAYS implies|entails $Y", "if something is $Z then it is $Y"},
    Form{"$Z ?ALWAYS implies|entails not $D", "if something is $Z then it is not $D"},
    // What is impossible.
    Form{"CANNOT_BE $C ?, without ?also being $Y", "if something is $C then it is $Y"},
    Form{"NOBODY is|are $C ?, without ?also being $Y", "if something is $C then it is $Y"},
    Form{"CANNOT_BE $C TOGETHER_BE $Z", "if something is $C then it is not $Z"},
    Form{"CANNOT_BE ?both $Z and $D ?AT_ONCE", "if something is $Z then it is not $D"},
    Form{"CANNOT_BE $C and|but|yet not ?be $Z", "if something is $C then it is $Z"},
    Form{"NOBODY is|are ?both $Z and $D", "if something is $Z then it is not $D"},
    Form{"NOBODY is|are $C and|but|yet ?is|are not $Z", "if something is $C then it is $Z"},
    Form{"there is|are no $R WHO is|are $C and|but|yet ?is|are not $Z", "every $R who is $C is $Z"},
    Form{"there is|are no $R WHO is|are $C without being $Y", "every $R who is $C is $Y"},
    Form{"there is|are nobody|no_one|nothing WHO is|are $C WHO|and|but ?is|are not $Z",
         "if something is $C then it is $Z"},
    Form{"there is nobody|no_one|nothing WHO $S", "nobody $S"},
    Form{"there is|are no $R WHO $S", "no $R $S"},
    // What suffices.
    Form{"it takes JUST being|to_be $C to_be $Y", "if something is $C then it is $Y"},
    Form{"it only|just|merely takes being $C to_be $Y", "if something is $C then it is $Y"},
    Form{"BEING $C ENOUGH to_be|for_being|to_make_one|to_make_you $Y",
         "if something is $C then it is $Y"},
    Form{"BEING $C is all that|it ?it takes to_be $Y", "if something is $C then it is $Y"},
    Form{"all it takes to_be $Y is BEING $C", "if something is $C then it is $Y"},
    Form{"to_be $Y ?, it ENOUGH to_be $C", "if something is $C then it is $Y"},
    Form{"show|give|find me ONE|a_thing WHO is|are $C ?, and i will show|give|find you ONE WHO "
         "is|are $Y",
         "if something is $C then it is $Y"},
    // A "you" or "one" that is anybody.
    Form{"if|when|whenever you|one|people are|is $C ,|then|,_then you|one|they are|is $Y",
         "if something is $C then it is $Y"},
    Form{"you|one are|is $Y if|when|whenever you|one are|is $C",
         "if something is $C then it is $Y"},
    Form{"all|he|she|they WHO is|are $S", "everyone who are $S"},
    Form{"anyone|anything|anybody|everyone|everything|everybody $C is|are $S",
         "anyone who is $C is $S"},
};

/// Groups of words that say no more than "is", or "is not".
constexpr auto kGroups = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"turns_out_to_be", "is"},       {"turn_out_to_be", "are"},
    {"proves_to_be", "is"},          {"prove_to_be", "are"},
    {"happens_to_be", "is"},         {"happen_to_be", "are"},
    {"ends_up_being", "is"},         {"end_up_being", "are"},
    {"fails_to_be", "is not"},       {"fail_to_be", "are not"},
    {"is_far_from_being", "is not"}, {"are_far_from_being", "are not"},
    {"is_far_from", "is not"},       {"are_far_from", "are not"},
    {"is_anything_but", "is not"},   {"are_anything_but", "are not"},
    {"is_by_no_means", "is not"},    {"are_by_no_means", "are not"},
    {"is_in_no_way", "is not"},      {"are_in_no_way", "are not"},
});

Tokens SplitAt(std::string_view text, char mark) {
  Tokens parts;
  while (true) {
    const auto at = text.find(mark);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

/// The words of a phrase ("rules_out") at the start of a sentence, or 0.
std::size_t PhraseAt(Words words, std::string_view phrase) {
  std::size_t count = 0;
  for (const std::string_view word : SplitAt(phrase, '_')) {
    if (count >= words.size() || words[count].lower != word) return 0;
    ++count;
  }
  return count;
}

bool IsJoint(const LogicWord& word) {
  return IsOneOf(word.lower, {",", "and", "or", "not", "both"});
}

bool IsProperty(Words words, bool plain) {
  constexpr auto kNever = std::to_array<std::string_view>(
      {":",    "is",     "are",     "was",     "were",   "am",     "be",      "being", "been",
       "does", "do",     "did",     "can",     "could",  "will",   "would",   "may",   "might",
       "must", "should", "if",      "then",    "when",   "unless", "because", "since", "while",
       "who",  "that",   "which",   "what",    "all",    "every",  "each",    "any",   "no",
       "some", "to",     "nor",     "neither", "either", "only",   "so",      "but",   "there",
       "have", "has",    "without", "you",     "i",      "we",     "they",    "it",    "he",
       "she",  "me",     "from",    "for",     "never",  "always", "at"});
  if (plain ? std::any_of(words.begin(), words.end(), IsJoint) : IsJoint(words.back()))
    return false;
  // "not kind and red" could deny the one or both.
  if (words[0].lower == "not" && std::any_of(words.begin() + 1, words.end(), IsJoint)) return false;
  return std::none_of(words.begin(), words.end(), [&](const LogicWord& word) {
    return std::find(kNever.begin(), kNever.end(), word.lower) != kNever.end();
  });
}

bool IsName(Words words) {
  if (words.size() == 1) return words[0].capital;
  return words.size() <= 4 && words[0].lower == "the" && IsProperty(words.subspan(1), true);
}

bool Fits(char slot, Words words) {
  switch (slot) {
    case 'C':
    case 'Y':
      return IsProperty(words, false);
    case 'Z':
    case 'D':
    case 'R':
      return IsProperty(words, true);
    case 'N':
      return IsName(words);
    default:
      return true;
  }
}

class Matcher {
 public:
  bool Match(std::span<const std::string_view> form, Words words) {
    if (form.empty()) return words.empty();
    std::string_view token = form[0];
    const auto rest = form.subspan(1);
    if (token[0] == '$') {
      const std::size_t most = token[1] == 'S' ? words.size() : std::min(words.size(), kMaxSlot);
      // What may be anything is the rest.
      for (std::size_t n = token[1] == 'S' ? std::max<std::size_t>(most, 1) : 1; n <= most; ++n) {
        if (!Fits(token[1], words.first(n))) continue;
        slots_[token[1]] = words.first(n);
        if (Match(rest, words.subspan(n))) return true;
      }
      return false;
    }
    const bool optional = token[0] == '?' && token.size() > 1;
    if (optional) token.remove_prefix(1);
    for (const std::string_view choice : SplitAt(token, '|')) {
      const auto known = std::find_if(kClasses.begin(), kClasses.end(),
                                      [&](const auto& entry) { return entry.first == choice; });
      const std::string_view phrases = known == kClasses.end() ? choice : known->second;
      for (const std::string_view phrase : SplitAt(phrases, '|')) {
        const std::size_t count = PhraseAt(words, phrase);
        if (count > 0 && Match(rest, words.subspan(count))) return true;
      }
    }
    return optional && Match(rest, words);
  }

  std::vector<LogicWord> Fill(std::string_view plain, const LogicWord* first) const {
    std::vector<LogicWord> words;
    for (const std::string_view token : SplitAt(plain, ' ')) {
      if (token[0] != '$') {
        words.push_back({std::string(token)});
        continue;
      }
      for (const LogicWord& word : slots_.at(token[1])) {
        words.push_back(word);
        // The capital of a sentence makes no name.
        if (&word == first && token[1] != 'N') words.back().capital = false;
      }
    }
    return words;
  }

 private:
  std::map<char, Words> slots_;
};

std::optional<std::vector<LogicWord>> WithoutGroups(Words words) {
  std::vector<LogicWord> plain;
  bool changed = false;
  for (std::size_t at = 0; at < words.size();) {
    std::size_t count = 0;
    for (const auto& [group, verb] : kGroups) {
      count = PhraseAt(words.subspan(at), group);
      if (count == 0) continue;
      for (const std::string_view word : SplitAt(verb, ' ')) plain.push_back({std::string(word)});
      changed = true;
      break;
    }
    if (count == 0) plain.push_back(words[at]);
    at += std::max<std::size_t>(count, 1);
  }
  if (!changed) return std::nullopt;
  return plain;
}

}  // namespace

std::optional<std::vector<LogicWord>> Rephrased(Words words) {
  if (auto plain = WithoutGroups(words)) return plain;
  for (const Form& form : kForms) {
    const Tokens tokens = SplitAt(form.said, ' ');
    Matcher matcher;
    if (matcher.Match(tokens, words)) return matcher.Fill(form.plain, words.data());
  }
  return std::nullopt;
}

}  // namespace ergo::reasoning
