#include "serve/access/key_ring.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/mapped_file.h"
#include "base/text.h"

namespace ergo::serve {
namespace {

constexpr std::size_t kMostBytes = std::size_t{16} << 20;
constexpr std::string_view kPrefix = "sha256:";

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

bool ParseHash(std::string_view word, std::string* hash) {
  if (!word.starts_with(kPrefix)) return false;
  word.remove_prefix(kPrefix.size());
  if (word.size() != 2 * SHA256_DIGEST_LENGTH) return false;
  hash->clear();
  for (std::size_t i = 0; i < word.size(); i += 2) {
    unsigned byte = 0;
    const auto [end, error] = std::from_chars(word.data() + i, word.data() + i + 2, byte, 16);
    if (error != std::errc() || end != word.data() + i + 2) return false;
    hash->push_back(static_cast<char>(byte));
  }
  return true;
}

template <typename Number>
bool ParseAll(std::string_view text, Number* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size();
}

bool SetField(std::string_view name, std::string_view value, Principal* principal) {
  const auto budget = [&](std::optional<std::uint64_t>* limit) {
    return ParseAll(value, &limit->emplace()) && **limit > 0;
  };
  if (name == "owner") {
    principal->owner = value;
    return !value.empty();
  }
  if (name == "priority") return ParseAll(value, &principal->priority);
  if (name == "requests_per_minute") return budget(&principal->limits.requests_per_minute);
  if (name == "tokens_per_minute") return budget(&principal->limits.tokens_per_minute);
  if (name == "concurrent") return budget(&principal->limits.concurrent);
  return false;
}

std::vector<std::string_view> Words(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = Trimmed(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

}  // namespace

Result<std::vector<KeyRing::Entry>> KeyRing::Read(const std::string& file) {
  const auto text = ReadFile(file, kMostBytes);
  if (!text) return tl::unexpected(text.error());
  std::vector<Entry> entries;
  std::size_t number = 0;
  for (const std::string_view line : LinesOf(*text)) {
    ++number;
    const auto words = Words(line);
    if (words.empty() || words.front().starts_with('#')) continue;
    const std::string where = fmt::format("{}:{}", file, number);
    Entry entry;
    if (!ParseHash(words.front(), &entry.hash)) {
      return Fail("a line does not begin with sha256: and 64 hexadecimal digits", where,
                  "hash the key: printf %s KEY | sha256sum");
    }
    auto principal = std::make_shared<Principal>();
    for (std::size_t i = 1; i < words.size(); ++i) {
      const std::size_t equals = std::min(words[i].find('='), words[i].size());
      const std::string_view value = words[i].substr(std::min(equals + 1, words[i].size()));
      if (SetField(words[i].substr(0, equals), value, principal.get())) continue;
      return Fail(fmt::format("'{}' is not understood", words[i]), where,
                  "write owner=NAME, priority=N, requests_per_minute=N, tokens_per_minute=N or "
                  "concurrent=N");
    }
    if (principal->owner.empty()) return Fail("a key has no owner", where, "add owner=NAME");
    principal->key_id = Hex(entry.hash).substr(0, 12);
    entry.principal = std::move(principal);
    entries.push_back(std::move(entry));
  }
  if (entries.empty()) return Fail("there is no key", file, "add a line for each key");
  return entries;
}

Status KeyRing::Open(const std::string& file) {
  {
    const std::lock_guard lock(mutex_);
    file_ = file;
  }
  return Reload();
}

Status KeyRing::Reload() {
  std::string file;
  {
    const std::lock_guard lock(mutex_);
    file = file_;
  }
  if (file.empty()) return {};
  auto entries = Read(file);
  if (!entries) return Fail(std::move(entries));
  const std::lock_guard lock(mutex_);
  entries_ = std::make_shared<const std::vector<Entry>>(std::move(*entries));
  return {};
}

bool KeyRing::required() const {
  const std::lock_guard lock(mutex_);
  return entries_ != nullptr;
}

std::shared_ptr<const Principal> KeyRing::Find(std::string_view key) const {
  static const auto kEverybody = std::make_shared<const Principal>();
  std::shared_ptr<const std::vector<Entry>> entries;
  {
    const std::lock_guard lock(mutex_);
    entries = entries_;
  }
  if (!entries) return kEverybody;
  const std::string hash = Sha256(key);
  std::shared_ptr<const Principal> found;
  for (const Entry& entry : *entries) {
    if (CRYPTO_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0) found = entry.principal;
  }
  return found;
}

std::string KeyRing::HashOf(std::string_view key) {
  return std::string(kPrefix) + Hex(Sha256(key));
}

}  // namespace ergo::serve
