// Writes OpenAI's chunks: cheap, since there is one for each token of each stream.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "serve/http/exchange.h"

namespace ergo::serve {

struct ChunkHead {
  std::string id;
  std::string_view object;  ///< "chat.completion.chunk"
  std::string model;
};

/// Server-sent events, collected until Flush.
class ChunkWriter {
 public:
  ChunkWriter(std::shared_ptr<ReplyStream> stream, const ChunkHead& head);

  const std::shared_ptr<ReplyStream>& stream() const { return stream_; }
  /// A chunk with one choice; `fields` are members of it: "delta":{…}. An empty finish reason is
  /// null.
  void Choice(std::size_t index, std::string_view fields, const OrderedJson& logprobs,
              std::string_view finish_reason);
  /// The chunk without choices, with these members.
  void Last(const OrderedJson& members);
  void Error(const OrderedJson& body);
  void Ping();
  void Flush();
  /// data: [DONE], and the end.
  void Done();

 private:
  std::shared_ptr<ReplyStream> stream_;
  std::string head_;
  std::string pending_;
};

}  // namespace ergo::serve
