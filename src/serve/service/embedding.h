// Texts as points: what a generative model makes of them on the way to its next token.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "serve/service/failure.h"
#include "serve/service/models.h"

namespace ergo::serve {

/// Most tokens of a text to embed: each of their states is held at once.
inline constexpr std::size_t kMostEmbedded = 8192;

/// The mean of the states behind the last layer and the final norm, scaled to length 1: the first
/// `dimensions` of it, if given, scaled anew. Takes as long as reading the tokens does, and memory
/// of its own. `tokens`: 1 to kMostEmbedded. Failures: more than the context, no memory.
Served<std::vector<float>> Embed(const ServedModel& model,
                                 std::span<const generate::TokenId> tokens,
                                 std::optional<std::size_t> dimensions = {});

/// Little-endian floats in base 64.
std::string Base64Of(std::span<const float> values);

}  // namespace ergo::serve
