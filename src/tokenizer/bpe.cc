#include "tokenizer/bpe.h"

#include <fmt/format.h>

#include <atomic>

#include "base/utf8.h"
#include "tokenizer/byte_alphabet.h"

namespace ergo::tokenizer {
namespace {

std::uint32_t NextNumber() {
  static std::atomic<std::uint32_t> last{0};
  std::uint32_t number = 0;
  while (number == 0) number = ++last;
  return number;
}

/// A symbol that never merges carries the complement of its id.
constexpr TokenId Loose(TokenId id) { return ~id; }
constexpr TokenId Tight(TokenId id) { return id < 0 ? ~id : id; }

struct TableFinder {
  const MergeTable& table;
  Merge operator()(const Symbol& left, const Symbol& right, std::uint32_t) const {
    return table.Find(left.id, right.id);
  }
};

struct VocabularyFinder {
  const VocabularyMerges& merges;
  const Vocabulary& vocabulary;
  std::string_view word;
  Merge operator()(const Symbol& left, const Symbol& right, std::uint32_t end) const {
    if (left.id < 0 || right.id < 0) return {};
    return merges.Find(vocabulary, word.substr(left.begin, end - left.begin),
                       right.begin - left.begin);
  }
};

}  // namespace

Result<MergeTable> BuildMergeTable(const Vocabulary& vocabulary,
                                   const std::vector<MergeRule>& rules, std::string_view prefix,
                                   const std::string& where) {
  MergeTable table;
  table.Reserve(rules.size());
  std::string merged;
  TokenId last = -1;
  for (std::size_t rank = 0; rank < rules.size(); ++rank) {
    const auto& [left, right] = rules[rank];
    merged.assign(left);
    merged.append(right.substr(right.starts_with(prefix) ? prefix.size() : 0));
    const TokenId left_id = vocabulary.FindOrNegative(left);
    const TokenId right_id = vocabulary.FindOrNegative(right);
    // Vocabularies mostly list tokens in the order of the merges that make them.
    const bool in_order = vocabulary.Piece(last + 1) == merged;
    const TokenId id = in_order ? last + 1 : vocabulary.FindOrNegative(merged);
    if (left_id < 0 || right_id < 0 || id < 0) {
      const std::string_view missing = left_id < 0 ? left : right_id < 0 ? right : merged;
      return Fail(fmt::format("merge {} ({} and {}) needs {}, which is no token", rank,
                              QuoteForMessage(left, 40), QuoteForMessage(right, 40),
                              QuoteForMessage(missing, 40)),
                  where, "the file is damaged; fetch it again");
    }
    last = id;
    if (!table.Insert(left_id, right_id, static_cast<std::uint32_t>(rank), id)) {
      return Fail("merges collide", where);
    }
  }
  return table;
}

BpeModel::BpeModel(std::shared_ptr<const Vocabulary> vocabulary, Merges merges, BpeOptions options)
    : vocabulary_(std::move(vocabulary)),
      merges_(std::move(merges)),
      options_(std::move(options)),
      number_(NextNumber()) {
  bool all_fallbacks = true;
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::string text;
    AppendUtf8(AlphabetChar(static_cast<std::uint8_t>(byte)), &text);
    byte_ids_[byte] = vocabulary_->FindOrNegative(text);
    fallback_ids_[byte] = vocabulary_->FindOrNegative(fmt::format("<0x{:02X}>", byte));
    all_fallbacks &= fallback_ids_[byte] >= 0;
    if (byte < 128) ascii_ids_[byte] = vocabulary_->FindOrNegative(std::string(1, char(byte)));
  }
  // A text falls into independent parts where every character has tokens of its own and whole
  // words play no role.
  const bool never_unknown = options_.byte_fallback && all_fallbacks;
  const bool unknowns_alone = options_.unknown >= 0 && !options_.fuse_unknown;
  if (!options_.bytes && !options_.ignore_merges && (never_unknown || unknowns_alone) &&
      options_.continuing_prefix.empty() && options_.end_suffix.empty()) {
    pairs_ = AdjacentPairs(*vocabulary_);
  }
}

void BpeModel::Encode(std::string_view word, EncodeState* state) const {
  if (pairs_.empty()) {
    EncodePart(word, state);
    return;
  }
  const auto char_at = [word](std::size_t at) -> Utf8Char {
    const auto byte = static_cast<std::uint8_t>(word[at]);
    return byte < 0x80 ? Utf8Char{byte, 1, true} : DecodeUtf8(word.substr(at));
  };
  std::size_t begin = 0;
  Utf8Char c = char_at(0);
  for (std::size_t at = c.bytes; at < word.size();) {
    const Utf8Char next = char_at(at);
    if (!pairs_.MayMeet(c.code_point, next.code_point)) {
      EncodePart(word.substr(begin, at - begin), state);
      begin = at;
    }
    c = next;
    at += c.bytes;
  }
  EncodePart(word.substr(begin), state);
}

