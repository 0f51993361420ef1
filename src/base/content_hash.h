// A fast hash that tells contents apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace ergo {

/// XXH3 of bytes that come in any number of pieces. Finds damage and names contents; it is no
/// defence against somebody who looks for two contents of one hash.
class ContentHash {
 public:
  ContentHash();

  void Add(std::span<const std::byte> bytes);
  void Add(std::string_view text) { Add(std::as_bytes(std::span(text))); }
  /// The size first, so that neighbouring texts can't be cut differently to the same end.
  void AddSized(std::string_view text);

  /// 64 bits of all that was added.
  std::uint64_t Short() const;
  /// 128 bits in 32 hexadecimal digits.
  std::string Hex() const;

 private:
  struct State;
  struct Free {
    void operator()(State* state) const;
  };
  std::unique_ptr<State, Free> state_;
};

}  // namespace ergo
