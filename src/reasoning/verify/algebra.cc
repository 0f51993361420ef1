#include "reasoning/verify/algebra.h"

#include <cln/cln.h>
#include <ginac/ginac.h>

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>
#include <sstream>
#include <stdexcept>

namespace ergo::reasoning {
namespace {

using GiNaC::ex;
using GiNaC::ex_to;
using GiNaC::is_a;
using GiNaC::numeric;

constexpr double kMaxTerms = 2000;
constexpr double kMaxDegree = 64;
constexpr long kMaxBits = 4096;

std::mutex& Lock() {
  static std::mutex mutex;
  return mutex;
}

struct Refused : std::runtime_error {
  Refused() : std::runtime_error("refused") {}
};

std::string Key(const Formula& formula) {
  std::string key = std::to_string(static_cast<int>(formula.kind)) + formula.name;
  if (formula.kind == FormulaKind::kNumber) key += formula.value.get_str();
  key += '(';
  for (const FormulaPtr& part : formula.parts) key += Key(*part) + ",";
  return key + ')';
}

/// What expansion would cost at most.
struct Size {
  double terms = 1;
  double degree = 0;
};

Size Estimate(const Formula& formula) {
  Size size;
  switch (formula.kind) {
    case FormulaKind::kSymbol:
      size.degree = 1;
      break;
    case FormulaKind::kSum:
      size.terms = 0;
      for (const FormulaPtr& part : formula.parts) {
        const Size s = Estimate(*part);
        size.terms += s.terms;
        size.degree = std::max(size.degree, s.degree);
      }
      break;
    case FormulaKind::kPower: {
      const Size base = Estimate(*formula.parts[0]);
      const Formula& exponent = *formula.parts[1];
      double power = 1;
      if (exponent.kind == FormulaKind::kNumber) power = std::abs(exponent.value.get_d());
      size.terms = base.terms <= 1 ? 1 : std::pow(base.terms, std::min(power, 1e3));
      size.degree = base.degree * std::max(1.0, power);
      break;
    }
    default:
      for (const FormulaPtr& part : formula.parts) {
        const Size s = Estimate(*part);
        size.terms *= s.terms;
        size.degree += s.degree;
      }
  }
  return size;
}

bool Expandable(const Formula& formula) {
  const Size size = Estimate(formula);
  return size.terms <= kMaxTerms && size.degree <= kMaxDegree;
}

numeric ToNumeric(const Rational& value) {
  if (!Fits(value)) throw Refused();
  return numeric(value.get_num().get_str().c_str()) / numeric(value.get_den().get_str().c_str());
}

Rational FromNumeric(const numeric& value) {
  if (!value.is_rational() || value.numer().int_length() > kMaxBits ||
      value.denom().int_length() > kMaxBits) {
    throw Refused();
  }
  std::ostringstream num;
  std::ostringstream den;
  num << value.numer();
  den << value.denom();
  return Rational(mpz_class(num.str()), mpz_class(den.str()));
}

/// Turns formulas into GiNaC's expressions; one symbol for each name.
class Converter {
 public:
  ex Convert(const Formula& formula) {
    switch (formula.kind) {
      case FormulaKind::kNumber:
        return ToNumeric(formula.percent ? Rational(formula.value / 100) : formula.value);
      case FormulaKind::kSymbol:
        return Named(formula.name);
      case FormulaKind::kSum: {
        ex sum = 0;
        for (const FormulaPtr& part : formula.parts) sum += Convert(*part);
        return sum;
      }
      case FormulaKind::kProduct: {
        ex product = 1;
        for (const FormulaPtr& part : formula.parts) product *= Convert(*part);
        return Checked(product);
      }
      case FormulaKind::kQuotient: {
        const ex den = Convert(*formula.parts[1]);
        if (den.is_zero()) throw Refused();
        return Checked(Convert(*formula.parts[0]) / den);
      }
      case FormulaKind::kNegation:
        return -Convert(*formula.parts[0]);
      case FormulaKind::kPower:
        return Power(Convert(*formula.parts[0]), Convert(*formula.parts[1]));
      case FormulaKind::kFunction:
        return Function(formula);
      default:
        throw Refused();
    }
  }
  const std::map<std::string, GiNaC::symbol>& symbols() const { return symbols_; }

