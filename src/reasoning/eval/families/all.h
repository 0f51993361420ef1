// Every family, one file each; the list is in eval/families.cc.
#pragma once

#include "reasoning/eval/family.h"

namespace ergo::reasoning::eval {

extern const Family kChains;
extern const Family kCountdown;
extern const Family kDeduction;
extern const Family kGsm8k;
extern const Family kHumanEval;
extern const Family kKnights;
extern const Family kLinear;
extern const Family kMath;
extern const Family kProntoQa;
extern const Family kProofWriter;

}  // namespace ergo::reasoning::eval
