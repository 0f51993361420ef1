#include "serve/http/message.h"

#include <algorithm>

namespace ergo::serve {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = Lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool ParseQuery(std::string_view text, NamedValues* query) {
  constexpr std::size_t kMost = 100;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    std::string name;
    std::string value;
    if (query->size() == kMost || !PercentDecode(part.substr(0, equals), true, &name)) return false;
    if (equals < part.size() && !PercentDecode(part.substr(equals + 1), true, &value)) return false;
    query->emplace_back(std::move(name), std::move(value));
  }
  return true;
}

}  // namespace

const std::string* Headers::Find(std::string_view name) const {
  for (const auto& [key, value] : entries_) {
    if (SameName(key, name)) return &value;
  }
  return nullptr;
}

std::size_t Headers::Count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [&](const auto& entry) { return SameName(entry.first, name); }));
}

const std::string* FindValue(const NamedValues& values, std::string_view name) {
  for (const auto& [key, value] : values) {
    if (key == name) return &value;
  }
  return nullptr;
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 204:
      return "No Content";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

bool PercentDecode(std::string_view text, bool plus, std::string* decoded) {
  decoded->clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus) {
      *decoded += ' ';
    } else if (text[i] == '%') {
      if (i + 2 >= text.size()) return false;
      const int high = HexDigit(text[i + 1]);
      const int low = HexDigit(text[i + 2]);
      if (high < 0 || low < 0) return false;
      *decoded += static_cast<char>(16 * high + low);
      i += 2;
    } else {
      *decoded += text[i];
    }
  }
  return true;
}

bool ParseTarget(std::string_view target, Request* request) {
  target = target.substr(0, target.find('#'));
  const std::size_t mark = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, mark);
  if (path.empty() || path.front() != '/') return false;
  if (!PercentDecode(path, false, &request->path)) return false;
  request->query.clear();
  return mark == target.size() || ParseQuery(target.substr(mark + 1), &request->query);
}

}  // namespace ergo::serve
