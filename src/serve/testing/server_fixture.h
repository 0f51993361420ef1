// A server over the tiny model on a free port, for tests of endpoints.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "generate/testing/tiny_model.h"
#include "serve/endpoints/front.h"
#include "serve/http/server.h"
#include "serve/service/service.h"
#include "serve/testing/http_client.h"

namespace ergo::serve::testing {

class ServerTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kContext = 256;

  /// With the options as they are now.
  void StartServer() {
    service_options_.log_level = Log::Level::kNone;
    service_options_.keep_traces = !service_options_.traces.folder.empty();
    server_options_.port = 0;
    std::vector<ModelSource> sources(1);
    sources[0].name = "tiny";
    sources[0].load = [this]() -> Result<std::shared_ptr<generate::LanguageModel>> {
      auto model = generate::testing::LoadTiny(folder_, kContext);
      if (!model) return Fail("does not load", folder_.path());
      return model;
    };
    auto service = Service::Create(std::move(sources), service_options_);
    ASSERT_TRUE(service) << service.error().Message();
    service_ = std::move(*service);
    service_->models().Load("");
    ASSERT_TRUE(service_->models().WaitLoaded());
    auto front = Front::Create(*service_);
    ASSERT_TRUE(front) << front.error().Message();
    front_ = std::move(*front);
    auto server = Server::Start(server_options_, [this](std::shared_ptr<Exchange> exchange) {
      front_->Take(std::move(exchange));
    });
    ASSERT_TRUE(server) << server.error().Message();
    server_ = std::move(*server);
  }
  void SetUp() override { StartServer(); }
  void TearDown() override {
    server_ = nullptr;
    front_ = nullptr;
    service_ = nullptr;
  }

  static std::string Written(std::string_view method, std::string_view path, std::string_view body,
                             std::string_view headers = "") {
    std::string text = std::string(method) + " " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n";
    if (!body.empty()) {
      text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n";
    }
    return text + std::string(headers) + "\r\n" + std::string(body);
  }
  HttpReply Send(std::string_view bytes) const {
    HttpClient client(server_->port());
    client.Send(bytes);
    return client.Read();
  }
  HttpReply Get(std::string_view path, std::string_view headers = "") const {
    return Send(Written("GET", path, "", headers));
  }
  HttpReply Post(std::string_view path, std::string_view body,
                 std::string_view headers = "") const {
    return Send(Written("POST", path, body, headers));
  }
  runtime::LoopStats Stats() const {
    return service_->models().List()[0].model->model->scheduler().stats();
  }
  /// Whether `condition` holds within five seconds.
  template <typename Condition>
  static bool Soon(Condition condition) {
    for (int i = 0; i < 500; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }

  generate::testing::TinyFolder folder_;
  ServiceOptions service_options_;
  ServerOptions server_options_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<Server> server_;
};

}  // namespace ergo::serve::testing
