#include "reasoning/verify/answer_equivalence.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "reasoning/verify/algebra.h"
#include "reasoning/verify/formula.h"

namespace ergo::reasoning {
namespace {

using Kind = FormulaKind;
using Parts = std::vector<FormulaPtr>;

constexpr std::size_t kMaxItems = 64;
constexpr int kMaxDepth = 30;

Equivalence Both(Equivalence a, Equivalence b) {
  if (a == Equivalence::kNo || b == Equivalence::kNo) return Equivalence::kNo;
  return a == Equivalence::kYes && b == Equivalence::kYes ? Equivalence::kYes
                                                          : Equivalence::kUnknown;
}

bool IsExpression(const Formula& f) {
  switch (f.kind) {
    case Kind::kNumber:
    case Kind::kSymbol:
    case Kind::kSum:
    case Kind::kProduct:
    case Kind::kQuotient:
    case Kind::kPower:
    case Kind::kNegation:
    case Kind::kFunction:
      return true;
    default:
      return false;
  }
}

bool HasPlusMinus(const Formula& f) {
  return f.kind == Kind::kPlusMinus || std::any_of(f.parts.begin(), f.parts.end(),
                                                   [](const auto& p) { return HasPlusMinus(*p); });
}

FormulaPtr WithSign(const FormulaPtr& f, bool plus) {
  auto copy = std::make_shared<Formula>(*f);
  for (FormulaPtr& part : copy->parts) part = WithSign(part, plus);
  if (copy->kind == Kind::kPlusMinus) {
    copy->kind = Kind::kSum;
    if (!plus) copy->parts[1] = MakeFormula(Kind::kNegation, {copy->parts[1]});
  }
  return copy;
}

// What stands left of an assignment: x, f(x), (p, q), AB, |AB|, a ratio of such, without numbers.
bool IsNameLike(const Formula& f) {
  if (f.kind == Kind::kSymbol) return true;
  if (f.kind == Kind::kFunction && f.name.size() == 1 && f.name != "!") return true;
  const bool joins = f.kind == Kind::kProduct || f.kind == Kind::kTuple ||
                     f.kind == Kind::kQuotient || (f.kind == Kind::kFunction && f.name == "abs");
  return joins && std::all_of(f.parts.begin(), f.parts.end(),
                              [](const FormulaPtr& part) { return IsNameLike(*part); });
}

bool OnlyEquals(const Formula& f) {
  return f.kind == Kind::kRelation && f.name.find_first_of("<>!") == f.name.npos &&
         f.name.find("∈") == f.name.npos;
}

// "x = 5 + 6 = 11 ≈ 11.0" is 11, "x ∈ S" is S; other formulas are what they are.
FormulaPtr Assigned(const FormulaPtr& f) {
  if (f->kind != Kind::kRelation) return f;
  const bool constant = OnlyEquals(*f) && Symbols(*f).empty();
  if (!constant && !IsNameLike(*f->parts.front())) return f;
  if (f->name == "∈") return f->parts[1];
  if (!OnlyEquals(*f)) return f;
  std::size_t last = 1;
  std::string_view signs = f->name;
  for (std::size_t i = 1; i < f->parts.size(); ++i) {
    const bool near = signs.starts_with("≈");
    if (!near || i == 1) last = i;
    const std::size_t space = signs.find(' ');
    signs = space == signs.npos ? "" : signs.substr(space + 1);
  }
  return f->parts[last];
}

// Lists and ± as items; sets stay.
Parts Items(const FormulaPtr& f) {
  Parts items;
  const bool list = f->kind == Kind::kList;
  for (const FormulaPtr& part : list ? f->parts : Parts{f}) {
    const FormulaPtr item = Assigned(part);
    if (item->kind == Kind::kList) {
      for (const FormulaPtr& inner : item->parts) items.push_back(Assigned(inner));
    } else if (HasPlusMinus(*item) && (IsExpression(*item) || item->kind == Kind::kPlusMinus)) {
      items.push_back(WithSign(item, true));
      items.push_back(WithSign(item, false));
    } else {
      items.push_back(item);
    }
  }
  return items;
}

class Comparer {
 public:
  Equivalence Compare(const FormulaPtr& a, const FormulaPtr& b);

