#include "serve/service/embedding.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "generate/inspect.h"

namespace ergo::serve {
namespace {

void Normalize(std::vector<float>* values) {
  double sum = 0.0;
  for (const float value : *values) sum += static_cast<double>(value) * static_cast<double>(value);
  if (!(sum > 0.0)) return;
  const double scale = 1.0 / std::sqrt(sum);
  for (float& value : *values) value = static_cast<float>(static_cast<double>(value) * scale);
}

}  // namespace

Served<std::vector<float>> Embed(const ServedModel& model,
                                 std::span<const generate::TokenId> tokens,
                                 std::optional<std::size_t> dimensions) {
  const std::size_t most = std::min(kMostEmbedded, model->context());
  if (tokens.empty() || tokens.size() > most) {
    return Refuse(
        FailureKind::kInvalid,
        fmt::format("a text of {} tokens cannot be embedded: 1 to {} can", tokens.size(), most),
        "context_length_exceeded", "input");
  }
  runtime::InspectRequest request;
  request.tokens.assign(tokens.begin(), tokens.end());
  request.state_layers = {model->model().config().layers.size()};
  const auto seen = generate::Inspect(*model.model, request);
  if (!seen) return Refuse(FailureKind::kUnavailable, seen.error().Message(), "no_room");
  std::vector<double> sums(seen->width);
  for (std::size_t at = 0; at < tokens.size(); ++at) {
    const float* state = seen->states.data() + at * seen->width;
    for (std::size_t i = 0; i < seen->width; ++i) sums[i] += static_cast<double>(state[i]);
  }
  std::vector<float> values(sums.begin(), sums.end());
  if (dimensions) values.resize(std::min(*dimensions, values.size()));
  Normalize(&values);
  return values;
}

std::string Base64Of(std::span<const float> values) {
  static constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::vector<std::uint8_t> bytes;
  for (const float value : values) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
    }
  }
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const auto byte = [&](std::size_t at) -> std::uint32_t {
      return at < bytes.size() ? bytes[at] : 0;
    };
    const std::uint32_t group = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      text += padding ? '=' : kLetters[group >> (18 - 6 * j) & 63];
    }
  }
  return text;
}

}  // namespace ergo::serve
