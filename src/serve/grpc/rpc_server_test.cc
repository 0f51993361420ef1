#include "serve/grpc/rpc_server.h"

#include <ergo/v1/ergo.grpc.pb.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <thread>

#include "base/json.h"

namespace ergo::serve {
namespace {

using ::testing::HasSubstr;
namespace v1 = ergo::v1;
using std::chrono::milliseconds;

/// A server whose handler is the test's, and a client.
class RpcServerTest : public ::testing::Test {
 protected:
  void Start(OnExchange on_exchange) {
    RpcOptions options;
    options.port = 0;
    auto server = RpcServer::Start(options, std::move(on_exchange));
    ASSERT_TRUE(server) << server.error().Message();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel("127.0.0.1:" + std::to_string(server_->port()),
                                   grpc::InsecureChannelCredentials());
    generation_ = v1::Generation::NewStub(channel_);
  }

  std::unique_ptr<RpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Generation::Stub> generation_;
};

TEST_F(RpcServerTest, ACallIsARequestAndItsReply) {
  Request seen;
  Start([&](const std::shared_ptr<Exchange>& exchange) {
    seen = exchange->request();
    Reply reply;
    reply.body = R"({"output": "答", "usage": {"prompt_tokens": 3}, "new_field": [1],
                     "finish_reason": "stop", "confidence": null})";
    exchange->Send(reply);
  });
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer k");
  v1::GenerateRequest request;
  request.set_prompt("p");
  request.set_max_tokens(4);
  request.set_temperature(0.0);
  v1::GenerateReply reply;
  const grpc::Status status = generation_->Generate(&context, request, &reply);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(reply.output(), "答");
  EXPECT_EQ(reply.usage().prompt_tokens(), 3);
  EXPECT_FALSE(reply.has_confidence());
  EXPECT_EQ(seen.method, "POST");
  EXPECT_EQ(seen.path, "/v1/generate");
  EXPECT_EQ(*seen.headers.Find("Authorization"), "Bearer k");
  const auto body = ParseOrderedJson(seen.body, "body");
  ASSERT_TRUE(body);
  EXPECT_EQ((*body)["prompt"], "p");
  EXPECT_EQ((*body)["max_tokens"], 4);
  EXPECT_EQ((*body)["temperature"], 0.0);  // set, though it is the default of its type
  EXPECT_FALSE(body->contains("seed"));
}

TEST_F(RpcServerTest, FailuresAreStatuses) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    Reply reply;
    reply.status = 429;
    reply.headers.Add("Retry-After", "7");
    reply.body = R"({"error": {"message": "too many", "code": "queue_full"}})";
    exchange->Send(reply);
  });
  grpc::ClientContext context;
  v1::GenerateReply reply;
  const grpc::Status status = generation_->Generate(&context, {}, &reply);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(status.error_message(), "too many");
  const auto& trailers = context.GetServerTrailingMetadata();
  EXPECT_EQ(trailers.find("retry-after")->second, "7");
  EXPECT_EQ(trailers.find("ergo-code")->second, "queue_full");
}

TEST_F(RpcServerTest, AHandlerThatForgetsTheCallEndsIt) {
  Start([](const std::shared_ptr<Exchange>&) {});
  grpc::ClientContext context;
  v1::GenerateReply reply;
  EXPECT_EQ(generation_->Generate(&context, {}, &reply).error_code(), grpc::StatusCode::INTERNAL);
}

TEST_F(RpcServerTest, ServerSentEventsAreMessages) {
  Start([](const std::shared_ptr<Exchange>& exchange) {
    exchange->Post([exchange] {
      const auto stream = exchange->Stream({});
      stream->Write("data: {\"choices\": [{\"index\": 0, \"delta\": {\"content\": \"a\"}}]}\n");
      stream->Write("\n: ping\n\ndata: {\"choices\": [{\"delta\": {\"content\": null},");
      stream->Write(" \"finish_reason\": \"stop\"}]}\n\ndata: [DONE]\n\n");
      stream->Finish();
    });
  });
  grpc::ClientContext context;
  const auto reader = generation_->ChatStream(&context, {});
  v1::ChatChunk chunk;
  ASSERT_TRUE(reader->Read(&chunk));
  EXPECT_EQ(chunk.choices(0).delta().content(), "a");
  ASSERT_TRUE(reader->Read(&chunk));
  EXPECT_EQ(chunk.choices(0).finish_reason(), "stop");
  EXPECT_FALSE(reader->Read(&chunk));
  EXPECT_TRUE(reader->Finish().ok());
}

