#include "generate/constrain/token_slice.h"

#include "generate/constrain/automaton.h"

namespace ergo::generate::constrain {
namespace {

/// The automaton of any number of characters. Its start is its only accepting state.
Automaton TextsOf(const CharSet& chars) {
  Expressions expressions;
  const ExprId text = expressions.Repeat(expressions.Chars(chars), 0, kUnlimited);
  return Minimize(BuildAutomaton(expressions, text, {}).value_or(Automaton{}));
}

}  // namespace

TokenSlice::TokenSlice(const CharSet& chars, std::span<const TokenTrie::Entry> entries,
                       std::size_t size) {
  const Automaton texts = TextsOf(chars);
  steps_.resize(texts.states.size() + 1);
  for (std::size_t i = 0; i < texts.states.size(); ++i) {
    for (const ByteEdge& edge : texts.states[i].bytes) {
      std::fill(steps_[i + 1].begin() + edge.first, steps_[i + 1].begin() + edge.last + 1,
                static_cast<std::uint8_t>(edge.target + 1));
    }
  }
  std::vector<std::vector<TokenId>> by_chars(1);
  std::vector<TokenTrie::Entry> rest;
  std::vector<TokenTrie::Entry> longer;
  for (const auto& [bytes, id] : entries) {
    const std::uint32_t count = CharsOf(bytes);
    if (count == 0) {
      rest.emplace_back(bytes, id);
      continue;
    }
    if (by_chars.size() <= count) by_chars.resize(count + 1U);
    by_chars[count].push_back(id);
    if (count > kKept) longer.emplace_back(bytes, id);
  }
  rest_ = TokenTrie(&rest);
  longer_ = TokenTrie(&longer);
  TokenBits bits(size);
  for (std::size_t count = 0; count < by_chars.size(); ++count) {
    ids_.insert(ids_.end(), by_chars[count].begin(), by_chars[count].end());
    counts_.push_back(ids_.size());
    bits.Add(by_chars[count]);
    if (count <= kKept) up_to_.push_back(bits.Take());
  }
  all_ = bits.Take();
}

std::uint32_t TokenSlice::CharsOf(std::string_view bytes) const {
  std::uint32_t state = kStart;
  std::uint32_t count = 0;
  for (const char c : bytes) {
    if (state == kStart) ++count;
    state = Step(state, static_cast<std::uint8_t>(c));
    if (state == kDead) return 0;
  }
  return count;
}

void TokenSlice::AddUpTo(std::size_t chars, TokenBits* bits) const {
  if (chars >= most_chars()) return bits->Add(all_);
  const std::size_t kept = std::min(chars, kKept);
  bits->Add(up_to_[kept]);
  bits->Add(std::span(ids_).subspan(counts_[kept], counts_[chars] - counts_[kept]));
}

std::vector<TokenSlice> MakeSlices(std::span<const TokenTrie::Entry> entries, std::size_t size) {
  CharSet text = CharSet::Of(0x20, kMaxCodePoint);
  CharSet quoted;
  quoted.Add('"');
  quoted.Add('\\');
  text = text.Without(quoted);
  const CharSet small = CharSet::Of('a', 'z');
  CharSet word = small;
  word.Add('A', 'Z');
  word.Add('0', '9');
  std::vector<TokenSlice> slices;
  slices.reserve(3);
  for (const CharSet& chars : {text, word, small}) slices.emplace_back(chars, entries, size);
  return slices;
}

}  // namespace ergo::generate::constrain
