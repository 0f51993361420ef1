// Settings of the server: flags, else the environment (ERGO_PORT …), else a TOML file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/engine_choice.h"
#include "cli/options.h"

namespace ergo::cli {

struct ServeSettings {
  EngineChoice engine;
  std::vector<std::string> models;
  std::string alias;
  std::string host;
  std::optional<std::int64_t> port;
  std::string api_keys;
  std::string tls_cert;
  std::string tls_key;
  std::vector<std::string> origins;
  std::optional<std::int64_t> queue;
  std::optional<std::int64_t> time;
  std::optional<std::int64_t> drain;
  std::optional<std::int64_t> connections;
  std::optional<std::int64_t> io_threads;
  std::optional<std::int64_t> reasoners;
  std::optional<std::int64_t> most_models;
  std::optional<std::uint64_t> body_bytes;
  std::optional<std::uint64_t> cache_memory;  ///< of answers
  std::string cache_file;
  std::string redis;
  std::string redis_secret;  ///< from ERGO_REDIS_SECRET or the file
  std::string redis_secret_file;
  std::optional<std::int64_t> grpc_port;
  std::string otlp_endpoint;
  std::string log_level;
  bool no_traces = false;
  std::string config;  ///< the TOML file
};

/// The settings must outlive the parsing.
void AddServeOptions(Options& options, ServeSettings* settings);

/// Fills in what no flag gave: from ERGO_HOST, ERGO_PORT …, then from the file that --config or
/// ERGO_CONFIG names, whose keys are the options' names ("api-keys"), then the defaults. Errors
/// name variable, or file and key.
Status CompleteSettings(ServeSettings* settings);

}  // namespace ergo::cli
