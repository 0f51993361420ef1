// gRPC beside HTTP: the same requests under other names (proto/ergo/v1/ergo.proto). Each call
// becomes an exchange that the same front answers; so keys, limits, schemas and what is computed
// are the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "serve/http/exchange.h"

namespace ergo::serve {

struct RpcOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 50051;        ///< 0: any that is free
  std::string tls_certificate = {};  ///< PEM file, the chain behind it; empty: no TLS
  std::string tls_key = {};          ///< PEM file
  std::size_t most_message_bytes = 16 << 20;
};

/// Also answers reflection and the health protocol. Any thread.
class RpcServer {
 public:
  /// Calls `on_exchange` for each call, on a thread of gRPC (be brief there). Errors: the address
  /// is taken, bad certificate; this program was built without gRPC.
  static Result<std::unique_ptr<RpcServer>> Start(const RpcOptions& options,
                                                  OnExchange on_exchange);
  /// Cuts what is still open.
  virtual ~RpcServer() = default;

  virtual std::uint16_t port() const = 0;
  /// What the health protocol says.
  virtual void SetServing(bool serving) = 0;
  /// Takes no more calls and waits for those that are open, at most for `time`. After that no call
  /// is open.
  virtual void Drain(std::chrono::milliseconds time) = 0;
};

/// Whether the program has gRPC and Protobuf.
bool HasGrpc();

/// In front of an HTTP server's front: takes and gives bodies of POST /v1/generate in Protobuf
/// (GenerateRequest, GenerateReply) where the request says "Content-Type: application/x-protobuf".
/// Errors are JSON.
OnExchange WithProtobuf(OnExchange next);

}  // namespace ergo::serve
