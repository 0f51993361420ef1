#include "reasoning/derive/value_flow.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "reasoning/derive/steps.h"

namespace ergo::reasoning {
namespace {

using Kind = TokenKind;

constexpr std::size_t kReach = 60;  // tokens that a left side may reach back
constexpr std::size_t kParserSteps = 2000;

bool In(Kind kind, std::initializer_list<Kind> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

/// What stands before it belongs to no larger formula.
bool BeginsWhole(const std::vector<Token>& tokens, std::size_t begin) {
  if (tokens[begin].kind == Kind::kPlus) return false;
  if (begin == 0) return true;
  const Kind before = tokens[begin - 1].kind;
  if (tokens[begin].kind == Kind::kMinus) {
    return In(before, {Kind::kStop, Kind::kComma, Kind::kEquals, Kind::kIs});
  }
  return In(before, {Kind::kStop, Kind::kComma, Kind::kWord, Kind::kBreak, Kind::kAnd, Kind::kIs,
                     Kind::kEquals, Kind::kApprox, Kind::kAbout, Kind::kEach, Kind::kTo,
                     Kind::kMore, Kind::kLess, Kind::kListComma});
}

struct Sides {
  std::size_t begin = 0;
  PhraseValue left;
  std::size_t right_begin = 0;
  PhraseValue right;
  Reading reading = Reading::kPart;
  bool equal = false;
  bool scaled = false;
};

bool Computed(const PhraseValue& value) { return value.operation || value.relation; }

bool EqualPlain(const Quantity& a, const Quantity& b) {
  return a.plain_valid && b.plain_valid && a.plain == b.plain;
}

bool EqualScaled(const Quantity& a, const Quantity& b) {
  return a.measured && b.measured && a.scaled_valid && b.scaled_valid && a.power == b.power &&
         a.scaled == b.scaled && b.scale != 0;
}

/// Reads the equations of a run of tokens.
class EquationReader {
 public:
  EquationReader(std::string_view text, std::vector<Token> tokens)
      : steps_(StepsOf(text)), tokens_(std::move(tokens)) {}

  std::vector<FlowEquation> Run();

 private:
  std::optional<Sides> At(std::size_t sign) const;
  std::optional<Sides> At(std::size_t sign, Reading reading) const;
  FlowEquation Make(const Sides& sides) const;
  void SetResult(const Sides& sides, FlowEquation* equation) const;
  std::size_t StepAt(std::size_t byte) const;
  void MarkLoose(std::vector<FlowEquation>* equations) const;

  std::vector<Span> steps_;
  std::vector<Token> tokens_;
  std::vector<bool> read_ = std::vector<bool>(tokens_.size(), false);
};

std::optional<Sides> EquationReader::At(std::size_t sign, Reading reading) const {
  PhraseParser parser(tokens_, reading);
  parser.set_steps(kParserSteps);
  Sides sides;
  sides.reading = reading;
  sides.right_begin = sign + 1;
  if (sign + 1 < tokens_.size() && tokens_[sign + 1].kind == Kind::kAbout) ++sides.right_begin;
  const auto right = parser.Parse(sides.right_begin);
  if (!right) return std::nullopt;
  const auto operand = right->operation ? parser.ParseOperand(sides.right_begin) : std::nullopt;
  std::size_t begin = sign;
  while (begin > 0 && sign - begin < kReach && tokens_[begin - 1].kind != Kind::kStop) --begin;
  std::optional<Sides> first;
  for (; begin < sign; ++begin) {
    if (!BeginsWhole(tokens_, begin)) continue;
    parser.set_steps(kParserSteps);
    const auto left = parser.Parse(begin);
    if (!left || left->end != sign || left->doubtful) continue;
    for (const auto& side : {right, operand}) {
      if (!side || (!Computed(*left) && !Computed(*side) && !left->quantity.measured)) continue;
      sides.begin = begin;
      sides.left = *left;
      sides.right = *side;
      const bool plain = EqualPlain(left->quantity, side->quantity);
      sides.scaled = !plain && EqualScaled(left->quantity, side->quantity);
      sides.equal = plain || sides.scaled;
      if (sides.equal) return sides;
      if (!first) first = sides;
    }
  }
  return first;
}

std::optional<Sides> EquationReader::At(std::size_t sign) const {
  std::optional<Sides> first;
  for (const Reading reading :
       {Reading::kPart, Reading::kPlain, Reading::kRelative, Reading::kUnits}) {
    auto sides = At(sign, reading);
    if (!sides) continue;
    if (sides->equal) return sides;
    if (!first) first = std::move(sides);
  }
  return first;
}

std::size_t EquationReader::StepAt(std::size_t byte) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (byte < steps_[i].end) return i;
  }
  return steps_.empty() ? 0 : steps_.size() - 1;
}

void EquationReader::SetResult(const Sides& sides, FlowEquation* equation) const {
  equation->value = sides.right.quantity.plain;
  equation->scale = sides.right.quantity.scale;
  equation->shown.reset();
  std::size_t numbers = 0;
  for (std::size_t i = sides.right_begin; i < sides.right.end; ++i) {
    if (tokens_[i].kind != Kind::kNumber) continue;
    ++numbers;
    equation->shown = tokens_[i].value;
    equation->shown_span = tokens_[i].span;
  }
  if (numbers != 1) equation->shown.reset();
  equation->span.end = tokens_[sides.right.end - 1].span.end;
}

FlowEquation EquationReader::Make(const Sides& sides) const {
  FlowEquation equation;
  Sides turned = sides;
  // "30 = 36 * 5/6"
  const bool reversed = !Computed(sides.left) && Computed(sides.right);
  if (reversed) {
    turned.left = sides.right;
    turned.begin = sides.right_begin;
    turned.right = sides.left;
    turned.right_begin = sides.begin;
  }
  SetResult(turned, &equation);
  equation.span = {tokens_[sides.begin].span.begin, tokens_[sides.right.end - 1].span.end};
  equation.steps = {StepAt(equation.span.begin)};
  equation.expression.assign(tokens_.begin() + static_cast<std::ptrdiff_t>(turned.begin),
                             tokens_.begin() + static_cast<std::ptrdiff_t>(turned.left.end));
  equation.sources.resize(equation.expression.size());
  equation.reading = sides.reading;
  equation.scaled = sides.scaled;
  const Quantity& q = turned.left.quantity;
  equation.truth = equation.scaled ? Rational(q.scaled / equation.scale) : q.plain;
  return equation;
}

bool SameExpression(const FlowEquation& a, const FlowEquation& b) {
  return a.value == b.value &&
         std::equal(
             a.expression.begin(), a.expression.end(), b.expression.begin(), b.expression.end(),
             [](const Token& x, const Token& y) { return x.kind == y.kind && x.value == y.value; });
}

bool Matches(const FlowEquation& equation, const Rational& number) {
  return number == equation.value || number == abs(equation.value) ||
         (equation.shown && number == *equation.shown);
}

// Numbers of formulas that were not understood: what gives their value may be used there.
void EquationReader::MarkLoose(std::vector<FlowEquation>* equations) const {
  for (std::size_t begin = 0; begin < tokens_.size();) {
    std::size_t end = begin;
    bool formula = false;
    while (end < tokens_.size() && tokens_[end].kind != Kind::kStop) {
      formula |= !read_[end] &&
                 In(tokens_[end].kind, {Kind::kEquals, Kind::kPlus, Kind::kTimes, Kind::kOver,
                                        Kind::kPower, Kind::kSumOf, Kind::kFold});
      ++end;
    }
    for (std::size_t i = begin; formula && i < end; ++i) {
      if (read_[i] || tokens_[i].kind != Kind::kNumber) continue;
      for (FlowEquation& equation : *equations) {
        const bool earlier = equation.span.end <= tokens_[i].span.begin;
        if (earlier && Matches(equation, tokens_[i].value)) equation.loose = true;
      }
    }
    begin = end + 1;
  }
}

std::vector<FlowEquation> EquationReader::Run() {
  std::vector<FlowEquation> equations;
  std::size_t chain_end = 0;  // past the last equation's right side, while it may go on
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    if (!In(tokens_[i].kind, {Kind::kEquals, Kind::kApprox, Kind::kIs})) continue;
    const auto sides = At(i);
    if (!sides) continue;
    // Prose says "is" of much that is no computation.
    if (tokens_[i].kind == Kind::kIs && (!sides->equal || !Computed(sides->left))) continue;
    std::fill(read_.begin() + static_cast<std::ptrdiff_t>(sides->begin),
              read_.begin() + static_cast<std::ptrdiff_t>(sides->right.end), true);
    if (!equations.empty() && chain_end == i && !Computed(sides->right)) {
      SetResult(*sides, &equations.back());  // "36*5/6 = 180/6 = 30"
    } else if (chain_end != i || equations.empty()) {
      if (equations.size() >= ValueFlow::kMostEquations) break;
      equations.push_back(Make(*sides));
    }
    chain_end = sides->right.end;
  }
  MarkLoose(&equations);
  return equations;
}

