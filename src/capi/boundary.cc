#include "capi/boundary.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "base/utf8.h"

struct ergo_error {
  ergo_status status;
  ergo::Error error;
  std::string message;
};

namespace ergo::capi {
namespace {

/// Where there is no memory for an error, there is this one; it is never freed.
ergo_error& NoMemory() {
  static ergo_error error = {ERGO_NO_MEMORY, {"out of memory", {}, {}}, "out of memory"};
  return error;
}
/// Made when the library is loaded: later there may be no memory for it.
const ergo_error* const kNoMemory = &NoMemory();

}  // namespace

tl::unexpected<Failure> Invalid(std::string what, std::string argument, std::string remedy) {
  return tl::unexpected<Failure>(
      Failure(ERGO_INVALID, {std::move(what), std::move(argument), std::move(remedy)}));
}

ergo_status Store(ergo_error** out, Failure failure) noexcept {
  const ergo_status status = failure.status;
  if (out == nullptr) return status;
  try {
    auto made = std::make_unique<ergo_error>();
    made->status = status;
    made->message = failure.error.Message();
    made->error = std::move(failure.error);
    *out = made.release();
    return status;
  } catch (...) {
    *out = &NoMemory();
    return ERGO_NO_MEMORY;
  }
}

ergo_status StoreException(ergo_error** out) noexcept {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    if (out != nullptr) *out = &NoMemory();
    return ERGO_NO_MEMORY;
  } catch (const std::exception& exception) {
    try {
      return Store(out, Failure(ERGO_INTERNAL, {exception.what(), "libergo", {}}));
    } catch (...) {
    }
  } catch (...) {
  }
  if (out != nullptr) *out = &NoMemory();
  return ERGO_NO_MEMORY;
}

Outcome<void> NotNull(const void* pointer, const char* argument) {
  if (pointer == nullptr) return Invalid("is NULL", argument);
  return {};
}

Outcome<std::string_view> TextOf(const char* text, std::size_t length, const char* argument) {
  if (text == nullptr) return Invalid("is NULL", argument);
  if (length == ERGO_TO_NUL) length = std::strlen(text);
  if (length > PTRDIFF_MAX) return Invalid("its length can't be", argument);
  const std::string_view view(text, length);
  if (const std::optional<std::size_t> at = FindInvalidUtf8(view)) {
    return Invalid(fmt::format("byte {} is not UTF-8", *at), argument, "texts must be UTF-8");
  }
  return view;
}

char* CopyString(std::string_view text) {
  auto* copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) throw std::bad_alloc();
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

std::int32_t* CopyTokens(std::span<const std::int32_t> tokens) {
  auto* copy = static_cast<std::int32_t*>(std::malloc(tokens.size_bytes() + sizeof(std::int32_t)));
  if (copy == nullptr) throw std::bad_alloc();
  if (!tokens.empty()) std::memcpy(copy, tokens.data(), tokens.size_bytes());
  return copy;
}

}  // namespace ergo::capi

extern "C" {

const char* ergo_version(void) {
  static constexpr int kParts[] = {ERGO_VERSION_MAJOR, ERGO_VERSION_MINOR, ERGO_VERSION_PATCH};
  static const std::string kVersion = fmt::format("{}.{}.{}", kParts[0], kParts[1], kParts[2]);
  return kVersion.c_str();
}

int32_t ergo_version_number(void) {
  return 10000 * ERGO_VERSION_MAJOR + 100 * ERGO_VERSION_MINOR + ERGO_VERSION_PATCH;
}

ergo_status ergo_error_status(const ergo_error* error) {
  return error != nullptr ? error->status : ERGO_OK;
}

const char* ergo_error_message(const ergo_error* error) {
  return error != nullptr ? error->message.c_str() : "";
}

const char* ergo_error_what(const ergo_error* error) {
  return error != nullptr ? error->error.what.c_str() : "";
}

const char* ergo_error_where(const ergo_error* error) {
  return error != nullptr ? error->error.where.c_str() : "";
}

const char* ergo_error_remedy(const ergo_error* error) {
  return error != nullptr ? error->error.remedy.c_str() : "";
}

void ergo_error_free(ergo_error* error) {
  if (error != ergo::capi::kNoMemory) delete error;
}

void ergo_string_free(char* text) { std::free(text); }

void ergo_tokens_free(int32_t* tokens) { std::free(tokens); }

}  // extern "C"
