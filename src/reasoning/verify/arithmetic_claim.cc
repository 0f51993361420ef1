#include "reasoning/verify/arithmetic_claim.h"

#include <algorithm>
#include <array>
#include <initializer_list>

namespace ergo::reasoning {
namespace {

// Factors between units of one dimension that texts leave out: "2 hours * 60 = 7200 seconds".
bool IsConversionFactor(const Rational& ratio, const Quantity& q) {
  const auto among = [&](std::initializer_list<long> factors) {
    return std::any_of(factors.begin(), factors.end(), [&](long factor) {
      return ratio == factor || ratio == Rational(1, factor);
    });
  };
  using enum Dimension;
  const auto has = [&](Dimension d) { return q.power[static_cast<std::size_t>(d)] != 0; };
  if (has(kTime) && among({7, 12, 24, 30, 52, 60, 365, 1440, 3600})) return true;
  if (has(kLength) && among({3, 10, 12, 36, 100, 1000, 5280})) return true;
  if (has(kMass) && among({2, 16, 500, 1000, 2000})) return true;
  if (has(kVolume) && among({2, 3, 4, 8, 16, 1000})) return true;
  return has(kMoney) && q.scale != 1 && among({4, 10, 20, 100});
}

Agreement CompareNumbers(const Rational& truth, const PhraseValue& computed,
                         const PhraseValue& claimed, const Rational& claim, bool approximate) {
  if (truth == claim) return Agreement::kEqual;
  const Rational difference = abs(truth - claim);
  const bool whole = claimed.decimals == 0 && !approximate;
  if (claimed.literal && (computed.operation || !whole)) {
    int digits = claimed.decimals;
    if (approximate && digits == 0 && claim != 0) {
      // "≈ 1200" may be rounded to hundreds.
      while (digits > -12 && IsInteger(claim * PowerOfTen(digits - 1))) --digits;
    }
    const Rational step = PowerOfTen(-digits);
    if (!IsInteger(truth * PowerOfTen(claimed.decimals)) || approximate) {
      if (difference <= step / 2) return Agreement::kRounded;
      const bool cut = difference < step && abs(claim) < abs(truth);
      if (cut && digits >= 1) return Agreement::kTruncated;
      if (cut) return Agreement::kNear;
    }
  }
  const bool inexact = claimed.decimals > 0 || approximate;
  const Rational tolerance = abs(truth) * (approximate ? Rational(1, 20) : Rational(1, 200));
  if (inexact && difference <= tolerance && (approximate || !claimed.literal))
    return Agreement::kNear;
  return Agreement::kDifferent;
}

bool Better(Agreement a, Agreement b) { return static_cast<int>(a) < static_cast<int>(b); }

}  // namespace

Comparison Compare(const PhraseValue& computed, const PhraseValue& claimed, bool approximate) {
  const Quantity& x = computed.quantity;
  const Quantity& y = claimed.quantity;
  Comparison best;
  const auto consider = [&](const Rational& truth, const Rational& claim) {
    const Agreement agreement = CompareNumbers(truth, computed, claimed, claim, approximate);
    if (best.agreement == Agreement::kIncomparable || Better(agreement, best.agreement)) {
      best = {agreement, truth};
    }
  };
  const bool bare = !computed.operation && !claimed.operation;
  const bool comparable = x.scaled_valid && y.scaled_valid && x.power == y.power && y.scale != 0;
  // Units on both sides of a bare equation are what it is about.
  const bool plain = x.plain_valid && y.plain_valid &&
                     !(bare && x.measured && y.measured && (x.scale != y.scale || !comparable));
  if (plain) consider(x.plain, y.plain);
  if (comparable && (x.measured == y.measured) && x.scale != y.scale) {
    const Rational truth = x.scaled / y.scale;
    // Mixed scales have no plain value; their claim stands in base units.
    if (y.plain_valid)
      consider(truth, y.plain);
    else
      consider(x.scaled, y.scaled);
  } else if (comparable && x.measured && (!x.plain_valid || !y.plain_valid) && y.measured) {
    consider(y.plain_valid ? Rational(x.scaled / y.scale) : x.scaled,
             y.plain_valid ? y.plain : y.scaled);
  }
  if (best.agreement == Agreement::kDifferent && y.plain != 0 && x.plain != 0) {
    const Rational ratio = x.plain / y.plain;
    if (!bare && (IsConversionFactor(ratio, x) || IsConversionFactor(ratio, y))) {
      best.agreement = Agreement::kConversion;
    }
  }
  return best;
}

std::string WriteLike(const Rational& value, const PhraseValue& model) {
  std::string text = Text(value);
  if (model.decimals > 0 && model.decimals <= 12) {
    // Enough decimals to be exact; else rounded to what the text shows.
    const Rational rounded = RoundTo(value, model.decimals);
    if (rounded == value || text.find('/') != text.npos) {
      text = *DecimalText(rounded, model.decimals);
      const std::size_t point = text.find('.');
      const std::size_t have = point == text.npos ? 0 : text.size() - point - 1;
      if (point == text.npos) text += '.';
      text.append(static_cast<std::size_t>(model.decimals) - have, '0');
    }
  }
  if (!model.grouped || text.find('/') != text.npos) return text;
  const std::size_t end = std::min(text.find('.'), text.size());
  const std::size_t begin = text.starts_with('-') ? 1 : 0;
  for (std::size_t at = end; at > begin + 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

}  // namespace ergo::reasoning
