#include "reasoning/verify/logic_theory.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace ergo::reasoning {
namespace {

constexpr std::size_t kMaxGroundRules = 200000;

struct GroundRule {
  std::vector<int> body;    ///< literals that must be derived
  std::vector<int> absent;  ///< atoms that must not be (closed world)
  int head = 0;
  std::size_t rule = 0;
};

std::vector<int> VariablesOf(const LogicRule& rule) {
  std::set<int> variables;
  const auto add = [&](const LogicLiteral& literal) {
    for (const int argument : literal.arguments) {
      if (argument <= LogicLiteral::kFirstVariable) variables.insert(argument);
    }
  };
  add(rule.head);
  for (const LogicLiteral& literal : rule.body) add(literal);
  return {variables.begin(), variables.end()};
}

}  // namespace

/// Grounds the rules over the constants and propagates. Literal 2a is atom a, 2a + 1 its negation.
class Chainer {
 public:
  Chainer(const LogicTheory& theory, World world) : theory_(theory), world_(world) {}

  Result<LeastModel> Run() {
    for (std::size_t i = 0; i < theory_.rules.size(); ++i) {
      if (!Ground(i)) {
        return Fail(fmt::format("more than {} ground rules", kMaxGroundRules), "logic",
                    "use fewer names or variables");
      }
    }
    std::vector<std::size_t> strata;
    if (!Stratify(strata)) {
      return Fail("negation runs through a circle of rules, so that there is no one least model",
                  "logic", "ask in the open world");
    }
    derived_.assign(2 * atoms_.size(), false);
    for (std::size_t level = 0; level < strata.size(); ++level) Propagate(strata[level]);
    return std::move(model_);
  }

 private:
  int NumberOf(const LogicLiteral& literal) {
    LogicLiteral atom = literal;
    atom.negated = false;
    const auto [at, added] = numbers_.try_emplace(atom, static_cast<int>(atoms_.size()));
    if (added) atoms_.push_back(atom);
    return 2 * at->second + (literal.negated ? 1 : 0);
  }

  bool Ground(std::size_t index) {
    const LogicRule& rule = theory_.rules[index];
    const std::vector<int> variables = VariablesOf(rule);
    const std::size_t base = theory_.constants.size();
    double count = 1;
    for (std::size_t i = 0; i < variables.size(); ++i) count *= static_cast<double>(base);
    if (count + static_cast<double>(rules_.size()) > kMaxGroundRules) return false;
    for (std::size_t choice = 0; choice < static_cast<std::size_t>(count); ++choice) {
      std::map<int, int> values;
      std::size_t rest = choice;
      for (const int variable : variables) {
        values[variable] = static_cast<int>(rest % base);
        rest /= base;
      }
      const auto ground = [&](LogicLiteral literal) {
        for (int& argument : literal.arguments) {
          if (argument <= LogicLiteral::kFirstVariable) argument = values[argument];
        }
        return literal;
      };
      GroundRule made;
      made.rule = index;
      made.head = NumberOf(ground(rule.head));
      for (const LogicLiteral& literal : rule.body) {
        const int number = NumberOf(ground(literal));
        const bool by_absence = literal.negated && world_ == World::kClosed;
        if (by_absence) {
          made.absent.push_back(number / 2);
        } else {
          made.body.push_back(number);
        }
      }
      rules_.push_back(std::move(made));
    }
    return true;
  }

  /// The strata in use, lowest first; each rule's is that of its head. False where a literal
  /// depends on its own absence.
  bool Stratify(std::vector<std::size_t>& strata) {
    level_.assign(2 * atoms_.size(), 0);
    // In the open world nothing depends on absence, and one stratum holds all.
    for (bool changed = world_ == World::kClosed; changed;) {
      changed = false;
      for (const GroundRule& rule : rules_) {
        std::size_t need = 0;
        for (const int literal : rule.body) need = std::max(need, level_[Index(literal)]);
        for (const int atom : rule.absent) need = std::max(need, level_[Index(2 * atom)] + 1);
        if (need <= level_[Index(rule.head)]) continue;
        if (need > theory_.rules.size()) return false;
        level_[Index(rule.head)] = need;
        changed = true;
      }
    }
    std::set<std::size_t> used = {0};
    for (const GroundRule& rule : rules_) used.insert(level_[Index(rule.head)]);
    strata.assign(used.begin(), used.end());
    return true;
  }

