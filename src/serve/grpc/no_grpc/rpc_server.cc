// Where the libraries of gRPC were not there when the program was built.
#include "serve/grpc/rpc_server.h"

namespace ergo::serve {

Result<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcOptions&, OnExchange) {
  return Fail("this program was built without gRPC", "--grpc-port",
              "install libgrpc++-dev and protobuf-compiler-grpc, and build it again");
}

bool HasGrpc() { return false; }

OnExchange WithProtobuf(OnExchange next) { return next; }

}  // namespace ergo::serve
