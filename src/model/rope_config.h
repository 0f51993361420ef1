// Rotary settings, from the several forms in which files hold them.
#pragma once

#include <string_view>

#include "kernels/rope/rope.h"
#include "model/config.h"
#include "model/config_reader.h"

namespace ergo::model {

/// Which layers' settings are asked for, and what holds if the files say nothing.
struct RopeSource {
  std::string_view layer_type = "full_attention";  ///< key of rope_parameters, if it is nested
  ConfigKey theta = {"rope.freq_base", "rope_theta"};
  double default_theta = 10000.0;
  bool scaled = true;  ///< whether scaling that names no layers holds for these
};

/// `config` has head_dim and context_length. Errors go to `reader`.
kernels::RopeConfig ReadRope(ConfigReader& reader, const ModelConfig& config,
                             const RopeSource& source = {});

}  // namespace ergo::model
