#include "reasoning/verify/logic_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <string>

#include "reasoning/verify/logic_knights.h"
#include "reasoning/verify/logic_question.h"
#include "reasoning/verify/logic_reader.h"
#include "reasoning/verify/logic_words.h"

namespace ergo::reasoning {
namespace {

using Marks = std::initializer_list<std::string_view>;

constexpr std::size_t kMaxText = 20000;
constexpr std::size_t kMaxQuestion = 60000;
constexpr std::size_t kMaxClaims = 100;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

bool Mentions(const std::string& lower, Marks words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

void Strip(std::string_view& text) {
  constexpr std::string_view kEdges = " \t\r\n,:*\"'-()";
  const auto first = text.find_first_not_of(kEdges);
  if (first == std::string_view::npos) {
    text = {};
    return;
  }
  text = text.substr(first, text.find_last_not_of(kEdges) - first + 1);
  for (const std::string_view edge : {"“", "”", "，", "：", "「", "」"}) {
    while (text.starts_with(edge)) text.remove_prefix(edge.size());
    while (text.ends_with(edge)) text.remove_suffix(edge.size());
  }
}

/// Removes words that only link a sentence to the one before.
void StripLinks(std::string_view& text) {
  for (bool again = true; again;) {
    again = false;
    Strip(text);
    const std::string lower = Lower(text.substr(0, 64));
    for (const std::string_view link : {"therefore",
                                        "thus",
                                        "hence",
                                        "so",
                                        "then",
                                        "also",
                                        "and",
                                        "consequently",
                                        "finally",
                                        "first",
                                        "second",
                                        "next",
                                        "in conclusion",
                                        "we know that",
                                        "we know",
                                        "we can conclude that",
                                        "we conclude that",
                                        "it follows that",
                                        "this means that",
                                        "this means",
                                        "which means that",
                                        "that means",
                                        "given that",
                                        "since",
                                        "because",
                                        "as",
                                        "but",
                                        "we are given that",
                                        "we are told that",
                                        "we have",
                                        "因此",
                                        "所以",
                                        "因为",
                                        "由于",
                                        "于是",
                                        "已知",
                                        "我们知道",
                                        "可知",
                                        "可得",
                                        "首先",
                                        "其次",
                                        "最后",
                                        "而"}) {
      const bool word = link[0] > 0;  // English words end at a blank or a comma
      if (!lower.starts_with(link) ||
          (word && lower.size() > link.size() && lower[link.size()] != ' ' &&
           lower[link.size()] != ',' && lower[link.size()] != ':')) {
        continue;
      }
      text.remove_prefix(link.size());
      again = true;
      break;
    }
  }
}

/// The claims of a sentence: whole, or its parts around linking words. "Since A, B" parts at a
/// comma for which both sides can be read.
class Claims {
 public:
  explicit Claims(LogicReader& reader) : reader_(reader) {}

  void Take(std::string_view sentence, std::vector<std::string_view>& out) {
    const std::string lower = Lower(sentence);
    for (const std::string_view link :
         {", so ", ", therefore ", ", thus ", ", hence ", ", which means ", "; so ", " because ",
          ", because ", " since ", "，所以", "，因此", "，故", "，于是"}) {
      const auto at = lower.find(link);
      if (at == std::string::npos || at == 0) continue;
      Take(sentence.substr(0, at), out);
      Take(sentence.substr(at + link.size()), out);
      return;
    }
    const bool reason =
        Mentions(lower.substr(0, 16), {"since ", "because ", "as ", "given that ", "因为", "由于"});
    std::string_view text = sentence;
    StripLinks(text);
    if (reason) {
      for (const std::string_view comma : {"，", ","}) {
        for (auto at = text.rfind(comma); at != std::string_view::npos && at > 0;
             at = text.rfind(comma, at - 1)) {
          std::string_view left = text.substr(0, at);
          std::string_view right = text.substr(at + comma.size());
          StripLinks(left);
          StripLinks(right);
          if (!reader_.Claim(left) || !reader_.Claim(right)) continue;
          out.push_back(left);
          out.push_back(right);
          return;
        }
      }
    }
    if (!text.empty()) out.push_back(text);
  }

 private:
  LogicReader& reader_;
};

/// A rule's claim holds if its head follows for somebody of whom nothing but its body is known.
std::optional<bool> RuleFollows(const LogicTheory& theory, const LogicRule& rule) {
  LogicTheory assumed = theory;
  const auto frozen = [&](LogicLiteral literal) {
    for (int& argument : literal.arguments) {
      if (argument <= LogicLiteral::kFirstVariable)
        argument = assumed.ConstantOf(fmt::format("?{}", argument));
    }
    return literal;
  };
  for (const LogicLiteral& literal : rule.body) assumed.rules.push_back({{}, frozen(literal), 0});
  const LogicLiteral head = frozen(rule.head);
  const auto model = LeastModel::Of(assumed, World::kOpen);
  if (!model || model->contradiction()) return std::nullopt;
  return model->Find(head).has_value();
}

class Judge {
 public:
  Judge(const LogicReader& reader, const LeastModel& model, World world)
      : reader_(reader), model_(model), world_(world) {}

  /// The weakest verdict of the rules that a sentence claims together.
  Finding Of(const std::vector<LogicRule>& rules) const {
    Finding worst;
    worst.verdict = Verdict::kVerified;
    for (const LogicRule& rule : rules) {
      Finding one = rule.body.empty() && rule.head.arguments[0] >= 0 &&
                            rule.head.arguments[1] >= LogicLiteral::kNone
                        ? Fact(rule.head)
                        : General(rule);
      if (one.verdict == Verdict::kRefuted) return one;
      if (one.verdict != Verdict::kVerified || worst.reason.empty()) worst = std::move(one);
    }
    return worst;
  }

  Finding Asked(LogicTruth said, const LogicLiteral& statement) const {
    LogicTruth truth = world_ == World::kOpen ? LogicTruth::kUnknown
                       : statement.negated    ? LogicTruth::kTrue
                                              : LogicTruth::kFalse;
    if (model_.Find(statement)) truth = LogicTruth::kTrue;
    if (model_.Find(Negation(statement))) truth = LogicTruth::kFalse;
    Finding finding;
    finding.verdict = said == truth ? Verdict::kVerified : Verdict::kRefuted;
    finding.reason =
        fmt::format("“{}” is {}.", reader_.theory().Say(statement), Lower(Name(truth)));
    if (said != truth) finding.value = Name(truth);
    return finding;
  }

 private:
  Finding Fact(const LogicLiteral& claim) const {
    Finding finding;
    if (const auto derived = model_.Find(claim)) {
      finding.verdict = Verdict::kVerified;
      finding.reason = Proof(*derived);
    } else if (const auto opposite = model_.Find(Negation(claim))) {
      finding.verdict = Verdict::kRefuted;
      finding.reason = "The opposite holds. " + Proof(*opposite);
      finding.value = reader_.theory().Say(Negation(claim));
    } else if (world_ == World::kClosed) {
      finding.verdict = claim.negated ? Verdict::kVerified : Verdict::kRefuted;
      finding.reason = "Nothing derives it, and what cannot be derived is false.";
      if (claim.negated)
        finding.reason = "Nothing derives the opposite, and what cannot be derived is false.";
      if (!claim.negated) finding.value = reader_.theory().Say(Negation(claim));
    } else {
      finding.verdict = Verdict::kUnsupported;
      finding.reason = "Neither this nor its opposite can be derived.";
    }
    return finding;
  }

  Finding General(const LogicRule& rule) const {
    Finding finding;
    const auto follows = RuleFollows(reader_.theory(), rule);
    finding.verdict = !follows   ? Verdict::kUnchecked
                      : *follows ? Verdict::kVerified
                                 : Verdict::kUnsupported;
    finding.reason = !follows   ? "Its condition contradicts the premises."
                     : *follows ? "The rules give it for anybody who meets its condition."
                                : "The rules do not give it.";
    return finding;
  }

  std::string Proof(std::size_t derivation) const {
    const std::vector<LogicStep> steps = StepsOf(reader_, model_, derivation);
    if (steps.size() == 1 && steps[0].given) return "It is given.";
    std::vector<std::string> used;
    for (const LogicStep& step : steps) {
      if (std::find(used.begin(), used.end(), step.rule) == used.end()) used.push_back(step.rule);
    }
    std::string text = "It follows from ";
    for (std::size_t i = 0; i < used.size() && i < 12; ++i)
      text += fmt::format("{}“{}”", i == 0 ? "" : ", ", used[i]);
    return text + (used.size() > 12 ? ", …" : ".");
  }

  const LogicReader& reader_;
  const LeastModel& model_;
  const World world_;
};

/// What a sentence says of the statement that the question asks about.
std::optional<LogicTruth> SaidOfAsked(std::string_view claim) {
  std::string lower = Lower(claim);
  std::erase(lower, '*');
  bool found = false;
  for (const std::string_view begin : {"the statement is ", "this statement is ", "the answer is ",
                                       "final answer is ", "answer is ", "the given statement is ",
                                       "answer: ", "该说法是", "这个说法是", "答案是", "答案："}) {
    if (!lower.starts_with(begin)) continue;
    lower.erase(0, begin.size());
    found = true;
    break;
  }
  if (!found) return std::nullopt;
  std::string_view rest = lower;
  Strip(rest);
  if (IsOneOf(rest, {"true", "真", "真的", "对的", "正确的"})) return LogicTruth::kTrue;
  if (IsOneOf(rest, {"false", "假", "假的", "错的", "错误的"})) return LogicTruth::kFalse;
  if (IsOneOf(rest, {"unknown", "uncertain", "未知", "未知的", "不确定", "不确定的"}))
    return LogicTruth::kUnknown;
  return std::nullopt;
}

std::string ConflictOf(const LogicReader& reader, World world) {
  std::string text;
  for (const std::size_t sentence : MinimalConflict(reader.theory(), world)) {
    text += fmt::format("{}“{}”", text.empty() ? "" : ", ", reader.sentences()[sentence].text);
  }
  return text.empty() ? text : fmt::format("The premises contradict each other: {}.", text);
}

/// The question's sentences that are no questions themselves, as one text.
std::string PremisesOf(std::string_view question) {
  std::string premises;
  for (const LogicSentence& sentence : SplitSentences(question)) {
    const std::string_view rest = question.substr(sentence.span.end);
    if (rest.starts_with("?") || rest.starts_with("？")) continue;
    std::string_view text = sentence.text;
    for (const std::string_view label :
         {"Context:", "Premises:", "Facts:", "Rules:", "Question:"}) {
      if (text.starts_with(label)) text.remove_prefix(label.size());
    }
    premises += std::string(text) + "\n";
  }
  return premises;
}

}  // namespace

std::vector<Finding> LogicCheck::Run(const CheckInput& input) const {
  if (input.question.size() > kMaxQuestion || input.text.size() > kMaxText) return {};
  if (CheckInput::Clock::now() >= input.until) return {};
  if (auto findings = CheckKnights(input); !findings.empty()) return findings;
  auto parts = TakeApart("", input.question, {});
  if (!parts) parts = LogicQuestion{std::string(input.question), "", World::kOpen};
  LogicReader reader;
  reader.Read(PremisesOf(parts->context));
  const auto& sentences = reader.sentences();
  const auto understood = static_cast<std::size_t>(std::count_if(
      sentences.begin(), sentences.end(), [](const LogicSentence& s) { return s.understood; }));
  if (understood == 0 || 2 * understood < sentences.size()) return {};
  const bool all_read = reader.understood_all();
  // What was not understood may derive what the rest does not.
  const World world = all_read ? parts->world : World::kOpen;

  const auto asked = reader.Claim(parts->statement);
  const bool hypothetical = Mentions(
      Lower(input.text),
      {"assum", "suppose", "contradict", "hypothe", "would ", "imagine", "假设", "假定", "矛盾"});
  std::vector<std::string_view> claims;
  Claims splitter(reader);
  for (const LogicSentence& sentence : SplitSentences(input.text)) {
    splitter.Take(input.text.substr(sentence.span.begin, sentence.span.end - sentence.span.begin),
                  claims);
  }
  std::vector<std::pair<std::string_view, std::vector<LogicRule>>> read;
  for (const std::string_view claim : claims) {
    if (read.size() >= kMaxClaims || CheckInput::Clock::now() >= input.until) break;
    if (SaidOfAsked(claim)) {
      read.emplace_back(claim, std::vector<LogicRule>());
    } else if (auto rules = reader.Claim(claim)) {
      read.emplace_back(claim, std::move(*rules));
    }
  }
  if (read.empty()) return {};
  const auto model = LeastModel::Of(reader.theory(), world);
  if (!model) return {};
  const std::string conflict = model->contradiction() ? ConflictOf(reader, world) : "";
  const bool ground = asked && asked->size() == 1 && asked->front().body.empty() &&
                      asked->front().head.arguments[0] >= 0;
  std::vector<Finding> findings;
  const Judge judge(reader, *model, world);
  for (const auto& [claim, rules] : read) {
    Finding finding;
    if (!conflict.empty()) {
      finding.reason = conflict;
    } else if (!rules.empty()) {
      finding = judge.Of(rules);
    } else if (ground) {
      finding = judge.Asked(*SaidOfAsked(claim), asked->front().head);
    } else {
      continue;
    }
    finding.method = name();
    finding.semantics = Semantics(world);
    finding.exact = all_read && !hypothetical &&
                    (finding.verdict == Verdict::kVerified || finding.verdict == Verdict::kRefuted);
    const auto begin = static_cast<std::size_t>(claim.data() - input.text.data());
    finding.span = {begin, begin + claim.size()};
    findings.push_back(std::move(finding));
  }
  return findings;
}

}  // namespace ergo::reasoning
