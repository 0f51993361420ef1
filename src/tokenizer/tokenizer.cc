#include "tokenizer/tokenizer.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "tokenizer/parts.h"

namespace ergo::tokenizer {
namespace {

/// Texts shorter than this hardly repeat words.
constexpr std::size_t kCacheFrom = 1024;
/// Longer words are cut, so that offsets in one fit 32 bits.
constexpr std::size_t kMaxWord = std::size_t{1} << 30;

/// Tokens that end a turn or a text in one family or another.
constexpr std::array kEndNames = {
    std::string_view("<|eot_id|>"),
    std::string_view("<|im_end|>"),
    std::string_view("<|end|>"),
    std::string_view("<end_of_turn>"),
    std::string_view("<turn|>"),
    std::string_view("<|endoftext|>"),
    std::string_view("<|end_of_text|>"),
    std::string_view("<|eom_id|>"),
    std::string_view("<EOT>"),
    std::string_view("_<EOT>"),
    std::string_view("<|return|>"),
    std::string_view("<|call|>"),
    std::string_view("<｜end▁of▁sentence｜>"),
};

class ModelSink final : public WordSink {
 public:
  ModelSink(const Model& model, EncodeState* state) : model_(model), state_(state) {}

  void Word(std::string_view word) override {
    while (word.size() > kMaxWord) {
      const std::size_t cut = CompleteUtf8Prefix(word.substr(0, kMaxWord));
      model_.Encode(word.substr(0, cut), state_);
      word.remove_prefix(cut);
    }
    model_.Encode(word, state_);
  }

 private:
  const Model& model_;
  EncodeState* state_;
};

WordCache* ThreadCache() {
  thread_local WordCache cache;
  return &cache;
}

/// One call of Encode.
class Encoding {
 public:
  Encoding(const Parts& parts, const EncodeOptions& options, std::vector<TokenId>* ids)
      : parts_(parts), options_(options), sink_(*parts.model, &state_) {
    state_.ids = ids;
  }

  void Run(std::string_view text) {
    if (text.size() >= kCacheFrom) state_.cache = ThreadCache();
    if (parts_.added.empty()) {
      Normalize(text, true);
      return;
    }
    for (const auto& part : parts_.added.Split(text, options_.parse_special)) {
      if (part.id >= 0) {
        state_.ids->push_back(part.id);
      } else {
        Normalize(part.text, part.text.data() == text.data());
      }
    }
  }

 private:
  void Normalize(std::string_view text, bool at_start) {
    std::string storage;
    text = parts_.normalizer.Apply(text, &storage);
    if (parts_.normalized_added.empty()) {
      Words(text, at_start);
      return;
    }
    for (const auto& part : parts_.normalized_added.Split(text, options_.parse_special)) {
      if (part.id >= 0) {
        state_.ids->push_back(part.id);
      } else {
        Words(part.text, at_start && part.text.data() == text.data());
      }
    }
  }

  void Words(std::string_view text, bool at_start) {
    if (!text.empty()) parts_.pre_tokenizer.Run(text, at_start, &sink_);
  }

  const Parts& parts_;
  const EncodeOptions& options_;
  EncodeState state_;
  ModelSink sink_;
};

}  // namespace

void CompleteEndOfGeneration(Parts* parts) {
  auto& ends = parts->end_of_generation;
  const auto special = [&](std::string_view name) -> std::optional<TokenId> {
    const auto id = parts->vocabulary->Find(name);
    if (!id || parts->special[static_cast<std::size_t>(*id)] == 0) return std::nullopt;
    return id;
  };
  // Where messages end with <|return|> or <|call|>, <|end|> only ends a part of one.
  const bool parts_end = special("<|return|>") && special("<|call|>");
  for (const std::string_view name : kEndNames) {
    const auto id = special(name);
    if (id && !(parts_end && name == "<|end|>")) ends.push_back(*id);
  }
  if (parts->eos) ends.push_back(*parts->eos);
  std::sort(ends.begin(), ends.end());
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
}

Tokenizer::Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Result<Tokenizer> Tokenizer::Load(const formats::ModelFiles& files) {
  const bool gguf = files.kind == formats::ModelFiles::Kind::kGguf;
  auto parts = gguf ? LoadGgufParts(files) : LoadJsonParts(files);
  if (!parts) {
    Error error = std::move(parts).error();
    if (error.remedy.empty()) {
      error.remedy =
          "the tokenizer is damaged or of a kind that is not known; fetch it again or "
          "use another export of the model";
    }
    return tl::unexpected(std::move(error));
  }
  return Tokenizer(std::make_shared<const Impl>(Impl{std::move(*parts)}));
}

std::vector<TokenId> Tokenizer::Encode(std::string_view text, const EncodeOptions& options) const {
  const Parts& parts = impl_->parts;
  std::string repaired;
  if (FindInvalidUtf8(text)) {
    repaired = RepairUtf8(text);
    text = repaired;
  }
  std::vector<TokenId> ids;
  ids.reserve(text.size() / 4 + 8);
  if (options.add_special) ids = parts.post_processor.prefix;
  Encoding(parts, options, &ids).Run(text);
  if (options.add_special) {
    const auto& suffix = parts.post_processor.suffix;
    ids.insert(ids.end(), suffix.begin(), suffix.end());
  }
  return ids;
}

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special) const {
  StreamDecoder stream(*this, skip_special);
  std::string text;
  for (const TokenId id : ids) text += stream.Push(id);
  text += stream.Finish();
  return text;
}

std::string_view Tokenizer::Piece(TokenId id) const { return impl_->parts.vocabulary->Piece(id); }

std::string Tokenizer::PieceBytes(TokenId id) const {
  std::string bytes;
  const std::string_view piece = impl_->parts.PieceToDecode(id);
  if (!piece.empty()) impl_->parts.decoder.Append(piece, {}, &bytes);
  return bytes;
}

bool Tokenizer::IsSpecial(TokenId id) const {
  const auto& special = impl_->parts.special;
  return id >= 0 && static_cast<std::size_t>(id) < special.size() &&
         special[static_cast<std::size_t>(id)] != 0;
}

std::optional<TokenId> Tokenizer::Find(std::string_view piece) const {
  return impl_->parts.vocabulary->Find(piece);
}

std::size_t Tokenizer::size() const { return impl_->parts.vocabulary->size(); }
std::optional<TokenId> Tokenizer::bos() const { return impl_->parts.bos; }
std::optional<TokenId> Tokenizer::eos() const { return impl_->parts.eos; }

const std::vector<TokenId>& Tokenizer::end_of_generation() const {
  return impl_->parts.end_of_generation;
}

bool Tokenizer::adds_bos() const {
  const auto& prefix = impl_->parts.post_processor.prefix;
  return impl_->parts.bos && !prefix.empty() && prefix.front() == *impl_->parts.bos;
}

const std::string& Tokenizer::chat_template() const { return impl_->parts.chat_template; }

}  // namespace ergo::tokenizer
