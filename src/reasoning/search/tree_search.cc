#include "reasoning/search/tree_search.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace ergo::reasoning {
namespace {

double Worth(const SearchNode& node) { return node.sum; }

}  // namespace

/// The child to go to, as a place in `edges`; kNone if none may be entered.
std::size_t TreeSearch::Choose(const SearchNode& node) const {
  std::size_t best = SearchNode::kNone;
  double best_score = 0.0;
  const double total = std::sqrt(static_cast<double>(node.visits + node.waiting) + 1.0);
  for (std::size_t i = 0; i < node.edges.size(); ++i) {
    const SearchNode::Edge& edge = node.edges[i];
    const SearchNode& child = nodes_[edge.child];
    if (child.refuted) continue;
    // A leaf that is being extended in this round counts as a loss until its value is there.
    const double loss = options_.virtual_loss * static_cast<double>(child.waiting);
    const double visits = static_cast<double>(child.visits) + loss;
    const double value = visits > 0.0 ? child.sum / visits : 0.0;
    const double score = value + options_.exploration * edge.prior * total /
                                     (1.0 + static_cast<double>(edge.visits) + loss);
    if (best == SearchNode::kNone || score > best_score) {
      best = i;
      best_score = score;
    }
  }
  return best;
}

/// From the root to a leaf: not extended, terminal or as deep as allowed. Empty if there is none.
TreeSearch::Path TreeSearch::Select() {
  Path path = {0};
  while (true) {
    SearchNode& node = nodes_[path.back()];
    if (node.terminal || !node.extended || node.depth >= options_.depth) return path;
    const std::size_t edge = Choose(node);
    if (edge == SearchNode::kNone) return {};
    path.push_back(node.edges[edge].child);
  }
}

bool TreeSearch::IsAncestor(std::size_t node, std::size_t of) const {
  for (std::size_t at = of; at != SearchNode::kNone; at = nodes_[at].parent) {
    if (at == node) return true;
  }
  return false;
}

std::size_t TreeSearch::Insert(Move move, std::size_t parent) {
  if (!move.key.empty()) {
    const auto found = known_.find(move.key);
    // A state that leads back to itself is no way to go on; only deeper states are shared.
    if (found != known_.end()) {
      return nodes_[found->second].depth > nodes_[parent].depth ? found->second : SearchNode::kNone;
    }
    known_.emplace(move.key, nodes_.size());
  }
  SearchNode node;
  node.state = std::move(move.state);
  node.parent = parent;
  node.depth = nodes_[parent].depth + 1;
  node.terminal = move.terminal;
  node.refuted = move.refuted;
  nodes_.push_back(std::move(node));
  return nodes_.size() - 1;
}

void TreeSearch::BackUp(const Path& path, double value) {
  for (std::size_t i = 0; i < path.size(); ++i) {
    SearchNode& node = nodes_[path[i]];
    ++node.visits;
    node.sum += value;
    node.best = std::max(node.best, value);
    if (i == 0) continue;
    for (SearchNode::Edge& edge : nodes_[path[i - 1]].edges) {
      if (edge.child == path[i]) ++edge.visits;
    }
  }
}

void TreeSearch::SpreadRefutation(const Path& path) {
  for (std::size_t i = path.size(); i-- > 0;) {
    SearchNode& node = nodes_[path[i]];
    if (node.terminal || !node.extended) break;
    const bool dead =
        std::all_of(node.edges.begin(), node.edges.end(),
                    [&](const SearchNode::Edge& edge) { return nodes_[edge.child].refuted; });
    if (!dead) break;
    node.refuted = true;
  }
}

