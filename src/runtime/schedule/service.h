// Whose turn it is: priorities first, then the name space that was served least, then age.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ergo::runtime {

/// Counts the tokens computed for each name space. One that comes back after a pause does not get
/// what it missed: it starts where the least served of the others stands (start-time fair queueing,
/// Goyal et al. 1996).
class ServiceOrder {
 public:
  struct Ticket {
    int priority = 0;
    std::string_view name_space;
    std::uint64_t arrival = 0;
  };

  /// A sequence of the name space has become alive, or is no more.
  void Enter(std::string_view name_space);
  void Leave(std::string_view name_space);
  /// Tokens were computed for it.
  void Serve(std::string_view name_space, std::uint64_t tokens);

  /// Whether `a` comes before `b`.
  bool Before(const Ticket& a, const Ticket& b) const;

 private:
  struct Account {
    std::uint64_t served = 0;
    std::uint64_t alive = 0;
  };
  std::uint64_t Served(std::string_view name_space) const;

  std::unordered_map<std::string, Account> accounts_;  ///< of name spaces with something alive
};

}  // namespace ergo::runtime
