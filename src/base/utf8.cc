#include "base/utf8.h"

namespace ergo {
namespace {

/// Bytes that a lead byte announces, and the range of its first continuation byte.
struct Lead {
  std::uint32_t bytes;
  std::uint8_t low;
  std::uint8_t high;
};

Lead LeadOf(std::uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {2, 0x80, 0xBF};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3, 0x80, 0xBF};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4, 0x80, 0xBF};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

constexpr std::uint32_t kReplacement = 0xFFFD;

}  // namespace

Utf8Char DecodeUtf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(0);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = LeadOf(first);
  if (lead.bytes == 0) return {kReplacement, 1, false};
  std::uint32_t code_point = first & (0x7Fu >> lead.bytes);
  for (std::uint32_t i = 1; i < lead.bytes; ++i) {
    const std::uint8_t low = i == 1 ? lead.low : std::uint8_t{0x80};
    const std::uint8_t high = i == 1 ? lead.high : std::uint8_t{0xBF};
    if (i >= text.size() || byte(i) < low || byte(i) > high) return {kReplacement, i, false};
    code_point = code_point << 6 | (byte(i) & 0x3Fu);
  }
  return {code_point, lead.bytes, true};
}

void AppendUtf8(std::uint32_t code_point, std::string* out) {
  if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF)) {
    code_point = kReplacement;
  }
  const auto put = [out](std::uint32_t byte) { out->push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xC0 | code_point >> 6);
    put(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    put(0xE0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  } else {
    put(0xF0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3F));
    put(0x80 | (code_point >> 6 & 0x3F));
    put(0x80 | (code_point & 0x3F));
  }
}

std::optional<std::size_t> FindInvalidUtf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    if (static_cast<std::uint8_t>(text[i]) < 0x80) {
      ++i;
      continue;
    }
    const Utf8Char c = DecodeUtf8(text.substr(i));
    if (!c.valid) return i;
    i += c.bytes;
  }
  return std::nullopt;
}

std::string RepairUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const Utf8Char c = DecodeUtf8(text.substr(i));
    if (c.valid) {
      out.append(text.substr(i, c.bytes));
    } else {
      AppendUtf8(kReplacement, &out);
    }
    i += c.bytes;
  }
  return out;
}

std::size_t CompleteUtf8Prefix(std::string_view text) {
  const std::size_t back = text.size() < 3 ? text.size() : 3;
  for (std::size_t tail = 1; tail <= back; ++tail) {
    const auto byte = static_cast<std::uint8_t>(text[text.size() - tail]);
    if ((byte & 0xC0) == 0x80) continue;
    const Lead lead = LeadOf(byte);
    if (lead.bytes <= tail) return text.size();
    const Utf8Char c = DecodeUtf8(text.substr(text.size() - tail));
    return c.bytes == tail ? text.size() - tail : text.size();
  }
  return text.size();
}

std::string QuoteForMessage(std::string_view text, std::size_t max_bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (i >= max_bytes) {
      out += "…";
      break;
    }
    const Utf8Char c = DecodeUtf8(text.substr(i));
    // C1 controls (U+0080..U+009F) steer terminals too.
    if (c.code_point < 0x20 || (c.code_point >= 0x7F && c.code_point < 0xA0)) {
      out += {'\\', 'x', kHex[c.code_point >> 4], kHex[c.code_point & 15]};
    } else if (c.code_point == 0x2028 || c.code_point == 0x2029) {
      out += c.code_point == 0x2028 ? "\\u2028" : "\\u2029";
    } else {
      AppendUtf8(c.code_point, &out);
    }
    i += c.bytes;
  }
  return out + "\"";
}

}  // namespace ergo