void TreeSearch::Extend(const std::vector<Path>& paths) {
  std::vector<StatePtr> states;
  states.reserve(paths.size());
  for (const Path& path : paths) states.push_back(nodes_[path.back()].state);
  auto moves = domain_.Extend(states);
  moves.resize(paths.size());
  std::vector<Path> fresh;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const std::size_t leaf = paths[i].back();
    double priors = 0.0;
    for (const Move& move : moves[i]) priors += std::max(move.prior, 0.0);
    std::vector<SearchNode::Edge> edges;
    for (Move& move : moves[i]) {
      const double prior = priors > 0.0 ? std::max(move.prior, 0.0) / priors
                                        : 1.0 / static_cast<double>(moves[i].size());
      const std::size_t before = nodes_.size();
      const std::size_t child = Insert(std::move(move), leaf);
      if (child == SearchNode::kNone) continue;
      const auto same = std::find_if(edges.begin(), edges.end(), [&](const SearchNode::Edge& edge) {
        return edge.child == child;
      });
      if (same != edges.end()) {
        same->prior += prior;  // drawn twice: likelier than either alone
        continue;
      }
      edges.push_back({child, prior, 0});
      if (child == before && !nodes_[child].refuted) {
        Path path = paths[i];
        path.push_back(child);
        fresh.push_back(std::move(path));
      }
    }
    nodes_[leaf].edges = std::move(edges);
    nodes_[leaf].extended = true;
    if (nodes_[leaf].edges.empty()) nodes_[leaf].terminal = true;
    SpreadRefutation(paths[i]);
  }
  states.clear();
  for (const Path& path : fresh) states.push_back(nodes_[path.back()].state);
  if (states.empty()) return;
  auto values = domain_.Value(states);
  values.resize(fresh.size(), 0.0);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const double value = std::clamp(values[i], 0.0, 1.0);
    nodes_[fresh[i].back()].own = value;
    BackUp(fresh[i], value);
  }
}

bool TreeSearch::Decided() const {
  if (options_.lead <= 0.0) return false;
  const auto terminals = Terminals();
  if (terminals.empty()) return false;
  const double second = terminals.size() > 1 ? Worth(nodes_[terminals[1]]) : 0.0;
  return Worth(nodes_[terminals[0]]) - second >= options_.lead;
}

void TreeSearch::Run(StatePtr root) {
  nodes_.clear();
  known_.clear();
  rounds_ = 0;
  SearchNode first;
  first.state = std::move(root);
  nodes_.push_back(std::move(first));
  while (rounds_ < options_.rounds && !domain_.Exhausted() && !nodes_[0].refuted && !Decided()) {
    ++rounds_;
    std::vector<Path> leaves;
    std::vector<Path> marked;
    for (std::size_t i = 0; i < options_.leaves; ++i) {
      Path path = Select();
      if (path.empty()) break;
      SearchNode& leaf = nodes_[path.back()];
      const bool again = leaf.waiting > 0;
      for (const std::size_t node : path) ++nodes_[node].waiting;
      marked.push_back(path);
      if (leaf.terminal || leaf.depth >= options_.depth) {
        BackUp(path, leaf.own);
      } else if (!again) {
        leaves.push_back(std::move(path));
      }
    }
    for (const Path& path : marked) {
      for (const std::size_t node : path) --nodes_[node].waiting;
    }
    if (marked.empty()) break;
    if (!leaves.empty()) Extend(leaves);
  }
}

std::vector<std::size_t> TreeSearch::PathTo(std::size_t node) const {
  std::vector<std::size_t> path;
  for (std::size_t at = node; at != SearchNode::kNone; at = nodes_[at].parent) path.push_back(at);
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<std::size_t> TreeSearch::Terminals() const {
  std::vector<std::size_t> terminals;
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    if (nodes_[i].terminal && !nodes_[i].refuted) terminals.push_back(i);
  }
  std::stable_sort(terminals.begin(), terminals.end(), [&](std::size_t a, std::size_t b) {
    return Worth(nodes_[a]) > Worth(nodes_[b]);
  });
  return terminals;
}

std::size_t TreeSearch::Best() const {
  const auto terminals = Terminals();
  if (!terminals.empty()) return terminals.front();
  std::size_t at = 0;
  while (true) {
    std::size_t next = SearchNode::kNone;
    for (const SearchNode::Edge& edge : nodes_[at].edges) {
      const SearchNode& child = nodes_[edge.child];
      if (child.refuted || child.depth <= nodes_[at].depth) continue;
      if (next == SearchNode::kNone || child.visits > nodes_[next].visits) next = edge.child;
    }
    if (next == SearchNode::kNone) return at;
    at = next;
  }
}

}  // namespace ergo::reasoning
