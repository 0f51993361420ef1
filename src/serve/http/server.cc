#include "serve/http/server.h"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>

#include "serve/http/reply_state.h"
#include "serve/http/request_parser.h"

namespace ergo::serve {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Executor = asio::io_context::executor_type;
using Strand = asio::strand<Executor>;
using Socket = asio::basic_stream_socket<tcp, Strand>;
using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Strand>;
using TlsContext = std::shared_ptr<asio::ssl::context>;
using Milliseconds = std::chrono::milliseconds;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
/// Bytes that are read ahead of the request that is worked on.
constexpr std::size_t kMostAhead = 64 << 10;
constexpr std::size_t kSmallRead = 4 << 10;
/// How long what is left of a refused request is read, so that the client gets to see why.
constexpr Milliseconds kLinger(1000);
/// Between attempts to accept while there are no file descriptors.
constexpr Milliseconds kAcceptPause(50);

std::string AddressOf(const Socket& socket) {
  error_code error;
  const auto end = socket.remote_endpoint(error);
  return error ? std::string() : end.address().to_string();
}

/// Bytes to and from the other side, encrypted or not.
class Transport {
 public:
  explicit Transport(Socket socket, TlsContext tls) : socket_(std::move(socket)), context_(tls) {
    if (context_) tls_.emplace(socket_, *context_);
  }

  Socket& socket() { return socket_; }
  asio::awaitable<bool> Open() {
    if (!tls_) co_return true;
    const auto [error] = co_await tls_->async_handshake(asio::ssl::stream_base::server, kAwait);
    co_return !error;
  }
  /// 0: the end, or an error.
  asio::awaitable<std::size_t> Read(char* bytes, std::size_t size) {
    const auto buffer = asio::buffer(bytes, size);
    if (tls_) {
      const auto [error, count] = co_await tls_->async_read_some(buffer, kAwait);
      co_return error ? 0 : count;
    }
    const auto [error, count] = co_await socket_.async_read_some(buffer, kAwait);
    co_return error ? 0 : count;
  }
  asio::awaitable<std::size_t> Write(std::string_view bytes) {
    const auto buffer = asio::buffer(bytes.data(), bytes.size());
    if (tls_) {
      const auto [error, count] = co_await tls_->async_write_some(buffer, kAwait);
      co_return error ? 0 : count;
    }
    const auto [error, count] = co_await socket_.async_write_some(buffer, kAwait);
    co_return error ? 0 : count;
  }
  void Close() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_both, ignored);
    socket_.close(ignored);
  }
  void EndWriting() {
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
  }

 private:
  Socket socket_;
  TlsContext context_;
  std::optional<asio::ssl::stream<Socket&>> tls_;
};

class Connection;

/// What all connections share. Exchanges keep it, however long their handlers take.
struct Hub {
  ServerOptions options;
  OnExchange on_exchange;
  asio::io_context io;
  std::atomic<bool> stopped = false;  ///< nothing runs in `io` any more
  std::atomic<bool> draining = false;
  std::atomic<std::uint64_t> requests = 0;

  std::mutex mutex;
  std::condition_variable fewer;
  std::unordered_map<Connection*, std::weak_ptr<Connection>> connections;

  std::vector<std::shared_ptr<Connection>> All() {
    const std::lock_guard lock(mutex);
    std::vector<std::shared_ptr<Connection>> all;
    for (const auto& [unused, weak] : connections) {
      if (auto connection = weak.lock()) all.push_back(std::move(connection));
    }
    return all;
  }
};

