// `ergo serve`: the models of this machine for programs that speak HTTP.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/cpu.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/engine_choice.h"
#include "cli/model_choice.h"
#include "cli/serve_settings.h"
#include "cli/terminal.h"
#include "serve/control/control_socket.h"
#include "serve/control/status.h"
#include "serve/endpoints/front.h"
#include "serve/grpc/rpc_server.h"
#include "serve/http/server.h"
#include "serve/service/service.h"

namespace ergo::cli {
namespace {

/// "org/name" for what comes from the hub, else the file's name without its ending.
std::string NameOf(const std::string& model) {
  std::error_code ignored;
  const std::filesystem::path path(model);
  if (!std::filesystem::exists(path, ignored)) return model;
  return std::filesystem::is_directory(path, ignored) ? path.filename().string()
                                                      : path.stem().string();
}

Result<std::vector<serve::ModelSource>> SourcesOf(const ServeSettings& settings) {
  std::vector<std::string> names = settings.models;
  if (names.empty()) names.emplace_back();
  std::vector<serve::ModelSource> sources;
  for (const std::string& name : names) {
    EngineChoice choice = settings.engine;
    choice.model = name;
    auto path = ChooseModel(name);
    if (!path) return Fail(std::move(path));
    serve::ModelSource source;
    source.name = settings.alias.empty() || !sources.empty() ? NameOf(*path) : settings.alias;
    if (source.name != *path) source.aliases.push_back(*path);
    source.load = [choice] { return LoadLanguageModel(choice); };
    sources.push_back(std::move(source));
  }
  return sources;
}

serve::ServerOptions ServerOptionsOf(const ServeSettings& settings) {
  serve::ServerOptions options;
  options.host = settings.host;
  options.port = static_cast<std::uint16_t>(settings.port.value_or(8080));
  options.tls_certificate = settings.tls_cert;
  options.tls_key = settings.tls_key;
  options.origins = settings.origins;
  options.threads = static_cast<int>(settings.io_threads.value_or(1));
  options.most_connections =
      static_cast<std::size_t>(settings.connections.value_or(static_cast<std::int64_t>(4096)));
  if (settings.body_bytes) options.most_body_bytes = static_cast<std::size_t>(*settings.body_bytes);
  return options;
}

Result<serve::ServiceOptions> ServiceOptionsOf(const ServeSettings& settings) {
  serve::ServiceOptions options;
  options.version = kVersion;
  options.keys_file = settings.api_keys;
  options.most_requests = static_cast<std::size_t>(settings.queue.value_or(2048));
  options.most_time = std::chrono::seconds(settings.time.value_or(600));
  options.most_models = static_cast<std::size_t>(settings.most_models.value_or(0));
  options.reasoners = static_cast<std::size_t>(settings.reasoners.value_or(2));
  if (settings.cache_memory) {
    options.answers.memory_bytes = static_cast<std::size_t>(*settings.cache_memory);
  }
  options.otlp_endpoint = settings.otlp_endpoint;
  options.answers.file = settings.cache_file;
  options.answers.redis = settings.redis;
  options.answers.redis_secret = settings.redis_secret;
  options.keep_traces = !settings.no_traces;
  options.traces = reasoning::StoreOptions::FromEnvironment();
  if (!serve::ParseLevel(settings.log_level, &options.log_level)) {
    return Fail("is no level: " + settings.log_level, "--log-level",
                "debug, info, warning, error or none");
  }
  return options;
}

std::string PathName() {
  const auto path = ChooseCpuPath();
  return path ? std::string(Name(*path)) : path.error().Message();
}

void SayLoaded(const serve::Models::Listed& listed) {
  if (!listed.model) {
    Note(fmt::format("{}: {}", listed.name, listed.error));
    return;
  }
  generate::LanguageModel& model = **listed.model;
  const runtime::LoopStats stats = model.scheduler().stats();
  Note(fmt::format(
      "model {}: loaded in {:.0f} ms, {:.0f} MB, context {}, {} blocks of keys and values",
      listed.name, model.load_ms(), static_cast<double>(listed.model->bytes) / 1e6, model.context(),
      stats.blocks));
}

/// Beside HTTP; nullptr if it is not wanted.
Result<std::unique_ptr<serve::RpcServer>> StartRpc(const ServeSettings& settings,
                                                   serve::OnExchange on_exchange) {
  if (!settings.grpc_port) return nullptr;
  serve::RpcOptions options;
  options.host = settings.host;
  options.port = static_cast<std::uint16_t>(*settings.grpc_port);
  options.tls_certificate = settings.tls_cert;
  options.tls_key = settings.tls_key;
  auto server = serve::RpcServer::Start(options, std::move(on_exchange));
  if (server) Note(fmt::format("listening for gRPC on {}:{}", settings.host, (*server)->port()));
  return server;
}

/// For `ergo ps` and `ergo stop`. A server without it answers requests all the same.
std::unique_ptr<serve::ControlSocket> OpenControl(const std::string& url, int port,
                                                  serve::Service& service) {
  auto control = serve::ControlSocket::Open(
      serve::ControlFolder(), std::to_string(port),
      [url, &service](std::string_view line) -> std::string {
        if (line == "stop") ::kill(::getpid(), SIGTERM);
        OrderedJson status = serve::StatusOf(service);
        status["url"] = url;
        status["pid"] = ::getpid();
        return status.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
      });
  if (control) return *std::move(control);
  Note(fmt::format("ergo ps will not see this server: {}", control.error().Message()));
  return nullptr;
}

/// Waits for a signal that ends the server; SIGHUP reads keys and certificate anew.
int WaitForEnd(const sigset_t& signals, serve::Service& service, serve::Server& server) {
  while (true) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0) continue;
    if (signal != SIGHUP) return signal;
    const Status keys = service.keys().Reload();
    const Status certificate = server.ReloadCertificate();
    Note(keys ? "keys read anew" : keys.error().Message());
    if (!certificate) Note(certificate.error().Message());
  }
}

