// `ergo ps` and `ergo stop`: the servers of this person on this machine.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/json.h"
#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/terminal.h"
#include "serve/control/control_socket.h"

namespace ergo::cli {
namespace {

namespace fs = std::filesystem;

Result<OrderedJson> Ask(const fs::path& server, std::string_view line) {
  const Result<std::string> answer = serve::AskControl(server, line);
  if (!answer) return tl::unexpected(answer.error());
  auto json = ParseOrderedJson(*answer, server.string());
  if (json && !json->is_object()) return Fail("an odd answer", server.string());
  return json;
}

std::string Megabytes(const OrderedJson& model, const char* name) {
  const auto found = model.find(name);
  if (found == model.end() || !found->is_number()) return "-";
  return fmt::format("{:.0f} MB", found->get<double>() / 1e6);
}

std::string Count(const OrderedJson& model, const char* name) {
  const auto found = model.find(name);
  return found != model.end() && found->is_number() ? found->dump() : "-";
}

Result<int> ShowAll(bool json) {
  const std::vector<fs::path> servers = serve::FindControls(serve::ControlFolder());
  std::string text;
  OrderedJson all = OrderedJson::array();
  if (!json && !servers.empty()) {
    text = fmt::format("{:<28} {:<24} {:<8} {:>9} {:>9} {:>8} {:>8}\n", "SERVER", "MODEL", "STATE",
                       "WEIGHTS", "KV", "RUNNING", "WAITING");
  }
  for (const fs::path& server : servers) {
    auto status = Ask(server, "status");
    if (!status) return tl::unexpected(status.error());
    const std::string url = status->value("url", server.stem().string());
    for (const OrderedJson& model : status->value("models", OrderedJson::array())) {
      text += fmt::format("{:<28} {:<24} {:<8} {:>9} {:>9} {:>8} {:>8}\n", url,
                          model.value("name", ""), model.value("state", ""),
                          Megabytes(model, "bytes"), Megabytes(model, "kv_bytes"),
                          Count(model, "running"), Count(model, "waiting"));
    }
    all.push_back(*std::move(status));
  }
  if (json) text = all.dump(2) + "\n";
  if (servers.empty() && !json) Note("no server is running");
  const Status printed = Print(text);
  if (!printed) return tl::unexpected(printed.error());
  return kOk;
}

Result<int> Stop(const std::vector<std::string>& words) {
  const fs::path folder = serve::ControlFolder();
  std::vector<fs::path> servers = serve::FindControls(folder);
  if (!words.empty()) {
    servers = {folder / (words[0] + ".sock")};
  } else if (servers.empty()) {
    return Fail("no server is running", "ergo stop", "ergo ps shows those that are");
  } else if (servers.size() > 1) {
    return Fail(fmt::format("{} servers are running", servers.size()), "ergo stop",
                "name the port of one; ergo ps shows them");
  }
  const auto stopping = Ask(servers[0], "stop");
  if (!stopping) return tl::unexpected(stopping.error());
  // It finishes what was begun: the socket goes when it is done.
  std::error_code ignored;
  while (fs::exists(servers[0], ignored) && serve::AskControl(servers[0], "status")) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  Note("stopped");
  return kOk;
}

Action PreparePs(Options& options) {
  const auto json = std::make_shared<bool>(false);
  options.Flag("--json", json.get(), "all that the servers tell, as JSON");
  return [json] { return ShowAll(*json); };
}

Action PrepareStop(Options& options) {
  const auto words = std::make_shared<std::vector<std::string>>();
  options.Arguments(words.get(), 0, 1);
  return [words] { return Stop(*words); };
}

}  // namespace

const Command kPs = {"ps", "[options]", "Show the servers that run and their models", PreparePs};
const Command kStop = {"stop", "[PORT]", "End a server when its requests are answered",
                       PrepareStop};

}  // namespace ergo::cli