std::vector<FlowEquation> Merged(std::vector<FlowEquation> equations) {
  std::vector<FlowEquation> merged;
  for (FlowEquation& equation : equations) {
    const auto same = std::find_if(merged.begin(), merged.end(), [&](const FlowEquation& other) {
      return SameExpression(other, equation);
    });
    if (same == merged.end()) {
      merged.push_back(std::move(equation));
    } else {
      same->steps.insert(same->steps.end(), equation.steps.begin(), equation.steps.end());
      same->loose |= equation.loose;
    }
  }
  return merged;
}

/// How `number` grows with a value that it shows: -1 for "5" of -5, 100 for "25" of 25%.
Rational SlopeOf(const Rational& number, const Rational& value) {
  return value == 0 ? Rational(1) : Rational(number / value);
}

Rational GivenSlope(const Given& forms, std::size_t form) {
  const bool percent = forms.size() == 6 && forms[1] * 100 == forms[0];
  if (!percent) return SlopeOf(forms[form], forms[0]);
  static const std::vector<Rational> kSlopes = {
      1, Rational(1, 100), -1, Rational(-1, 100), Rational(1, 100), 1};
  return kSlopes[form];
}

/// What an equation's expression gives with other numbers in it.
std::optional<Rational> Evaluate(const FlowEquation& equation, const std::vector<Token>& tokens) {
  PhraseParser parser(tokens, equation.reading);
  parser.set_steps(kParserSteps);
  const auto value = parser.Parse(0);
  if (!value || value->end != tokens.size()) return std::nullopt;
  const Quantity& q = value->quantity;
  if (equation.scaled) {
    if (!q.scaled_valid) return std::nullopt;
    return Rational(q.scaled / equation.scale);
  }
  return q.plain_valid ? std::optional(q.plain) : std::nullopt;
}

}  // namespace