 private:
  Equivalence Single(const FormulaPtr& a, const FormulaPtr& b);
  Equivalence Values(const Formula& a, const Formula& b);
  Equivalence Ordered(const Parts& a, const Parts& b);
  Equivalence Unordered(const Parts& a, const Parts& b);
  Parts Distinct(const Parts& items);
  Equivalence Relations(const Formula& a, const Formula& b);

  int depth_ = 0;
  int work_ = 0;
};

Equivalence Comparer::Ordered(const Parts& a, const Parts& b) {
  if (a.size() != b.size()) return Equivalence::kNo;
  Equivalence all = Equivalence::kYes;
  for (std::size_t i = 0; i < a.size() && all != Equivalence::kNo; ++i) {
    all = Both(all, Compare(a[i], b[i]));
  }
  return all;
}

Parts Comparer::Distinct(const Parts& items) {
  Parts distinct;
  for (const FormulaPtr& item : items) {
    const bool seen = std::any_of(distinct.begin(), distinct.end(), [&](const FormulaPtr& other) {
      return Compare(item, other) == Equivalence::kYes;
    });
    if (!seen) distinct.push_back(item);
  }
  return distinct;
}

Equivalence Comparer::Unordered(const Parts& a, const Parts& b) {
  if (a.size() > kMaxItems || b.size() > kMaxItems) return Equivalence::kUnknown;
  if (a.size() != b.size()) {
    // What is said twice counts once.
    const Parts x = Distinct(a);
    const Parts y = Distinct(b);
    const bool shrunk = x.size() < a.size() || y.size() < b.size();
    return shrunk && x.size() == y.size() ? Unordered(x, y) : Equivalence::kNo;
  }
  std::vector<bool> used(b.size());
  bool unknown = false;
  for (const FormulaPtr& item : a) {
    bool found = false;
    for (std::size_t i = 0; i < b.size() && !found; ++i) {
      if (used[i]) continue;
      const Equivalence same = Compare(item, b[i]);
      unknown = unknown || same == Equivalence::kUnknown;
      if (same != Equivalence::kYes) continue;
      used[i] = true;
      found = true;
    }
    if (!found) return unknown ? Equivalence::kUnknown : Equivalence::kNo;
  }
  return Equivalence::kYes;
}

const Formula* Number(const Formula& f, Rational* sign) {
  *sign = 1;
  const Formula* number = &f;
  while (number->kind == Kind::kNegation) {
    *sign = -*sign;
    number = number->parts[0].get();
  }
  return number->kind == Kind::kNumber ? number : nullptr;
}

Equivalence Comparer::Values(const Formula& a, const Formula& b) {
  Rational sign_a;
  Rational sign_b;
  const Formula* x = Number(a, &sign_a);
  const Formula* y = Number(b, &sign_b);
  if (x != nullptr && y != nullptr) {
    const Rational u = sign_a * x->value;
    const Rational v = sign_b * y->value;
    if (u == v) return Equivalence::kYes;
    if (x->percent != y->percent && (x->percent ? u / 100 == v : u == v / 100)) {
      return x->percent || y->percent ? Equivalence::kYes : Equivalence::kNo;
    }
    const int digits = std::min(x->decimals, y->decimals);
    const bool rounded = digits >= 5 && RoundTo(u, digits) == RoundTo(v, digits);
    return rounded ? Equivalence::kYes : Equivalence::kNo;
  }
  // The points of an enclosing interval decide: is the other side within half a unit?
  const Formula* decimal = x != nullptr ? x : y;
  if (decimal != nullptr && decimal->decimals >= 2) {
    const Formula& other = x != nullptr ? b : a;
    const Rational value = (x != nullptr ? sign_a : sign_b) * decimal->value;
    const auto near = ApproximateValue(other);
    if (!near) return Equivalence::kUnknown;
    const Rational half = PowerOfTen(-decimal->decimals) / 2;
    return abs(*near - value) <= half ? Equivalence::kYes : Equivalence::kNo;
  }
  switch (CompareExpressions(a, b)) {
    case Sameness::kSame:
    case Sameness::kProbablySame:
      return Equivalence::kYes;
    case Sameness::kDifferent:
      return Equivalence::kNo;
    default:
      return Equivalence::kUnknown;
  }
}

FormulaPtr Difference(const FormulaPtr& a, const FormulaPtr& b) {
  return MakeFormula(Kind::kSum, {a, MakeFormula(Kind::kNegation, {b})});
}

// a > b as (b < a): pairs of (smaller, greater, may be equal).
struct Order {
  FormulaPtr zero;  ///< greater - smaller
  bool equal = false;
};

std::optional<Order> AsOrder(const Formula& f) {
  if (f.parts.size() != 2) return std::nullopt;
  const bool less = f.name == "<" || f.name == "<=";
  const bool more = f.name == ">" || f.name == ">=";
  if (!less && !more) return std::nullopt;
  return Order{less ? Difference(f.parts[1], f.parts[0]) : Difference(f.parts[0], f.parts[1]),
               f.name.size() == 2};
}

// "a < x <= b" as an interval.
FormulaPtr AsInterval(const Formula& f) {
  if (f.kind != Kind::kRelation || f.parts.size() != 3) return nullptr;
  const std::size_t space = f.name.find(' ');
  const std::string first = f.name.substr(0, space);
  const std::string second = f.name.substr(space + 1);
  const bool less = first[0] == '<' && second[0] == '<';
  const bool more = first[0] == '>' && second[0] == '>';
  if ((!less && !more) || !IsNameLike(*f.parts[1])) return nullptr;
  const std::string low = less ? first : second;
  const std::string high = less ? second : first;
  std::string brackets = low.size() == 2 ? "[" : "(";
  brackets += high.size() == 2 ? "]" : ")";
  Parts ends = {f.parts[less ? 0 : 2], f.parts[less ? 2 : 0]};
  if (brackets == "()") return MakeFormula(Kind::kTuple, std::move(ends));
  return MakeFormula(Kind::kInterval, std::move(ends), brackets);
}

Equivalence Comparer::Relations(const Formula& a, const Formula& b) {
  const auto x = AsOrder(a);
  const auto y = AsOrder(b);
  if (x && y) {
    if (x->equal != y->equal) return Equivalence::kNo;
    const auto ratio = ConstantRatio(*x->zero, *y->zero);
    return ratio && *ratio > 0 ? Equivalence::kYes : Equivalence::kNo;
  }
  const bool two = a.parts.size() == 2 && b.parts.size() == 2;
  if (two && a.name == b.name && (a.name == "=" || a.name == "!=")) {
    const auto ratio =
        ConstantRatio(*Difference(a.parts[0], a.parts[1]), *Difference(b.parts[0], b.parts[1]));
    if (ratio) return Equivalence::kYes;
    const bool same = IsExpression(*a.parts[0]) && IsExpression(*b.parts[0]);
    return same ? Equivalence::kNo : Ordered(a.parts, b.parts);
  }
  return a.name == b.name ? Ordered(a.parts, b.parts) : Equivalence::kNo;
}

Equivalence Comparer::Single(const FormulaPtr& a, const FormulaPtr& b) {
  if (IsExpression(*a) && IsExpression(*b)) return Values(*a, *b);
  if (a->kind == Kind::kRelation && b->kind == Kind::kRelation) {
    const FormulaPtr x = AsInterval(*a);
    const FormulaPtr y = AsInterval(*b);
    if (x && y) return Compare(x, y);
    return Relations(*a, *b);
  }
  if (a->kind == Kind::kRelation || b->kind == Kind::kRelation) {
    const FormulaPtr interval = AsInterval(a->kind == Kind::kRelation ? *a : *b);
    if (!interval) return Equivalence::kNo;
    return a->kind == Kind::kRelation ? Compare(interval, b) : Compare(a, interval);
  }
  if (a->kind != b->kind) return Equivalence::kNo;
  switch (a->kind) {
    case Kind::kTuple:
    case Kind::kMatrix:
      return Ordered(a->parts, b->parts);
    case Kind::kInterval:
      return a->name == b->name ? Ordered(a->parts, b->parts) : Equivalence::kNo;
    case Kind::kSet:
    case Kind::kUnion:
    case Kind::kIntersection:
      return Unordered(a->parts, b->parts);
    case Kind::kText:
      return a->name == b->name ? Equivalence::kYes : Equivalence::kNo;
    default:
      return Equivalence::kUnknown;
  }
}

Equivalence Comparer::Compare(const FormulaPtr& a, const FormulaPtr& b) {
  if (depth_ > kMaxDepth || ++work_ > 4000) return Equivalence::kUnknown;
  ++depth_;
  Equivalence result = Equivalence::kUnknown;
  if (OnlyEquals(*a) && OnlyEquals(*b)) result = Relations(*a, *b);
  if (result != Equivalence::kYes) {
    Parts x = Items(a);
    Parts y = Items(b);
    const auto open_set = [](Parts* items) {
      if (items->size() == 1 && items->front()->kind == Kind::kSet) {
        Parts inside;
        for (const FormulaPtr& part : (*items)[0]->parts) {
          for (const FormulaPtr& item : Items(part)) inside.push_back(item);
        }
        *items = std::move(inside);
      }
    };
    const bool tuple =
        (x.size() == 1) != (y.size() == 1) && (x.size() == 1 ? x : y)[0]->kind == Kind::kTuple;
    if (tuple) {
      // "(1, 3)" and "1, 3"
      result = Ordered(x.size() == 1 ? x[0]->parts : x, y.size() == 1 ? y[0]->parts : y);
    } else {
      open_set(&x);
      open_set(&y);
      const bool single = x.size() == 1 && y.size() == 1;
      result = single ? Single(x[0], y[0]) : Unordered(x, y);
    }
  }
  --depth_;
  return result;
}

// Letters and digits only, for answers in words.
std::string Plain(std::string_view text) {
  std::string plain;
  for (const char c : NormalizeLatex(text)) {
    if (c != ' ' && c != '{' && c != '}' && c != '(' && c != ')' && c != '\\' && c != '"')
      plain += c;
  }
  for (const std::string_view command : {"text", "mathrm", "textbf", "mbox"}) {
    for (std::size_t at = plain.find(command); at != plain.npos; at = plain.find(command)) {
      plain.erase(at, command.size());
    }
  }
  for (char& c : plain) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return plain;
}

bool IsDecimalComma(std::string_view text) {
  const std::size_t comma = text.find(',');
  return comma != text.npos && comma > 0 && comma + 1 < text.size() &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == ',' || c == '$'; }) &&
         text.find(',', comma + 1) == text.npos;
}

