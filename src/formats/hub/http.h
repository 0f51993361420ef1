// HTTP requests of the hub protocol, over libcurl.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ergo::formats::hub {

struct HttpResponse {
  long status = 0;                             ///< 0 when the server was not reached
  std::map<std::string, std::string> headers;  ///< names in lower case; of the last answer
  std::string url;                             ///< where the last answer came from
  std::string redirect;                        ///< where it points, when it was not followed
  std::string fault;  ///< why the transfer broke off; worth another try. Empty: complete.
};

struct HttpRequest {
  std::string url;
  bool head = false;
  std::uint64_t range_start = 0;  ///< asks for the bytes from here on when not 0
  bool leave_origin = true;       ///< follow redirects to other hosts
  /// Called before the first byte of the body of an answer with status 2xx, and for empty ones.
  std::function<Status(const HttpResponse&)> on_start;
  std::function<Status(std::string_view)> on_body;
  std::function<bool()> keep_going;  ///< asked at least once a second; false cancels
};

/// scheme://host:port in lower case, the port always given; empty when `url` is not http or https.
std::string Origin(const std::string& url);

/// One person's dealings with one hub. Not thread-safe.
class HttpClient {
 public:
  /// `token` goes only with requests to the origin of `endpoint`, whatever redirects say.
  HttpClient(const std::string& endpoint, std::string token);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Follows at most 10 redirects, none from https to http. Errors: bad URL, cancelled, what the
  /// callbacks give; a connection that fails is a `fault` of the response.
  Result<HttpResponse> Send(const HttpRequest& request);

 private:
  struct Transfer;
  Result<HttpResponse> SendOnce(const HttpRequest& request, const std::string& url);
  static std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* transfer);
  static std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* transfer);
  static int OnProgress(void* transfer, std::int64_t, std::int64_t, std::int64_t, std::int64_t);

  std::string origin_;
  std::string token_;
  std::unique_ptr<void, void (*)(void*)> curl_;
};

}  // namespace ergo::formats::hub
