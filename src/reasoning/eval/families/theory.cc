#include "reasoning/eval/families/theory.h"

#include <algorithm>
#include <utility>

namespace ergo::reasoning::eval {

namespace {

std::size_t Index(Literal literal) {
  return 2 * static_cast<std::size_t>(literal.property) + (literal.positive ? 1 : 0);
}

/// A clause of the theory of one person; true if one of its literals is.
using Clause = std::vector<Literal>;

/// DPLL: unit propagation, then both values of the first property that is open.
bool Satisfiable(const std::vector<Clause>& clauses, std::vector<std::optional<bool>> values) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Clause& clause : clauses) {
      const Literal* open = nullptr;
      int count = 0;
      bool satisfied = false;
      for (const Literal& literal : clause) {
        const auto& value = values[static_cast<std::size_t>(literal.property)];
        if (!value) {
          open = &literal;
          ++count;
        } else if (*value == literal.positive) {
          satisfied = true;
        }
      }
      if (satisfied) continue;
      if (count == 0) return false;
      if (count == 1) {
        values[static_cast<std::size_t>(open->property)] = open->positive;
        changed = true;
      }
    }
  }
  const auto free = std::find(values.begin(), values.end(), std::nullopt);
  if (free == values.end()) return true;
  for (const bool value : {true, false}) {
    *free = value;
    if (Satisfiable(clauses, values)) return true;
  }
  return false;
}

/// Draws theories of one form until one is as it should be.
class Drawing {
 public:
  Drawing(const DeductionForm& form, Truth truth, Random* random)
      : form_(form), truth_(truth), random_(random) {}

  Deduction Draw() {
    while (true) {
      Deduction deduction = Sketch();
      if (IsAsDrawn(deduction)) return deduction;
    }
  }

 private:
  int NewProperty() { return next_property_++; }

  Deduction Sketch() {
    next_property_ = 0;
    Deduction deduction;
    deduction.truth = truth_;
    Theory& theory = deduction.theory;
    theory.people = static_cast<int>(random_->Between(2, 4));
    // Negation is in the statement alone, in the closed world, and then says the opposite.
    const bool negated = random_->Chance(30);
    derivable_ = form_.closed ? (truth_ == Truth::kTrue) != negated : truth_ != Truth::kUnknown;
    Literal end = DrawChain(&theory);
    if (!form_.closed && truth_ == Truth::kFalse) {
      deduction.statement = Opposite(end);
    } else if (form_.closed && negated) {
      deduction.statement = Opposite(end);
    } else {
      deduction.statement = end;
    }
    reached_ = end;
    AddDistractors(&theory, end.property);
    theory.properties = next_property_;
    random_->Shuffle(&theory.facts);
    random_->Shuffle(&theory.rules);
    return deduction;
  }

  /// Facts and rules that lead from a fact about person 0 to the literal that is returned, in as
  /// many rounds as the form has; one condition is missing if it is not to be derivable.
  Literal DrawChain(Theory* theory) {
    Literal at = {NewProperty(), true};
    theory->facts.push_back({0, at});
    const auto missing =
        derivable_ ? -1 : static_cast<int>(random_->Below(static_cast<std::size_t>(form_.depth)));
    for (int step = 0; step < form_.depth; ++step) {
      Rule rule;
      rule.conditions.push_back(at);
      if (step == missing || random_->Chance(30)) {
        const Literal side = {NewProperty(), true};
        rule.conditions.push_back(side);
        // Somebody else has what person 0 lacks.
        theory->facts.push_back({step == missing ? 1 : 0, side});
        if (random_->Chance(50)) std::swap(rule.conditions[0], rule.conditions[1]);
      }
      const bool last = step + 1 == form_.depth;
      at = {NewProperty(), form_.closed || !last || !random_->Chance(40)};
      rule.conclusion = at;
      theory->rules.push_back(std::move(rule));
    }
    return at;
  }

