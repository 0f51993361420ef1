// Every strategy, one file each; the list that the program shows is in strategies.cc.
#pragma once

#include "reasoning/strategies/strategy.h"

namespace ergo::reasoning {

extern const Strategy kAutoStrategy;
extern const Strategy kBeamStrategy;
extern const Strategy kBestOfNStrategy;
extern const Strategy kDecomposeStrategy;
extern const Strategy kDirectStrategy;
extern const Strategy kMajorityStrategy;
extern const Strategy kMctsStrategy;
extern const Strategy kProgramStrategy;
extern const Strategy kProgressiveStrategy;

}  // namespace ergo::reasoning