  /// Rounds of all rules of a stratum: what a round derives, the next one uses, so that the first
  /// proof found is one of the shallowest.
  void Propagate(std::size_t level) {
    std::vector<std::vector<std::size_t>> users(derived_.size());
    std::vector<std::size_t> missing(rules_.size(), 0);
    std::vector<std::size_t> ready;
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const GroundRule& rule = rules_[i];
      if (level_[Index(rule.head)] != level) continue;
      const bool blocked = std::any_of(rule.absent.begin(), rule.absent.end(),
                                       [&](int atom) { return derived_[Index(2 * atom)]; });
      if (blocked) continue;
      for (const int literal : rule.body) {
        if (derived_[Index(literal)]) continue;
        ++missing[i];
        users[Index(literal)].push_back(i);
      }
      if (missing[i] == 0) ready.push_back(i);
    }
    for (std::size_t next = 0; next < ready.size(); ++next) {
      const GroundRule& rule = rules_[ready[next]];
      if (derived_[Index(rule.head)]) continue;
      Record(rule);
      for (const std::size_t user : users[Index(rule.head)]) {
        if (--missing[user] == 0) ready.push_back(user);
      }
    }
  }

  void Record(const GroundRule& rule) {
    derived_[Index(rule.head)] = true;
    LogicDerivation made;
    made.literal = LiteralOf(rule.head);
    made.rule = rule.rule;
    for (const int literal : rule.body)
      made.premises.push_back(model_.index_.at(LiteralOf(literal)));
    for (const int atom : rule.absent) made.absent.push_back(LiteralOf(2 * atom + 1));
    model_.index_.emplace(made.literal, model_.derivations_.size());
    if (derived_[Index(rule.head ^ 1)] && !model_.contradiction_)
      model_.contradiction_ = made.literal;
    model_.derivations_.push_back(std::move(made));
  }

  static std::size_t Index(int literal) { return static_cast<std::size_t>(literal); }
  LogicLiteral LiteralOf(int number) const {
    LogicLiteral literal = atoms_[Index(number / 2)];
    literal.negated = number % 2 != 0;
    return literal;
  }

  const LogicTheory& theory_;
  const World world_;
  std::map<LogicLiteral, int> numbers_;
  std::vector<LogicLiteral> atoms_;
  std::vector<GroundRule> rules_;
  std::vector<std::size_t> level_;
  std::vector<bool> derived_;
  LeastModel model_;
};

std::string_view Semantics(World world) {
  return world == World::kOpen ? "least model, open world" : "least model, closed world";
}

LogicLiteral Negation(LogicLiteral literal) {
  literal.negated = !literal.negated;
  return literal;
}

int LogicTheory::PredicateOf(std::string_view name, PredicateForm form) {
  const auto known = predicate_numbers_.find(name);
  if (known != predicate_numbers_.end()) {
    Predicate& predicate = predicates[static_cast<std::size_t>(known->second)];
    // "an impus" shows that "impus" is a noun, wherever it was met first.
    if (form == PredicateForm::kNoun && predicate.form == PredicateForm::kAdjective)
      predicate.form = form;
    return known->second;
  }
  const int number = static_cast<int>(predicates.size());
  predicates.push_back({std::string(name), form});
  predicate_numbers_.emplace(name, number);
  return number;
}

int LogicTheory::ConstantOf(std::string_view name) {
  const auto known = constant_numbers_.find(name);
  if (known != constant_numbers_.end()) return known->second;
  const int number = static_cast<int>(constants.size());
  constants.emplace_back(name);
  constant_numbers_.emplace(name, number);
  return number;
}

namespace {

/// The third person of a verb: chase -> chases, watch -> watches, carry -> carries.
std::string ThirdPerson(const std::string& verb) {
  const auto ends = [&](std::string_view end) { return verb.ends_with(end); };
  if (verb == "have") return "has";
  if (ends("ch") || ends("sh") || ends("s") || ends("x") || ends("z") || ends("o"))
    return verb + "es";
  const bool vowel_before = verb.size() > 1 && std::string_view("aeiou").find(
                                                   verb[verb.size() - 2]) != std::string_view::npos;
  if (ends("y") && !vowel_before) return verb.substr(0, verb.size() - 1) + "ies";
  return verb + "s";
}

}  // namespace