TEST_F(RpcServerTest, AStreamThatIsCutOrFailsSaysSo) {
  std::atomic<bool> fails = false;
  Start([&](const std::shared_ptr<Exchange>& exchange) {
    const auto stream = exchange->Stream({});
    stream->Write("data: {\"output\": \"a\"}\n\n");
    if (fails) stream->Write("data: {\"error\": {\"message\": \"no room\"}}\n\n");
  });
  for (const bool failing : {false, true}) {
    fails = failing;
    grpc::ClientContext context;
    const auto reader = generation_->GenerateStream(&context, {});
    v1::GenerateReply reply;
    EXPECT_TRUE(reader->Read(&reply));
    EXPECT_FALSE(reader->Read(&reply));
    const grpc::Status status = reader->Finish();
    EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_THAT(status.error_message(), HasSubstr(failing ? "no room" : "cut off"));
  }
}

TEST_F(RpcServerTest, AClientThatGoesAndADeadlineAreToldToTheHandler) {
  std::atomic<int> gone = 0;
  std::mutex mutex;
  std::vector<std::shared_ptr<ReplyStream>> open;
  Start([&](const std::shared_ptr<Exchange>& exchange) {
    exchange->OnGone([&] { ++gone; });
    const std::lock_guard lock(mutex);
    open.push_back(exchange->Stream({}));
    open.back()->Write("data: {\"output\": \"a\"}\n\n");
  });
  grpc::ClientContext cancelled;
  const auto reader = generation_->GenerateStream(&cancelled, {});
  v1::GenerateReply reply;
  EXPECT_TRUE(reader->Read(&reply));
  cancelled.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  for (int i = 0; i < 1000 && gone < 1; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(gone, 1);

  grpc::ClientContext late;
  late.set_deadline(std::chrono::system_clock::now() + milliseconds(200));
  const auto second = generation_->GenerateStream(&late, {});
  while (second->Read(&reply)) continue;
  EXPECT_EQ(second->Finish().error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  for (int i = 0; i < 1000 && gone < 2; ++i) std::this_thread::sleep_for(milliseconds(5));
  EXPECT_EQ(gone, 2);
  const std::lock_guard lock(mutex);
  for (const auto& stream : open) {
    stream->Write("data: {\"output\": \"for nobody\"}\n\n");
    stream->Finish();
  }
}

TEST_F(RpcServerTest, ASlowReaderFillsTheStreamAndGetsAll) {
  static constexpr int kCount = 100;
  // The server may look at it once more after the client has heard the end.
  struct Progress {
    std::atomic<int> written = 0;
    std::atomic<bool> was_full = false;
  };
  const auto progress = std::make_shared<Progress>();
  Start([progress](const std::shared_ptr<Exchange>& exchange) {
    const auto stream = exchange->Stream({});
    const auto write = std::make_shared<std::function<void()>>();
    *write = [progress, stream, exchange] {
      while (progress->written < kCount && !stream->Full()) {
        stream->Write("data: {\"output\": \"" + std::string(200'000, 'x') + "\"}\n\n");
        ++progress->written;
      }
      if (progress->written == kCount) return stream->Finish();
      progress->was_full = true;
    };
    stream->OnRoom([write] { (*write)(); });
    exchange->Post([write] { (*write)(); });
  });
  // A client that does not read makes no progress of its own, connecting included.
  ASSERT_TRUE(channel_->WaitForConnected(std::chrono::system_clock::now() + milliseconds(10'000)));
  grpc::ClientContext context;
  const auto reader = generation_->GenerateStream(&context, {});
  for (int i = 0; i < 500 && !progress->was_full; ++i)
    std::this_thread::sleep_for(milliseconds(20));
  EXPECT_TRUE(progress->was_full);
  EXPECT_LT(progress->written, kCount);
  v1::GenerateReply reply;
  int read = 0;
  while (reader->Read(&reply)) ++read;
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(read, kCount);
}

TEST_F(RpcServerTest, IdsGoIntoThePathAndRestIntoTheQuery) {
  Request seen;
  Start([&](const std::shared_ptr<Exchange>& exchange) {
    seen = exchange->request();
    Reply reply;
    reply.body = R"({"id": "t1", "nodes": [{"kind": "step"}]})";
    exchange->Send(reply);
  });
  const auto traces = v1::Traces::NewStub(channel_);
  v1::TraceName name;
  name.set_id("t1");
  v1::TraceDocument document;
  grpc::ClientContext get;
  ASSERT_TRUE(traces->Get(&get, name, &document).ok());
  EXPECT_EQ(seen.path, "/v1/traces/t1");
  EXPECT_EQ(document.document().fields().at("id").string_value(), "t1");
  for (const char* bad : {"", "../keys"}) {
    name.set_id(bad);
    grpc::ClientContext context;
    EXPECT_EQ(traces->Get(&context, name, &document).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  v1::ListTracesRequest list;
  list.set_limit(5);
  v1::ListTracesReply traces_reply;
  grpc::ClientContext context;
  ASSERT_TRUE(traces->List(&context, list, &traces_reply).ok());
  EXPECT_EQ(*FindValue(seen.query, "limit"), "5");
}

TEST_F(RpcServerTest, ThePortIsTakenOnce) {
  Start([](const std::shared_ptr<Exchange>&) {});
  RpcOptions options;
  options.port = server_->port();
  const auto second = RpcServer::Start(options, [](const std::shared_ptr<Exchange>&) {});
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().Message(), HasSubstr("--grpc-port"));
}

TEST_F(RpcServerTest, DrainingWaitsForOpenCalls) {
  std::promise<std::shared_ptr<Exchange>> arrived;
  Start([&](const std::shared_ptr<Exchange>& exchange) { arrived.set_value(exchange); });
  auto call = std::async(std::launch::async, [&] {
    grpc::ClientContext context;
    v1::GenerateReply reply;
    return generation_->Generate(&context, {}, &reply).ok();
  });
  std::shared_ptr<Exchange> exchange = arrived.get_future().get();
  auto drained = std::async(std::launch::async, [&] { server_->Drain(milliseconds(20'000)); });
  std::this_thread::sleep_for(milliseconds(100));
  Reply reply;
  reply.body = "{}";
  exchange->Send(reply);
  drained.get();
  EXPECT_TRUE(call.get());
}

/// An exchange without a connection.
class LoneExchange final : public Exchange {
 public:
  explicit LoneExchange(Request request, Reply* reply)
      : request_(std::move(request)), reply_(reply) {}
  const Request& request() const override { return request_; }
  void Send(Reply reply) override { *reply_ = std::move(reply); }
  std::shared_ptr<ReplyStream> Stream(Reply) override { return nullptr; }
  void OnGone(std::function<void()>) override {}
  bool gone() const override { return false; }
  void Post(std::function<void()> action) override { action(); }
  void PostAfter(milliseconds, std::function<void()>) override {}

 private:
  Request request_;
  Reply* reply_;
};

TEST(ProtobufBody, IsJsonInside) {
  Request seen;
  const OnExchange front = WithProtobuf([&](const std::shared_ptr<Exchange>& exchange) {
    seen = exchange->request();
    Reply reply;
    reply.body = R"({"output": "yes", "reasoning_chain": [{"text": "s", "verdict": "verified"}]})";
    exchange->Send(reply);
  });
  v1::GenerateRequest message;
  message.set_prompt("p");
  message.set_max_tokens(2);
  Request request;
  request.method = "POST";
  request.path = "/v1/generate";
  request.headers.Add("X-Request-Id", "abc");
  request.headers.Add("content-type", "application/x-protobuf");
  request.body = message.SerializeAsString();
  Reply reply;
  front(std::make_shared<LoneExchange>(request, &reply));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.content_type, "application/x-protobuf");
  v1::GenerateReply answer;
  ASSERT_TRUE(answer.ParseFromString(reply.body));
  EXPECT_EQ(answer.output(), "yes");
  EXPECT_EQ(answer.reasoning_chain(0).verdict(), "verified");
  EXPECT_EQ(seen.headers.Count("Content-Type"), 1U);
  EXPECT_EQ(*seen.headers.Find("X-Request-Id"), "abc");
  EXPECT_EQ((*ParseOrderedJson(seen.body, "body"))["prompt"], "p");

  request.body = "\xFF\xFF not protobuf";
  front(std::make_shared<LoneExchange>(request, &reply));
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("invalid_protobuf"));
}

}  // namespace
}  // namespace ergo::serve
