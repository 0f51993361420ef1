// What comes in over HTTP and what goes out, as plain data.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ergo::serve {

/// Names and values in order; names compare without regard to case.
class Headers {
 public:
  void Add(std::string name, std::string value) {
    entries_.emplace_back(std::move(name), std::move(value));
  }
  /// The first of that name; nullptr if there is none.
  const std::string* Find(std::string_view name) const;
  std::size_t Count(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, std::string>> entries_;
};

using NamedValues = std::vector<std::pair<std::string, std::string>>;
/// The first of that name; nullptr if there is none.
const std::string* FindValue(const NamedValues& values, std::string_view name);

/// One request, read to its end and within the limits of ServerOptions. Nothing in it has been
/// checked but its framing.
struct Request {
  std::string id;      ///< ours, unique in this process: "req_…"
  std::string peer;    ///< address of the other side
  std::string method;  ///< "GET" …
  std::string path;    ///< of the target, percent-decoded
  NamedValues query;   ///< percent-decoded, '+' is a space
  Headers headers;
  std::string body;
};

struct Reply {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  Headers headers = {};  ///< beside Content-Type, Content-Length, X-Request-Id and CORS's
};

/// "Bad Request" for 400.
std::string_view ReasonPhrase(int status);

/// Without %XX; nothing if it is not well formed. `plus` makes '+' a space.
bool PercentDecode(std::string_view text, bool plus, std::string* decoded);

/// Cuts a request's target at '?' into path and query. False if it is no path ("/…") or badly
/// encoded.
bool ParseTarget(std::string_view target, Request* request);

}  // namespace ergo::serve
