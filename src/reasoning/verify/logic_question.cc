#include "reasoning/verify/logic_question.h"

#include <algorithm>
#include <map>
#include <utility>

namespace ergo::reasoning {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool Mentions(std::string_view text, std::initializer_list<std::string_view> words) {
  const std::string lower = Lower(text);
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

bool MentionsUnknown(std::string_view text) {
  return Mentions(
      text, {"unknown", "uncertain", "undetermined", "cannot be determined", "can't be determined",
             "not enough information", "未知", "不确定", "无法确定", "不知道"});
}

/// "A) True" -> "True".
std::string_view WithoutLetter(std::string_view option) {
  if (option.size() > 2 && (option[1] == ')' || option[1] == '.' || option[1] == ':'))
    option.remove_prefix(2);
  const auto first = option.find_first_not_of(" (");
  option.remove_prefix(std::min(first, option.size()));
  return option;
}

std::optional<LogicTruth> TruthOf(std::string_view option) {
  const std::string lower = Lower(WithoutLetter(option));
  if (MentionsUnknown(lower)) return LogicTruth::kUnknown;
  const auto begins = [&](std::initializer_list<std::string_view> words) {
    return std::any_of(words.begin(), words.end(),
                       [&](std::string_view word) { return lower.starts_with(word); });
  };
  if (begins({"false", "no", "假", "错", "否", "不"})) return LogicTruth::kFalse;
  if (begins({"true", "yes", "真", "对", "是", "正确"})) return LogicTruth::kTrue;
  return std::nullopt;
}

std::string Sentence(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
    text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

/// True, false or unknown by what is derived.
LogicTruth TruthIn(const LeastModel& model, const LogicLiteral& claim, World world) {
  if (model.Find(claim)) return LogicTruth::kTrue;
  if (model.Find(Negation(claim))) return LogicTruth::kFalse;
  if (world == World::kOpen) return LogicTruth::kUnknown;
  return claim.negated ? LogicTruth::kTrue : LogicTruth::kFalse;
}

void Explain(const LogicReader& reader, const LeastModel& model, const LogicLiteral& claim,
             LogicAnswer& answer) {
  const bool holds = answer.truth == LogicTruth::kTrue;
  const LogicLiteral shown = holds ? claim : Negation(claim);
  if (const auto derived = model.Find(shown)) {
    answer.steps = StepsOf(reader, model, *derived);
    return;
  }
  LogicStep step;
  step.text = Sentence(reader.theory().Say(answer.truth == LogicTruth::kUnknown ? claim : shown));
  step.rule = answer.truth == LogicTruth::kUnknown
                  ? "Neither this nor its opposite can be derived."
                  : "The opposite cannot be derived, and what cannot be derived is false.";
  step.absence = true;
  answer.steps.push_back(std::move(step));
}

void ChooseOption(std::span<const std::string> options, LogicAnswer& answer) {
  answer.value = Name(answer.truth);
  for (std::size_t i = 0; i < options.size(); ++i) {
    if (TruthOf(options[i]) != answer.truth) continue;
    answer.option = i;
    answer.value = WithoutLetter(options[i]);
    return;
  }
}

}  // namespace

std::string_view Name(LogicTruth truth) {
  if (truth == LogicTruth::kUnknown) return "Unknown";
  return truth == LogicTruth::kTrue ? "True" : "False";
}

std::vector<LogicStep> StepsOf(const LogicReader& reader, const LeastModel& model,
                               std::size_t derivation) {
  std::vector<LogicStep> steps;
  std::map<std::size_t, std::size_t> place;
  for (const std::size_t index : ProofOf(model, derivation)) {
    const LogicDerivation& derived = model.derivations()[index];
    const LogicRule& rule = reader.theory().rules[derived.rule];
    LogicStep step;
    step.text = Sentence(reader.theory().Say(derived.literal));
    step.rule = reader.sentences()[rule.sentence].text;
    step.given = rule.body.empty();
    for (const std::size_t premise : derived.premises) step.premises.push_back(place.at(premise));
    for (const LogicLiteral& absent : derived.absent) {
      LogicStep negation;
      negation.text = Sentence(reader.theory().Say(absent));
      negation.rule = "The opposite cannot be derived, and what cannot be derived is false.";
      negation.absence = true;
      step.premises.push_back(steps.size());
      steps.push_back(std::move(negation));
    }
    place[index] = steps.size();
    steps.push_back(std::move(step));
  }
  return steps;
}

std::optional<LogicQuestion> TakeApart(std::string_view context, std::string_view question,
                                       std::span<const std::string> options) {
  LogicQuestion parts;
  parts.context = context;
  std::size_t asked = std::string_view::npos;
  std::size_t cut = 0;
  // The words that ask, and what stands behind them: the statement.
  const std::string lower = Lower(question);
  for (const std::string_view mark : {"following statement", "下面的说法", "以下说法", "以下陈述",
                                      "下列说法", "following claim", "following conclusion"}) {
    const auto at = lower.find(mark);
    if (at == std::string::npos) continue;
    asked = at;
    std::size_t end = std::string::npos;
    for (const std::string_view stop : {"?", "？", ":", "："}) {
      const auto found = lower.find(stop, at);
      if (found < end) {
        end = found;
        cut = found + stop.size();
      }
    }
    if (end == std::string::npos) return std::nullopt;
    break;
  }
  const bool unknown = MentionsUnknown(question) ||
                       std::any_of(options.begin(), options.end(),
                                   [](const std::string& o) { return MentionsUnknown(o); });
  parts.world = unknown ? World::kOpen : World::kClosed;
  std::string_view statement = question;
  if (asked != std::string_view::npos) {
    statement = question.substr(cut);
    if (parts.context.empty()) {
      // Up to the start of the sentence that asks.
      for (const LogicSentence& sentence : SplitSentences(question)) {
        if (sentence.span.begin > asked || sentence.span.end <= asked) continue;
        parts.context = question.substr(0, sentence.span.begin);
      }
    }
  } else if (!Mentions(question, {"true or false", "true, false", "对还是错", "真还是假"}) &&
             parts.context.empty()) {
    return std::nullopt;
  }
  for (const LogicSentence& sentence : SplitSentences(statement)) {
    std::string_view text = sentence.text;
    for (const std::string_view quote : {"\"", "“", "”", "'", " "}) {
      while (text.starts_with(quote)) text.remove_prefix(quote.size());
      while (text.ends_with(quote)) text.remove_suffix(quote.size());
    }
    if (text.empty() || (Mentions(text, {"true or false", "true, false"}))) continue;
    parts.statement = text;
    return parts;
  }
  return std::nullopt;
}

std::optional<LogicAnswer> SolveLogicQuestion(std::string_view context, std::string_view question,
                                              std::span<const std::string> options) {
  const auto parts = TakeApart(context, question, options);
  return parts ? SolveLogicQuestion(*parts, options) : std::nullopt;
}

std::optional<LogicAnswer> SolveLogicQuestion(const LogicQuestion& parts,
                                              std::span<const std::string> options) {
  LogicReader reader;
  reader.Read(parts.context);
  if (reader.theory().rules.empty()) return std::nullopt;
  const auto claim = reader.Claim(parts.statement);
  if (!claim || claim->size() != 1 || !claim->front().body.empty()) return std::nullopt;
  const LogicLiteral& literal = claim->front().head;
  if (literal.arguments[0] < 0 || literal.arguments[1] < LogicLiteral::kNone) return std::nullopt;
  const auto model = LeastModel::Of(reader.theory(), parts.world);
  if (!model) return std::nullopt;
  LogicAnswer answer;
  answer.world = parts.world;
  answer.semantics = Semantics(parts.world);
  answer.truth = TruthIn(*model, literal, parts.world);
  Explain(reader, *model, literal, answer);
  ChooseOption(options, answer);
  for (const LogicSentence& sentence : reader.sentences()) {
    if (!sentence.understood) answer.unparsed.push_back(sentence.span);
  }
  for (const std::size_t sentence : MinimalConflict(reader.theory(), parts.world)) {
    answer.conflict.push_back(reader.sentences()[sentence].text);
  }
  answer.exact =
      answer.unparsed.empty() && answer.conflict.empty() && (options.empty() || answer.option);
  return answer;
}

}  // namespace ergo::reasoning
