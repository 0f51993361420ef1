#include "reasoning/formal/restate.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "base/utf8.h"
#include "reasoning/prompts/prompts.h"

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMostSentences = 24;
constexpr std::size_t kMostWords = 200;
constexpr std::size_t kMostTokens = 48;
constexpr std::size_t kSamples = 3;
constexpr std::size_t kAgree = 2;

using Words = std::set<std::string, std::less<>>;

/// What no fact or rule is about.
const Words& FormWords() {
  static const Words kWords = {
      "a",        "all",  "an",       "and",     "are",       "be",   "being",    "both",
      "every",    "has",  "have",     "if",      "in",        "is",   "it",       "its",
      "never",    "no",   "nobody",   "not",     "of",        "or",   "people",   "person",
      "some",     "so",   "somebody", "someone", "something", "that", "the",      "their",
      "then",     "they", "thing",    "things",  "to",        "too",  "whatever", "when",
      "whenever", "who",  "whoever",  "will",    "with",      "you"};
  return kWords;
}

/// Runs of letters.
std::vector<std::string> LettersOf(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// What a question speaks of.
struct Vocabulary {
  Words names;
  Words words;
};

Vocabulary VocabularyOf(const LogicReader& reader, std::string_view text, bool chinese) {
  Vocabulary all;
  for (const std::string& constant : reader.theory().constants) all.names.insert(constant);
  for (const auto& predicate : reader.theory().predicates) all.words.insert(predicate.name);
  if (chinese) return all;  // its words have no ends
  for (const std::string& word : LettersOf(text)) {
    std::string lower = word;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (FormWords().contains(lower)) continue;
    (lower == word ? all.words : all.names).insert(word);
  }
  return all;
}

/// Alternatives of a grammar.
std::string OneOf(const Words& words) {
  std::string all;
  std::size_t count = 0;
  for (const std::string& word : words) {
    if (word.find_first_of("\"\\\n") != std::string::npos || ++count > kMostWords) continue;
    all += (all.empty() ? "\"" : " | \"") + word + "\"";
  }
  return all;
}

std::optional<std::string> GrammarFor(const Vocabulary& vocabulary, PromptLanguage language) {
  const auto text = PromptText("restate.gbnf", language);
  if (!text || vocabulary.names.empty() || vocabulary.words.empty()) return std::nullopt;
  std::string grammar(*text);
  // The comment names the places too.
  grammar.erase(0, grammar.find('\n') + 1);
  const std::array<std::pair<std::string_view, std::string>, 2> values = {
      std::pair{"{names}", OneOf(vocabulary.names)}, std::pair{"{words}", OneOf(vocabulary.words)}};
  for (const auto& [place, value] : values) {
    const std::size_t at = grammar.find(place);
    if (at == std::string::npos) return std::nullopt;
    grammar.replace(at, place.size(), value);
  }
  return grammar;
}

/// What the model says a sentence means, where its samples agree.
std::vector<std::optional<std::string>> Ask(Work& work, const std::vector<std::string>& sentences,
                                            const std::string& grammar, PromptLanguage language) {
  std::vector<Continuation> continuations;
  std::vector<std::size_t> owners;
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    const std::array values = {PromptValue{"sentence", sentences[s]}};
    const auto prompt = MakePrompt({"restate", language, work.model().family()}, values);
    const auto start = prompt ? work.Begin(*prompt) : Result<BranchPtr>(Fail("no prompt"));
    if (!start) continue;
    for (std::size_t i = 0; i < kSamples; ++i) {
      Continuation continuation;
      continuation.from = *start;
      continuation.draw = {.max_tokens = kMostTokens,
                           .temperature = i == 0 ? 0.0f : 0.7f,
                           .seed = work.NextSeed(),
                           .grammar = grammar};
      continuations.push_back(std::move(continuation));
      owners.push_back(s);
    }
  }
  std::vector<std::map<std::string, std::size_t>> votes(sentences.size());
  const auto results = work.Continue(std::move(continuations));
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i] && results[i]->end != DrawEnd::kLength && results[i]->tokens > 0) {
      std::string_view text = Trimmed(results[i]->text);
      if (text.ends_with('.')) text.remove_suffix(1);
      ++votes[owners[i]][std::string(text)];
    }
  }
  std::vector<std::optional<std::string>> said(sentences.size());
  for (std::size_t s = 0; s < sentences.size(); ++s) {
    for (const auto& [text, count] : votes[s]) {
      if (count >= kAgree) said[s] = text;
    }
  }
  return said;
}

}  // namespace

std::optional<Restatement> Restate(Work& work) {
  const Question& question = work.question();
  auto parts = TakeApart(question.context, question.text, question.options);
  if (!parts) return std::nullopt;
  LogicReader reader;
  reader.Read(parts->context);
  std::vector<std::string> unread;
  std::vector<Span> spans;
  for (const LogicSentence& sentence : reader.sentences()) {
    if (sentence.understood) continue;
    unread.push_back(sentence.text);
    spans.push_back(sentence.span);
  }
  if (unread.size() * 2 > reader.sentences().size() || unread.size() > kMostSentences) {
    return std::nullopt;
  }
  const bool unclear = !reader.Claim(parts->statement);
  if (unclear) unread.push_back(parts->statement);
  if (unread.empty()) return std::nullopt;
  const PromptLanguage language = LanguageOf(parts->context);
  const auto grammar = GrammarFor(VocabularyOf(reader, parts->context + "\n" + parts->statement,
                                               language == PromptLanguage::kChinese),
                                  language);
  if (!grammar) return std::nullopt;
  const auto said = Ask(work, unread, *grammar, language);
  Restatement restated;
  const auto replace = [&](std::size_t index, std::string* text, const Span& span) {
    if (!said[index] || !reader.Claim(*said[index])) return;
    restated.originals[*said[index]] = unread[index];
    text->replace(span.begin, span.end - span.begin, *said[index]);
  };
  if (unclear) replace(spans.size(), &parts->statement, {0, parts->statement.size()});
  for (std::size_t i = spans.size(); i-- > 0;) replace(i, &parts->context, spans[i]);
  if (restated.originals.empty()) return std::nullopt;
  restated.parts = *std::move(parts);
  return restated;
}

}  // namespace ergo::reasoning
