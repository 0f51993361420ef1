// What the HTTP server takes, refuses and survives, over real sockets.
#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "serve/testing/server_fixture.h"

namespace ergo::serve::testing {
namespace {

class HttpTest : public ServerTest {};

TEST_F(HttpTest, KeepsConnectionsAndAnswersPipelinedRequestsInOrder) {
  HttpClient client(server_->port());
  client.Send(Written("GET", "/version", "") + Written("GET", "/nowhere", "") +
              Written("POST", "/tokenize", R"({"content": "ab"})") + Written("GET", "/health", ""));
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_EQ(client.Read().status, 404);
  EXPECT_EQ(client.Read().Json()["count"], 2);
  EXPECT_EQ(client.Read().Json()["status"], "ok");
  client.Send(Written("GET", "/health", ""));
  EXPECT_EQ(client.Read().status, 200);
}

TEST_F(HttpTest, ClosesWhenAsked) {
  HttpClient client(server_->port());
  client.Send(Written("GET", "/health", "", "Connection: close\r\n"));
  const HttpReply reply = client.Read();
  EXPECT_EQ(reply.status, 200);
  ASSERT_NE(reply.headers.Find("Connection"), nullptr);
  EXPECT_EQ(*reply.headers.Find("Connection"), "close");
  EXPECT_FALSE(client.ReadMore());
}

TEST_F(HttpTest, RefusesDoubtfulFraming) {
  const std::string head = "POST /tokenize HTTP/1.1\r\nHost: x\r\n";
  const std::vector<std::string> doubtful = {
      head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
      head + "Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
      head + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
      head + "Content-Length: 4, 4\r\n\r\nabcd",
      head + "Content-Length: +4\r\n\r\nabcd",
      head + "Content-Length: -1\r\n\r\n",
      head + "Content-Length: 99999999999999999999999\r\n\r\n",
      head + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      head + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
      head + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcdef\r\n0\r\n\r\n",
      head + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
      "GET /health HTTP/1.1\r\n\r\n",
      "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
      "GET health HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
      "\x16\x03\x01\x02\x00\x01 not HTTP at all\r\n\r\n",
  };
  for (const std::string& text : doubtful) {
    HttpClient client(server_->port());
    client.Send(text + Written("GET", "/health", ""));
    EXPECT_EQ(client.Read().status, 400) << text;
    // Nothing that stood behind it is taken for a request.
    EXPECT_EQ(client.Read().status, 0) << text;
  }
}

TEST_F(HttpTest, ReadsChunkedBodies) {
  const HttpReply reply = Send(
      "POST /tokenize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
      "8\r\n{\"conten\r\nA\r\nt\": \"abc\"}\r\n0\r\nHost: y\r\n\r\n");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.Json()["count"], 3);
}

TEST_F(HttpTest, SendsContinueToThoseWhoWait) {
  HttpClient client(server_->port());
  client.Send(
      "POST /tokenize HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 18\r\n\r\n");
  EXPECT_EQ(client.Read().status, 100);
  client.Send(R"({"content": "abc"})");
  EXPECT_EQ(client.Read().Json()["count"], 3);
}

class LimitsTest : public ServerTest {
 protected:
  void SetUp() override {
    server_options_.most_header_bytes = 2048;
    server_options_.most_body_bytes = 4096;
    server_options_.most_connections = 8;
    server_options_.header_time = std::chrono::milliseconds(300);
    server_options_.body_time = std::chrono::milliseconds(300);
    server_options_.idle_time = std::chrono::milliseconds(1500);
    StartServer();
  }
};

TEST_F(LimitsTest, HeadersAndBodiesAreBounded) {
  EXPECT_EQ(Get("/health", "X-Long: " + std::string(4000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(Get("/health", "X-Endless: " + std::string(300'000, 'x')).status, 431);
  const std::string body = R"({"content": ")" + std::string(5000, 'x') + "\"}";
  EXPECT_EQ(Post("/tokenize", body).status, 413);
  EXPECT_EQ(Send("POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n").status,
            413);
  EXPECT_EQ(
      Send("POST /tokenize HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" +
           std::string(0x2000, 'x'))
          .status,
      413);
}

TEST_F(LimitsTest, SlowClientsAreSentAway) {
  HttpClient idle(server_->port());
  HttpClient slow_head(server_->port());
  HttpClient slow_body(server_->port());
  slow_head.Send("GET /hea");
  slow_body.Send("POST /tokenize HTTP/1.1\r\nHost: x\r\nContent-Length: 18\r\n\r\n{\"con");
  EXPECT_EQ(slow_head.Read().status, 408);
  EXPECT_EQ(slow_body.Read().status, 408);
  EXPECT_FALSE(idle.ReadMore());
  EXPECT_TRUE(Soon([&] { return server_->connections() == 0; }));
}

TEST_F(LimitsTest, DrippingBytesDoesNotExtendTheTime) {
  HttpClient client(server_->port());
  client.Send("GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ");
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 100 && client.Send("x"); ++i) {
    if (server_->connections() == 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST_F(LimitsTest, OneConnectionTooManyIsToldSo) {
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 8; ++i) clients.push_back(std::make_unique<HttpClient>(server_->port()));
  ASSERT_TRUE(Soon([&] { return server_->connections() == 8; }));
  EXPECT_EQ(Get("/health").status, 503);
  clients.clear();
  EXPECT_TRUE(Soon([&] { return server_->connections() == 0; }));
  EXPECT_EQ(Get("/health").status, 200);
}

TEST_F(HttpTest, AHalfClosedConnectionGetsItsReply) {
  HttpClient client(server_->port());
  client.Send(Written("GET", "/version", ""));
  client.EndWriting();
  EXPECT_EQ(client.Read().status, 200);
  EXPECT_FALSE(client.ReadMore());
}

TEST_F(HttpTest, DrainLetsRepliesEnd) {
  HttpClient idle(server_->port());
  HttpClient busy(server_->port());
  busy.Send(Written("POST", "/v1/completions",
                    R"({"prompt": "abc", "max_tokens": 150, "ignore_eos": true, "stream": true})"));
  ASSERT_TRUE(busy.ReadUntil("text_completion"));
  std::thread drain([&] { EXPECT_TRUE(server_->Drain(std::chrono::seconds(20))); });
  const HttpReply reply = busy.Read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.whole);
  EXPECT_EQ(reply.Events().back(), "[DONE]");
  EXPECT_FALSE(idle.ReadMore());
  drain.join();
}

class CorsTest : public ServerTest {
 protected:
  void SetUp() override {
    server_options_.origins = {"https://chat.example"};
    StartServer();
  }
};

TEST_F(CorsTest, OnlyListedOriginsMayRead) {
  const HttpReply fine = Get("/health", "Origin: https://chat.example\r\n");
  ASSERT_NE(fine.headers.Find("Access-Control-Allow-Origin"), nullptr);
  EXPECT_EQ(*fine.headers.Find("Access-Control-Allow-Origin"), "https://chat.example");
  EXPECT_EQ(Get("/health", "Origin: https://evil.example\r\n")
                .headers.Find("Access-Control-Allow-Origin"),
            nullptr);
  const std::string asks = "Access-Control-Request-Method: POST\r\nOrigin: https://";
  EXPECT_EQ(Send(Written("OPTIONS", "/v1/models", "", asks + "chat.example\r\n")).status, 204);
  EXPECT_EQ(Send(Written("OPTIONS", "/v1/models", "", asks + "evil.example\r\n")).status, 403);
}

}  // namespace
}  // namespace ergo::serve::testing
