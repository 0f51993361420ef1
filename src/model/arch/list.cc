#include <array>

#include "model/arch/architecture.h"

namespace ergo::model {

std::span<const Architecture* const> Architectures() {
  static constexpr std::array<const Architecture*, 4> kAll = {
      &kGemma3,
      &kLlama,
      &kQwen2,
      &kQwen3,
  };
  return kAll;
}

}  // namespace ergo::model
