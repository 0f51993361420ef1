// Whether two phrases are equal, under every reading that the text allows.
#pragma once

#include <string>

#include "reasoning/verify/phrase_parser.h"

namespace ergo::reasoning {

enum class Agreement {
  kEqual,
  kRounded,     ///< to the digits shown
  kTruncated,   ///< cut off at the digits shown
  kNear,        ///< may come from rounding on the way, or is a whole part
  kConversion,  ///< off by the factor of a unit that may be left out
  kIncomparable,
  kDifferent,
};

struct Comparison {
  Agreement agreement = Agreement::kIncomparable;
  Rational truth = 0;  ///< what the claimed side should be, in its unit
};

/// `claimed` is the side that is rounded if one is. `approximate`: "≈" or "about" stands before it.
Comparison Compare(const PhraseValue& computed, const PhraseValue& claimed, bool approximate);

/// `value` as `model` writes numbers: as many decimals, thousands separators.
std::string WriteLike(const Rational& value, const PhraseValue& model);

}  // namespace ergo::reasoning
