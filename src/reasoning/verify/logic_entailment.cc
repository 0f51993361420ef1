#include "reasoning/verify/logic_entailment.h"

#include <fmt/format.h>
#include <z3++.h>

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "reasoning/verify/logic_formula.h"

namespace ergo::reasoning {
namespace {

using Clock = std::chrono::steady_clock;
using Op = LogicFormula::Op;

constexpr std::size_t kMaxPremises = 500;
constexpr unsigned kMaxMegabytes = 512;

enum class Sort { kOpen, kBool, kInt, kThing };

/// Sorts of symbols by their uses: classes of equal sorts, joined as formulas are read.
class Sorts {
 public:
  struct Symbol {
    int result = 0;
    std::vector<int> arguments;
  };

  Status Read(const LogicFormula& formula) { return Expect(formula, Fixed(Sort::kBool)); }

  Sort Of(int variable) {
    const Sort sort = kinds_[Index(Root(variable))];
    return sort == Sort::kOpen ? Sort::kThing : sort;
  }
  /// Of a symbol that was read before.
  const Symbol& At(const std::string& name, std::size_t arity) const {
    return symbols_.at({name, arity});
  }
  /// Of the quantified variables, in the order in which they were read.
  int BoundAt(std::size_t number) const { return bound_[number]; }

 private:
  static std::size_t Index(int variable) { return static_cast<std::size_t>(variable); }
  int New(Sort sort) {
    parents_.push_back(static_cast<int>(parents_.size()));
    kinds_.push_back(sort);
    return parents_.back();
  }
  int Fixed(Sort sort) { return New(sort); }
  int Root(int variable) {
    while (parents_[Index(variable)] != variable)
      variable = parents_[Index(variable)] = parents_[Index(parents_[Index(variable)])];
    return variable;
  }
  bool Join(int a, int b) {
    a = Root(a);
    b = Root(b);
    const Sort left = kinds_[Index(a)];
    const Sort right = kinds_[Index(b)];
    if (left != Sort::kOpen && right != Sort::kOpen && left != right) return false;
    parents_[Index(a)] = b;
    kinds_[Index(b)] = left == Sort::kOpen ? right : left;
    return true;
  }

  Status Expect(const LogicFormula& formula, int expected) {
    const auto need = [&](Sort sort, const std::string& name = {}) -> Status {
      if (Join(expected, Fixed(sort))) return {};
      return Fail(fmt::format("{} is used in two ways: as a truth value, a number or a thing",
                              name.empty() ? "a part of the formula" : name),
                  "logic");
    };
    Sort inner = Sort::kBool;
    switch (formula.op) {
      case Op::kName:
        return ExpectName(formula, expected);
      case Op::kNumber:
        return need(Sort::kInt, formula.name);
      case Op::kForAll:
      case Op::kExists: {
        const int variable = New(formula.whole_number ? Sort::kInt : Sort::kOpen);
        bound_.push_back(variable);
        scope_.emplace_back(formula.name, variable);
        auto status = need(Sort::kBool);
        if (status) status = Expect(formula.parts[0], expected);
        scope_.pop_back();
        return status;
      }
      case Op::kEqual:
      case Op::kLess:
      case Op::kLessEqual:
        inner = formula.op == Op::kEqual ? Sort::kOpen : Sort::kInt;
        if (auto status = need(Sort::kBool); !status) return status;
        break;
      case Op::kPlus:
      case Op::kMinus:
      case Op::kTimes:
        inner = Sort::kInt;
        if (auto status = need(Sort::kInt); !status) return status;
        break;
      default:
        if (auto status = need(Sort::kBool); !status) return status;
    }
    const int operand = New(inner);
    for (const LogicFormula& part : formula.parts) {
      if (auto status = Expect(part, operand); !status) return status;
    }
    return {};
  }

  Status ExpectName(const LogicFormula& formula, int expected) {
    const auto clash = [&] {
      return Fail(fmt::format("{} is used in two ways: as a truth value, a number or a thing",
                              formula.name),
                  "logic");
    };
    if (formula.parts.empty()) {
      for (auto at = scope_.rbegin(); at != scope_.rend(); ++at) {
        if (at->first != formula.name) continue;
        if (!Join(at->second, expected)) return clash();
        return {};
      }
    }
    const auto [at, added] = symbols_.try_emplace({formula.name, formula.parts.size()});
    if (added) {
      at->second.result = New(Sort::kOpen);
      for (std::size_t i = 0; i < formula.parts.size(); ++i)
        at->second.arguments.push_back(New(Sort::kOpen));
    }
    const Symbol symbol = at->second;
    if (!Join(symbol.result, expected)) return clash();
    for (std::size_t i = 0; i < formula.parts.size(); ++i) {
      if (auto status = Expect(formula.parts[i], symbol.arguments[i]); !status) return status;
    }
    return {};
  }

