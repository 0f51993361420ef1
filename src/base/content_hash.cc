#include "base/content_hash.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

namespace ergo {

struct ContentHash::State {
  XXH3_state_t xxh;
};

void ContentHash::Free::operator()(State* state) const { delete state; }

ContentHash::ContentHash() : state_(new State) { XXH3_128bits_reset(&state_->xxh); }

void ContentHash::Add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state_->xxh, bytes.data(), bytes.size());
}

void ContentHash::AddSized(std::string_view text) {
  const std::uint64_t size = text.size();
  Add(std::as_bytes(std::span(&size, 1)));
  Add(text);
}

std::uint64_t ContentHash::Short() const { return XXH3_64bits_digest(&state_->xxh); }

std::string ContentHash::Hex() const {
  const XXH128_hash_t hash = XXH3_128bits_digest(&state_->xxh);
  return fmt::format("{:016x}{:016x}", hash.high64, hash.low64);
}

}  // namespace ergo
