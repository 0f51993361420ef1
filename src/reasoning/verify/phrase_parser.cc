#include "reasoning/verify/phrase_parser.h"

#include <algorithm>
#include <array>

namespace ergo::reasoning {
namespace {

constexpr int kMaxDepth = 40;
constexpr std::size_t kMaxLabel = 8;

// A letter that stands alone may be a variable.
bool IsLoneLetter(const std::string& text) { return text.size() == 1; }

}  // namespace

void PhraseParser::SkipDeterminers() {
  static constexpr std::array<std::string_view, 9> kDeterminers = {
      "the", "her", "his", "those", "these", "their", "all", "its", "that"};
  while (Is(TokenKind::kWord) && std::find(kDeterminers.begin(), kDeterminers.end(),
                                           tokens_[at_].text) != kDeterminers.end()) {
    ++at_;
  }
}

/// Counts the levels of a parse; false when there are too many or the work is spent.
class PhraseParser::Level {
 public:
  explicit Level(PhraseParser* parser) : parser_(parser) {
    ++parser_->depth_;
    if (parser_->steps_ > 0) --parser_->steps_;
  }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;
  ~Level() { --parser_->depth_; }
  explicit operator bool() const { return parser_->depth_ < kMaxDepth && parser_->steps_ > 0; }