std::string LogicTheory::Say(const LogicLiteral& literal) const {
  const auto name_of = [&](int argument) -> std::string {
    if (argument >= 0) return constants[static_cast<std::size_t>(argument)];
    return argument == LogicLiteral::kFirstVariable ? "someone" : "someone else";
  };
  const Predicate& predicate = predicates[static_cast<std::size_t>(literal.predicate)];
  const std::string subject = name_of(literal.arguments[0]);
  const std::string object =
      literal.arguments[1] == LogicLiteral::kNone ? "" : name_of(literal.arguments[1]);
  const char* no = literal.negated ? "not " : "";
  switch (predicate.form) {
    case PredicateForm::kAdjective:
      return fmt::format("{} is {}{}", subject, no, predicate.name);
    case PredicateForm::kNoun: {
      const bool vowel =
          std::string_view("aeio").find(predicate.name[0]) != std::string_view::npos ||
          predicate.name.starts_with("um") || predicate.name.starts_with("un");
      return fmt::format("{} is {}{} {}", subject, no, vowel ? "an" : "a", predicate.name);
    }
    case PredicateForm::kVerb:
      if (predicate.name.starts_with("can ")) {
        return fmt::format("{} can{} {}{}{}", subject, literal.negated ? "not" : "",
                           predicate.name.substr(4), object.empty() ? "" : " ", object);
      }
      return literal.negated
                 ? fmt::format("{} does not {} {}", subject, predicate.name, object)
                 : fmt::format("{} {} {}", subject, ThirdPerson(predicate.name), object);
    case PredicateForm::kRelation:
      return fmt::format("{} is {}{} {}", subject, no, predicate.name, object);
    case PredicateForm::kChineseIs:
      return fmt::format("{}{}{}", subject, literal.negated ? "不是" : "是", predicate.name);
    case PredicateForm::kChineseQuality:
      return fmt::format("{}{}{}", subject, literal.negated ? "不" : "很", predicate.name);
    case PredicateForm::kChineseVerb:
      break;
  }
  return fmt::format("{}{}{}{}", subject, literal.negated ? "不" : "", predicate.name, object);
}

Result<LeastModel> LeastModel::Of(const LogicTheory& theory, World world) {
  return Chainer(theory, world).Run();
}

std::optional<std::size_t> LeastModel::Find(const LogicLiteral& ground) const {
  const auto at = index_.find(ground);
  if (at == index_.end()) return std::nullopt;
  return at->second;
}

std::vector<std::size_t> ProofOf(const LeastModel& model, std::size_t index) {
  std::set<std::size_t> needed = {index};
  // Premises come before what they prove: one pass from the end meets them all.
  for (auto at = needed.rbegin(); at != needed.rend(); ++at) {
    for (const std::size_t premise : model.derivations()[*at].premises) needed.insert(premise);
  }
  return {needed.begin(), needed.end()};
}

std::vector<std::size_t> MinimalConflict(const LogicTheory& theory, World world) {
  const auto model = LeastModel::Of(theory, world);
  if (!model || !model->contradiction()) return {};
  std::set<std::size_t> sentences;
  for (const LogicLiteral& side : {*model->contradiction(), Negation(*model->contradiction())}) {
    for (const std::size_t step : ProofOf(*model, *model->Find(side))) {
      sentences.insert(theory.rules[model->derivations()[step].rule].sentence);
    }
  }
  // The sentences of one conflict; each is dropped if the rest still contradict.
  const std::vector<std::size_t> candidates(sentences.begin(), sentences.end());
  for (const std::size_t candidate : candidates) {
    LogicTheory fewer = theory;
    std::erase_if(fewer.rules, [&](const LogicRule& rule) {
      return rule.sentence == candidate || !sentences.contains(rule.sentence);
    });
    const auto rest = LeastModel::Of(fewer, world);
    if (rest && rest->contradiction()) sentences.erase(candidate);
  }
  return {sentences.begin(), sentences.end()};
}

}  // namespace ergo::reasoning
