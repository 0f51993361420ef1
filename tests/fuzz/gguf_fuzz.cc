// Any bytes as a GGUF file.
#include <cstdlib>
#include <span>

#include "formats/gguf.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  const auto file = ergo::formats::ParseGguf(bytes, "fuzz.gguf");
  if (!file) {
    Require(!file.error().what.empty());
    Require(file.error().Message().find('\n') == std::string::npos);
    return 0;
  }
  for (const auto& [key, value] : file->metadata) {
    (void)value.Int();
    (void)value.Float();
    (void)value.Bool();
    (void)value.String();
    if (const auto strings = value.Strings()) Require(strings->size() == value.count);
    if (const auto ints = value.Ints()) Require(ints->size() == value.count);
    if (const auto floats = value.Floats()) Require(floats->size() == value.count);
  }
  for (const auto& tensor : file->tensors) {
    Require(tensor.elements() > 0);
    Require(ergo::BytesFor(tensor.dtype, static_cast<std::uint64_t>(tensor.elements())) ==
            tensor.data.size());
    Require(tensor.data.data() >= bytes.data() &&
            tensor.data.data() + tensor.data.size() <= bytes.data() + bytes.size());
  }
  return 0;
}