 private:
  PhraseParser* parser_;
};

std::optional<PhraseValue> PhraseParser::Parse(std::size_t begin) {
  at_ = begin;
  depth_ = 0;
  return Finish(Relation());
}

std::optional<PhraseValue> PhraseParser::ParseOperand(std::size_t begin) {
  at_ = begin;
  depth_ = 0;
  return Finish(Factor());
}

std::optional<PhraseValue> PhraseParser::ParseList(std::size_t begin) {
  at_ = begin;
  depth_ = 0;
  Value sum = Factor();
  bool several = false;
  while (sum) {
    const std::size_t mark = at_;
    bool separated = Take(TokenKind::kListComma) || Take(TokenKind::kComma);
    separated = Take(TokenKind::kAnd) || separated;
    if (!separated) break;
    const Value next = Factor();
    if (!next) {
      at_ = mark;
      break;
    }
    sum = Add(*sum, *next, false);
    several = true;
  }
  if (!several) return std::nullopt;
  if (sum) sum->relation = true;
  return Finish(sum);
}

// a [more than b], a [increased by b]
PhraseParser::Value PhraseParser::Relation() {
  const Level level(this);
  if (!level) return std::nullopt;
  Value value = Sum();
  while (value) {
    const std::size_t mark = at_;
    const bool more = Take(TokenKind::kMoreThan);
    if (more || Take(TokenKind::kLessThan)) {
      const Value base = Relation();
      if (!base) {
        at_ = mark;
        return value;
      }
      Value change = value;
      if (value->percent && !value->operation) {
        change = Multiply(*base, *value, false);
        if (!change) return std::nullopt;
        if (mode_ == Reading::kPlain) SetValue(&*change, change->quantity.plain / 100);
      }
      // "2 solutions less than $50" compares other things.
      const bool other = !value->label.empty() && value->label != base->label;
      value = Add(*base, *change, !more);
      if (value) value->relation = true;
      if (value) value->doubtful = value->doubtful || other;
      return value;
    }
    const bool up = Take(TokenKind::kIncreasedBy);
    if (!up && !Take(TokenKind::kDecreasedBy)) return value;
    Value change = Factor();
    if (!change) {
      at_ = mark;
      return value;
    }
    if (change->percent && !change->operation) {
      change = Multiply(*value, *change, false);
      if (!change) return std::nullopt;
      if (mode_ == Reading::kPlain) SetValue(&*change, change->quantity.plain / 100);
    }
    value = Add(*value, *change, !up);
    if (value) value->relation = true;
  }
  return value;
}

PhraseParser::Value PhraseParser::Sum() {
  Value value = Term();
  while (value && (Is(TokenKind::kPlus) || Is(TokenKind::kMinus))) {
    const std::size_t mark = at_;
    const bool minus = Is(TokenKind::kMinus);
    ++at_;
    Value next = Term();
    if (!next) {
      at_ = mark;
      break;
    }
    const bool relative =
        mode_ == Reading::kRelative && next->percent && !next->operation && !value->percent;
    if (relative) next = Multiply(*value, *next, false);
    if (!next) return std::nullopt;
    value = Add(*value, *next, minus);
  }
  return value;
}

PhraseParser::Value PhraseParser::Term() {
  Value value = Factor();
  while (value) {
    const std::size_t mark = at_;
    bool over = false;
    if (Is(TokenKind::kTimes) || Is(TokenKind::kOver)) {
      over = Is(TokenKind::kOver);
      ++at_;
    } else if (!Is(TokenKind::kOpen) || tokens_[at_].space_before || tokens_[at_].text == "{") {
      break;  // else "2(3 + 4)"
    }
    const Value next = over ? Divisor() : Factor();
    if (!next) {
      at_ = mark;
      break;
    }
    const bool plain_fraction = over && value->literal && next->literal && !value->operation &&
                                value->decimals == 0 && next->decimals == 0 &&
                                next->label.empty() && value->label.empty() && !value->currency &&
                                !next->currency;
    const bool proper = plain_fraction && value->quantity.plain < next->quantity.plain;
    value = Multiply(*value, *next, over);
    if (!value) return std::nullopt;
    if (plain_fraction) {
      value->part = proper;
      if (PartOf(&*value)) continue;
      Label(&*value);
    }
  }
  return value;
}

// In "1 1/2 / 1/2" the tight stroke binds more.
PhraseParser::Value PhraseParser::Divisor() {
  const bool tight = at_ > 0 && tokens_[at_ - 1].space_before && Is(TokenKind::kNumber) &&
                     Is(TokenKind::kOver, 1) && Is(TokenKind::kNumber, 2) &&
                     !tokens_[at_ + 1].space_before && !tokens_[at_ + 2].space_before &&
                     tokens_[at_ + 2].value != 0 && !tokens_[at_ + 1].worded;
  if (!tight) return Factor();
  PhraseValue value = Constant(tokens_[at_].value / tokens_[at_ + 2].value);
  value.operation = true;
  at_ += 3;
  Label(&value);
  return value;
}

PhraseParser::Value PhraseParser::Factor() {
  const Level level(this);
  if (!level) return std::nullopt;
  if (Take(TokenKind::kMinus)) {
    Value value = Factor();
    if (!value) return std::nullopt;
    value->quantity.plain = -value->quantity.plain;
    value->quantity.scaled = -value->quantity.scaled;
    return value;
  }
  Take(TokenKind::kPlus);
  Value value = Postfix();
  if (!value || !Is(TokenKind::kPower)) return value;
  const std::size_t mark = at_;
  ++at_;
  const Value exponent = Factor();
  if (!exponent) {
    at_ = mark;
    return value;
  }
  const auto power = Power(value->quantity.plain, exponent->quantity.plain);
  if (!power || value->quantity.measured) return std::nullopt;
  PhraseValue result = Constant(*power);
  result.operation = true;
  result.decimals = value->decimals;
  return result;
}

PhraseParser::Value PhraseParser::Postfix() {
  Value value = Primary();
  while (value) {
    if (Take(TokenKind::kFactorial)) {
      const auto factorial = Factorial(value->quantity.plain);
      if (!factorial) return std::nullopt;
      SetValue(&*value, *factorial);
      value->operation = true;
      value->literal = false;
    } else if (Is(TokenKind::kSquared) || Is(TokenKind::kCubed)) {
      const int exponent = Is(TokenKind::kSquared) ? 2 : 3;
      ++at_;
      const auto power = Power(value->quantity.plain, exponent);
      if (!power) return std::nullopt;
      *value = Constant(*power);
      value->operation = true;
      value->relation = true;
    } else if (!ChinesePostfix(&*value)) {
      break;
    }
    if (!Fits(value->quantity.plain)) return std::nullopt;
  }
  return value;
}

PhraseParser::Value PhraseParser::Primary() {
  const Level level(this);
  if (!level || at_ >= tokens_.size()) return std::nullopt;
  switch (tokens_[at_].kind) {
    case TokenKind::kNumber:
    case TokenKind::kCurrency:
      return NumberPhrase();
    case TokenKind::kOpen:
      return Group();
    case TokenKind::kFraction:
      return LatexFraction();
    case TokenKind::kRoot:
      return Root();
    case TokenKind::kHalfOf:
    case TokenKind::kTwice:
    case TokenKind::kThrice:
    case TokenKind::kSquareOf:
      return Prefix(tokens_[at_].kind);
    case TokenKind::kSumOf:
    case TokenKind::kProductOf:
    case TokenKind::kDifferenceOf:
    case TokenKind::kQuotientOf:
    case TokenKind::kAverageOf:
      return ListOf(tokens_[at_].kind);
    case TokenKind::kAdding:
    case TokenKind::kSubtracting:
    case TokenKind::kMultiplying:
    case TokenKind::kDividing:
      return Imperative(tokens_[at_].kind);
    case TokenKind::kThan:
      return ComparedWith();
    default:
      return std::nullopt;
  }
}

// [$] 12 [1/2] [dozen] [%] [of …] [label]
PhraseParser::Value PhraseParser::NumberPhrase() {
  PhraseValue value;
  value.currency = Take(TokenKind::kCurrency);
  if (value.currency && Take(TokenKind::kMinus)) {
    Value rest = NumberPhrase();
    if (!rest) return std::nullopt;
    rest->quantity.plain = -rest->quantity.plain;
    rest->quantity.scaled = -rest->quantity.scaled;
    rest->currency = true;
    return rest;
  }
  if (!Is(TokenKind::kNumber)) return std::nullopt;
  const Token& number = tokens_[at_++];
  SetValue(&value, number.value);
  value.literal = number.digits;
  value.grouped = number.grouped;
  value.decimals = number.decimals;
  value.part = number.fraction;
  value.percent = number.percent;
  if (number.percent && mode_ == Reading::kPlain) SetValue(&value, number.value * 100);
  if (value.currency) {
    value.quantity.measured = true;
    value.quantity.power[static_cast<std::size_t>(Dimension::kMoney)] = 1;
  }
  const bool whole = number.digits && IsInteger(number.value) && number.decimals == 0;
  if (whole && Is(TokenKind::kNumber) && Is(TokenKind::kOver, 1) && Is(TokenKind::kNumber, 2) &&
      tokens_[at_].digits && tokens_[at_ + 2].digits &&
      tokens_[at_].value < tokens_[at_ + 2].value && tokens_[at_ + 2].value <= 100 &&
      !tokens_[at_ + 2].space_before) {
    SetValue(&value, number.value + tokens_[at_].value / tokens_[at_ + 2].value);  // 2 1/2
    at_ += 3;
    value.literal = false;
  } else if (whole && Is(TokenKind::kNumber) && tokens_[at_].fraction) {
    SetValue(&value, number.value + tokens_[at_].value);  // 2½
    ++at_;
    value.literal = false;
  } else if (whole && Is(TokenKind::kFraction)) {
    const std::size_t mark = at_;
    const Value fraction = LatexFraction();
    if (!fraction || fraction->quantity.plain >= 1 || fraction->quantity.plain < 0) {
      at_ = mark;
    } else {
      SetValue(&value, number.value + fraction->quantity.plain);
      value.literal = false;
    }
  }
  value.dozen = Is(TokenKind::kDozen);
  if (value.dozen && mode_ == Reading::kUnits) {
    ++at_;
  } else if (Take(TokenKind::kDozen)) {
    SetValue(&value, value.quantity.plain * 12);
    value.relation = true;
    value.literal = false;
    Take(TokenKind::kOf);
  }
  const bool sign = Take(TokenKind::kPercent);
  if (sign || TakeWord("percent")) {
    value.percent = true;
    value.all_percent = true;
    value.part = true;
    value.hundredths = mode_ != Reading::kPlain;
    if (value.hundredths) SetValue(&value, value.quantity.plain / 100);
  }
  if (PartOf(&value)) return value;
  Label(&value);
  return Compound(value);
}

// "2 hours 30 minutes"
PhraseParser::Value PhraseParser::Compound(const PhraseValue& value) {
  const Level level(this);
  if (!level || !value.quantity.measured || !Is(TokenKind::kNumber) || !Is(TokenKind::kWord, 1)) {
    return value;
  }
  const Unit* unit = FindUnit(tokens_[at_ + 1].text);
  if (unit == nullptr || unit->power != value.quantity.power ||
      unit->scale >= value.quantity.scale) {
    return value;
  }
  const Value rest = NumberPhrase();
  return rest ? Add(value, *rest, false) : std::nullopt;
}

// "2/3 of 12", "20% of the 50 students"
bool PhraseParser::PartOf(PhraseValue* value) {
  if (!value->part || !Is(TokenKind::kOf)) return false;
  const std::size_t mark = at_;
  ++at_;
  SkipDeterminers();
  const Value whole = Factor();
  if (!whole) {
    at_ = mark;
    return false;
  }
  PhraseValue share = *value;
  if (share.percent && mode_ == Reading::kPlain && !share.operation) {
    SetValue(&share, share.quantity.plain / 100);
  }
  const Value product = Multiply(share, *whole, false);
  if (!product) {
    at_ = mark;
    return false;
  }
  const bool percent = whole->percent;
  *value = *product;
  value->relation = true;
  value->percent = percent;
  return true;
}

void PhraseParser::Measure(PhraseValue* value, const Unit& unit, bool per) {
  Quantity& q = value->quantity;
  for (std::size_t i = 0; i < kDimensions; ++i) {
    q.power[i] += per ? -unit.power[i] : unit.power[i];
  }
  q.measured = std::any_of(q.power.begin(), q.power.end(), [](int power) { return power != 0; });
  const Rational factor = per ? Rational(1 / unit.scale) : unit.scale;
  q.scale *= factor;
  q.scaled *= factor;
}

// The words behind a number, as far as they can be a noun: "boxes of pens", "miles/hour".
void PhraseParser::Label(PhraseValue* value) {
  if (value->part && Is(TokenKind::kOf)) return;
  const std::size_t begin = at_;
  bool per = false;
  while (at_ < tokens_.size() && at_ - begin < kMaxLabel) {
    const Token& token = tokens_[at_];
    if (token.kind == TokenKind::kOver && at_ + 1 < tokens_.size() &&
        tokens_[at_ + 1].kind == TokenKind::kWord && at_ > 0) {
      per = true;
      ++at_;
      continue;
    }
    if (token.kind == TokenKind::kOf && at_ > begin && Is(TokenKind::kWord, 1)) {
      ++at_;
      continue;
    }
    if (token.kind == TokenKind::kDe && Is(TokenKind::kWord, 1) && at_ > begin) {
      ++at_;
      continue;
    }
    if (token.kind != TokenKind::kWord) break;
    if (token.text == "per" || token.text == "a") {
      per = true;
      ++at_;
      continue;
    }
    const bool area = token.text == "square" || token.text == "cubic" || token.text == "sq";
    if (IsLoneLetter(token.text)) {
      if (FindUnit(token.text) == nullptr) break;
      value->doubtful = value->doubtful || token.space_before || token.text != "g";
    }
    const bool first = at_ == begin || per;
    if (first && !area && value->quantity.plain_valid) {
      const Unit* unit = FindUnit(token.text);
      if (unit != nullptr && !value->currency)
        Measure(value, *unit, per);
      else if (unit != nullptr && per)
        Measure(value, *unit, true);
      else if (value->label.empty() && token.text != "个")
        value->label = token.text;
    }
    per = false;
    ++at_;
  }
}

PhraseParser::Value PhraseParser::Group() {
  const std::string open = tokens_[at_].text;
  ++at_;
  Value value = Relation();
  if (!value || !Is(TokenKind::kClose) || tokens_[at_].text != open) return std::nullopt;
  ++at_;
  value->literal = false;
  if (open == "{" && !value->operation) value->literal = true;
  Label(&*value);
  return value;
}

PhraseParser::Value PhraseParser::LatexFraction() {
  ++at_;
  const auto argument = [this]() -> Value {
    if (Is(TokenKind::kOpen) && tokens_[at_].text == "{") return Group();
    if (!Is(TokenKind::kNumber)) return std::nullopt;
    const Rational number = tokens_[at_++].value;
    if (!IsInteger(number) || number > 9) return std::nullopt;
    return Constant(number);
  };
  const Value num = argument();
  if (!num) return std::nullopt;
  const Value den = argument();
  if (!den) return std::nullopt;
  Value value = Multiply(*num, *den, true);
  if (!value) return std::nullopt;
  value->part = !num->operation && !den->operation && num->quantity.plain < den->quantity.plain;
  if (!PartOf(&*value)) Label(&*value);
  return value;
}

PhraseParser::Value PhraseParser::Root() {
  ++at_;
  if (Is(TokenKind::kOpen) && tokens_[at_].text == "[") return std::nullopt;
  const Value radicand = Primary();
  if (!radicand) return std::nullopt;
  const auto root = ExactRoot(radicand->quantity.plain, 2);
  if (!root || radicand->quantity.measured) return std::nullopt;
  PhraseValue value = Constant(*root);
  value.operation = true;
  return value;
}

}  // namespace ergo::reasoning
