#include "serve/grpc/rpc_server.h"

#include <ergo/v1/ergo.grpc.pb.h>
#include <fmt/format.h>
#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <utility>

#include "serve/grpc/rpc_exchange.h"

namespace ergo::serve {
namespace {

using google::protobuf::Message;
namespace v1 = ergo::v1;

/// What every call needs.
struct Desk {
  OnExchange on_exchange;
  RpcPump pump = {};

  template <typename Reactor>
  Reactor* Begin(Reactor* reactor, grpc::CallbackServerContext* context, const RpcRoute& route,
                 const Message& request) const {
    const auto call = std::make_shared<RpcCall>(context, reactor, pump.actions());
    reactor->call = call;
    if (call->ReadRequest(route, request)) on_exchange(call->NewExchange());
    return reactor;
  }
};

/// They end with gRPC's OnDone, as its reactors do.
template <typename Reply>
class UnaryCall final : public grpc::ServerUnaryReactor, public RpcWriter {
 public:
  explicit UnaryCall(Reply* reply) : reply_(reply) {}
  std::shared_ptr<RpcCall> call;

  std::unique_ptr<Message> NewReply() const override { return std::make_unique<Reply>(); }
  void Write(std::unique_ptr<Message> reply) override {
    reply_->Swap(static_cast<Reply*>(reply.get()));
    call->OnWritten(true);
  }
  void Finish(const grpc::Status& status) override { grpc::ServerUnaryReactor::Finish(status); }

 private:
  void OnCancel() override { call->OnCancelled(); }
  void OnDone() override {
    call->OnDone();
    delete this;
  }

  Reply* const reply_;
};

template <typename Reply>
class StreamCall final : public grpc::ServerWriteReactor<Reply>, public RpcWriter {
 public:
  std::shared_ptr<RpcCall> call;

  std::unique_ptr<Message> NewReply() const override { return std::make_unique<Reply>(); }
  void Write(std::unique_ptr<Message> reply) override {
    writing_ = std::move(reply);  // must live until OnWriteDone
    this->StartWrite(static_cast<const Reply*>(writing_.get()));
  }
  void Finish(const grpc::Status& status) override {
    grpc::ServerWriteReactor<Reply>::Finish(status);
  }

 private:
  void OnWriteDone(bool good) override { call->OnWritten(good); }
  void OnCancel() override { call->OnCancelled(); }
  void OnDone() override {
    call->OnDone();
    delete this;
  }

  std::unique_ptr<Message> writing_;
};

template <typename Request, typename Reply>
grpc::ServerUnaryReactor* Unary(const Desk& desk, grpc::CallbackServerContext* context,
                                const Request* request, Reply* reply, const RpcRoute& route) {
  return desk.Begin(new UnaryCall<Reply>(reply), context, route, *request);
}

template <typename Reply, typename Request>
grpc::ServerWriteReactor<Reply>* Streaming(const Desk& desk, grpc::CallbackServerContext* context,
                                           const Request* request, const RpcRoute& route) {
  return desk.Begin(new StreamCall<Reply>, context, route, *request);
}

using Context = grpc::CallbackServerContext;
using UnaryReactor = grpc::ServerUnaryReactor;
template <typename Reply>
using StreamReactor = grpc::ServerWriteReactor<Reply>;

class GenerationCalls final : public v1::Generation::CallbackService {
 public:
  explicit GenerationCalls(const Desk& desk) : desk_(desk) {}

  UnaryReactor* Generate(Context* context, const v1::GenerateRequest* request,
                         v1::GenerateReply* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/generate"});
  }
  StreamReactor<v1::GenerateReply>* GenerateStream(Context* context,
                                                   const v1::GenerateRequest* request) override {
    return Streaming<v1::GenerateReply>(desk_, context, request,
                                        {"POST", "/v1/generate", {}, true});
  }
  UnaryReactor* Chat(Context* context, const v1::ChatRequest* request,
                     v1::ChatReply* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/chat/completions"});
  }
  StreamReactor<v1::ChatChunk>* ChatStream(Context* context,
                                           const v1::ChatRequest* request) override {
    return Streaming<v1::ChatChunk>(desk_, context, request,
                                    {"POST", "/v1/chat/completions", {}, true, true});
  }
  UnaryReactor* Embed(Context* context, const v1::EmbedRequest* request,
                      v1::EmbedReply* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/embeddings"});
  }
  UnaryReactor* ListModels(Context* context, const v1::ListModelsRequest* request,
                           v1::ListModelsReply* reply) override {
    return Unary(desk_, context, request, reply, {"GET", "/v1/models"});
  }

 private:
  const Desk& desk_;
};

class SessionCalls final : public v1::Sessions::CallbackService {
 public:
  explicit SessionCalls(const Desk& desk) : desk_(desk) {}

