#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <optional>

#include "base/utf8.h"
#include "tokenizer/unicode_class.h"

namespace ergo::tokenizer {
namespace {

/// Start of the character that ends before `at` > 0.
std::size_t CharBefore(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<std::uint8_t>(text[at]) & 0xC0) == 0x80);
  return at;
}

bool IsWordAt(std::string_view text, std::size_t at) {
  return IsWordCharacter(DecodeUtf8(text.substr(at)).code_point);
}

bool StandsAlone(std::string_view text, std::size_t begin, std::size_t end) {
  const bool left = begin == 0 || !IsWordAt(text, CharBefore(text, begin));
  return left && (end == text.size() || !IsWordAt(text, end));
}

std::size_t SpaceStart(std::string_view text, std::size_t at, std::size_t limit) {
  while (at > limit) {
    const std::size_t before = CharBefore(text, at);
    if (before < limit || !IsWhiteSpace(DecodeUtf8(text.substr(before)).code_point)) break;
    at = before;
  }
  return at;
}

std::size_t SpaceEnd(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    const Utf8Char c = DecodeUtf8(text.substr(at));
    if (!IsWhiteSpace(c.code_point)) break;
    at += c.bytes;
  }
  return at;
}

}  // namespace

AddedTokenFinder::AddedTokenFinder(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) {
    return token.content.empty() || FindInvalidUtf8(token.content);
  });
  std::stable_sort(tokens_.begin(), tokens_.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.content < b.content; });
  // Keep the last of equal ones.
  const auto end =
      std::unique(tokens_.rbegin(), tokens_.rend(),
                  [](const AddedToken& a, const AddedToken& b) { return a.content == b.content; });
  tokens_.erase(tokens_.begin(), end.base());
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto past = std::upper_bound(tokens_.begin(), tokens_.end(), byte,
                                       [](std::size_t b, const AddedToken& token) {
                                         return b < static_cast<std::uint8_t>(token.content[0]);
                                       });
    first_byte_[byte + 1] = static_cast<std::uint32_t>(past - tokens_.begin());
  }
}

const AddedToken* AddedTokenFinder::LongestAt(std::string_view text, std::size_t at) const {
  const auto first = static_cast<std::uint8_t>(text[at]);
  std::size_t low = first_byte_[first];
  std::size_t high = first_byte_[first + 1];
  const AddedToken* longest = nullptr;
  // All tokens of [low, high) agree with the text on `depth` bytes; the shortest stands first.
  for (std::size_t depth = 1; low < high; ++depth) {
    if (tokens_[low].content.size() == depth) {
      longest = &tokens_[low];
      if (++low == high) break;
    }
    if (at + depth >= text.size()) break;
    const auto byte = static_cast<std::uint8_t>(text[at + depth]);
    const auto begin = tokens_.begin();
    const auto range_low = std::partition_point(
        begin + static_cast<std::ptrdiff_t>(low), begin + static_cast<std::ptrdiff_t>(high),
        [&](const AddedToken& t) { return static_cast<std::uint8_t>(t.content[depth]) < byte; });
    const auto range_high = std::partition_point(
        range_low, begin + static_cast<std::ptrdiff_t>(high),
        [&](const AddedToken& t) { return static_cast<std::uint8_t>(t.content[depth]) == byte; });
    low = static_cast<std::size_t>(range_low - begin);
    high = static_cast<std::size_t>(range_high - begin);
  }
  return longest;
}

std::vector<AddedTokenFinder::Part> AddedTokenFinder::Split(std::string_view text,
                                                            bool find_special) const {
  std::vector<Part> parts;
  std::size_t done = 0;  // everything before is in `parts`
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<std::uint8_t>(text[at]);
    const AddedToken* token =
        first_byte_[first] == first_byte_[first + 1] ? nullptr : LongestAt(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    std::size_t begin = at;
    std::size_t end = at + token->content.size();
    at = end;
    if (token->special && !find_special) continue;
    if (token->single_word && !StandsAlone(text, begin, end)) continue;
    if (token->lstrip) begin = SpaceStart(text, begin, done);
    if (token->rstrip) end = SpaceEnd(text, end);
    if (done < begin) parts.push_back({-1, text.substr(done, begin - done)});
    parts.push_back({token->id, text.substr(begin, end - begin)});
    done = std::max(done, end);
  }
  if (done < text.size()) parts.push_back({-1, text.substr(done)});
  return parts;
}

}  // namespace ergo::tokenizer
