#include "tokenizer/byte_alphabet.h"

#include <array>

#include "base/utf8.h"

namespace ergo::tokenizer {
namespace {

constexpr bool StandsForItself(std::uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
}

struct Tables {
  std::array<std::uint16_t, 256> char_of{};
  std::array<std::int16_t, 0x144> byte_of{};
};

constexpr Tables MakeTables() {
  Tables tables;
  for (auto& byte : tables.byte_of) byte = -1;
  std::uint16_t next = 0x100;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const std::uint16_t c = StandsForItself(byte) ? static_cast<std::uint16_t>(byte) : next++;
    tables.char_of[byte] = c;
    tables.byte_of[c] = static_cast<std::int16_t>(byte);
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

}  // namespace

std::uint32_t AlphabetChar(std::uint8_t byte) { return kTables.char_of[byte]; }

std::optional<std::uint8_t> AlphabetByte(std::uint32_t code_point) {
  if (code_point >= kTables.byte_of.size() || kTables.byte_of[code_point] < 0) return std::nullopt;
  return static_cast<std::uint8_t>(kTables.byte_of[code_point]);
}

void AppendInAlphabet(std::string_view bytes, std::string* out) {
  for (const char c : bytes) AppendUtf8(kTables.char_of[static_cast<std::uint8_t>(c)], out);
}

bool AppendFromAlphabet(std::string_view text, std::string* out) {
  const std::size_t start = out->size();
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.substr(i));
    const auto byte = AlphabetByte(c.code_point);
    if (!byte || !c.valid) {
      out->resize(start);
      return false;
    }
    out->push_back(static_cast<char>(*byte));
    i += c.bytes;
  }
  return true;
}

}  // namespace ergo::tokenizer