 private:
  ex Named(const std::string& name) {
    if (name == "pi") return GiNaC::Pi;
    if (name == "e") return GiNaC::exp(ex(1));
    if (name == "i") return GiNaC::I;
    return symbols_.try_emplace(name, GiNaC::symbol(name)).first->second;
  }

  static ex Checked(const ex& value) {
    if (!is_a<numeric>(value)) return value;
    const numeric number = ex_to<numeric>(value);
    if (number.is_rational() &&
        (number.numer().int_length() > kMaxBits || number.denom().int_length() > kMaxBits)) {
      throw Refused();
    }
    return value;
  }

  static ex Power(const ex& base, const ex& exponent) {
    if (is_a<numeric>(exponent)) {
      const numeric power = ex_to<numeric>(exponent);
      if (!power.is_rational() || GiNaC::abs(power) > numeric(kMaxBits)) throw Refused();
      if (base.is_zero() && !power.is_positive()) throw Refused();
      if (is_a<numeric>(base)) {
        const numeric number = ex_to<numeric>(base);
        const long bits = number.is_rational()
                              ? std::max(number.numer().int_length(), number.denom().int_length())
                              : 64;
        if (static_cast<double>(bits) * std::abs(power.to_double()) > kMaxBits) throw Refused();
        // Roots of large numbers would be factored.
        if (!power.is_integer() && bits > 60) throw Refused();
      } else if (GiNaC::abs(power) > numeric(static_cast<long>(kMaxDegree))) {
        throw Refused();
      }
    }
    return GiNaC::pow(base, exponent);
  }

  ex Function(const Formula& formula) {
    const std::string& name = formula.name;
    const ex x = Convert(*formula.parts[0]);
    if (name == "!") {
      if (!is_a<numeric>(x) || !x.info(GiNaC::info_flags::nonnegint) || ex_to<numeric>(x) > 200) {
        throw Refused();
      }
      return GiNaC::factorial(x);
    }
    if (name == "sin") return GiNaC::sin(x);
    if (name == "cos") return GiNaC::cos(x);
    if (name == "tan") return GiNaC::tan(x);
    if (name == "sec") return 1 / GiNaC::cos(x);
    if (name == "csc") return 1 / GiNaC::sin(x);
    if (name == "cot") return 1 / GiNaC::tan(x);
    if (name == "arcsin") return GiNaC::asin(x);
    if (name == "arccos") return GiNaC::acos(x);
    if (name == "arctan") return GiNaC::atan(x);
    if (name == "sinh") return GiNaC::sinh(x);
    if (name == "cosh") return GiNaC::cosh(x);
    if (name == "tanh") return GiNaC::tanh(x);
    if (name == "exp") return GiNaC::exp(x);
    if (name == "abs") return GiNaC::abs(x);
    if (name == "log" || name == "ln") {
      if (x.is_zero()) throw Refused();
      if (formula.parts.size() == 1) return GiNaC::log(x);
      return GiNaC::log(x) / GiNaC::log(Convert(*formula.parts[1]));
    }
    // Any other function is an unknown of its own.
    return symbols_.try_emplace(Key(formula), GiNaC::symbol(name)).first->second;
  }

