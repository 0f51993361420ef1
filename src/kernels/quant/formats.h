// The block formats. A new one is its header, a line here, and its rows in tensor/dtype.
#pragma once

#include "kernels/quant/q4_0.h"
#include "kernels/quant/q4_1.h"
#include "kernels/quant/q4_k.h"
#include "kernels/quant/q5_0.h"
#include "kernels/quant/q6_k.h"
#include "kernels/quant/q8_0.h"
#include "tensor/dtype.h"

namespace ergo::kernels {

template <typename... Types>
struct TypeList {};

/// Sorted by name.
using BlockFormats = TypeList<Q4_0, Q4_1, Q4_K, Q5_0, Q6_K, Q8_0>;

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
