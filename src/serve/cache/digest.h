// SHA-256 of texts, plain and with a secret.
#pragma once

#include <string>
#include <string_view>

namespace ergo::serve {

/// 64 lower-case hexadecimal digits.
std::string Sha256Hex(std::string_view text);

/// HMAC (RFC 2104) over SHA-256: 32 bytes.
std::string HmacSha256(std::string_view secret, std::string_view text);

/// Takes the same time wherever the two differ. False if their sizes do.
bool SameBytes(std::string_view a, std::string_view b);

}  // namespace ergo::serve
