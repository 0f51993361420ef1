// An HTTP/1.1 server: reads requests within limits, hands them out, writes replies.
//
// A request is refused here, before anybody sees it, if its framing is not beyond doubt (both
// Content-Length and Transfer-Encoding, several lengths, bad chunks: 400), if it is too large (413,
// 431), comes too slowly (408) or on one connection too many (503). Requests of one connection are
// answered in order, one at a time (pipelining); an end of file from the client while its request
// is worked on counts as "gone".
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serve/http/exchange.h"

namespace ergo::serve {

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;         ///< 0: any that is free
  std::string tls_certificate = {};  ///< PEM file, the chain behind it; empty: no TLS
  std::string tls_key = {};          ///< PEM file
  int threads = 1;                   ///< that read and write
  std::size_t most_connections = 4096;
  std::size_t most_header_bytes = 16 << 10;
  std::size_t most_body_bytes = 16 << 20;
  std::chrono::milliseconds header_time{10'000};  ///< from the first byte to the end of headers
  std::chrono::milliseconds body_time{60'000};    ///< from there to the end of the body
  std::chrono::milliseconds idle_time{75'000};    ///< between requests
  std::chrono::milliseconds write_time{60'000};   ///< without one byte taken by the client
  /// Origins of pages that may read replies: "https://chat.example", or "*" for all; empty: none.
  std::vector<std::string> origins = {};
};

class Server {
 public:
  /// Listens, and calls `on_exchange` for each request on a thread that serves connections (be
  /// brief there). Errors: the address is taken or is none, bad certificate or key.
  static Result<std::unique_ptr<Server>> Start(const ServerOptions& options,
                                               OnExchange on_exchange);
  /// Cuts what is still open.
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;
  virtual std::size_t connections() const = 0;
  /// Reads certificate and key anew, for connections to come. Error: they are bad; the old ones
  /// stay.
  virtual Status ReloadCertificate() = 0;
  /// Takes no more connections, closes idle ones and waits for replies to end, at most for `time`.
  /// True if none had to be cut.
  virtual bool Drain(std::chrono::milliseconds time) = 0;
};

}  // namespace ergo::serve
