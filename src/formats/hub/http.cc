#include "formats/hub/http.h"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <mutex>

#include "base/text.h"
#include "base/utf8.h"

namespace ergo::formats::hub {
namespace {

constexpr int kMaxRedirects = 10;
constexpr std::size_t kMaxHeaders = 200;

void InitialiseOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// A part of a parsed URL, or empty.
std::string UrlPart(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

bool IsRedirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/// For messages: query strings of storage addresses hold signatures.
std::string WithoutQuery(const std::string& url) {
  return RepairUtf8(url.substr(0, std::min(url.find('?'), std::size_t{300})));
}

bool StartsWithHttps(const std::string& origin) { return origin.starts_with("https:"); }

/// Faults that the same request may not meet again.
bool IsPassing(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string Origin(const std::string& url) {
  InitialiseOnce();
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) return {};
  const std::string scheme = Lower(UrlPart(parsed.get(), CURLUPART_SCHEME));
  if (scheme != "http" && scheme != "https") return {};
  return scheme + "://" + Lower(UrlPart(parsed.get(), CURLUPART_HOST)) + ":" +
         UrlPart(parsed.get(), CURLUPART_PORT);
}

/// What the callbacks of one transfer share.
struct HttpClient::Transfer {
  CURL* curl = nullptr;
  const HttpRequest* request = nullptr;
  HttpResponse response;
  Status status;  ///< first error of a callback
  bool started = false;
  bool cancelled = false;

  bool wants_body() const { return response.status >= 200 && response.status < 300; }

  /// Announces the answer once; false stops the transfer.
  bool Start() {
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &response.status);
    if (started || !wants_body()) return true;
    started = true;
    if (request->on_start) status = request->on_start(response);
    return status.has_value();
  }
};

HttpClient::HttpClient(const std::string& endpoint, std::string token)
    : origin_(Origin(endpoint)), token_(std::move(token)), curl_(nullptr, &curl_easy_cleanup) {
  InitialiseOnce();
  curl_.reset(curl_easy_init());
}

HttpClient::~HttpClient() = default;

std::size_t HttpClient::OnHeader(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) self.response.headers.clear();  // a new answer begins
  const auto colon = line.find(':');
  if (colon != line.npos && self.response.headers.size() < kMaxHeaders) {
    self.response.headers[Lower(line.substr(0, colon))] = Trimmed(line.substr(colon + 1));
  }
  return line.size();
}

std::size_t HttpClient::OnBody(char* data, std::size_t size, std::size_t count, void* transfer) {
  auto& self = *static_cast<Transfer*>(transfer);
  const std::string_view body(data, size * count);
  if (!self.Start()) return 0;
  if (!self.wants_body() || !self.request->on_body) return body.size();  // an error page
  self.status = self.request->on_body(body);
  return self.status ? body.size() : 0;
}

int HttpClient::OnProgress(void* transfer, std::int64_t, std::int64_t, std::int64_t, std::int64_t) {
  auto& self = *static_cast<Transfer*>(transfer);
  self.cancelled = self.request->keep_going && !self.request->keep_going();
  return self.cancelled ? 1 : 0;
}

Result<HttpResponse> HttpClient::SendOnce(const HttpRequest& request, const std::string& url) {
  CURL* curl = curl_.get();
  if (curl == nullptr) return Fail("cannot start libcurl", WithoutQuery(url));
  curl_easy_reset(curl);  // keeps connections
  Transfer transfer;
  transfer.curl = curl;
  transfer.request = &request;
  transfer.response.url = url;
  char reason[CURL_ERROR_SIZE] = {};

  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);  // Send decides, hop by hop
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 20L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 30L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "ergo");
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.head ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &HttpClient::OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &HttpClient::OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &HttpClient::OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  const std::string range = std::to_string(request.range_start) + "-";
  if (request.range_start != 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());

  // Compressed answers would have other sizes and ETags.
  curl_slist* list = curl_slist_append(nullptr, "Accept-Encoding: identity");
  if (!token_.empty() && !origin_.empty() && Origin(url) == origin_) {
    list = curl_slist_append(list, ("Authorization: Bearer " + token_).c_str());
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list,
                                                                            &curl_slist_free_all);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(curl);
  if (transfer.cancelled)
    return Fail("cancelled", WithoutQuery(url), "the same command goes on from here");
  if (!transfer.status) return Fail(std::move(transfer.status));
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer.response.status);
  if (code != CURLE_OK) {
    const std::string why = reason[0] != '\0' ? reason : curl_easy_strerror(code);
    if (!IsPassing(code))
      return Fail("cannot fetch: " + why, WithoutQuery(url), "check the address");
    transfer.response.fault = why;
    return std::move(transfer.response);
  }
  if (!transfer.Start()) return Fail(std::move(transfer.status));
  char* redirect = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
  if (IsRedirect(transfer.response.status) && redirect != nullptr) {
    transfer.response.redirect = redirect;
  }
  return std::move(transfer.response);
}

Result<HttpResponse> HttpClient::Send(const HttpRequest& request) {
  std::string url = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    const std::string origin = Origin(url);
    if (origin.empty()) return Fail("not an http address", QuoteForMessage(url, 200));
    auto response = SendOnce(request, url);
    if (!response || response->redirect.empty()) return response;
    const std::string next = Origin(response->redirect);
    if (StartsWithHttps(origin) && !StartsWithHttps(next)) {
      return Fail("is redirected from https to " + WithoutQuery(response->redirect),
                  WithoutQuery(url), "check HF_ENDPOINT");
    }
    if (next != origin && !request.leave_origin) return response;
    url = response->redirect;
  }
  return Fail("is redirected more than " + std::to_string(kMaxRedirects) + " times", request.url,
              "check HF_ENDPOINT");
}

}  // namespace ergo::formats::hub