  std::vector<int> parents_;
  std::vector<Sort> kinds_;
  std::map<std::pair<std::string, std::size_t>, Symbol> symbols_;
  std::vector<std::pair<std::string, int>> scope_;
  std::vector<int> bound_;
};

/// Formulas as the solver's expressions, in the order in which their sorts were read.
class Builder {
 public:
  Builder(z3::context& context, Sorts& sorts)
      : context_(context), sorts_(sorts), thing_(context.uninterpreted_sort("thing")) {}

  z3::expr Of(const LogicFormula& formula) {
    if (formula.op == Op::kForAll || formula.op == Op::kExists) {
      const std::size_t number = bound_++;
      const z3::expr variable = context_.constant(
          fmt::format("{}!{}", formula.name, number).c_str(), SortOf(sorts_.BoundAt(number)));
      scope_.emplace_back(formula.name, variable);
      const z3::expr body = Of(formula.parts[0]);
      scope_.pop_back();
      return formula.op == Op::kForAll ? z3::forall(variable, body) : z3::exists(variable, body);
    }
    if (formula.op == Op::kName) return NameOf(formula);
    z3::expr_vector parts(context_);
    for (const LogicFormula& part : formula.parts) parts.push_back(Of(part));
    switch (formula.op) {
      case Op::kNumber:
        return context_.int_val(formula.name.c_str());
      case Op::kTrue:
      case Op::kFalse:
        return context_.bool_val(formula.op == Op::kTrue);
      case Op::kNot:
        return !parts[0];
      case Op::kAnd:
        return z3::mk_and(parts);
      case Op::kOr:
        return z3::mk_or(parts);
      case Op::kImplies:
        return z3::implies(parts[0], parts[1]);
      case Op::kLess:
        return parts[0] < parts[1];
      case Op::kLessEqual:
        return parts[0] <= parts[1];
      case Op::kPlus:
        return parts[0] + parts[1];
      case Op::kMinus:
        return parts[0] - parts[1];
      case Op::kTimes: {
        z3::expr product = parts[0];
        for (unsigned i = 1; i < parts.size(); ++i) product = product * parts[static_cast<int>(i)];
        return product;
      }
      default:
        return parts[0] == parts[1];  // equal, iff
    }
  }

 private:
  z3::sort SortOf(int variable) {
    switch (sorts_.Of(variable)) {
      case Sort::kBool:
        return context_.bool_sort();
      case Sort::kInt:
        return context_.int_sort();
      default:
        return thing_;
    }
  }

  z3::expr NameOf(const LogicFormula& formula) {
    if (formula.parts.empty()) {
      for (auto at = scope_.rbegin(); at != scope_.rend(); ++at) {
        if (at->first == formula.name) return at->second;
      }
    }
    const Sorts::Symbol& symbol = sorts_.At(formula.name, formula.parts.size());
    z3::sort_vector domain(context_);
    for (const int argument : symbol.arguments) domain.push_back(SortOf(argument));
    const z3::func_decl function =
        context_.function(formula.name.c_str(), domain, SortOf(symbol.result));
    z3::expr_vector arguments(context_);
    for (const LogicFormula& part : formula.parts) arguments.push_back(Of(part));
    return function(arguments);
  }

  z3::context& context_;
  Sorts& sorts_;
  z3::sort thing_;
  std::vector<std::pair<std::string, z3::expr>> scope_;
  std::size_t bound_ = 0;
};

class Prover {
 public:
  Prover(z3::context& context, std::vector<z3::expr> premises, Clock::time_point until)
      : context_(context), premises_(std::move(premises)), until_(until) {}