bool AllowsOrigin(const ServerOptions& options, const std::string& origin) {
  for (const std::string& allowed : options.origins) {
    if (allowed == "*" || allowed == origin) return true;
  }
  return false;
}

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Hub> hub, Socket socket, TlsContext tls)
      : hub_(std::move(hub)),
        strand_(socket.get_executor()),
        peer_(AddressOf(socket)),
        transport_(std::move(socket), std::move(tls)),
        deadline_(strand_),
        input_news_(strand_),
        output_news_(strand_) {
    for (Timer* timer : {&deadline_, &input_news_, &output_news_}) {
      timer->expires_at(Timer::time_point::max());
    }
  }
  ~Connection() {
    const std::lock_guard lock(hub_->mutex);
    hub_->connections.erase(this);
    hub_->fewer.notify_all();
  }

  void Start(bool refused) {
    asio::co_spawn(
        strand_, [self = shared_from_this(), refused] { return self->Main(refused); },
        asio::detached);
  }
  /// Any thread: goes away now, or when its reply is over.
  void Drain(bool now) {
    asio::post(strand_, [self = shared_from_this(), now] {
      if (now || (!self->reply_ && self->input_.empty())) self->Close();
    });
  }

 private:
  asio::awaitable<void> Main(bool refused);
  asio::awaitable<void> Reader();
  asio::awaitable<bool> ReadRequest(RequestParser& parser);
  asio::awaitable<bool> Reply(RequestParser& parser);
  asio::awaitable<void> Refuse(int status, const std::string& message);
  asio::awaitable<bool> WriteAll(std::string_view bytes);
  asio::awaitable<void> Wait(Timer& news) { co_await news.async_wait(kAwait); }
  ReplyFrame FrameFor(const RequestParser& parser, const Request& request) const;
  std::shared_ptr<ReplyState> NewReply(ReplyFrame frame);
  bool IsPreflight(const Request& request) const;

  /// From now on the connection may take `time` until the next call.
  void Arm(Milliseconds time);
  void Disarm() { deadline_.expires_at(Timer::time_point::max()); }
  void Close();

  const std::shared_ptr<Hub> hub_;
  Strand strand_;
  const std::string peer_;
  Transport transport_;
  Timer deadline_;
  Timer input_news_;
  Timer output_news_;
  std::string input_;
  bool wants_much_ = false;  ///< a body is being read
  bool discards_ = false;    ///< what comes in is thrown away
  bool read_ended_ = false;
  bool timed_out_ = false;
  bool closed_ = false;
  std::shared_ptr<ReplyState> reply_;
};

void Connection::Arm(Milliseconds time) {
  timed_out_ = false;
  deadline_.expires_after(time);
  deadline_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self || self->deadline_.expiry() > Timer::clock_type::now()) return;
    self->timed_out_ = true;
    self->input_news_.cancel();
    // A client that is only slow to ask is told so (Main); one that takes nothing is cut.
    if (self->reply_ || self->discards_) self->Close();
  });
}

void Connection::Close() {
  if (closed_) return;
  closed_ = true;
  transport_.Close();
  deadline_.cancel();
  input_news_.cancel();
  output_news_.cancel();
  if (reply_) reply_->Gone();
}

asio::awaitable<void> Connection::Reader() {
  std::string bytes(kSmallRead, '\0');
  while (!closed_) {
    if (!discards_ && input_.size() >= kMostAhead) {
      co_await Wait(input_news_);
      continue;
    }
    const std::size_t size = wants_much_ ? kMostAhead : kSmallRead;
    if (bytes.size() != size) bytes = std::string(size, '\0');
    const std::size_t count = co_await transport_.Read(bytes.data(), bytes.size());
    if (count == 0) {
      read_ended_ = true;
      input_news_.cancel();
      if (reply_) reply_->Gone();
      co_return;
    }
    if (!discards_) input_.append(bytes, 0, count);
    input_news_.cancel();
  }
}

/// False: there is nothing to answer. Else the parser is at its end or has failed.
asio::awaitable<bool> Connection::ReadRequest(RequestParser& parser) {
  using State = RequestParser::State;
  const ServerOptions& options = hub_->options;
  bool first = input_.empty();
  bool head = false;
  bool in_time = true;
  Arm(first ? options.idle_time : options.header_time);
  while (parser.state() == State::kHead || parser.state() == State::kBody) {
    if (!input_.empty()) {
      if (std::exchange(first, false)) Arm(options.header_time);
      const std::size_t used = parser.Feed(input_);
      input_.erase(0, used);
      if (used > 0) input_news_.cancel();  // there is room
      if (parser.state() == State::kBody && !head) {
        head = true;
        wants_much_ = true;
        if (parser.expects_continue() && input_.empty() &&
            !co_await WriteAll("HTTP/1.1 100 Continue\r\n\r\n")) {
          co_return false;
        }
        Arm(options.body_time);
      }
      if (used > 0) continue;
      if (parser.state() == State::kError || parser.state() == State::kDone) break;
      if (input_.size() >= kMostAhead) {
        co_await Refuse(431, "the request's headers are too large");
        co_return false;
      }
    }
    if (closed_ || read_ended_) co_return false;
    in_time = !timed_out_;
    if (!in_time) break;
    co_await Wait(input_news_);
  }
  wants_much_ = false;
  if (in_time) co_return true;
  if (!first) co_await Refuse(408, "the request came too slowly");
  co_return false;
}

