// Answers of the model as it is, and what all generations begin with.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serve/access/admission.h"
#include "serve/service/generation.h"

namespace ergo::serve {

/// A request that was admitted.
struct GenerationStart {
  Service& service;
  const Principal principal;
  std::shared_ptr<ServedModel> model;
  std::unique_ptr<Admission::Ticket> ticket;
  std::function<void()> on_news;
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
  std::size_t prompt_tokens = 0;
};

/// `syntax`: calls of tools are looked for; nullptr: not.
Served<std::shared_ptr<Generation>> StartPlain(GenerationStart start, GenerationRequest request,
                                               std::vector<generate::TokenId> prompt,
                                               const ToolSyntax* syntax);

/// Counts what a generation came to.
void CountOutcome(GenerationStart& start, const GenerationOutcome& outcome);
/// Counts a look into the cache of answers; nullptr: the answer was not there. What was there costs
/// the key no tokens.
void CountLook(Service& service, const std::string& model,
               std::chrono::steady_clock::time_point began, const GenerationOutcome* found);

}  // namespace ergo::serve
