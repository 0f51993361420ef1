#include "runtime/kv/prefix_tree.h"

#include <algorithm>

namespace ergo::runtime {
namespace {

std::size_t InCommon(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t count = 0;
  while (count < most && a[count] == b[count]) ++count;
  return count;
}

}  // namespace

PrefixTree::Id PrefixTree::Root(std::string_view name_space) const {
  const auto found = roots_.find(name_space);
  return found == roots_.end() ? kNone : found->second;
}

PrefixTree::Id PrefixTree::AddRoot(std::string_view name_space) {
  const Id known = Root(name_space);
  if (known != kNone) return known;
  const Id id = NewNode();
  nodes_[id].name_space = &roots_.emplace(name_space, id).first->first;
  return id;
}

PrefixTree::Children::const_iterator PrefixTree::Place(Id parent,
                                                       std::span<const std::int32_t> tokens) const {
  const Children& children = nodes_[parent].children;
  return std::lower_bound(children.begin(), children.end(), tokens,
                          [this](Id child, std::span<const std::int32_t> text) {
                            const auto own = nodes_[child].text();
                            return std::lexicographical_compare(own.begin(), own.end(),
                                                                text.begin(), text.end());
                          });
}

PrefixTree::Match PrefixTree::Closest(Id parent, std::span<const std::int32_t> tokens) const {
  tokens = tokens.first(std::min(tokens.size(), kernels::kBlockTokens));
  const Children& children = nodes_[parent].children;
  Match best;
  const auto consider = [&](Id child) {
    const std::size_t count = InCommon(nodes_[child].text(), tokens);
    if (count > best.tokens) best = {child, count};
  };
  if (children.size() == 1) {
    consider(children.front());
    return best;
  }
  const auto place = Place(parent, tokens);
  if (place != children.end()) consider(*place);
  if (place != children.begin()) consider(*(place - 1));
  return best;
}

PrefixTree::Id PrefixTree::NewNode() {
  if (free_.empty()) {
    nodes_.emplace_back();
    return static_cast<Id>(nodes_.size() - 1);
  }
  const Id id = free_.back();
  free_.pop_back();
  nodes_[id] = Node();
  return id;
}

PrefixTree::Id PrefixTree::Add(Id parent, std::span<const std::int32_t> tokens) {
  const Id id = NewNode();
  Node& node = nodes_[id];
  SetText(node, tokens);
  node.parent = parent;
  node.depth = IsBlock(parent) ? nodes_[parent].depth + 1 : 0;
  nodes_[parent].children.insert(Place(parent, tokens), id);
  ++size_;
  return id;
}

void PrefixTree::SetText(Node& node, std::span<const std::int32_t> tokens) {
  std::copy(tokens.begin(), tokens.end(), node.tokens.begin());
  node.count = static_cast<std::uint32_t>(tokens.size());
}

void PrefixTree::Extend(Id id, std::span<const std::int32_t> tokens) {
  // Its place stays: a sibling between the two texts would begin with the shorter one.
  SetText(nodes_[id], tokens);
}

void PrefixTree::Remove(Id leaf) {
  const Id parent = nodes_[leaf].parent;
  Children& siblings = nodes_[parent].children;
  siblings.erase(Place(parent, nodes_[leaf].text()));
  --size_;
  nodes_[leaf] = Node();
  free_.push_back(leaf);
  if (!siblings.empty() || IsBlock(parent)) return;
  roots_.erase(roots_.find(*nodes_[parent].name_space));
  nodes_[parent] = Node();
  free_.push_back(parent);
}

std::string_view PrefixTree::NameSpace(Id id) const {
  while (nodes_[id].parent != kNone) id = nodes_[id].parent;
  return *nodes_[id].name_space;
}

std::vector<std::int32_t> PrefixTree::Text(Id id) const {
  std::vector<Id> path;
  for (; IsBlock(id); id = nodes_[id].parent) path.push_back(id);
  std::vector<std::int32_t> text;
  text.reserve(path.size() * kernels::kBlockTokens);
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    const auto tokens = nodes_[*it].text();
    text.insert(text.end(), tokens.begin(), tokens.end());
  }
  return text;
}

std::vector<PrefixTree::Id> PrefixTree::Below(Id id) const {
  std::vector<Id> below = nodes_[id].children;
  for (std::size_t i = 0; i < below.size(); ++i) {
    const Children& children = nodes_[below[i]].children;
    below.insert(below.end(), children.begin(), children.end());
  }
  return below;
}

}  // namespace ergo::runtime