std::shared_ptr<ReplyState> Connection::NewReply(ReplyFrame frame) {
  ReplyState::Line line;
  line.post = [hub = hub_, strand = strand_](std::function<void()> action) {
    if (!hub->stopped) asio::post(strand, std::move(action));
  };
  line.post_after = [hub = hub_, strand = strand_](Milliseconds time,
                                                   std::function<void()> action) {
    if (hub->stopped) return;
    const auto timer = std::make_shared<Timer>(strand, time);
    timer->async_wait([timer, action = std::move(action)](error_code error) {
      if (!error) action();
    });
  };
  line.on_output = [hub = hub_, strand = strand_, weak = weak_from_this()] {
    if (hub->stopped) return;
    asio::dispatch(strand, [weak] {
      if (const auto self = weak.lock()) self->output_news_.cancel();
    });
  };
  return std::make_shared<ReplyState>(std::move(frame), std::move(line));
}

ReplyFrame Connection::FrameFor(const RequestParser& parser, const Request& request) const {
  ReplyFrame frame;
  frame.keep_alive = parser.keep_alive() && !hub_->draining;
  frame.http_1_0 = parser.http_1_0();
  frame.head_only = request.method == "HEAD";
  frame.request_id = request.id;
  const std::string* origin = request.headers.Find("Origin");
  if (origin != nullptr && AllowsOrigin(hub_->options, *origin)) frame.allowed_origin = *origin;
  return frame;
}

bool Connection::IsPreflight(const Request& request) const {
  return request.method == "OPTIONS" && request.headers.Find("Origin") != nullptr &&
         request.headers.Find("Access-Control-Request-Method") != nullptr;
}

/// Whether another request may follow.
asio::awaitable<bool> Connection::Reply(RequestParser& parser) {
  Request request = parser.Take();
  request.id = fmt::format("req_{:x}", ++hub_->requests);
  request.peer = peer_;
  ReplyFrame frame = FrameFor(parser, request);
  const bool allowed = !frame.allowed_origin.empty();
  const auto reply = reply_ = NewReply(std::move(frame));
  Disarm();
  if (IsPreflight(request)) {
    serve::Reply answer = {.status = allowed ? 204 : 403, .content_type = {}, .body = {}};
    if (allowed) {
      answer.headers.Add("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS");
      answer.headers.Add("Access-Control-Allow-Headers", "*, Authorization");
      answer.headers.Add("Access-Control-Max-Age", "600");
    }
    reply->Send(answer);
  } else {
    if (read_ended_) reply->Gone();
    hub_->on_exchange(MakeExchange(std::move(request), reply));
  }
  std::string output;
  bool fine = true;
  while (fine && !closed_ && reply->TakeOutput(&output)) {
    if (output.empty()) {
      co_await Wait(output_news_);
      continue;
    }
    fine = co_await WriteAll(output);
    reply->Written();
  }
  fine = fine && !closed_;
  if (!fine) reply->Gone();
  reply_ = nullptr;
  reply->Close();
  co_return fine && reply->keep_alive();
}

asio::awaitable<bool> Connection::WriteAll(std::string_view bytes) {
  while (!bytes.empty() && !closed_) {
    Arm(hub_->options.write_time);
    const std::size_t count = co_await transport_.Write(bytes);
    if (count == 0) co_return false;
    bytes.remove_prefix(count);
  }
  Disarm();
  co_return !closed_;
}

/// Says why nothing more is read, and reads on for a moment so that the client gets to see it.
asio::awaitable<void> Connection::Refuse(int status, const std::string& message) {
  ReplyFrame frame;
  frame.keep_alive = false;
  serve::Reply reply;
  reply.status = status;
  reply.body = fmt::format(R"({{"error":{{"message":"{}","type":"invalid_request_error",)"
                           R"("param":null,"code":{}}}}})",
                           message, status);
  const std::size_t length = reply.body.size();
  discards_ = true;
  input_.clear();
  input_news_.cancel();
  if (!co_await WriteAll(HeadOf(reply, frame, &length) + reply.body)) co_return;
  transport_.EndWriting();
  Arm(kLinger);
  while (!closed_ && !read_ended_) co_await Wait(input_news_);
}

asio::awaitable<void> Connection::Main(bool refused) {
  const auto self = shared_from_this();
  Arm(hub_->options.header_time);
  discards_ = true;  // the deadline cuts
  const bool open = co_await transport_.Open();
  discards_ = false;
  if (open && !closed_) {
    asio::co_spawn(
        strand_, [self] { return self->Reader(); }, asio::detached);
    if (refused) co_await Refuse(503, "too many connections");
    bool goes_on = !refused;
    while (goes_on && !closed_ && !timed_out_) {
      RequestParser parser({hub_->options.most_header_bytes, hub_->options.most_body_bytes});
      if (!co_await ReadRequest(parser)) break;
      if (parser.state() == RequestParser::State::kError) {
        co_await Refuse(parser.status(), parser.message());
        break;
      }
      goes_on = co_await Reply(parser);
      goes_on = goes_on && !(hub_->draining && input_.empty());
    }
  }
  Close();
}

