// The phrases of words: "the sum of a and b", "adding a to b", 比a多b, a的一半.
#include "reasoning/verify/phrase_parser.h"

namespace ergo::reasoning {

// half of x, twice x, the square of x
PhraseParser::Value PhraseParser::Prefix(TokenKind kind) {
  ++at_;
  const bool half = kind == TokenKind::kHalfOf;
  const bool of = Take(TokenKind::kOf);
  SkipDeterminers();
  if (half && !of && !Is(TokenKind::kNumber) && !Is(TokenKind::kCurrency)) return std::nullopt;
  const Value whole = Factor();
  if (!whole) return std::nullopt;
  Value value;
  if (kind == TokenKind::kSquareOf) {
    value = Multiply(*whole, *whole, false);
  } else {
    const Rational factor = half ? Rational(1, 2) : Rational(kind == TokenKind::kTwice ? 2 : 3);
    value = Multiply(Constant(factor), *whole, false);
  }
  if (value) value->relation = true;
  return value;
}

// the sum of a, b and c
PhraseParser::Value PhraseParser::ListOf(TokenKind kind) {
  ++at_;
  std::vector<PhraseValue> items;
  while (items.size() < 32) {
    SkipDeterminers();
    const Value item = Term();
    if (!item) return std::nullopt;
    items.push_back(*item);
    const std::size_t mark = at_;
    bool separated = Take(TokenKind::kComma) || Take(TokenKind::kListComma);
    separated = Take(TokenKind::kAnd) || separated;
    const bool more = Is(TokenKind::kNumber) || Is(TokenKind::kCurrency) || Is(TokenKind::kOpen) ||
                      Is(TokenKind::kHalfOf) || Is(TokenKind::kTwice) || Is(TokenKind::kFraction) ||
                      Is(TokenKind::kSumOf) || Is(TokenKind::kProductOf) ||
                      Is(TokenKind::kDifferenceOf);
    if (!separated || !more) {
      at_ = mark;
      break;
    }
  }
  const bool pair = kind == TokenKind::kDifferenceOf || kind == TokenKind::kQuotientOf;
  if (items.size() < 2 || (pair && items.size() != 2)) return std::nullopt;
  Value value = items[0];
  for (std::size_t i = 1; i < items.size() && value; ++i) {
    switch (kind) {
      case TokenKind::kProductOf:
        value = Multiply(*value, items[i], false);
        break;
      case TokenKind::kQuotientOf:
        value = Multiply(*value, items[i], true);
        break;
      default:
        value = Add(*value, items[i], kind == TokenKind::kDifferenceOf);
        break;
    }
  }
  if (value && kind == TokenKind::kAverageOf) {
    value = Multiply(*value, Constant(static_cast<long>(items.size())), true);
  }
  if (value && kind == TokenKind::kDifferenceOf && value->quantity.plain < 0) {
    value->quantity.plain = -value->quantity.plain;
    value->quantity.scaled = -value->quantity.scaled;
  }
  if (value) value->relation = true;
  return value;
}

// adding a and b, subtracting a from b, multiplying a by b, dividing a by b
PhraseParser::Value PhraseParser::Imperative(TokenKind kind) {
  ++at_;
  SkipDeterminers();
  const Value a = Term();
  if (!a) return std::nullopt;
  const bool adding = kind == TokenKind::kAdding;
  const bool from = kind == TokenKind::kSubtracting;
  bool joined = false;
  if (adding)
    joined = Take(TokenKind::kAnd) || Take(TokenKind::kTo);
  else if (from)
    joined = Take(TokenKind::kFrom);
  else
    joined = Take(TokenKind::kBy) || (kind == TokenKind::kMultiplying && Take(TokenKind::kAnd));
  if (!joined && kind == TokenKind::kDividing)
    joined = TakeWord("among") || TakeWord("into") || TakeWord("equally among");
  if (!joined) return std::nullopt;
  SkipDeterminers();
  const Value b = Term();
  if (!b) return std::nullopt;
  Value value;
  if (adding)
    value = Add(*a, *b, false);
  else if (from)
    value = Add(*b, *a, true);
  else
    value = Multiply(*a, *b, kind == TokenKind::kDividing);
  while (adding && value && Take(TokenKind::kAnd)) {
    const Value next = Term();
    if (!next) return std::nullopt;
    value = Add(*value, *next, false);
  }
  if (value) value->relation = true;
  return value;
}

// 比 a 多 b
PhraseParser::Value PhraseParser::ComparedWith() {
  ++at_;
  const Value base = Term();
  if (!base) return std::nullopt;
  TakeWord("还");
  const bool more = Take(TokenKind::kMore) || Take(TokenKind::kIncreasedBy);
  if (!more && !Take(TokenKind::kLess) && !Take(TokenKind::kDecreasedBy)) return std::nullopt;
  TakeWord("了");
  Value change = Term();
  if (!change) return std::nullopt;
  if (change->part && !change->operation)
    change = Multiply(*base, *change, false);
  else if (change->part && change->quantity.plain < 1)
    change = Multiply(*base, *change, false);
  if (!change) return std::nullopt;
  Value value = Add(*base, *change, !more);
  if (value) value->relation = true;
  if (Take(TokenKind::kDe)) {
    TakeWord("数");
    TakeWord("字");
  }
  return value;
}

bool PhraseParser::ChinesePostfix(PhraseValue* value) {
  return ChineseOf(value) || ChinesePair(value);
}

// a的六分之五, a的20%, a的3倍, a的一半, a的平方, a平均分成b
bool PhraseParser::ChineseOf(PhraseValue* value) {
  const std::size_t mark = at_;
  if (Take(TokenKind::kShareInto)) {
    const Value parts = NumberPhrase();
    const Value share = parts ? Multiply(*value, *parts, true) : std::nullopt;
    if (share) {
      *value = *share;
      value->relation = true;
      return true;
    }
    at_ = mark;
    return false;
  }
  const bool de = Take(TokenKind::kDe);
  if (Is(TokenKind::kHalfOf) && de) {
    ++at_;
    *value = *Multiply(*value, Constant(Rational(1, 2)), false);
    value->relation = true;
    return true;
  }
  if (de && Is(TokenKind::kSquared)) return true;
  if (de && Is(TokenKind::kNumber)) {
    const Token& number = tokens_[at_];
    Rational factor = number.value;
    std::size_t used = 0;
    if (number.fraction)
      used = 1;
    else if (Is(TokenKind::kFold, 1))
      used = 2;
    else if (Is(TokenKind::kPercent, 1))
      used = 2, factor /= 100;
    else if (Is(TokenKind::kOver, 1) && Is(TokenKind::kNumber, 2) && tokens_[at_ + 2].value != 0) {
      used = 3;
      factor /= tokens_[at_ + 2].value;
    }
    const Value product = used == 0 ? std::nullopt : Multiply(*value, Constant(factor), false);
    if (product) {
      at_ += used;
      *value = *product;
      value->relation = true;
      return true;
    }
  }
  at_ = mark;
  return false;
}

// a和b的和, a、b、c的积, a加b的和, a与b相加
bool PhraseParser::ChinesePair(PhraseValue* value) {
  if (!Is(TokenKind::kAnd) && !Is(TokenKind::kListComma)) return false;
  const std::size_t mark = at_;
  std::vector<PhraseValue> items = {*value};
  while (items.size() < 32 && (Take(TokenKind::kListComma) || Take(TokenKind::kAnd))) {
    const Value item = NumberPhrase();
    if (!item) break;
    items.push_back(*item);
  }
  Take(TokenKind::kDe);
  TokenKind kind = at_ < tokens_.size() ? tokens_[at_].kind : TokenKind::kStop;
  if (kind == TokenKind::kAnd && tokens_[at_].text == "和") kind = TokenKind::kSumWord;
  const bool known = kind == TokenKind::kSumWord || kind == TokenKind::kDifferenceWord ||
                     kind == TokenKind::kProductWord || kind == TokenKind::kQuotientWord ||
                     kind == TokenKind::kAverageOf;
  Value result = known && items.size() >= 2 ? Value(items[0]) : std::nullopt;
  for (std::size_t i = 1; i < items.size() && result; ++i) {
    if (kind == TokenKind::kProductWord || kind == TokenKind::kQuotientWord) {
      result = Multiply(*result, items[i], kind == TokenKind::kQuotientWord);
    } else {
      result = Add(*result, items[i], kind == TokenKind::kDifferenceWord);
    }
  }
  if (result && kind == TokenKind::kAverageOf) {
    result = Multiply(*result, Constant(static_cast<long>(items.size())), true);
  }
  if (!result) {
    at_ = mark;
    return false;
  }
  ++at_;
  if (kind == TokenKind::kDifferenceWord && result->quantity.plain < 0) {
    result->quantity.plain = -result->quantity.plain;
    result->quantity.scaled = -result->quantity.scaled;
  }
  *value = *result;
  value->relation = true;
  return true;
}

}  // namespace ergo::reasoning
