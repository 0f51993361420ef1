// Loops whose index is a constant in every turn: compilers keep arrays indexed by it in registers.
#pragma once

#include <type_traits>
#include <utility>

namespace ergo::kernels {

/// Calls body(integral_constant<int, 0>) … body(integral_constant<int, N - 1>). Give the lambda the
/// attribute always_inline where registers matter.
template <int N, typename Body>
[[gnu::always_inline]] inline constexpr void Unroll(Body&& body) {
  [&]<int... I>(std::integer_sequence<int, I...>) __attribute__((always_inline)) {
    (body(std::integral_constant<int, I>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

}  // namespace ergo::kernels
