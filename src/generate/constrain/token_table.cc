#include "generate/constrain/token_table.h"

#include <fmt/format.h>

#include <algorithm>

namespace ergo::generate::constrain {
namespace {

/// Longer tokens would be of no use in an answer; they count as forbidden.
constexpr std::size_t kMaxTokenBytes = 4096;

}  // namespace

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
  table.slices_ = MakeSlices(entries, pieces.size());
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
