// What a calibration computes with.
#pragma once

#include <cmath>
#include <string_view>

#include "reasoning/eval/calibration.h"

namespace ergo::reasoning::eval {

/// Places in FeatureValues. What is absent is 0 there and 1 in the place that says so; the first
/// one stands in for an absent raw confidence by the vote, or else by the token confidence.
enum FeatureIndex : std::size_t {
  kRawLogit,
  kRawAbsent,
  kVote,
  kVoteAbsent,
  kToken,
  kTokenAbsent,
  kVerified,
  kRefuted,  ///< of 4 and more: 1
  kAgreement,
  kAgreementAbsent,
};
inline constexpr std::array<std::string_view, kFeatures> kFeatureNames = {
    "raw_logit",    "raw_absent", "vote",    "vote_absent", "token",
    "token_absent", "verified",   "refuted", "agreement",   "agreement_absent"};

FeatureValues ValuesOf(const ConfidenceFeatures& features);

inline double Logistic(double score) { return 1.0 / (1.0 + std::exp(-score)); }

}  // namespace ergo::reasoning::eval
