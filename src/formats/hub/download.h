// One file of a repository, from the hub into the cache's blobs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/result.h"
#include "formats/hub/http.h"

namespace ergo::formats::hub {

/// What the hub says about a file before it sends it.
struct BlobInfo {
  std::string url;
  std::string name;        ///< of the blob: the file's ETag, fit to be a file name
  std::uint64_t size = 0;  ///< bytes; 0 when unknown
  std::string sha256;      ///< empty when unknown
};

/// What a download may do when the connection breaks, and whom it tells about progress.
struct DownloadOptions {
  int retries = 5;
  double retry_seconds = 1;
  /// Bytes of this file that are on disk; false cancels. Called at least once a second.
  std::function<bool(std::uint64_t)> progress;
};

/// Asks the hub for a file's ETag, size and sum (headers x-linked-etag and x-linked-size, else etag
/// and content-length). What `known` gives already must agree with the answer.
Result<BlobInfo> AskForBlob(HttpClient* client, const BlobInfo& known,
                            const DownloadOptions& options);

/// Brings the file to <folder>/<name>, resuming <name>.incomplete when there is one; checks size
/// and sum before it gets its final name. A file that is there is kept. Errors: no space, another
/// process fetching it, the connection lost, a wrong size or sum (then the incomplete file is
/// deleted).
Status DownloadBlob(HttpClient* client, const BlobInfo& blob, const std::string& folder,
                    const DownloadOptions& options);

/// An Error for an answer that is no success.
tl::unexpected<Error> StatusError(const HttpResponse& response, const std::string& what);

/// Sends again while connections break or the server is overloaded. The request's callbacks must
/// bear being started anew.
Result<HttpResponse> SendWithRetries(HttpClient* client, const HttpRequest& request,
                                     const DownloadOptions& options);

}  // namespace ergo::formats::hub
