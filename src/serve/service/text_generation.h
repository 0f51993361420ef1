// /v1/generate as plain data: the one request and reply that JSON, Protobuf and RPC have.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "serve/service/generation.h"

namespace ergo::serve {

struct TextRequest {
  std::string model = {};
  std::string prompt = {};
  std::int64_t max_tokens = 0;
  std::optional<std::int64_t> max_steps = {};  ///< of a derivation
  std::optional<double> temperature = {};
  std::optional<std::int64_t> seed = {};
  std::string effort = {};       ///< empty: none
  bool chooses_experts = false;  ///< there was an expert_selection
  bool raw = false;              ///< the prompt as it stands, not as a message
  bool stream = false;
};

struct TextStep {
  std::string text;
  std::string verdict;      ///< "verified", "refuted", "unchecked" …
  std::string reason = {};  ///< why it was refuted
};

struct TextReply {
  std::string model;
  std::string output;
  std::string finish_reason;
  std::vector<TextStep> reasoning_chain = {};  ///< of answers with an effort
  bool reasoned = false;
  std::string trace_id = {};
  std::optional<double> confidence = {};
  bool verified = false;
  std::vector<std::string> warnings = {};
  generate::Usage usage = {};
  generate::Timings timings = {};
};

/// `body` satisfies the schema of /v1/generate.
TextRequest TextRequestFromJson(const OrderedJson& body);
OrderedJson ToJson(const TextReply& reply);

/// What to generate. Failures name the field.
Served<GenerationRequest> GenerationOf(const ServedModel& model, const TextRequest& request);
TextReply ReplyOf(const ServedModel& model, const TextRequest& request,
                  const GenerationOutcome& outcome);

}  // namespace ergo::serve
