#include "serve/endpoints/chunk_writer.h"

#include <fmt/format.h>

#include <iterator>
#include <utility>

#include "serve/endpoints/openai_fields.h"
#include "serve/endpoints/reply_parts.h"

namespace ergo::serve {

ChunkWriter::ChunkWriter(std::shared_ptr<ReplyStream> stream, const ChunkHead& head)
    : stream_(std::move(stream)) {
  head_ = fmt::format(R"(data: {{"id":"{}","object":"{}","created":{},"model":{},"choices":[)",
                      head.id, head.object, UnixSeconds(), JsonText(head.model));
}

void ChunkWriter::Choice(std::size_t index, std::string_view fields, const OrderedJson& logprobs,
                         std::string_view finish_reason) {
  pending_ += head_;
  fmt::format_to(std::back_inserter(pending_), R"({{"index":{},{},"logprobs":)", index, fields);
  if (logprobs.is_null()) {
    pending_ += "null";
  } else {
    pending_ += JsonText(logprobs);
  }
  if (finish_reason.empty()) {
    pending_ += ",\"finish_reason\":null}]}\n\n";
  } else {
    fmt::format_to(std::back_inserter(pending_), ",\"finish_reason\":\"{}\"}}]}}\n\n",
                   finish_reason);
  }
}

void ChunkWriter::Last(const OrderedJson& members) {
  pending_ += head_;
  pending_ += "],";
  pending_ += JsonText(members).substr(1);
  pending_ += "\n\n";
}

void ChunkWriter::Error(const OrderedJson& body) { pending_ += "data: " + JsonText(body) + "\n\n"; }

void ChunkWriter::Ping() { stream_->Write(": ping\n\n"); }

void ChunkWriter::Flush() {
  stream_->Write(pending_);
  pending_.clear();
}

void ChunkWriter::Done() {
  pending_ += "data: [DONE]\n\n";
  Flush();
  stream_->Finish();
}

}  // namespace ergo::serve