class HttpServer final : public Server {
 public:
  explicit HttpServer(std::shared_ptr<Hub> hub) : hub_(std::move(hub)), acceptor_(hub_->io) {}
  ~HttpServer() override;

  Status Listen();
  std::uint16_t port() const override { return port_; }
  std::size_t connections() const override {
    const std::lock_guard lock(hub_->mutex);
    return hub_->connections.size();
  }
  Status ReloadCertificate() override;
  bool Drain(Milliseconds time) override;

 private:
  asio::awaitable<void> Accept();
  void StopAccepting();

  std::shared_ptr<Hub> hub_;
  tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
  std::mutex tls_mutex_;
  TlsContext tls_;
  std::vector<std::thread> threads_;
};

Status HttpServer::ReloadCertificate() {
  const ServerOptions& options = hub_->options;
  if (options.tls_certificate.empty()) return {};
  const auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  error_code error;
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Thousands of idle connections keep no buffers.
  SSL_CTX_set_mode(context->native_handle(), SSL_MODE_RELEASE_BUFFERS);
  context->use_certificate_chain_file(options.tls_certificate, error);
  if (error) {
    return Fail("is no certificate: " + error.message(), options.tls_certificate,
                "give a PEM file (--tls-cert)");
  }
  context->use_private_key_file(options.tls_key, asio::ssl::context::pem, error);
  if (error) {
    return Fail("is no key of the certificate: " + error.message(), options.tls_key,
                "give the certificate's PEM key (--tls-key)");
  }
  const std::lock_guard lock(tls_mutex_);
  tls_ = context;
  return {};
}

Status HttpServer::Listen() {
  if (auto ready = ReloadCertificate(); !ready) return ready;
  const ServerOptions& options = hub_->options;
  const std::string where = fmt::format("{}:{}", options.host, options.port);
  error_code error;
  tcp::resolver resolver(hub_->io);
  const auto found =
      resolver.resolve(options.host, std::to_string(options.port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return Fail("is no address: " + error.message(), where, "give an address of this machine");
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(1024, error);
  if (error) {
    return Fail("can't listen: " + error.message(), where, "choose another --port or --host");
  }
  port_ = acceptor_.local_endpoint(error).port();
  asio::co_spawn(
      hub_->io, [this] { return Accept(); }, asio::detached);
  for (int i = 0; i < std::max(options.threads, 1); ++i) {
    threads_.emplace_back([hub = hub_] { hub->io.run(); });
  }
  return {};
}

asio::awaitable<void> HttpServer::Accept() {
  while (acceptor_.is_open()) {
    auto [error, socket] = co_await acceptor_.async_accept(asio::make_strand(hub_->io), kAwait);
    if (error == asio::error::operation_aborted || !acceptor_.is_open()) break;
    if (error) {
      asio::steady_timer pause(hub_->io, kAcceptPause);
      co_await pause.async_wait(kAwait);
      continue;
    }
    error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    TlsContext tls;
    {
      const std::lock_guard lock(tls_mutex_);
      tls = tls_;
    }
    const auto connection = std::make_shared<Connection>(hub_, std::move(socket), std::move(tls));
    std::size_t count = 0;
    {
      const std::lock_guard lock(hub_->mutex);
      hub_->connections.emplace(connection.get(), connection);
      count = hub_->connections.size();
    }
    connection->Start(count > hub_->options.most_connections);
  }
}

void HttpServer::StopAccepting() {
  hub_->draining = true;
  asio::post(hub_->io, [this] {
    error_code ignored;
    acceptor_.close(ignored);
  });
}

bool HttpServer::Drain(Milliseconds time) {
  StopAccepting();
  for (const auto& connection : hub_->All()) connection->Drain(false);
  std::unique_lock lock(hub_->mutex);
  return hub_->fewer.wait_for(lock, time, [&] { return hub_->connections.empty(); });
}

HttpServer::~HttpServer() {
  if (!threads_.empty()) StopAccepting();
  for (const auto& connection : hub_->All()) connection->Drain(true);
  {
    // What a handler still holds is not waited for.
    std::unique_lock lock(hub_->mutex);
    hub_->fewer.wait_for(lock, Milliseconds(5000), [&] { return hub_->connections.empty(); });
  }
  hub_->stopped = true;
  hub_->io.stop();
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options,
                                              OnExchange on_exchange) {
  auto hub = std::make_shared<Hub>();
  hub->options = options;
  hub->on_exchange = std::move(on_exchange);
  auto server = std::make_unique<HttpServer>(std::move(hub));
  if (auto listening = server->Listen(); !listening) return Fail(std::move(listening));
  return server;
}

}  // namespace ergo::serve
