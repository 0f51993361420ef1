// A small HTTP client over real sockets, for tests: it sends what it is told, well formed or not.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "serve/http/message.h"

namespace ergo::serve::testing {

struct HttpReply {
  int status = 0;  ///< 0: the connection ended before there was a whole reply
  Headers headers;
  std::string body;
  std::size_t chunks = 0;
  bool whole = false;

  OrderedJson Json() const {
    auto parsed = ParseOrderedJson(body, "reply");
    if (!parsed) ADD_FAILURE() << parsed.error().Message() << " in " << body;
    return parsed ? *parsed : OrderedJson::object();
  }
  /// The data of server-sent events.
  std::vector<std::string> Events() const {
    std::vector<std::string> events;
    std::string_view rest = body;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find("\n\n"), rest.size());
      const std::string_view event = rest.substr(0, end);
      if (event.starts_with("data: ")) events.emplace_back(event.substr(6));
      rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    return events;
  }
};

/// One connection. Waits at most ten seconds for anything.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port) {
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    timeval wait = {10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
      ADD_FAILURE() << "can't connect";
    }
  }
  ~HttpClient() { Close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void Close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  void EndWriting() { ::shutdown(socket_, SHUT_WR); }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  /// More of what comes; false at the end.
  bool ReadMore() {
    char bytes[4096];
    const ssize_t count = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (count <= 0) return false;
    read_.append(bytes, static_cast<std::size_t>(count));
    return true;
  }
  /// Reads until `text` was seen.
  bool ReadUntil(std::string_view text) {
    while (read_.find(text) == std::string::npos) {
      if (!ReadMore()) return false;
    }
    return true;
  }
  /// The next reply on the connection.
  HttpReply Read() {
    HttpReply reply;
    std::size_t head = 0;
    while ((head = read_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadMore()) return reply;
    }
    ReadHead(read_.substr(0, head + 2), &reply);
    read_.erase(0, head + 4);
    if (reply.headers.Find("Transfer-Encoding") != nullptr) {
      reply.whole = ReadChunks(&reply);
    } else {
      const std::string* length = reply.headers.Find("Content-Length");
      const std::size_t wanted = length ? std::strtoull(length->c_str(), nullptr, 10) : 0;
      while (read_.size() < wanted && ReadMore()) {
      }
      reply.whole = read_.size() >= wanted;
      reply.body = read_.substr(0, wanted);
      read_.erase(0, wanted);
    }
    return reply;
  }

 private:
  static void ReadHead(std::string_view head, HttpReply* reply) {
    reply->status = std::atoi(std::string(head.substr(9, 3)).c_str());
    while (!head.empty()) {
      const std::size_t end = head.find("\r\n");
      const std::string_view line = head.substr(0, end);
      const std::size_t colon = line.find(": ");
      if (colon != std::string_view::npos) {
        reply->headers.Add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
      }
      head.remove_prefix(std::min(end + 2, head.size()));
    }
  }
  bool ReadChunks(HttpReply* reply) {
    while (true) {
      std::size_t line = 0;
      while ((line = read_.find("\r\n")) == std::string::npos) {
        if (!ReadMore()) return false;
      }
      const std::size_t size = std::strtoull(read_.c_str(), nullptr, 16);
      while (read_.size() < line + size + 4) {
        if (!ReadMore()) return false;
      }
      reply->body += read_.substr(line + 2, size);
      read_.erase(0, line + size + 4);
      if (size == 0) return true;
      ++reply->chunks;
    }
  }

  int socket_ = -1;
  std::string read_;
};

}  // namespace ergo::serve::testing
