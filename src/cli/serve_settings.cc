#include "cli/serve_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <variant>

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "base/mapped_file.h"
#include "base/text.h"

namespace ergo::cli {
namespace {

constexpr std::size_t kMostConfig = std::size_t{1} << 20;

/// One setting that the environment and the file can give too.
struct Setting {
  std::string_view name;  ///< "api-keys"
  std::variant<std::string*, std::optional<std::int64_t>*, std::optional<std::uint64_t>*,
               std::vector<std::string>*, bool*>
      target;
};

std::vector<Setting> AllSettings(ServeSettings* settings) {
  return {{"alias", &settings->alias},
          {"api-keys", &settings->api_keys},
          {"cache-file", &settings->cache_file},
          {"cache-memory", &settings->cache_memory},
          {"connections", &settings->connections},
          {"context", &settings->engine.context},
          {"cors", &settings->origins},
          {"draft-model", &settings->engine.draft},
          {"drain", &settings->drain},
          {"grpc-port", &settings->grpc_port},
          {"host", &settings->host},
          {"io-threads", &settings->io_threads},
          {"kv-dir", &settings->engine.kv_dir},
          {"kv-memory", &settings->engine.kv_memory},
          {"log-level", &settings->log_level},
          {"max-body", &settings->body_bytes},
          {"max-models", &settings->most_models},
          {"max-requests", &settings->queue},
          {"model", &settings->models},
          {"no-traces", &settings->no_traces},
          {"otlp-endpoint", &settings->otlp_endpoint},
          {"port", &settings->port},
          {"reasoners", &settings->reasoners},
          {"redis", &settings->redis},
          {"redis-secret-file", &settings->redis_secret_file},
          {"request-time", &settings->time},
          {"threads", &settings->engine.threads},
          {"tls-cert", &settings->tls_cert},
          {"tls-key", &settings->tls_key}};
}

bool IsGiven(const Setting& setting) {
  return std::visit(
      [](const auto* target) {
        using T = std::decay_t<decltype(*target)>;
        if constexpr (std::is_same_v<T, bool>) {
          return *target;
        } else if constexpr (std::is_same_v<T, std::string> ||
                             std::is_same_v<T, std::vector<std::string>>) {
          return !target->empty();
        } else {
          return target->has_value();
        }
      },
      setting.target);
}

/// Lists have commas between their items.
bool SetFromText(const Setting& setting, std::string_view text) {
  return std::visit(
      [&](auto* target) {
        using T = std::decay_t<decltype(*target)>;
        if constexpr (std::is_same_v<T, bool>) {
          *target = text == "1" || text == "true";
          return *target || text == "0" || text == "false";
        } else if constexpr (std::is_same_v<T, std::string>) {
          *target = text;
          return true;
        } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          while (!text.empty()) {
            const std::size_t end = std::min(text.find(','), text.size());
            target->emplace_back(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
          }
          return true;
        } else {
          auto& value = target->emplace();
          const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
          return error == std::errc() && end == text.data() + text.size();
        }
      },
      setting.target);
}

bool SetFromToml(const Setting& setting, const toml::node& node) {
  if (const auto* list = node.as_array()) {
    auto* const* target = std::get_if<std::vector<std::string>*>(&setting.target);
    if (target == nullptr) return false;
    for (const toml::node& item : *list) {
      const auto text = item.value_exact<std::string>();
      if (!text) return false;
      (*target)->push_back(*text);
    }
    return true;
  }
  if (const auto text = node.value_exact<std::string>()) return SetFromText(setting, *text);
  if (const auto flag = node.value_exact<bool>()) return SetFromText(setting, *flag ? "1" : "0");
  const auto number = node.value_exact<std::int64_t>();
  return number && SetFromText(setting, std::to_string(*number));
}

std::string VariableOf(std::string_view name) {
  std::string variable = "ERGO_";
  for (const char c : name) {
    variable += c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return variable;
}

Status ReadEnvironment(const std::vector<Setting>& open) {
  for (const Setting& setting : open) {
    const std::string variable = VariableOf(setting.name);
    const char* value = std::getenv(variable.c_str());
    if (value == nullptr || *value == '\0') continue;
    if (!SetFromText(setting, value)) {
      return Fail(fmt::format("'{}' is not a value of --{}", value, setting.name), variable);
    }
  }
  return {};
}

Status ReadConfig(const std::string& file, const std::vector<Setting>& all,
                  const std::vector<Setting>& open) {
  const auto text = ReadFile(file, kMostConfig);
  if (!text) return tl::unexpected(text.error());
  const toml::parse_result parsed = toml::parse(std::string_view(*text), file);
  if (!parsed) {
    return Fail(std::string(parsed.error().description()),
                fmt::format("{}:{}", file, parsed.error().source().begin.line));
  }
  for (const auto& [key, node] : parsed.table()) {
    const std::string_view name = key.str();
    const auto named = [&](const Setting& setting) { return setting.name == name; };
    if (std::none_of(all.begin(), all.end(), named)) {
      return Fail(fmt::format("there is no setting '{}'", name), file,
                  "the names are those of the options of ergo serve");
    }
    const auto found = std::find_if(open.begin(), open.end(), named);
    if (found == open.end() || IsGiven(*found)) continue;
    if (!SetFromToml(*found, node)) {
      return Fail(fmt::format("the value of '{}' has the wrong type", name), file);
    }
  }
  return {};
}

/// Not an option: what stands in a command line, everybody can see.
Status ReadRedisSecret(ServeSettings* settings) {
  if (settings->redis.empty()) return {};
  if (const char* secret = std::getenv("ERGO_REDIS_SECRET")) settings->redis_secret = secret;
  if (settings->redis_secret_file.empty()) return {};
  const auto text = ReadFile(settings->redis_secret_file, kMostConfig);
  if (!text) return tl::unexpected(text.error());
  settings->redis_secret = Trimmed(*text);
  return {};
}

Status CheckSettings(const ServeSettings& settings) {
  if (settings.port && (*settings.port < 0 || *settings.port > 65535)) {
    return Fail("a port is a number up to 65535", "--port");
  }
  if (settings.tls_cert.empty() != settings.tls_key.empty()) {
    return Fail("TLS needs a certificate and its key", "--tls-cert", "give --tls-key too");
  }
  for (const auto& number :
       {settings.queue, settings.time, settings.connections, settings.io_threads}) {
    if (number && *number < 1) return Fail("a limit must be at least 1", "serve");
  }
  return {};
}

}  // namespace

void AddServeOptions(Options& options, ServeSettings* settings) {
  options.Texts("-m,--model", &settings->models, "MODEL", "may be given several times");
  options.Text("--host", &settings->host, "ADDRESS", "where to listen (127.0.0.1)");
  options.Number("-p,--port", &settings->port, "PORT", "0: any that is free (8080)", {0, 65535});
  options.Text("--api-keys", &settings->api_keys, "FILE",
               "hashed keys, one a line; else none are needed");
  options.Number("-t,--threads", &settings->engine.threads, "N", "threads of the engine (all)",
                 {1, 1024});
  AddContextOption(options, &settings->engine);
  options.Text("--config", &settings->config, "FILE", "further settings, in TOML");
  options.Further();
  options.Text("--alias", &settings->alias, "NAME", "what requests call the first model");
  AddMemoryOptions(options, &settings->engine);
  AddFormatOptions(options, &settings->engine);
  options.Text("--tls-cert", &settings->tls_cert, "FILE", "PEM certificate: speak HTTPS");
  options.Text("--tls-key", &settings->tls_key, "FILE", "its PEM key");
  options.Texts("--cors", &settings->origins, "ORIGIN", "pages that may read replies; *: all");
  options.Number("--max-requests", &settings->queue, "N", "alive at a time; others get 429 (2048)",
                 {1, 1 << 20});
  options.Number("--max-models", &settings->most_models, "N", "models in memory at a time (all)",
                 {0, 1024});
  options.Number("--request-time", &settings->time, "S", "most seconds of an answer (600)",
                 {1, 1 << 20});
  options.Number("--drain", &settings->drain, "S", "seconds for answers to end at SIGTERM (30)",
                 {0, 86400});
  options.Number("--connections", &settings->connections, "N", "most connections (4096)",
                 {1, 1 << 20});
  options.Number("--io-threads", &settings->io_threads, "N", "threads that read and write (1)",
                 {1, 64});
  options.Number("--reasoners", &settings->reasoners, "N", "answers reasoned at a time (2)",
                 {1, 64});
  options.Number("--grpc-port", &settings->grpc_port, "PORT", "answer gRPC too; 0: any (not)",
                 {0, 65535});
  options.Bytes("--cache-memory", &settings->cache_memory,
                "for answers that are the same every time; 0: none (64M)");
  options.Text("--cache-file", &settings->cache_file, "FILE", "keep such answers there too");
  options.Text("--redis", &settings->redis, "URL", "share them with other servers");
  options.Text("--redis-secret-file", &settings->redis_secret_file, "FILE",
               "seals them; or ERGO_REDIS_SECRET");
  options.Text("--otlp-endpoint", &settings->otlp_endpoint, "URL",
               "send OpenTelemetry spans there (http://localhost:4318, say)");
  options.Bytes("--max-body", &settings->body_bytes, "most of a request's body (16M)");
  options.Choice("--log-level", &settings->log_level, "debug|info|warning|error|none",
                 "of the lines on stderr (info)");
  options.Flag("--no-traces", &settings->no_traces, "keep no traces of answers that are reasoned");
}

Status CompleteSettings(ServeSettings* settings) {
  const std::vector<Setting> all = AllSettings(settings);
  std::vector<Setting> open;
  std::copy_if(all.begin(), all.end(), std::back_inserter(open),
               [](const Setting& setting) { return !IsGiven(setting); });
  if (Status read = ReadEnvironment(open); !read) return read;
  if (settings->config.empty()) {
    if (const char* file = std::getenv("ERGO_CONFIG")) settings->config = file;
  }
  if (!settings->config.empty()) {
    if (Status read = ReadConfig(settings->config, all, open); !read) return read;
  }
  if (Status read = ReadRedisSecret(settings); !read) return read;
  if (settings->host.empty()) settings->host = "127.0.0.1";
  if (settings->log_level.empty()) settings->log_level = "info";
  return CheckSettings(*settings);
}

}  // namespace ergo::cli
