// Any bytes as a JSON schema, a regular expression, a grammar and choices; the first byte says
// which. What compiles is walked along.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "generate/constrain/compile.h"
#include "generate/constrain/machine.h"

namespace {

namespace constrain = ergo::generate::constrain;

void Require(bool holds) {
  if (!holds) std::abort();
}

ergo::Result<std::shared_ptr<const constrain::Grammar>> Compile(unsigned kind,
                                                                std::string_view text) {
  switch (kind % 4) {
    case 0:
      return constrain::CompileJsonSchema(text);
    case 1:
      return constrain::CompileRegex(text);
    case 2:
      return constrain::CompileGbnf(text);
    default:
      return constrain::CompileChoices({std::string(text), "a"});
  }
}

/// Takes bytes that are allowed, the shortest way on first, and sees that there always is one.
void Walk(const std::shared_ptr<const constrain::Grammar>& grammar, std::uint32_t seed) {
  constrain::Machine machine(grammar);
  constrain::SetId set = machine.start();
  Require(set != constrain::Machine::kDead);
  for (int step = 0; step < 64; ++step) {
    const int only = machine.OnlyByte(set);
    bool moved = false;
    for (unsigned i = 0; i < 256 && !moved; ++i) {
      const auto byte = static_cast<std::uint8_t>(seed + 37 * i);
      const constrain::SetId next = machine.Step(set, byte);
      if (next == constrain::Machine::kDead) continue;
      Require(only < 0 || only == byte);
      set = next;
      moved = true;
    }
    Require(moved || machine.CanEnd(set));
    if (!moved) return;
    seed = seed * 1664525 + 1013904223;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2 || size > 4096) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto grammar = Compile(data[0], text);
  if (!grammar) {
    Require(!grammar.error().what.empty());
    Require(grammar.error().Message().find('\n') == std::string::npos);
    return 0;
  }
  Walk(*grammar, static_cast<std::uint32_t>(size));
  return 0;
}
