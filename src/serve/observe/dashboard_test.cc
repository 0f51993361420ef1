// deploy/grafana/ergo.json shows what the server writes, under the names it has there.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "base/json.h"
#include "base/mapped_file.h"
#include "serve/observe/metrics.h"

namespace ergo::serve {
namespace {

TEST(Dashboard, ShowsWhatIsThere) {
  const std::string file = std::string(ERGO_SOURCE_DIR) + "/deploy/grafana/ergo.json";
  const auto text = ReadFile(file, std::size_t{1} << 20);
  ASSERT_TRUE(text) << text.error().Message();
  const auto dashboard = ParseJson(*text, file);
  ASSERT_TRUE(dashboard) << dashboard.error().Message();
  Metrics metrics;
  metrics.Of("m").CountFinish("stop");
  metrics.CountReply("/health", 200);
  const std::string written = "\n" + metrics.Write({{"m", {}}}, 1);
  const std::regex name("(vllm|ergo):[a-z0-9_]+");
  std::set<std::string> names;
  for (const Json& panel : dashboard->at("panels")) {
    for (const Json& target : panel.at("targets")) {
      const std::string expression = target.at("expr").get<std::string>();
      for (std::sregex_iterator at(expression.begin(), expression.end(), name), end; at != end;
           ++at) {
        names.insert(at->str());
      }
    }
  }
  EXPECT_GT(names.size(), 15U);
  for (const std::string& one : names) {
    const bool there = written.find("\n" + one + "{") != std::string::npos ||
                       written.find("\n" + one + " ") != std::string::npos;
    EXPECT_TRUE(there) << one;
  }
}

}  // namespace
}  // namespace ergo::serve
