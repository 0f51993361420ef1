// Compiled for its code path alone; called by quant_test.cc where the host can run it.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/float_bits.h"
#include "tensor/dtype.h"

#if defined(__x86_64__)

#include <immintrin.h>

// The order matters: what is included after begin_avx512.h is compiled for it.
// clang-format off
#include "kernels/simd/begin_avx512.h"
#include "kernels/simd/i8_avx512.h"
#include "kernels/quant/unpack_test.h"

namespace ergo::kernels {

bool UnpackAvx512(DType dtype, const std::uint8_t* panel, const UnpackedBlock& out) {
  return UnpackAs<avx512::Vec>(dtype, panel, out);
}

}  // namespace ergo::kernels

#include "kernels/simd/end.h"
// clang-format on

#else

#include "kernels/quant/unpack_test.h"

namespace ergo::kernels {

bool UnpackAvx512(DType, const std::uint8_t*, const UnpackedBlock&) { return false; }

}  // namespace ergo::kernels

#endif