  UnaryReactor* Create(Context* context, const v1::CreateSessionRequest* request,
                       v1::Session* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/sessions"});
  }
  UnaryReactor* Get(Context* context, const v1::SessionName* request, v1::Session* reply) override {
    return Unary(desk_, context, request, reply, {"GET", "/v1/sessions/{id}"});
  }
  UnaryReactor* Fork(Context* context, const v1::ForkRequest* request,
                     v1::Branches* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/sessions/{id}/fork"});
  }
  UnaryReactor* Extend(Context* context, const v1::ExtendRequest* request,
                       v1::Branches* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/sessions/{id}/extend"});
  }
  StreamReactor<v1::ExtendEvent>* ExtendStream(Context* context,
                                               const v1::ExtendRequest* request) override {
    return Streaming<v1::ExtendEvent>(desk_, context, request,
                                      {"POST", "/v1/sessions/{id}/extend", {}, true});
  }
  UnaryReactor* Score(Context* context, const v1::ScoreRequest* request,
                      v1::ScoreReply* reply) override {
    return Unary(desk_, context, request, reply, {"POST", "/v1/sessions/{id}/score"});
  }
  UnaryReactor* Drop(Context* context, const v1::SessionName* request,
                     v1::Dropped* reply) override {
    return Unary(desk_, context, request, reply, {"DELETE", "/v1/sessions/{id}"});
  }

 private:
  const Desk& desk_;
};

class TraceCalls final : public v1::Traces::CallbackService {
 public:
  explicit TraceCalls(const Desk& desk) : desk_(desk) {}

  UnaryReactor* List(Context* context, const v1::ListTracesRequest* request,
                     v1::ListTracesReply* reply) override {
    return Unary(desk_, context, request, reply, {"GET", "/v1/traces"});
  }
  UnaryReactor* Get(Context* context, const v1::TraceName* request,
                    v1::TraceDocument* reply) override {
    return Unary(desk_, context, request, reply, {"GET", "/v1/traces/{id}", "document"});
  }
  StreamReactor<v1::TraceEvent>* Watch(Context* context, const v1::TraceName* request) override {
    return Streaming<v1::TraceEvent>(desk_, context, request,
                                     {"GET", "/v1/traces/{id}/events", "data"});
  }
  UnaryReactor* Delete(Context* context, const v1::TraceName* request,
                       v1::Dropped* reply) override {
    return Unary(desk_, context, request, reply, {"DELETE", "/v1/traces/{id}"});
  }

 private:
  const Desk& desk_;
};

Result<std::string> ReadFile(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return Fail("cannot be read", file);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

Result<std::shared_ptr<grpc::ServerCredentials>> Credentials(const RpcOptions& options) {
  if (options.tls_certificate.empty()) return grpc::InsecureServerCredentials();
  Result<std::string> certificate = ReadFile(options.tls_certificate);
  if (!certificate) return tl::unexpected(certificate.error());
  Result<std::string> key = ReadFile(options.tls_key);
  if (!key) return tl::unexpected(key.error());
  grpc::SslServerCredentialsOptions ssl;
  ssl.pem_key_cert_pairs.push_back({*std::move(key), *std::move(certificate)});
  return grpc::SslServerCredentials(ssl);
}

class GrpcServer final : public RpcServer {
 public:
  explicit GrpcServer(OnExchange on_exchange)
      : desk_{std::move(on_exchange)}, generation_(desk_), sessions_(desk_), traces_(desk_) {}
  ~GrpcServer() override { Drain(std::chrono::milliseconds(0)); }

  Status Listen(const RpcOptions& options) {
    auto credentials = Credentials(options);
    if (!credentials) return tl::unexpected(credentials.error());
    const bool v6 = options.host.find(':') != std::string::npos;
    const std::string address =
        fmt::format(fmt::runtime(v6 ? "[{}]:{}" : "{}:{}"), options.host, options.port);
    grpc::ServerBuilder builder;
    // Else two servers could have one port, and each would get some of the calls.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.most_message_bytes));
    int port = 0;
    builder.AddListeningPort(address, *credentials, &port);
    builder.RegisterService(&generation_);
    builder.RegisterService(&sessions_);
    builder.RegisterService(&traces_);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr || port == 0) {
      return Fail("cannot listen there, or the certificate and key are not good", address,
                  "choose another --grpc-port");
    }
    port_ = static_cast<std::uint16_t>(port);
    return {};
  }

  std::uint16_t port() const override { return port_; }
  void SetServing(bool serving) override {
    server_->GetHealthCheckService()->SetServingStatus(serving);
  }
  void Drain(std::chrono::milliseconds time) override {
    if (server_ == nullptr) return;
    server_->Shutdown(std::chrono::system_clock::now() + time);
    server_->Wait();
  }

 private:
  Desk desk_;
  GenerationCalls generation_;
  SessionCalls sessions_;
  TraceCalls traces_;
  std::unique_ptr<grpc::Server> server_;
  std::uint16_t port_ = 0;
};

void Silent(gpr_log_func_args*) {}

}  // namespace

Result<std::unique_ptr<RpcServer>> RpcServer::Start(const RpcOptions& options,
                                                    OnExchange on_exchange) {
  static const bool kPrepared = [] {
    gpr_set_log_function(Silent);  // a library does not print
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
    return true;
  }();
  static_cast<void>(kPrepared);
  auto server = std::make_unique<GrpcServer>(std::move(on_exchange));
  if (const Status listening = server->Listen(options); !listening) {
    return tl::unexpected(listening.error());
  }
  return server;
}

bool HasGrpc() { return true; }

}  // namespace ergo::serve