  void AddDistractors(Theory* theory, int end) {
    const int known = next_property_;
    const auto count = random_->Between(2, 3 + form_.depth / 2);
    for (std::int64_t i = 0; i < count; ++i) {
      Rule rule;
      const auto any = [&](int below) {
        return static_cast<int>(random_->Below(static_cast<std::size_t>(below)));
      };
      const int first = any(next_property_);
      if (first == end) continue;
      rule.conditions.push_back({first, true});
      const int second = any(next_property_);
      if (random_->Chance(40) && second != first && second != end) {
        rule.conditions.push_back({second, true});
      }
      // Conclusions are properties that lead nowhere else, so that no chain is cut short.
      const bool fresh = next_property_ < known + 4;
      const int conclusion = fresh ? NewProperty() : known + any(next_property_ - known);
      const auto used = [&](const Literal& literal) { return literal.property == conclusion; };
      if (std::any_of(rule.conditions.begin(), rule.conditions.end(), used)) continue;
      rule.conclusion = {conclusion, form_.closed || !random_->Chance(25)};
      theory->rules.push_back(std::move(rule));
    }
    for (int person = 1; person < theory->people; ++person) {
      for (std::int64_t i = random_->Between(1, 3); i > 0; --i) {
        const auto property =
            static_cast<int>(random_->Below(static_cast<std::size_t>(next_property_)));
        const auto same = [&](const Fact& fact) {
          return fact.person == person && fact.literal.property == property;
        };
        if (std::any_of(theory->facts.begin(), theory->facts.end(), same)) continue;
        theory->facts.push_back({person, {property, form_.closed || !random_->Chance(20)}});
      }
    }
  }

  bool IsAsDrawn(const Deduction& deduction) const {
    const Theory& theory = deduction.theory;
    for (int person = 0; person < theory.people; ++person) {
      const auto derived = Derive(theory, person);
      for (int property = 0; property < theory.properties; ++property) {
        if (derived[Index({property, true})] && derived[Index({property, false})]) return false;
      }
    }
    const auto derived = Derive(theory, 0);
    const std::optional<int> depth = derived[Index(reached_)];
    if (derivable_ ? depth != form_.depth : depth.has_value()) return false;
    if (form_.closed) return true;
    // Both semantics agree: nothing follows by contraposition alone.
    const bool can_hold = Consistent(theory, 0, reached_);
    const bool can_fail = Consistent(theory, 0, Opposite(reached_));
    return can_hold && can_fail != derivable_;
  }

  const DeductionForm form_;
  const Truth truth_;
  Random* const random_;
  int next_property_ = 0;
  bool derivable_ = true;
  Literal reached_;
};

}  // namespace

std::vector<std::optional<int>> Derive(const Theory& theory, int person) {
  std::vector<std::optional<int>> rounds(2 * static_cast<std::size_t>(theory.properties));
  for (const Fact& fact : theory.facts) {
    if (fact.person == person) rounds[Index(fact.literal)] = 0;
  }
  bool changed = true;
  for (int round = 1; changed; ++round) {
    changed = false;
    for (const Rule& rule : theory.rules) {
      std::optional<int>& conclusion = rounds[Index(rule.conclusion)];
      const auto holds = [&](const Literal& literal) {
        const std::optional<int> since = rounds[Index(literal)];
        return since && *since < round;
      };
      if (conclusion || !std::all_of(rule.conditions.begin(), rule.conditions.end(), holds)) {
        continue;
      }
      conclusion = round;
      changed = true;
    }
  }
  return rounds;
}

bool Consistent(const Theory& theory, int person, Literal assumed) {
  std::vector<Clause> clauses = {{assumed}};
  for (const Fact& fact : theory.facts) {
    if (fact.person == person) clauses.push_back({fact.literal});
  }
  for (const Rule& rule : theory.rules) {
    Clause clause = {rule.conclusion};
    for (const Literal& condition : rule.conditions) clause.push_back(Opposite(condition));
    clauses.push_back(std::move(clause));
  }
  return Satisfiable(clauses,
                     std::vector<std::optional<bool>>(static_cast<std::size_t>(theory.properties)));
}

Deduction DrawDeduction(const DeductionForm& form, Truth truth, Random* random) {
  return Drawing(form, truth, random).Draw();
}

}  // namespace ergo::reasoning::eval
