// Attention in plain C++.
#include "kernels/attention/paths.h"
#include "kernels/simd/i8_portable.h"
#include "kernels/simd/unroll.h"

namespace ergo::kernels {
namespace portable {
namespace {

inline constexpr int kMaxTogether = 4;  ///< query vectors
inline constexpr int kParts = 2;        ///< vectors of tokens, or of dimensions

I32 DotPairs(I32 sum, Bytes query, Bytes key) {
  const auto low = [](Bytes x) { return reinterpret_cast<IntVector>(x.v << 16) >> 16; };
  const auto high = [](Bytes x) { return reinterpret_cast<IntVector>(x.v) >> 16; };
  return {sum.v + low(query) * low(key) + high(query) * high(key)};
}

I32 DotUnsigned(I32 sum, Bytes share, Bytes value) { return Dot<8>(sum, share, value); }

// clang-format off
#include "kernels/simd/math.inc.h"
#include "kernels/attention/kv_numbers.inc.h"
#include "kernels/attention/attention.inc.h"
#include "kernels/attention/kv_int12.inc.h"
// clang-format on

}  // namespace
}  // namespace portable

const KvFormats kKvPortable = {{&portable::Int12::Store, &portable::AttendTask<portable::Int12>}};

}  // namespace ergo::kernels