std::vector<FlowEquation> ReadEquations(std::string_view text) {
  text = text.substr(0, kMaxPhraseText);
  std::vector<FlowEquation> equations =
      EquationReader(text, Tokenize(text, {0, text.size()})).Run();
  // Markers serve where the text beside them was not understood.
  for (const Span& marker : FindMarkers(text)) {
    for (FlowEquation& one : EquationReader(text, Tokenize(text, marker)).Run()) {
      const bool known =
          std::any_of(equations.begin(), equations.end(), [&](const FlowEquation& other) {
            return other.steps == one.steps && other.shown == one.shown;
          });
      if (!known && equations.size() < ValueFlow::kMostEquations) {
        equations.push_back(std::move(one));
      }
    }
  }
  std::stable_sort(
      equations.begin(), equations.end(),
      [](const FlowEquation& a, const FlowEquation& b) { return a.span.begin < b.span.begin; });
  return Merged(std::move(equations));
}

ValueFlow::ValueFlow(std::string_view question, std::string_view derivation,
                     const Rational& final_value)
    : final_value_(final_value) {
  question = question.substr(0, kMaxPhraseText);
  const std::vector<Token> asked = Tokenize(question, {0, question.size()});
  for (Given& given : GivensOf(question)) {
    const auto said = std::count_if(asked.begin(), asked.end(), [&](const Token& token) {
      return token.kind == Kind::kNumber && token.value == given.front();
    });
    givens_.push_back({std::move(given), std::max<std::size_t>(1, static_cast<std::size_t>(said))});
  }
  for (FlowEquation& equation : ReadEquations(derivation)) {
    Trace(&equation);
    equations_.push_back(std::move(equation));
    uses_.push_back(0);
  }
  const auto given = std::exchange(givens_, {});  // the final value is one that a step gives
  const FlowSource source = SourceOf(final_value);
  givens_ = given;
  if (source.kind == FlowSource::Kind::kEquation) final_ = source;
}

