// Any bytes as a safetensors file, as a header (its length put before it) and as an index.
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>

#include "formats/safetensors.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

void Check(std::span<const std::byte> bytes) {
  const auto file = ergo::formats::ParseSafetensors(bytes, "fuzz.safetensors");
  if (!file) {
    Require(file.error().Message().find('\n') == std::string::npos);
    return;
  }
  std::size_t sum = 0;
  for (const auto& tensor : file->tensors) {
    Require(ergo::BytesFor(tensor.dtype, static_cast<std::uint64_t>(tensor.elements())) ==
            tensor.data.size());
    sum += tensor.data.size();
  }
  Require(sum <= bytes.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Check(std::as_bytes(std::span(data, size)));
  // The header's length is hard to keep right by chance.
  std::string framed(sizeof(std::uint64_t), '\0');
  const std::uint64_t length = size;
  std::memcpy(framed.data(), &length, sizeof(length));
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  framed += text;
  Check(std::as_bytes(std::span(framed)));
  if (const auto index = ergo::formats::ParseSafetensorsIndex(text, "index.json")) {
    for (const auto& [name, file] : *index) Require(file.find('/') == std::string::npos);
  }
  return 0;
}
