// Sampling fields under the names that most APIs give them.
#pragma once

#include "base/json.h"
#include "serve/service/sampling_fields.h"

namespace ergo::serve {

/// `max_tokens`, `temperature`, `top_p`, `top_k`, `min_p`, `typical_p`, `repetition_penalty`,
/// `frequency_penalty`, `presence_penalty`, `seed`, `stop`, `logit_bias`, `ignore_eos`, as far as
/// they are there and not null. The body satisfies the component SamplingBody.
SamplingFields ReadSamplingBody(const OrderedJson& body);

/// A field that is there and not null.
template <typename T>
void ReadField(const OrderedJson& body, const char* name, std::optional<T>* value) {
  const auto found = body.find(name);
  if (found != body.end() && !found->is_null()) *value = found->get<T>();
}

}  // namespace ergo::serve
