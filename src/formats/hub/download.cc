#include "formats/hub/download.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <thread>

#include "base/utf8.h"
#include "formats/hub/sha256.h"

namespace ergo::formats::hub {
namespace {

namespace fs = std::filesystem;

std::string Header(const HttpResponse& response, const std::string& name) {
  const auto found = response.headers.find(name);
  return found == response.headers.end() ? std::string() : found->second;
}

std::uint64_t Number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

/// An ETag without quotes and weakness mark; empty when it is not fit to name a file.
std::string BlobName(std::string etag) {
  if (etag.starts_with("W/")) etag.erase(0, 2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  const bool fit = !etag.empty() && etag.size() <= 128 && etag.front() != '.' &&
                   std::all_of(etag.begin(), etag.end(), [](unsigned char c) {
                     return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
                   });
  return fit && !etag.ends_with(".incomplete") ? etag : std::string();
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return std::isdigit(c) != 0 || (c >= 'a' && c <= 'f');
         });
}

bool IsOverload(long status) { return status == 429 || status >= 500; }

/// Sleeps in short steps so that cancelling does not wait.
bool Pause(double seconds, const std::function<bool()>& keep_going) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(seconds);
  while (Clock::now() < end) {
    if (keep_going && !keep_going()) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

/// The file that a download grows in, locked against other processes.
class Incomplete {
 public:
  explicit Incomplete(std::string path) : path_(std::move(path)) {}
  Incomplete(const Incomplete&) = delete;
  Incomplete& operator=(const Incomplete&) = delete;
  ~Incomplete() {
    if (fd_ >= 0) ::close(fd_);
  }

  Status Open() {
    fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd_ < 0) return Bad("cannot write");
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      return Fail("another program is fetching this file", path_, "wait until it is done");
    }
    const off_t end = ::lseek(fd_, 0, SEEK_END);
    if (end < 0) return Bad("cannot read");
    size_ = static_cast<std::uint64_t>(end);
    return {};
  }

  Status Clear() {
    if (::ftruncate(fd_, 0) != 0 || ::lseek(fd_, 0, SEEK_SET) != 0) return Bad("cannot write");
    size_ = 0;
    return {};
  }

  Status Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return Bad("cannot write");
      size_ += static_cast<std::uint64_t>(written);
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
  }

  Status MoveTo(const std::string& path) {
    if (::fsync(fd_) != 0 || ::rename(path_.c_str(), path.c_str()) != 0) return Bad("cannot keep");
    return {};
  }

  std::uint64_t size() const { return size_; }
  const std::string& path() const { return path_; }

 private:
  tl::unexpected<Error> Bad(const std::string& what) const {
    return Fail(what + ": " + std::strerror(errno), path_,
                errno == ENOSPC ? "free some space; the same command goes on from here"
                                : "check the cache folder (HF_HOME)");
  }

  std::string path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

Status CheckSpace(const std::string& folder, std::uint64_t bytes) {
  std::error_code error;
  const auto space = fs::space(folder, error);
  if (error || space.available >= bytes) return {};
  return Fail("the disk has " + std::to_string(space.available >> 20) + " MiB free, " +
                  std::to_string(bytes >> 20) + " MiB are needed",
              folder, "free some space or set HF_HOME to a folder on another disk");
}

/// One request for the bytes that are missing; grows `file`.
Result<HttpResponse> FetchRest(HttpClient* client, const BlobInfo& blob, Incomplete* file,
                               const DownloadOptions& options) {
  // Without a size there is no way to tell that a resumed file is whole.
  if (file->size() > blob.size || blob.size == 0) {
    if (auto ok = file->Clear(); !ok) return Fail(std::move(ok));
  }
  HttpRequest request;
  request.url = blob.url;
  request.range_start = file->size();
  request.on_start = [&](const HttpResponse& response) -> Status {
    const std::string from = "bytes " + std::to_string(file->size()) + "-";
    const bool resumed = response.status == 206;
    if (resumed && Header(response, "content-range").starts_with(from)) return {};
    if (resumed) return Fail("the server sends another range than asked for", blob.url);
    return file->Clear();  // the whole file comes
  };
  request.on_body = [&](std::string_view bytes) -> Status {
    if (blob.size != 0 && bytes.size() > blob.size - file->size()) {
      return Fail(
          "the server sends more than the " + std::to_string(blob.size) + " bytes it announced",
          blob.url, "try again later");
    }
    return file->Append(bytes);
  };
  request.keep_going = [&] { return !options.progress || options.progress(file->size()); };
  return client->Send(request);
}

/// Why the last attempt did not bring the whole file.
Status LastFailure(const HttpResponse& response, const std::string& url) {
  if (!response.fault.empty()) {
    return Fail("the connection broke: " + response.fault, url,
                "the same command goes on from here");
  }
  if (response.status / 100 != 2) return StatusError(response, url);
  return Fail("the server sends fewer bytes than it announced", url, "try again later");
}