// As it stands; and where a comma may be a point, or spaces may group digits, so read too.
std::vector<FormulaPtr> Readings(const std::string& answer) {
  std::vector<FormulaPtr> readings;
  if (auto formula = ParseFormula(answer)) readings.push_back(std::move(formula));
  if (IsDecimalComma(answer)) {
    std::string point = answer;
    point[point.find(',')] = '.';
    if (auto formula = ParseFormula(point)) readings.push_back(std::move(formula));
  }
  for (const std::string_view space : {" ", ", "}) {
    const bool grouped = space == " " || answer.find("\\!") != answer.npos;
    std::string joined = NormalizeLatex(answer);
    bool changed = false;
    for (std::size_t at = joined.find(space); grouped && at != joined.npos;
         at = joined.find(space, at + 1)) {
      const auto digit = [&](std::size_t i) {
        return i < joined.size() && joined[i] >= '0' && joined[i] <= '9';
      };
      const std::size_t next = at + space.size();
      if (at == 0 || !digit(at - 1) || !digit(next) || !digit(next + 1) || !digit(next + 2) ||
          digit(next + 3))
        continue;
      joined.erase(at, space.size());
      changed = true;
    }
    if (changed) {
      if (auto formula = ParseFormula(joined)) readings.push_back(std::move(formula));
    }
  }
  return readings;
}

}  // namespace

std::string_view Name(Equivalence equivalence) {
  if (equivalence == Equivalence::kYes) return "yes";
  return equivalence == Equivalence::kNo ? "no" : "unknown";
}

Equivalence Equivalent(std::string_view a, std::string_view b) {
  const std::string x = ExtractAnswer(a);
  const std::string y = ExtractAnswer(b);
  if (x.empty() || y.empty()) return Equivalence::kUnknown;
  if (Plain(x) == Plain(y) && !Plain(x).empty() && NormalizeLatex(x) != NormalizeLatex(y) &&
      Plain(x).find_first_of("0123456789") == std::string::npos) {
    return Equivalence::kYes;
  }
  if (NormalizeLatex(x) == NormalizeLatex(y)) return Equivalence::kYes;
  Equivalence best = Equivalence::kUnknown;
  for (const FormulaPtr& p : Readings(x)) {
    for (const FormulaPtr& q : Readings(y)) {
      const Equivalence result = Comparer().Compare(p, q);
      if (result == Equivalence::kYes) return result;
      if (result == Equivalence::kNo) best = result;
    }
  }
  return best;
}

}  // namespace ergo::reasoning
