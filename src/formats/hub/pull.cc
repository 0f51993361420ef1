#include "formats/hub/pull.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <utility>

#include "base/mapped_file.h"
#include "base/utf8.h"
#include "formats/hub/cache.h"
#include "formats/hub/download.h"
#include "formats/hub/http.h"
#include "formats/name_check.h"

namespace ergo::formats::hub {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxAnswer = 64 << 20;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

/// `text` without surrounding white space; empty when it holds anything that no token holds.
std::string CleanToken(std::string text) {
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  while (!text.empty() && is_space(text.back())) text.pop_back();
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
  const bool clean =
      std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  return clean ? text : std::string();
}

/// Percent-encodes all but letters, digits, "-_.~" and, as a separator, "/".
std::string Encode(std::string_view path) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-_.~/").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

/// Turns bytes on disk into what a person wants to know, at most ten times a second.
class Meter {
 public:
  Meter(const PullOptions& options, std::uint64_t total) : options_(options), total_(total) {}

  void Begin(const std::string& file, std::uint64_t done_before) {
    file_ = file;
    before_ = done_before;
  }

  bool Tick(std::uint64_t in_file, bool always = false) {
    const auto now = Clock::now();
    if (!options_.progress || (!always && now - last_ < std::chrono::milliseconds(100))) {
      return true;
    }
    last_ = now;
    PullProgress progress;
    progress.file = file_;
    progress.done = before_ + in_file;
    progress.total = total_;
    Rate(now, &progress);
    return options_.progress(progress);
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// Over the last five seconds, so that it follows the line and does not flicker.
  void Rate(Clock::time_point now, PullProgress* progress) {
    if (!samples_.empty() && samples_.back().second > progress->done) samples_.clear();
    samples_.emplace_back(now, progress->done);
    while (now - samples_.front().first > std::chrono::seconds(5)) samples_.pop_front();
    const std::chrono::duration<double> span = now - samples_.front().first;
    const auto gained = static_cast<double>(progress->done - samples_.front().second);
    progress->bytes_per_second = span.count() > 0 ? gained / span.count() : 0;
    const bool known = progress->bytes_per_second > 0 && total_ >= progress->done && total_ != 0;
    progress->seconds_left =
        known ? static_cast<double>(total_ - progress->done) / progress->bytes_per_second : -1;
  }

  const PullOptions& options_;
  std::uint64_t total_;
  std::string file_;
  std::uint64_t before_ = 0;
  Clock::time_point last_{};
  std::deque<std::pair<Clock::time_point, std::uint64_t>> samples_;
};

Status MakeFolder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Fail("cannot make the folder: " + error.message(), folder.string(),
                "check the cache folder (HF_HOME)");
  }
  return {};
}

/// Points snapshots/<commit>/<file> at the blob, replacing what stood there.
Status Link(const fs::path& snapshot, const std::string& file, const std::string& blob) {
  const fs::path link = snapshot / file;
  if (auto ok = MakeFolder(link.parent_path()); !ok) return ok;
  std::string target = "../../";
  for (const char c : file) target += c == '/' ? "../" : "";
  target += "blobs/" + blob;
  const fs::path fresh = link.string() + ".new";
  std::error_code error;
  fs::remove(fresh, error);
  fs::create_symlink(target, fresh, error);
  if (!error) fs::rename(fresh, link, error);
  if (error) return Fail("cannot link: " + error.message(), link.string());
  return {};
}

Status WriteRef(const fs::path& path, const std::string& commit) {
  if (auto ok = MakeFolder(path.parent_path()); !ok) return ok;
  const std::string fresh = path.string() + ".new";
  {
    std::ofstream out(fresh, std::ios::trunc);
    out << commit;
    if (!out.flush()) return Fail("cannot write", fresh, "check the cache folder (HF_HOME)");
  }
  std::error_code error;
  fs::rename(fresh, path, error);
  if (error) return Fail("cannot write: " + error.message(), path.string());
  return {};
}

/// One call of Pull.
class Job {
 public:
  Job(ModelId model, const PullOptions& options)
      : model_(std::move(model)), options_(options), client_(options.endpoint, options.token) {
    endpoint_ = options.endpoint;
    while (endpoint_.ends_with('/')) endpoint_.pop_back();
    download_.retries = options.retries;
    download_.retry_seconds = options.retry_seconds;
  }