  std::map<std::string, GiNaC::symbol> symbols_;
};

Sameness CompareAtPoints(const ex& a, const ex& b,
                         const std::map<std::string, GiNaC::symbol>& symbols) {
  GiNaC::Digits = 40;
  std::mt19937_64 random(20240607);
  int agreed = 0;
  for (int round = 0; round < 10 && agreed < 4; ++round) {
    GiNaC::exmap at;
    for (const auto& [name, symbol] : symbols) {
      at[symbol] = numeric(static_cast<long>(random() % 997 + 3)) /
                   numeric(static_cast<long>(random() % 89 + 97));
    }
    try {
      const ex x = a.subs(at).evalf();
      const ex y = b.subs(at).evalf();
      if (!is_a<numeric>(x) || !is_a<numeric>(y)) continue;
      const numeric difference = GiNaC::abs(ex_to<numeric>(x) - ex_to<numeric>(y));
      const numeric size = GiNaC::abs(ex_to<numeric>(x)) + GiNaC::abs(ex_to<numeric>(y));
      if (difference > (size + numeric(1)) * GiNaC::pow(numeric(10), numeric(-30))) {
        return Sameness::kDifferent;
      }
      ++agreed;
      if (symbols.empty()) break;
    } catch (const std::exception&) {
      continue;  // not defined there
    }
  }
  return agreed == 0 ? Sameness::kUnknown : Sameness::kProbablySame;
}

}  // namespace

Sameness CompareExpressions(const Formula& a, const Formula& b) {
  const std::lock_guard lock(Lock());
  try {
    Converter converter;
    const ex x = converter.Convert(a);
    const ex y = converter.Convert(b);
    if (Expandable(a) && Expandable(b)) {
      const ex difference = (x - y).normal();
      if (difference.is_zero()) return Sameness::kSame;
      if (is_a<numeric>(difference) && ex_to<numeric>(difference).is_rational()) {
        return Sameness::kDifferent;
      }
    }
    return CompareAtPoints(x, y, converter.symbols());
  } catch (const std::exception&) {
    return Sameness::kUnknown;
  }
}

std::optional<Rational> ApproximateValue(const Formula& formula) {
  const std::lock_guard lock(Lock());
  try {
    Converter converter;
    const ex value = converter.Convert(formula);
    if (!converter.symbols().empty()) return std::nullopt;
    GiNaC::Digits = 40;
    const ex number = value.evalf();
    if (!is_a<numeric>(number) || !ex_to<numeric>(number).is_real()) return std::nullopt;
    const numeric real = ex_to<numeric>(number);
    if (GiNaC::abs(real) > GiNaC::pow(numeric(10), numeric(30))) return std::nullopt;
    const numeric scaled = real * GiNaC::pow(numeric(10), numeric(30));
    std::ostringstream digits;
    digits << GiNaC::numeric(cln::cl_N(cln::round1(cln::the<cln::cl_R>(scaled.to_cl_N()))));
    return Rational(Rational(mpz_class(digits.str())) * PowerOfTen(-30));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<Rational> ConstantRatio(const Formula& a, const Formula& b) {
  const std::lock_guard lock(Lock());
  try {
    if (!Expandable(a) || !Expandable(b)) return std::nullopt;
    Converter converter;
    const ex x = converter.Convert(a).expand();
    const ex y = converter.Convert(b).expand();
    if (x.is_zero() || y.is_zero()) return std::nullopt;
    const ex ratio = (x / y).normal();
    if (!is_a<numeric>(ratio)) return std::nullopt;
    return FromNumeric(ex_to<numeric>(ratio));
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

std::optional<std::vector<Rational>> Coefficients(const Formula& formula,
                                                  const std::string& symbol) {
  constexpr int kMaxPolynomial = 16;
  const std::lock_guard lock(Lock());
  try {
    if (!Expandable(formula)) return std::nullopt;
    Converter converter;
    const ex polynomial = converter.Convert(formula).expand();
    const auto found = converter.symbols().find(symbol);
    if (found == converter.symbols().end()) return std::nullopt;
    const GiNaC::symbol& x = found->second;
    if (!polynomial.is_polynomial(x)) return std::nullopt;
    const int degree = polynomial.degree(x);
    if (degree > kMaxPolynomial || polynomial.ldegree(x) < 0) return std::nullopt;
    std::vector<Rational> coefficients;
    for (int i = 0; i <= degree; ++i) {
      const ex coefficient = polynomial.coeff(x, i);
      if (!is_a<numeric>(coefficient)) return std::nullopt;
      coefficients.push_back(FromNumeric(ex_to<numeric>(coefficient)));
    }
    return coefficients;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

namespace {

Rational ValueAt(const std::vector<Rational>& coefficients, const Rational& x) {
  Rational value = 0;
  for (std::size_t i = coefficients.size(); i-- > 0;) value = value * x + coefficients[i];
  return value;
}

std::vector<Rational> DividedByRoot(const std::vector<Rational>& coefficients, const Rational& x) {
  std::vector<Rational> quotient(coefficients.size() - 1);
  Rational carry = 0;
  for (std::size_t i = coefficients.size(); i-- > 1;) {
    carry = carry * x + coefficients[i];
    quotient[i - 1] = carry;
  }
  return quotient;
}

// By the rational root theorem, over divisors up to a bound.
std::optional<Rational> FindRationalRoot(const std::vector<Rational>& coefficients) {
  if (coefficients[0] == 0) return Rational(0);
  mpz_class scale = 1;
  for (const Rational& c : coefficients)
    mpz_lcm(scale.get_mpz_t(), scale.get_mpz_t(), c.get_den_mpz_t());
  const mpz_class first = abs(Rational(coefficients[0] * scale).get_num());
  const mpz_class last = abs(Rational(coefficients.back() * scale).get_num());
  constexpr unsigned long kMaxDivisor = 2000;
  for (unsigned long q = 1; q <= kMaxDivisor && q <= last; ++q) {
    if (mpz_divisible_ui_p(last.get_mpz_t(), q) == 0) continue;
    for (unsigned long p = 1; p <= kMaxDivisor && p <= first; ++p) {
      if (mpz_divisible_ui_p(first.get_mpz_t(), p) == 0) continue;
      Rational candidate{mpz_class(p), mpz_class(q)};
      candidate.canonicalize();
      if (ValueAt(coefficients, candidate) == 0) return candidate;
      if (ValueAt(coefficients, -candidate) == 0) return Rational(-candidate);
    }
  }
  return std::nullopt;
}

void AddQuadraticRoots(const std::vector<Rational>& c, std::vector<FormulaPtr>* roots) {
  const Rational discriminant = c[1] * c[1] - 4 * c[2] * c[0];
  const FormulaPtr half = MakeNumber(Rational(1, 2));
  const FormulaPtr root = MakeFormula(FormulaKind::kPower, {MakeNumber(discriminant), half});
  for (const int sign : {1, -1}) {
    const FormulaPtr part = sign > 0 ? root : MakeFormula(FormulaKind::kNegation, {root});
    const FormulaPtr num = MakeFormula(FormulaKind::kSum, {MakeNumber(-c[1]), part});
    roots->push_back(MakeFormula(FormulaKind::kQuotient, {num, MakeNumber(2 * c[2])}));
  }
}

}  // namespace

std::optional<std::vector<FormulaPtr>> PolynomialRoots(const std::vector<Rational>& coefficients) {
  std::vector<Rational> rest = coefficients;
  while (!rest.empty() && rest.back() == 0) rest.pop_back();
  if (rest.size() < 2 || rest.size() > 17) return std::nullopt;
  std::vector<FormulaPtr> roots;
  std::vector<Rational> seen;
  while (rest.size() > 1) {
    const auto root =
        rest.size() == 2 ? std::optional<Rational>(-rest[0] / rest[1]) : FindRationalRoot(rest);
    if (!root) break;
    if (std::find(seen.begin(), seen.end(), *root) == seen.end()) {
      seen.push_back(*root);
      roots.push_back(MakeNumber(*root));
    }
    rest = DividedByRoot(rest, *root);
  }
  if (rest.size() == 3) AddQuadraticRoots(rest, &roots);
  if (rest.size() > 3 || rest.size() == 2) return std::nullopt;
  return roots;
}

std::optional<std::map<std::string, Rational>> SolveLinear(
    const std::vector<FormulaPtr>& zero, const std::vector<std::string>& unknowns) {
  if (unknowns.empty() || unknowns.size() > 8 || zero.size() > 32) return std::nullopt;
  const std::lock_guard lock(Lock());
  try {
    Converter converter;
    GiNaC::lst equations;
    for (const FormulaPtr& formula : zero) {
      if (!Expandable(*formula)) return std::nullopt;
      equations.append(converter.Convert(*formula).expand() == 0);
    }
    GiNaC::lst symbols;
    for (const std::string& name : unknowns) {
      const auto found = converter.symbols().find(name);
      if (found == converter.symbols().end()) return std::nullopt;
      symbols.append(found->second);
    }
    const ex solution = GiNaC::lsolve(equations, symbols);
    std::map<std::string, Rational> values;
    if (solution.nops() != unknowns.size()) return std::nullopt;
    for (std::size_t i = 0; i < unknowns.size(); ++i) {
      const ex value = solution.op(i).rhs();
      if (!is_a<numeric>(value)) return std::nullopt;
      values[unknowns[i]] = FromNumeric(ex_to<numeric>(value));
    }
    return values;
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace ergo::reasoning