Result<int> Run(ServeSettings settings) {
  if (auto read = CompleteSettings(&settings); !read) return Fail(std::move(read));
  // Before any thread starts, so that all of them leave the signals to this one.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  auto sources = SourcesOf(settings);
  if (!sources) return Fail(std::move(sources));
  const auto options = ServiceOptionsOf(settings);
  if (!options) return tl::unexpected(options.error());
  auto service = serve::Service::Create(std::move(*sources), *options);
  if (!service) return Fail(std::move(service));
  auto front = serve::Front::Create(**service);
  if (!front) return Fail(std::move(front));
  (*service)->models().OnLoaded(SayLoaded);
  const serve::OnExchange answer = [&front](std::shared_ptr<serve::Exchange> exchange) {
    (*front)->Take(std::move(exchange));
  };
  auto server = serve::Server::Start(ServerOptionsOf(settings), serve::WithProtobuf(answer));
  if (!server) return Fail(std::move(server));
  auto rpc = StartRpc(settings, answer);
  if (!rpc) return Fail(std::move(rpc));
  (*service)->CountConnections([&server] { return (*server)->connections(); });
  const std::string url = fmt::format("{}://{}:{}", settings.tls_cert.empty() ? "http" : "https",
                                      settings.host, (*server)->port());
  const auto control = OpenControl(url, (*server)->port(), **service);
  Note(fmt::format("listening on {}, kernels {}, {} threads{}", url, PathName(),
                   ThreadsOf(settings.engine),
                   (*service)->keys().required() ? ", keys needed" : ""));
  (*service)->models().Load("");

  WaitForEnd(signals, **service, **server);
  (*service)->StartDraining();
  const std::chrono::seconds grace(settings.drain.value_or(30));
  Note(fmt::format("finishing what was begun, for {} s at most", grace.count()));
  if (*rpc) (*rpc)->SetServing(false);
  const auto end = std::chrono::steady_clock::now() + grace;
  if (!(*server)->Drain(grace)) Note("some answers were cut");
  const auto left = end - std::chrono::steady_clock::now();
  if (*rpc) (*rpc)->Drain(std::chrono::ceil<std::chrono::milliseconds>(left));
  (*service)->CountConnections({});
  server->reset();
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<ServeSettings>();
  AddServeOptions(options, settings.get());
  return [settings] { return Run(*settings); };
}

}  // namespace

const Command kServe = {"serve", "[options]", "Answer requests over HTTP", Prepare};

}  // namespace ergo::cli
