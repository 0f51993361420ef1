#include "generate/inspect.h"

#include <fmt/format.h>

namespace ergo::generate {

Result<runtime::Inspection> Inspect(const LanguageModel& model,
                                    const runtime::InspectRequest& request) {
  const std::size_t tokens = request.tokens.size();
  if (tokens == 0) return Fail("there are no tokens", "inspect", "give at least one");
  if (tokens > model.context()) {
    return Fail(fmt::format("{} tokens are more than the context of {}", tokens, model.context()),
                "inspect", "give fewer, or load the model with a longer context");
  }
  const auto engine = model.NewEngine(tokens);
  if (!engine) return tl::unexpected(engine.error());
  return runtime::Inspect(**engine, request);
}

}  // namespace ergo::generate
