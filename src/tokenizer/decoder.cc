#include "tokenizer/decoder.h"

#include <fmt/format.h>

#include <charconv>

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"
#include "tokenizer/json_fields.h"

namespace ergo::tokenizer {
namespace {

constexpr std::size_t kMaxSteps = 64;

std::string Substituted(std::string_view text, const std::string& from, std::string_view to) {
  return ReplaceAll(ReplaceStep{from, std::string(to)}, text, GrowthLimit(text.size()));
}

/// Rewrites one piece, step by step.
struct Applier {
  std::string piece;
  Decoder::Place place;
  std::size_t max_bytes;

  void operator()(const ReplaceStep& step) {
    // Bytes that form no character can't be searched by expressions.
    const bool regex = std::holds_alternative<Regex>(step.pattern);
    if (regex && FindInvalidUtf8(piece)) return;
    std::string next = ReplaceAll(step, piece, max_bytes);
    if (next.size() <= max_bytes) piece = std::move(next);
  }
  void operator()(const Decoder::ByteLevel&) {
    std::string bytes;
    if (AppendFromAlphabet(piece, &bytes)) piece = std::move(bytes);
  }
  void operator()(const Decoder::ByteFallback&) {
    if (piece.size() != 6 || !piece.starts_with("<0x") || !piece.ends_with('>')) return;
    std::uint8_t byte = 0;
    const char* const begin = piece.data() + 3;
    const auto parsed = std::from_chars(begin, begin + 2, byte, 16);
    if (parsed.ptr == begin + 2) piece.assign(1, static_cast<char>(byte));
  }
  void operator()(const Decoder::Metaspace& step) {
    const bool drop = place.first && step.drop_first;
    piece = Substituted(piece, step.replacement, drop ? "" : " ");
  }
  void operator()(const Decoder::WordSuffix& step) {
    piece = Substituted(piece, step.suffix, place.last ? "" : " ");
  }
  void operator()(const Decoder::StripEach& step) {
    if (step.content.empty()) return;
    std::string_view rest = piece;
    for (std::size_t i = 0; i < step.start && rest.starts_with(step.content); ++i) {
      rest.remove_prefix(step.content.size());
    }
    for (std::size_t i = 0; i < step.stop && rest.ends_with(step.content); ++i) {
      rest.remove_suffix(step.content.size());
    }
    piece = std::string(rest);
  }
  void operator()(const Decoder::Spaced&) {
    if (!place.first) piece.insert(0, 1, ' ');
  }
};

class Parser {
 public:
  explicit Parser(std::string where) : where_(std::move(where)) {}

  Status Add(const Json& json) {
    const std::string type = StringOr(json, "type", "");
    if (type == "Sequence") {
      const Json* members = Member(json, "decoders");
      if (members == nullptr || !members->is_array()) {
        return Fail("decoder Sequence without \"decoders\"", where_);
      }
      for (const Json& member : *members) {
        if (auto added = Add(member); !added) return added;
      }
      return {};
    }
    if (steps.size() >= kMaxSteps) return Fail("too many decoders", where_);
    if (type == "Fuse") {
      fused_ = true;
      return {};
    }
    if (type == "Strip") return AddStrip(json);
    if (fused_)
      return Fail(fmt::format("decoder {} after Fuse is not supported", QuoteForMessage(type, 40)),
                  where_);
    if (type == "ByteLevel") {
      steps.push_back(Decoder::ByteLevel{});
    } else if (type == "ByteFallback") {
      steps.push_back(Decoder::ByteFallback{});
    } else if (type == "Metaspace") {
      const std::string scheme = StringOr(
          json, "prepend_scheme", BoolOr(json, "add_prefix_space", true) ? "always" : "never");
      steps.push_back(
          Decoder::Metaspace{StringOr(json, "replacement", "\u2581"), scheme != "never"});
    } else if (type == "BPEDecoder") {
      steps.push_back(Decoder::WordSuffix{StringOr(json, "suffix", "</w>")});
    } else if (type == "Replace") {
      auto replace = ParseReplace(json, where_);
      if (!replace) return Fail(std::move(replace));
      steps.push_back(std::move(*replace));
    } else {
      return Fail(fmt::format("decoder {} is not supported", QuoteForMessage(type, 40)), where_);
    }
    return {};
  }

  std::vector<Decoder::Step> steps;
  std::size_t strip_start = 0;
  std::string strip_content = " ";

 private:
  Status AddStrip(const Json& json) {
    const std::int64_t start = IntMember(json, "start").value_or(0);
    const std::int64_t stop = IntMember(json, "stop").value_or(0);
    if (start < 0 || stop < 0) return Fail("Strip with a count below zero", where_);
    const std::string content = StringOr(json, "content", " ");
    if (!fused_) {
      steps.push_back(Decoder::StripEach{content, static_cast<std::size_t>(start),
                                         static_cast<std::size_t>(stop)});
      return {};
    }
    if (stop != 0 || strip_start != 0) {
      return Fail("Strip at the end of the whole text is not supported", where_);
    }
    strip_start = static_cast<std::size_t>(start);
    strip_content = content;
    return {};
  }

  std::string where_;
  bool fused_ = false;
};

}  // namespace

Result<Decoder> Decoder::FromJson(const Json& json, const std::string& where) {
  if (json.is_null()) return Decoder({Spaced{}});
  Parser parser(where + ": decoder");
  if (auto added = parser.Add(json); !added) {
    return tl::unexpected<Error>(std::move(added.error()));
  }
  Decoder decoder(std::move(parser.steps), parser.strip_start);
  decoder.strip_content_ = std::move(parser.strip_content);
  return decoder;
}

void Decoder::Append(std::string_view piece, Place place, std::string* bytes) const {
  Applier applier{std::string(piece), place, GrowthLimit(piece.size())};
  for (const Step& step : steps_) std::visit(applier, step);
  bytes->append(applier.piece);
}

bool Decoder::needs_last() const {
  for (const Step& step : steps_) {
    if (std::holds_alternative<WordSuffix>(step)) return true;
  }
  return false;
}

}  // namespace ergo::tokenizer
