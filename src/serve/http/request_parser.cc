#include "serve/http/request_parser.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <utility>

namespace ergo::serve {

namespace http = boost::beast::http;

struct RequestParser::Impl {
  http::request_parser<http::string_body> parser;
};

namespace {

bool IsNumber(const std::string& text) {
  return !text.empty() && text.size() < 19 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// What Beast lets pass, and what two servers in a row might understand in two ways.
const char* DoubtfulFraming(const Headers& headers, bool http_1_0) {
  const std::string* length = headers.Find("Content-Length");
  const std::string* coding = headers.Find("Transfer-Encoding");
  if (length != nullptr && coding != nullptr) {
    return "both Content-Length and Transfer-Encoding";
  }
  if (headers.Count("Content-Length") > 1) return "several Content-Length headers";
  if (length != nullptr && !IsNumber(*length)) return "Content-Length is not a number";
  if (headers.Count("Transfer-Encoding") > 1) return "several Transfer-Encoding headers";
  if (coding != nullptr && (http_1_0 || !boost::beast::iequals(*coding, "chunked"))) {
    return "the only Transfer-Encoding that is understood is chunked";
  }
  if (headers.Count("Host") > 1) return "several Host headers";
  if (headers.Count("Host") == 0 && !http_1_0) return "no Host header";
  return nullptr;
}

}  // namespace

RequestParser::RequestParser(const ParseLimits& limits) : impl_(std::make_unique<Impl>()) {
  // The head alone at first: trailers that are there already would stand among its fields.
  impl_->parser.eager(false);
  impl_->parser.header_limit(static_cast<std::uint32_t>(limits.header_bytes));
  impl_->parser.body_limit(limits.body_bytes);
}

RequestParser::~RequestParser() = default;

void RequestParser::Fail(int status, std::string message) {
  state_ = State::kError;
  status_ = status;
  message_ = std::move(message);
}

/// Copied before the body is read: trailers must not pass for headers.
void RequestParser::ReadHead() {
  state_ = State::kBody;
  const auto& message = impl_->parser.get();
  request_.method = std::string(message.method_string());
  for (const auto& field : message.base()) {
    request_.headers.Add(std::string(field.name_string()), std::string(field.value()));
  }
  http_1_0_ = message.version() == 10;
  if (message.version() != 10 && message.version() != 11) {
    return Fail(505, "the version of HTTP must be 1.0 or 1.1");
  }
  if (const char* doubt = DoubtfulFraming(request_.headers, http_1_0_)) return Fail(400, doubt);
  keep_alive_ = message.keep_alive();
  const std::string* expect = request_.headers.Find("Expect");
  expects_continue_ =
      expect != nullptr && !http_1_0_ && boost::beast::iequals(*expect, "100-continue");
  const std::string target(message.target());
  if (!ParseTarget(target, &request_)) return Fail(400, "the target is not a path");
}

std::size_t RequestParser::Feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && (state_ == State::kHead || state_ == State::kBody)) {
    boost::system::error_code error;
    const std::size_t taken =
        impl_->parser.put(boost::asio::buffer(bytes.data() + used, bytes.size() - used), error);
    used += taken;
    if (state_ == State::kHead && impl_->parser.is_header_done()) {
      ReadHead();
      impl_->parser.eager(true);
    }
    if (state_ == State::kError) break;
    if (error == http::error::need_more) break;
    if (error == http::error::header_limit) {
      Fail(431, "the request's headers are too large");
    } else if (error == http::error::body_limit) {
      Fail(413, "the request's body is too large");
    } else if (error) {
      Fail(400, "not a well-formed HTTP request: " + error.message());
    } else if (impl_->parser.is_done()) {
      state_ = State::kDone;
      request_.body = std::move(impl_->parser.get().body());
    } else if (taken == 0) {
      break;
    }
  }
  return used;
}

Request RequestParser::Take() { return std::move(request_); }

}  // namespace ergo::serve