  Result<std::string> Run() {
    auto repo = FetchInfo();
    if (!repo) return Fail(std::move(repo));
    auto files = SelectFiles(*repo, model_.file, model_.id);
    if (!files) return Fail(std::move(files));
    const fs::path folder = ModelFolder(options_.cache_root, model_.id);
    const fs::path snapshot = folder / "snapshots" / repo->commit;
    if (auto ok = MakeFolder(folder / "blobs"); !ok) return Fail(std::move(ok));
    if (auto ok = MakeFolder(snapshot); !ok) return Fail(std::move(ok));
    if (auto ok = FetchFiles(*repo, *files, folder); !ok) return Fail(std::move(ok));
    if (options_.revision != repo->commit) {
      const fs::path ref = folder / "refs" / options_.revision;
      if (auto ok = WriteRef(ref, repo->commit); !ok) return Fail(std::move(ok));
    }
    return snapshot.string();
  }

 private:
  Result<RepoInfo> FetchInfo() {
    HttpRequest request;
    request.url = endpoint_ + "/api/models/" + Encode(model_.id) + "/revision/" +
                  Encode(options_.revision) + "?blobs=true";
    std::string text;
    request.on_start = [&](const HttpResponse&) -> Status {
      text.clear();
      return {};
    };
    request.on_body = [&](std::string_view bytes) -> Status {
      if (text.size() + bytes.size() > kMaxAnswer) return Fail("the answer is too long", model_.id);
      text += bytes;
      return {};
    };
    Meter meter(options_, 0);
    meter.Begin("", 0);
    request.keep_going = [&] { return meter.Tick(0); };
    auto response = SendWithRetries(&client_, request, download_);
    if (!response) return Fail(std::move(response));
    if (!response->fault.empty() || response->status / 100 != 2) {
      return StatusError(*response, model_.id + " at " + endpoint_);
    }
    return ParseRepoInfo(text, model_.id + " at " + endpoint_);
  }

  Status FetchFiles(const RepoInfo& repo, const std::vector<RepoFile>& files,
                    const fs::path& folder) {
    std::uint64_t total = 0;
    for (const RepoFile& file : files) total += file.size;
    Meter meter(options_, total);
    std::uint64_t done = 0;
    for (const RepoFile& file : files) {
      meter.Begin(file.path, done);
      download_.progress = [&](std::uint64_t bytes) { return meter.Tick(bytes); };
      BlobInfo known;
      known.url =
          endpoint_ + "/" + Encode(model_.id) + "/resolve/" + repo.commit + "/" + Encode(file.path);
      known.size = file.size;
      known.sha256 = file.sha256;
      auto blob = AskForBlob(&client_, known, download_);
      if (!blob) return Fail(std::move(blob));
      const std::string blobs = (folder / "blobs").string();
      if (auto ok = DownloadBlob(&client_, *blob, blobs, download_); !ok) return ok;
      if (auto ok = Link(folder / "snapshots" / repo.commit, file.path, blob->name); !ok) return ok;
      done += blob->size;
      if (!meter.Tick(blob->size, true)) {
        return Fail("cancelled", model_.id, "the same command goes on from here");
      }
    }
    return {};
  }

  ModelId model_;
  const PullOptions& options_;
  std::string endpoint_;
  HttpClient client_;
  DownloadOptions download_;
};

}  // namespace

PullOptions PullOptionsFromEnvironment() {
  PullOptions options;
  if (auto endpoint = Environment("HF_ENDPOINT"); !endpoint.empty()) options.endpoint = endpoint;
  options.cache_root = CacheRoot();
  options.token = CleanToken(Environment("HF_TOKEN"));
  if (!options.token.empty()) return options;
  std::string path = Environment("HF_TOKEN_PATH");
  if (path.empty() && !Environment("HF_HOME").empty()) path = Environment("HF_HOME") + "/token";
  if (path.empty() && !Environment("HOME").empty()) {
    path = Environment("HOME") + "/.cache/huggingface/token";
  }
  if (auto text = ReadFile(path, 4096)) options.token = CleanToken(*text);
  return options;
}

Result<std::string> Pull(const std::string& model, const PullOptions& options) {
  const auto id = ParseModelId(model);
  if (!id) {
    return Fail("not a model id", QuoteForMessage(model), "write org/name or org/name:FILE.gguf");
  }
  if (options.cache_root.empty()) {
    return Fail("no cache folder: neither HF_HOME nor HOME is set", model, "set HF_HOME");
  }
  if (Origin(options.endpoint).empty()) {
    return Fail("not an http address", QuoteForMessage(options.endpoint),
                "set HF_ENDPOINT to one such as https://hub.example");
  }
  if (!IsSafeRelativePath(options.revision)) {
    return Fail("not a revision", QuoteForMessage(options.revision), "give a branch or a commit");
  }
  return Job(*id, options).Run();
}

}  // namespace ergo::formats::hub