  /// Whether `chosen` premises and `goal` contradict each other, and which of them do so.
  z3::check_result Check(const std::vector<std::size_t>& chosen,
                         const std::optional<z3::expr>& goal, std::vector<std::size_t>& core) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(until_ - Clock::now()).count();
    if (left <= 0) return z3::unknown;
    z3::solver solver(context_);
    z3::params params(context_);
    params.set("timeout", static_cast<unsigned>(std::min<long>(left, 600000)));
    params.set("max_memory", kMaxMegabytes);
    params.set("random_seed", 0U);
    solver.set(params);
    z3::expr_vector marks(context_);
    for (const std::size_t number : chosen) {
      const z3::expr mark = context_.bool_const(fmt::format("premise!{}", number).c_str());
      solver.add(z3::implies(mark, premises_[number]));
      marks.push_back(mark);
    }
    if (goal) solver.add(*goal);
    const z3::check_result result = solver.check(marks);
    if (result != z3::unsat) return result;
    core.clear();
    const z3::expr_vector used = solver.unsat_core();
    for (unsigned i = 0; i < used.size(); ++i) {
      for (unsigned j = 0; j < marks.size(); ++j) {
        if (z3::eq(used[static_cast<int>(i)], marks[static_cast<int>(j)]))
          core.push_back(chosen[j]);
      }
    }
    std::sort(core.begin(), core.end());
    return result;
  }

  /// Drops what is not needed; false if time ran out.
  bool Minimize(const std::optional<z3::expr>& goal, std::vector<std::size_t>& core) {
    for (std::size_t i = 0; i < core.size();) {
      std::vector<std::size_t> fewer = core;
      fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
      std::vector<std::size_t> smaller;
      const z3::check_result result = Check(fewer, goal, smaller);
      if (result == z3::unknown) return false;
      if (result == z3::unsat) {
        // What stood before i was needed, and still is.
        core = smaller;
      } else {
        ++i;
      }
    }
    return true;
  }

  EntailmentResult Decide(const z3::expr& claim) {
    EntailmentResult result;
    std::vector<std::size_t> all(premises_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    const auto settle = [&](Entailment verdict, const std::optional<z3::expr>& goal) {
      result.verdict = verdict;
      result.minimal = Minimize(goal, result.core);
      return result;
    };
    const z3::check_result premises = Check(all, std::nullopt, result.core);
    if (premises == z3::unsat) return settle(Entailment::kConflict, std::nullopt);
    const z3::check_result against = Check(all, !claim, result.core);
    if (against == z3::unsat) return settle(Entailment::kEntailed, !claim);
    const z3::check_result with = Check(all, claim, result.core);
    if (with == z3::unsat) return settle(Entailment::kContradicted, claim);
    if (against == z3::sat && with == z3::sat) result.verdict = Entailment::kIndependent;
    return result;
  }

 private:
  z3::context& context_;
  std::vector<z3::expr> premises_;
  Clock::time_point until_;
};

}  // namespace

std::string_view Name(Entailment entailment) {
  switch (entailment) {
    case Entailment::kEntailed:
      return "entailed";
    case Entailment::kContradicted:
      return "contradicted";
    case Entailment::kIndependent:
      return "independent";
    case Entailment::kConflict:
      return "conflict";
    case Entailment::kUndecided:
      break;
  }
  return "undecided";
}

Result<EntailmentResult> Entails(std::span<const std::string> premises, std::string_view claim,
                                 std::chrono::milliseconds time) {
  const auto until = Clock::now() + time;
  if (premises.size() > kMaxPremises)
    return Fail(fmt::format("{} premises", premises.size()), "logic",
                fmt::format("give at most {}", kMaxPremises));
  std::vector<LogicFormula> formulas;
  Sorts sorts;
  for (std::size_t i = 0; i <= premises.size(); ++i) {
    const bool last = i == premises.size();
    auto formula = ParseLogicFormula(last ? claim : std::string_view(premises[i]));
    auto status = formula ? sorts.Read(*formula) : Status(Fail(std::move(formula)));
    if (!status) {
      status.error().where = last ? "claim" : fmt::format("premise {}", i + 1);
      return Fail(std::move(status));
    }
    formulas.push_back(std::move(*formula));
  }
  try {
    z3::context context;
    Builder builder(context, sorts);
    std::vector<z3::expr> built;
    for (const LogicFormula& formula : formulas) built.push_back(builder.Of(formula));
    const z3::expr goal = built.back();
    built.pop_back();
    return Prover(context, std::move(built), until).Decide(goal);
  } catch (const z3::exception& exception) {
    return Fail(fmt::format("the solver gave up: {}", exception.msg()), "logic");
  } catch (const std::bad_alloc&) {
    return Fail("the solver ran out of memory", "logic");
  }
}

}  // namespace ergo::reasoning
