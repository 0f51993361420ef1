#include "generate/constrain/token_trie.h"

#include <algorithm>

namespace ergo::generate::constrain {
namespace {

std::size_t CommonPrefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t same = 0;
  while (same < most && a[same] == b[same]) ++same;
  return same;
}

}  // namespace

TokenTrie::TokenTrie(std::vector<Entry>* entries) {
  if (!std::is_sorted(entries->begin(), entries->end())) {
    std::sort(entries->begin(), entries->end());
  }
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

}  // namespace ergo::generate::constrain
