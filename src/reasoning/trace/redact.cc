#include "reasoning/trace/redact.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

#include "base/utf8.h"

namespace ergo::reasoning {
namespace {

constexpr std::string_view kInstead = "[redacted]";
/// Steps of the matcher in one text.
constexpr std::uint32_t kMostSteps = 1'000'000;

struct Piece {
  std::size_t begin;
  std::size_t end;
};

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;

/// Names and references, not text.
bool IsStructure(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "id", "kind", "type", "status", "from", "to", "parent", "nodes", "hash", "schema_version"};
  for (const std::string_view known : kNames) {
    if (known == name) return true;
  }
  return false;
}

class Redactor {
 public:
  Status Compile(const Redaction& redaction) {
    for (const std::string& text : redaction.exact) {
      if (!text.empty()) exact_.push_back(text);
    }
    for (const std::string& pattern : redaction.patterns) {
      int error = 0;
      std::size_t at = 0;
      Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &at,
                              nullptr));
      if (!code) {
        std::array<unsigned char, 200> message{};
        pcre2_get_error_message(error, message.data(), message.size());
        return Fail(std::string(reinterpret_cast<const char*>(message.data())) + " at byte " +
                        std::to_string(at),
                    "pattern " + QuoteForMessage(pattern));
      }
      codes_.push_back(std::move(code));
    }
    return {};
  }

  /// Objects and arrays nest as deep as the parser lets them. `open`: inside what strategies fill
  /// as they like, where no name has a meaning.
  Status Walk(OrderedJson* json, bool open = false) {
    if (json->is_string()) return Replace(&json->get_ref<std::string&>());
    if (json->is_array()) {
      for (OrderedJson& item : *json) {
        if (Status done = Walk(&item, open); !done) return done;
      }
      return {};
    }
    if (!json->is_object()) return {};
    for (auto& [name, item] : json->items()) {
      if (!open && IsStructure(name) && (item.is_string() || name == "nodes")) {
        if (item.is_string() || item.empty() || item[0].is_string()) continue;
      }
      Status done = name == "tokens" && item.is_array()
                        ? Tokens(&item)
                        : Walk(&item, open || name == "settings" || name == "memory_events");
      if (!done) return done;
    }
    return {};
  }

  bool changed() const { return changed_; }

 private:
  /// What to replace in `text`, from left to right, none touching another.
  Result<std::vector<Piece>> Find(std::string_view text) const {
    std::vector<bool> hit(text.size(), false);
    for (const std::string& exact : exact_) {
      for (std::size_t at = text.find(exact); at != text.npos; at = text.find(exact, at + 1)) {
        std::fill_n(hit.begin() + static_cast<std::ptrdiff_t>(at), exact.size(), true);
      }
    }
    for (const Code& code : codes_) {
      if (Status done = Match(*code, text, &hit); !done) return tl::unexpected(done.error());
    }
    std::vector<Piece> pieces;
    for (std::size_t i = 0; i < hit.size(); ++i) {
      if (!hit[i]) continue;
      if (pieces.empty() || pieces.back().end < i) pieces.push_back({i, i});
      pieces.back().end = i + 1;
    }
    return pieces;
  }

  static Status Match(const pcre2_code& code, std::string_view text, std::vector<bool>* hit) {
    struct FreeData {
      void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
      void operator()(pcre2_match_context* data) const { pcre2_match_context_free(data); }
    };
    const std::unique_ptr<pcre2_match_data, FreeData> data(
        pcre2_match_data_create_from_pattern(&code, nullptr));
    const std::unique_ptr<pcre2_match_context, FreeData> bounds(
        pcre2_match_context_create(nullptr));
    if (!data || !bounds) return Fail("out of memory", "redaction");
    pcre2_set_match_limit(bounds.get(), kMostSteps);
    for (std::size_t from = 0; from <= text.size();) {
      const int found = pcre2_match(&code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(),
                                    from, 0, data.get(), bounds.get());
      if (found == PCRE2_ERROR_NOMATCH) return {};
      if (found < 0) {
        return Fail(
            "a pattern needs too long for a text of " + std::to_string(text.size()) + " bytes",
            "redaction", "use a simpler one");
      }
      const std::size_t* ends = pcre2_get_ovector_pointer(data.get());
      for (std::size_t i = ends[0]; i < ends[1]; ++i) (*hit)[i] = true;
      from = ends[1];
      if (ends[1] <= ends[0]) {
        if (from >= text.size()) return {};
        from += DecodeUtf8(text.substr(from)).bytes;
      }
    }
    return {};
  }

  Status Replace(std::string* text) {
    auto pieces = Find(*text);
    if (!pieces) return tl::unexpected(pieces.error());
    for (auto piece = pieces->rbegin(); piece != pieces->rend(); ++piece) {
      text->replace(piece->begin, piece->end - piece->begin, kInstead);
      changed_ = true;
    }
    return {};
  }

  /// A secret may be cut up into tokens: the first that it touches becomes the replacement, the
  /// others become empty.
  Status Tokens(OrderedJson* tokens) {
    std::string text;
    std::vector<Piece> places;
    for (const OrderedJson& token : *tokens) {
      const auto part = token.is_object() ? token.find("text") : token.end();
      const std::size_t begin = text.size();
      if (token.is_object() && part != token.end() && part->is_string()) {
        text += part->get_ref<const std::string&>();
      }
      places.push_back({begin, text.size()});
    }
    const auto pieces = Find(text);
    if (!pieces) return tl::unexpected(pieces.error());
    std::size_t i = 0;
    for (const Piece& piece : *pieces) {
      while (i < places.size() && places[i].end <= piece.begin) ++i;
      for (bool first = true; i < places.size() && places[i].begin < piece.end; ++i) {
        OrderedJson& token = (*tokens)[i];
        if (!token.is_object() || places[i].begin == places[i].end) continue;
        token["text"] = first ? std::string(kInstead) : std::string();
        token.erase("bytes");
        first = false;
        changed_ = true;
      }
    }
    return {};
  }

  std::vector<std::string> exact_;
  std::vector<Code> codes_;
  bool changed_ = false;
};

void DropSpans(OrderedJson* json) {
  if (json->is_object()) json->erase("span");
  if (!json->is_structured()) return;
  for (OrderedJson& item : *json) DropSpans(&item);
}

}  // namespace

Status Redact(const Redaction& redaction, OrderedJson* json) {
  Redactor redactor;
  if (Status compiled = redactor.Compile(redaction); !compiled) return compiled;
  if (Status walked = redactor.Walk(json); !walked) return walked;
  if (redactor.changed()) DropSpans(json);
  return {};
}

}  // namespace ergo::reasoning
