#include "generate/constrain/token_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace ergo::generate::constrain {
namespace {

/// Longer tokens would be of no use in an answer; they count as forbidden.
constexpr std::size_t kMaxTokenBytes = 4096;

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

TokenTrie::TokenTrie(std::vector<Entry>* entries) {
  std::sort(entries->begin(), entries->end());
  std::vector<std::uint32_t> path;
  std::string_view previous;
  tokens_.reserve(entries->size());
  for (const auto& [bytes, id] : *entries) {
    const std::size_t shared = CommonPrefix(previous, bytes);
    for (std::size_t depth = shared; depth < path.size(); ++depth) {
      nodes_[path[depth]].end = static_cast<std::uint32_t>(nodes_.size());
    }
    path.resize(shared);
    for (std::size_t depth = shared; depth < bytes.size(); ++depth) {
      path.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back({.end = 0,
                        .first_token = static_cast<std::uint32_t>(tokens_.size()),
                        .depth = static_cast<std::uint16_t>(depth),
                        .byte = static_cast<std::uint8_t>(bytes[depth])});
    }
    tokens_.push_back(id);
    max_depth_ = std::max(max_depth_, bytes.size());
    previous = bytes;
  }
  for (const std::uint32_t node : path)
    nodes_[node].end = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({.first_token = static_cast<std::uint32_t>(tokens_.size())});
}

Result<std::shared_ptr<const TokenTable>> TokenTable::Create(const tokenizer::Tokenizer& tokenizer,
                                                             std::span<const TokenId> ends) {
  std::vector<std::string> pieces(tokenizer.size());
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!tokenizer.IsSpecial(id)) pieces[i] = tokenizer.PieceBytes(id);
  }
  return Create(pieces, ends, [tokenizer](std::string_view text) {
    return tokenizer.Encode(text, {.add_special = false, .parse_special = false});
  });
}

Result<std::shared_ptr<const TokenTable>> TokenTable::Create(std::span<const std::string> pieces,
                                                             std::span<const TokenId> ends,
                                                             Encode encode) {
  auto made = std::shared_ptr<TokenTable>(new TokenTable(std::move(encode)));
  TokenTable& table = *made;
  table.ends_.assign(ends.begin(), ends.end());
  std::sort(table.ends_.begin(), table.ends_.end());
  table.ends_.erase(std::unique(table.ends_.begin(), table.ends_.end()), table.ends_.end());
  for (const TokenId id : table.ends_) {
    if (id < 0 || static_cast<std::size_t>(id) >= pieces.size()) {
      return Fail(fmt::format("there is no token {}", id), "tokens that end an answer");
    }
  }
  table.offsets_.push_back(0);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool end = table.IsEnd(static_cast<TokenId>(i));
    if (!end && pieces[i].size() <= kMaxTokenBytes) table.bytes_ += pieces[i];
    table.offsets_.push_back(table.bytes_.size());
  }
  std::vector<TokenTrie::Entry> entries;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const auto id = static_cast<TokenId>(i);
    if (!table.bytes(id).empty()) entries.emplace_back(table.bytes(id), id);
  }
  if (entries.empty()) return Fail("the vocabulary has no tokens with text", "tokenizer");
  table.trie_ = TokenTrie(&entries);
  return std::shared_ptr<const TokenTable>(std::move(made));
}

std::string_view TokenTable::bytes(TokenId id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= size()) return {};
  const auto i = static_cast<std::size_t>(id);
  return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
}

bool TokenTable::IsEnd(TokenId id) const {
  return std::binary_search(ends_.begin(), ends_.end(), id);
}

bool TokenTable::Adds(std::span<const TokenId> ids, std::string_view text) const {
  for (const TokenId id : ids) {
    const std::string_view added = bytes(id);
    if (added.empty() || !text.starts_with(added)) return false;
    text.remove_prefix(added.size());
  }
  return text.empty();
}

std::vector<TokenId> TokenTable::Tokenize(std::string_view text) const {
  std::vector<TokenId> ids = encode_(text);
  if (Adds(ids, text)) return ids;
  // A tokenizer that treats the start of a text in a way of its own: after a line break, which is a
  // token by itself, `text` stands in the midst.
  ids = encode_("\n" + std::string(text));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (bytes(ids[i]) != "\n") continue;
    const auto rest = std::span(ids).subspan(i + 1);
    if (Adds(rest, text)) return {rest.begin(), rest.end()};
    break;
  }
  return {};
}

}  // namespace ergo::generate::constrain
