#include "reasoning/verify/check.h"

namespace ergo::reasoning {

std::string_view Name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kVerified:
      return "verified";
    case Verdict::kRefuted:
      return "refuted";
    case Verdict::kUnsupported:
      return "unsupported";
    case Verdict::kUnchecked:
      break;
  }
  return "unchecked";
}

}  // namespace ergo::reasoning
