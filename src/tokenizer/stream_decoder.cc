#include "base/utf8.h"
#include "tokenizer/parts.h"
#include "tokenizer/tokenizer.h"

namespace ergo::tokenizer {

struct StreamDecoder::State {
  std::shared_ptr<const Tokenizer::Impl> impl;
  bool skip_special = true;

  std::string pending;          ///< bytes whose character may go on
  std::optional<TokenId> held;  ///< waits until it is known not to be the last
  bool first = true;            ///< no piece yet
  std::size_t to_strip = 0;     ///< characters to remove at the start, while only such came

  void Reset() {
    pending.clear();
    held.reset();
    first = true;
    to_strip = impl->parts.decoder.strip_start();
  }

  void Append(TokenId id, bool last) {
    const Decoder& decoder = impl->parts.decoder;
    decoder.Append(impl->parts.PieceToDecode(id), {first, last}, &pending);
    first = false;
    const std::string_view strip = decoder.strip_content();
    while (to_strip > 0 && !strip.empty() && pending.starts_with(strip)) {
      pending.erase(0, strip.size());
      --to_strip;
    }
    if (!pending.empty() && !strip.starts_with(pending)) to_strip = 0;
  }

  std::string Emit(std::size_t size) {
    std::string text = RepairUtf8(std::string_view(pending).substr(0, size));
    pending.erase(0, size);
    return text;
  }
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool skip_special)
    : state_(std::make_unique<State>()) {
  state_->impl = tokenizer.impl_;
  state_->skip_special = skip_special;
  state_->Reset();
}

StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;
StreamDecoder& StreamDecoder::operator=(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::Push(TokenId id) {
  State& state = *state_;
  const Parts& parts = state.impl->parts;
  if (parts.PieceToDecode(id).empty()) return {};
  if (state.skip_special && parts.special[static_cast<std::size_t>(id)] != 0) return {};
  if (parts.decoder.needs_last()) {
    const std::optional<TokenId> earlier = state.held;
    state.held = id;
    if (!earlier) return {};
    id = *earlier;
  }
  state.Append(id, false);
  return state.Emit(CompleteUtf8Prefix(state.pending));
}

std::string StreamDecoder::Finish() {
  State& state = *state_;
  if (state.held) state.Append(*state.held, true);
  std::string text = state.Emit(state.pending.size());
  state.Reset();
  return text;
}

}  // namespace ergo::tokenizer
