// How a sequence is to draw: the options of ergo.h, checked and with everything that they point at
// copied.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "capi/boundary.h"
#include "capi/model_state.h"
#include "generate/session.h"

namespace ergo::capi {

struct Settings {
  bool steers() const { return constraint != nullptr || answer.think_budget.has_value(); }

  generate::AnswerOptions answer = {};  ///< sampling, stop tokens, logprobs, think budget
  std::size_t max_tokens = 0;           ///< to draw
  std::shared_ptr<const generate::constrain::Constraint> constraint = {};
  std::string name_space = {};
  std::optional<std::chrono::steady_clock::duration> allowed_time = {};
  int priority = 0;
  std::size_t unread = 256;
};

/// What steers a sequence from behind `prompt` on; nullptr if nothing does.
std::unique_ptr<runtime::LogitHook> HookFor(const ModelState& model, const Settings& settings,
                                            std::span<const std::int32_t> prompt);

/// The defaults; `model` may be nullptr.
ergo_sequence_options DefaultOptions(const ModelState* model);

/// Options that a caller gives for `model`.
Outcome<Settings> SettingsOf(const ModelState& model, const ergo_sequence_options* given);

/// What the engine is asked for. A sequence that is to draw nothing draws one token that nobody
/// sees: so its prompt is computed.
runtime::SequenceOptions EngineOptionsOf(const ModelState& model, const Settings& settings);

}  // namespace ergo::capi