void BpeModel::EncodePart(std::string_view part, EncodeState* state) const {
  if (state->cache == nullptr || part.size() > WordCache::kMaxWord) {
    EncodeUncached(part, state);
    return;
  }
  bool hit = false;
  WordCache::Slot& slot = state->cache->Find(number_, part, &hit);
  std::vector<TokenId>& ids = *state->ids;
  if (hit) {
    ids.insert(ids.end(), slot.ids, slot.ids + slot.count);
    return;
  }
  const std::size_t before = ids.size();
  EncodeUncached(part, state);
  WordCache::Store(&slot, number_, std::span(ids).subspan(before));
}

bool BpeModel::EncodeWhole(std::string_view part, EncodeState* state) const {
  std::string written;
  if (options_.bytes) {
    AppendInAlphabet(part, &written);
    part = written;
  }
  const TokenId id = vocabulary_->FindOrNegative(part);
  if (id < 0) return false;
  state->ids->push_back(id);
  return true;
}

void BpeModel::EncodeUncached(std::string_view part, EncodeState* state) const {
  if (options_.ignore_merges && EncodeWhole(part, state)) return;
  MergeScratch& scratch = state->scratch;
  scratch.symbols.clear();
  if (options_.bytes) {
    PutBytes(part, &scratch.symbols);
  } else {
    PutChars(part, &scratch.symbols);
  }
  const auto end = static_cast<std::uint32_t>(part.size());
  if (const auto* table = std::get_if<MergeTable>(&merges_)) {
    MergeSymbols(TableFinder{*table}, end, &scratch);
  } else {
    const auto& derived = std::get<VocabularyMerges>(merges_);
    MergeSymbols(VocabularyFinder{derived, *vocabulary_, part}, end, &scratch);
  }
  for (const Symbol& symbol : scratch.symbols) state->ids->push_back(Tight(symbol.id));
}

void BpeModel::PutBytes(std::string_view part, std::vector<Symbol>* symbols) const {
  for (std::size_t i = 0; i < part.size(); ++i) {
    const TokenId id = byte_ids_[static_cast<std::uint8_t>(part[i])];
    if (id >= 0) {
      symbols->push_back({id, static_cast<std::uint32_t>(i)});
    } else {
      PutUnknown(i, symbols);
    }
  }
}

void BpeModel::PutChars(std::string_view part, std::vector<Symbol>* symbols) const {
  const bool affixes = !options_.continuing_prefix.empty() || !options_.end_suffix.empty();
  std::string affixed;
  for (std::size_t i = 0; i < part.size();) {
    const Utf8Char c = DecodeUtf8(part.substr(i));
    std::string_view text = part.substr(i, c.bytes);
    TokenId id = -1;
    if (affixes) {
      affixed = i == 0 ? std::string() : options_.continuing_prefix;
      affixed += text;
      if (i + c.bytes == part.size()) affixed += options_.end_suffix;
      text = affixed;
      id = vocabulary_->FindOrNegative(text);
    } else {
      id = c.code_point < 128 ? ascii_ids_[c.code_point] : vocabulary_->FindOrNegative(text);
    }
    if (id >= 0) {
      symbols->push_back({id, static_cast<std::uint32_t>(i)});
    } else if (!options_.byte_fallback || !PutByteTokens(text, i, symbols)) {
      PutUnknown(i, symbols);
    }
    i += c.bytes;
  }
}

bool BpeModel::PutByteTokens(std::string_view text, std::size_t begin,
                             std::vector<Symbol>* symbols) const {
  for (const char c : text) {
    if (fallback_ids_[static_cast<std::uint8_t>(c)] < 0) return false;
  }
  // In a table byte tokens could merge like any other; by their text they can't.
  const bool derived = std::holds_alternative<VocabularyMerges>(merges_);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const TokenId id = fallback_ids_[static_cast<std::uint8_t>(text[i])];
    symbols->push_back({derived ? Loose(id) : id, static_cast<std::uint32_t>(begin + i)});
  }
  return true;
}

void BpeModel::PutUnknown(std::size_t begin, std::vector<Symbol>* symbols) const {
  if (options_.unknown < 0) return;
  const bool derived = std::holds_alternative<VocabularyMerges>(merges_);
  const TokenId id = derived ? Loose(options_.unknown) : options_.unknown;
  const bool fused = options_.fuse_unknown && !symbols->empty() && symbols->back().id == id;
  if (!fused) symbols->push_back({id, static_cast<std::uint32_t>(begin)});
}

}  // namespace ergo::tokenizer
