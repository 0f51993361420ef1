// Monte Carlo tree search over whatever can be extended and valued, many leaves at a time.
//
// Selection by PUCT (Rosin 2011; Silver et al. 2017) with virtual losses, so that one round extends
// many leaves in one batch; equal states are merged by their keys; a refuted state is never entered
// and a state all of whose children are refuted is refuted itself. Values are backed up as means;
// the largest is kept for choosing the final path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace ergo::reasoning {

/// What a domain knows of one state; the search only holds on to it.
class SearchState {
 public:
  virtual ~SearchState() = default;
};
using StatePtr = std::shared_ptr<SearchState>;

/// One way to go on.
struct Move {
  StatePtr state;
  std::string key = {};   ///< equal keys are one state; empty: like no other
  double prior = 1.0;     ///< relative to its siblings
  bool terminal = false;  ///< nothing can follow
  bool refuted = false;   ///< by an exact check: never entered
};

class SearchDomain {
 public:
  virtual ~SearchDomain() = default;
  /// The ways to go on from each state, in one batch. No moves: a dead end.
  virtual std::vector<std::vector<Move>> Extend(std::span<const StatePtr> states) = 0;
  /// What each state is worth, 0 to 1, in one batch: by short roll-outs, say.
  virtual std::vector<double> Value(std::span<const StatePtr> states) = 0;
  /// Nothing more may be spent.
  virtual bool Exhausted() = 0;
};

struct TreeSearchOptions {
  std::size_t leaves = 16;   ///< extended in one round, at most
  std::size_t rounds = 64;   ///< at most
  std::size_t depth = 64;    ///< of a state, at most
  double exploration = 1.4;  ///< weight of the prior against the value
  double virtual_loss = 1.0;
  /// Ends when the best terminal's worth (visits times value) leads the second's by this much; 0:
  /// never.
  double lead = 0.0;
};

struct SearchNode {
  static constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();
  struct Edge {
    std::size_t child = kNone;
    double prior = 0.0;
    std::uint64_t visits = 0;
  };

  StatePtr state;
  std::size_t parent = kNone;  ///< the one that found it first
  std::size_t depth = 0;
  std::vector<Edge> edges = {};
  bool extended = false;
  bool terminal = false;
  bool refuted = false;
  std::uint64_t visits = 0;
  double sum = 0.0;           ///< of the values backed up
  double best = 0.0;          ///< largest of them
  double own = 0.0;           ///< value of the state itself
  std::uint64_t waiting = 0;  ///< leaves below it in the present round

  double mean() const { return visits == 0 ? 0.0 : sum / static_cast<double>(visits); }
};

class TreeSearch {
 public:
  TreeSearch(SearchDomain& domain, const TreeSearchOptions& options)
      : domain_(domain), options_(options) {}

  /// Searches from `root`, until the rounds, the domain's budget or the tree are at their end.
  void Run(StatePtr root);

  /// All states that were found, the root first; parents come before their children.
  const std::vector<SearchNode>& nodes() const { return nodes_; }
  std::size_t rounds() const { return rounds_; }
  /// States on the way from the root to `node`, both included.
  std::vector<std::size_t> PathTo(std::size_t node) const;
  /// The terminal with the most worth, else the deepest state on the most visited path; the root if
  /// nothing was found.
  std::size_t Best() const;
  /// Terminals that are not refuted, most worth first.
  std::vector<std::size_t> Terminals() const;

 private:
  using Path = std::vector<std::size_t>;
  Path Select();
  std::size_t Choose(const SearchNode& node) const;
  void Extend(const std::vector<Path>& paths);
  std::size_t Insert(Move move, std::size_t parent);
  bool IsAncestor(std::size_t node, std::size_t of) const;
  void BackUp(const Path& path, double value);
  void SpreadRefutation(const Path& path);
  bool Decided() const;

  SearchDomain& domain_;
  TreeSearchOptions options_;
  std::vector<SearchNode> nodes_;
  std::unordered_map<std::string, std::size_t> known_;
  std::size_t rounds_ = 0;
};

}  // namespace ergo::reasoning