void ValueFlow::Trace(FlowEquation* equation) {
  for (std::size_t i = 0; i < equation->expression.size(); ++i) {
    if (equation->expression[i].kind != Kind::kNumber) continue;
    equation->sources[i] = SourceOf(equation->expression[i].value);
    CountUse(equation->sources[i]);
  }
}

void ValueFlow::CountUse(const FlowSource& source) {
  if (source.kind == FlowSource::Kind::kEquation) ++uses_[source.index];
  if (source.kind == FlowSource::Kind::kGiven && givens_[source.index].left > 0) {
    --givens_[source.index].left;
  }
}

// Steps that come into use with this one; those that only it uses count too.
std::size_t ValueFlow::Gain(std::size_t equation) const {
  if (uses_[equation] > 0) return 0;
  std::vector<bool> seen(equations_.size(), false);
  std::vector<std::size_t> open = {equation};
  seen[equation] = true;
  std::size_t gain = 0;
  while (!open.empty()) {
    const FlowEquation& one = equations_[open.back()];
    open.pop_back();
    ++gain;
    for (const FlowSource& source : one.sources) {
      if (source.kind != FlowSource::Kind::kEquation || seen[source.index]) continue;
      const auto own =
          static_cast<std::size_t>(std::count(one.sources.begin(), one.sources.end(), source));
      if (uses_[source.index] > own) continue;
      seen[source.index] = true;
      open.push_back(source.index);
    }
  }
  return gain;
}

FlowSource ValueFlow::SourceOf(const Rational& number) {
  std::optional<FlowSource> given;
  for (std::size_t g = 0; g < givens_.size() && !given; ++g) {
    const Given& forms = givens_[g].forms;
    const auto form = std::find(forms.begin(), forms.end(), number);
    if (form == forms.end()) continue;
    const Rational slope = GivenSlope(forms, static_cast<std::size_t>(form - forms.begin()));
    given = FlowSource{FlowSource::Kind::kGiven, g, slope};
  }
  std::optional<FlowSource> result;
  std::size_t best = 0;
  for (std::size_t e = equations_.size(); e-- > 0;) {
    if (!Matches(equations_[e], number)) continue;
    const std::size_t gain = Gain(e);
    if (result && gain <= best) continue;
    best = gain;
    result = FlowSource{FlowSource::Kind::kEquation, e, SlopeOf(number, equations_[e].value)};
  }
  if (!given && !result) return {};
  if (!given) return *result;
  if (!result) return *given;
  if (best >= 2) return *result;
  return givens_[given->index].left > 0 || best == 0 ? *given : *result;
}

std::optional<Rational> ValueFlow::FinalIf(const FlowSource& source, const Rational& change) const {
  if (!final_) return std::nullopt;
  std::vector<Rational> grown(equations_.size(), Rational(0));
  for (std::size_t e = 0; e < equations_.size(); ++e) {
    const FlowEquation& equation = equations_[e];
    if (source.kind == FlowSource::Kind::kEquation && source.index == e) {
      grown[e] = change;
      continue;
    }
    std::vector<Token> tokens = equation.expression;
    bool changed = false;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      const FlowSource& from = equation.sources[i];
      Rational growth = 0;
      if (from.kind != FlowSource::Kind::kConstant && from == source) growth = change;
      if (from.kind == FlowSource::Kind::kEquation) growth = grown[from.index];
      if (growth == 0) continue;
      tokens[i].value += from.slope * growth;
      changed = true;
    }
    if (!changed) continue;
    const auto value = Evaluate(equation, tokens);
    if (!value || !Fits(*value)) {
      // What cannot be computed matters only where the answer needs it.
      if (e == final_->index || uses_[e] > 0) return std::nullopt;
      continue;
    }
    grown[e] = *value - equation.truth;
  }
  return Rational(final_value_ + final_->slope * grown[final_->index]);
}

}  // namespace ergo::reasoning
