#include <algorithm>

#include "reasoning/verify/phrase_parser.h"

namespace ergo::reasoning {
namespace {

PhraseValue Joined(const PhraseValue& a, const PhraseValue& b) {
  PhraseValue value;
  value.operation = true;
  value.relation = a.relation || b.relation;
  value.percent = a.percent || b.percent;
  value.dozen = a.dozen || b.dozen;
  value.doubtful = a.doubtful || b.doubtful;
  value.currency = a.currency || b.currency;
  value.grouped = a.grouped || b.grouped;
  value.decimals = std::max(a.decimals, b.decimals);
  value.label = a.label.empty() ? b.label : a.label;
  return value;
}

bool Small(const Quantity& q) { return Fits(q.plain) && Fits(q.scaled) && Fits(q.scale); }

}  // namespace

void SetValue(PhraseValue* value, const Rational& number) {
  value->quantity.plain = number;
  value->quantity.scaled = number;
}

PhraseValue Constant(const Rational& number) {
  PhraseValue value;
  SetValue(&value, number);
  return value;
}

std::optional<PhraseValue> Add(const PhraseValue& a, const PhraseValue& b, bool minus) {
  PhraseValue value = Joined(a, b);
  value.all_percent = a.all_percent && b.all_percent;
  const Quantity& x = a.quantity;
  const Quantity& y = b.quantity;
  Quantity& sum = value.quantity;
  const int sign = minus ? -1 : 1;
  sum.plain = x.plain + sign * y.plain;
  sum.plain_valid = x.plain_valid && y.plain_valid;
  sum.scaled_valid = x.scaled_valid && y.scaled_valid;
  sum.measured = x.measured || y.measured;
  if (x.measured && y.measured) {
    sum.power = x.power;
    sum.scaled_valid = sum.scaled_valid && x.power == y.power;
    sum.scaled = x.scaled + sign * y.scaled;
    if (x.scale == y.scale) {
      sum.scale = x.scale;
    } else if (sum.scaled_valid) {
      sum.plain_valid = false;
    }
  } else {
    // A number without a unit is taken to have the other's.
    const Quantity& known = x.measured ? x : y;
    sum.power = known.power;
    sum.scale = known.scale;
    sum.scaled = (x.measured ? x.scaled : Rational(x.plain * known.scale)) +
                 sign * (y.measured ? y.scaled : Rational(y.plain * known.scale));
  }
  if (!Small(sum)) return std::nullopt;
  return value;
}

std::optional<PhraseValue> Multiply(const PhraseValue& a, const PhraseValue& b, bool over) {
  PhraseValue value = Joined(a, b);
  const Quantity& x = a.quantity;
  const Quantity& y = b.quantity;
  Quantity& product = value.quantity;
  if (over && (y.plain == 0 || y.scaled == 0 || y.scale == 0)) return std::nullopt;
  product.plain = over ? Rational(x.plain / y.plain) : Rational(x.plain * y.plain);
  product.scaled = over ? Rational(x.scaled / y.scaled) : Rational(x.scaled * y.scaled);
  product.scale = over ? Rational(x.scale / y.scale) : Rational(x.scale * y.scale);
  product.plain_valid = x.plain_valid && y.plain_valid;
  product.scaled_valid = x.scaled_valid && y.scaled_valid;
  for (std::size_t i = 0; i < kDimensions; ++i) {
    product.power[i] = x.power[i] + (over ? -y.power[i] : y.power[i]);
    if (std::abs(product.power[i]) > 16) return std::nullopt;
    product.measured = product.measured || product.power[i] != 0;
  }
  if (!Small(product)) return std::nullopt;
  return value;
}

}  // namespace ergo::reasoning
