// The block formats. A new one is its header, its lines here, and its rows in tensor/dtype.
//
// A format is an empty struct with
//   kDType, kBlock (values in a file block), kGroup (values that share a scale), kBits, kOffset,
//   kHasMinimum, kPanelBytes (of kBlock inputs of 32 outputs)
//   Block                          the bytes of the file
//   Decode(block, out)             kBlock values, bit for bit those of the format's definition
//   Pack(rows, panel)              the same block column of 32 rows into a panel block, exactly
//   Codes<V, kStep>(panel, output) unsigned codes, below 2^kBits, of values 4·kStep … 4·kStep+3 for
//                                  the V::kLanes outputs from `output`: a lane holds an output's
//                                  four
//   Scale<V>(panel, group, output) and, where kHasMinimum, Minimum<V>(panel, group, output)
// so that value = scale · (code − kOffset) + minimum, equal to what Decode gives. The templates
// over V are compiled for each code path (simd/begin_*.h); include the standard headers,
// base/float_bits.h and tensor/dtype.h before such a region, and call Decode and Pack outside of
// one.
#pragma once

#include "kernels/quant/q2_k.h"
#include "kernels/quant/q3_k.h"
#include "kernels/quant/q4_0.h"
#include "kernels/quant/q4_1.h"
#include "kernels/quant/q4_k.h"
#include "kernels/quant/q5_0.h"
#include "kernels/quant/q5_1.h"
#include "kernels/quant/q5_k.h"
#include "kernels/quant/q6_k.h"
#include "kernels/quant/q8_0.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

template <typename... Types>
struct TypeList {};

/// Sorted by name.
using BlockFormats = TypeList<Q2_K, Q3_K, Q4_0, Q4_1, Q4_K, Q5_0, Q5_1, Q5_K, Q6_K, Q8_0>;

/// Calls visit(Format{}) for each of them; formats are empty types:
///   ForEachFormat([&]<typename Format>(Format) { … Format::kBlock … });
template <typename Visit, typename... Formats>
void ForEachFormat(Visit&& visit, TypeList<Formats...> /*formats*/) {
  (visit(Formats{}), ...);
}
template <typename Visit>
void ForEachFormat(Visit&& visit) {
  ForEachFormat(visit, BlockFormats{});
}

/// Calls visit(Format{}) for the format of `dtype`; false when there is none.
template <typename Visit, typename... Formats>
bool VisitFormat(DType dtype, Visit&& visit, TypeList<Formats...> /*formats*/) {
  return ((dtype == Formats::kDType && (visit(Formats{}), true)) || ...);
}
template <typename Visit>
bool VisitFormat(DType dtype, Visit&& visit) {
  return VisitFormat(dtype, visit, BlockFormats{});
}

}  // namespace ergo::kernels