/// Fetches until the file is whole or no attempt brings anything new.
Status FetchAll(HttpClient* client, const BlobInfo& blob, Incomplete* file,
                const DownloadOptions& options) {
  double wait = options.retry_seconds;
  for (int failures = 0; blob.size == 0 || file->size() != blob.size;) {
    const std::uint64_t before = file->size();
    auto response = FetchRest(client, blob, file, options);
    if (!response) return Fail(std::move(response));
    if (response->status == 416) {
      if (auto ok = file->Clear(); !ok) return ok;
    }
    const bool broken =
        !response->fault.empty() || IsOverload(response->status) || response->status == 416;
    if (!broken && response->status / 100 != 2) return StatusError(*response, blob.url);
    if (!broken && (blob.size == 0 || file->size() == blob.size)) return {};
    if (file->size() > before) {
      failures = 0;
      wait = options.retry_seconds;
    }
    if (++failures > options.retries) {
      return LastFailure(*response, blob.url);
    }
    const auto keep_going = [&] { return !options.progress || options.progress(file->size()); };
    if (!Pause(wait, keep_going)) {
      return Fail("cancelled", blob.url, "the same command goes on from here");
    }
    wait = std::min(wait * 2, 30.0);
  }
  return {};
}

Status Verify(const BlobInfo& blob, const std::string& path) {
  if (blob.sha256.empty()) return {};
  auto sum = Sha256OfFile(path);
  if (!sum) return Fail(std::move(sum));
  if (*sum == blob.sha256) return {};
  std::error_code ignored;
  fs::remove(path, ignored);
  return Fail("its SHA-256 is " + *sum + ", but the hub states " + blob.sha256, blob.url,
              "the file was thrown away: run the same command again");
}

}  // namespace

tl::unexpected<Error> StatusError(const HttpResponse& response, const std::string& what) {
  if (!response.fault.empty()) {
    return Fail("cannot reach the hub: " + response.fault, what,
                "check the network, HF_ENDPOINT and proxy settings");
  }
  const std::string status = "the hub answers " + std::to_string(response.status);
  switch (response.status) {
    case 401:
    case 403:
      return Fail(status + ": no access", what,
                  "check the name; for a gated model accept its terms on the hub and set HF_TOKEN");
    case 404:
      return Fail(status + ": there is no such model, file or revision", what, "check the name");
    case 429:
      return Fail(status + ": too many requests", what, "wait a while, or set HF_TOKEN");
    default:
      return Fail(status, what, "try again later");
  }
}

Result<HttpResponse> SendWithRetries(HttpClient* client, const HttpRequest& request,
                                     const DownloadOptions& options) {
  double wait = options.retry_seconds;
  for (int failures = 0;; ++failures) {
    auto response = client->Send(request);
    if (!response) return response;
    const bool broken = !response->fault.empty() || IsOverload(response->status);
    if (!broken || failures >= options.retries) return response;
    if (!Pause(wait, request.keep_going)) {
      return Fail("cancelled", request.url, "run the same command again");
    }
    wait = std::min(wait * 2, 30.0);
  }
}

Result<BlobInfo> AskForBlob(HttpClient* client, const BlobInfo& known,
                            const DownloadOptions& options) {
  HttpRequest request;
  request.url = known.url;
  request.head = true;
  request.leave_origin = false;  // the storage behind knows nothing of the hub's headers
  request.keep_going = [&] { return !options.progress || options.progress(0); };
  auto response = SendWithRetries(client, request, options);
  if (!response) return Fail(std::move(response));
  if (response->redirect.empty() && response->status / 100 != 2) {
    return StatusError(*response, known.url);
  }
  BlobInfo blob = known;
  std::string etag = Header(*response, "x-linked-etag");
  std::uint64_t size = Number(Header(*response, "x-linked-size"));
  if (response->redirect.empty()) {
    if (etag.empty()) etag = Header(*response, "etag");
    if (size == 0) size = Number(Header(*response, "content-length"));
  }
  blob.name = BlobName(etag);
  if (blob.name.empty()) blob.name = known.sha256;
  if (blob.name.empty()) {
    return Fail("the hub gives no usable ETag", known.url, "check HF_ENDPOINT");
  }
  if (!Header(*response, "x-linked-etag").empty() && IsSha256(blob.name)) blob.sha256 = blob.name;
  if (size != 0) blob.size = size;
  const bool agrees = (known.sha256.empty() || known.sha256 == blob.sha256) &&
                      (known.size == 0 || known.size == blob.size);
  if (!agrees) {
    return Fail("the hub's list and the file's headers give different sizes or sums", known.url,
                "try again later");
  }
  return blob;
}

Status DownloadBlob(HttpClient* client, const BlobInfo& blob, const std::string& folder,
                    const DownloadOptions& options) {
  const std::string path = (fs::path(folder) / blob.name).string();
  std::error_code error;
  const auto there = fs::file_size(path, error);
  if (!error && (blob.size == 0 || there == blob.size)) return {};

  Incomplete file(path + ".incomplete");
  if (auto ok = file.Open(); !ok) return ok;
  if (auto ok = CheckSpace(folder, blob.size - std::min(blob.size, file.size())); !ok) return ok;
  if (auto ok = FetchAll(client, blob, &file, options); !ok) return ok;
  if (auto ok = Verify(blob, file.path()); !ok) return ok;
  return file.MoveTo(path);
}

}  // namespace ergo::formats::hub
