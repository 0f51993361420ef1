#include "serve/grpc/message_json.h"

#include <google/protobuf/util/json_util.h>

namespace ergo::serve {

Result<OrderedJson> ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  std::string text;
  const auto status = google::protobuf::util::MessageToJsonString(message, &text, options);
  if (!status.ok()) return Fail(std::string(status.message()), "message");
  return ParseOrderedJson(text, "message", {.max_depth = 64, .max_ordered_members = 300'000});
}

Status FromJson(const OrderedJson& json, google::protobuf::Message* message) {
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  const std::string text = json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  const auto status = google::protobuf::util::JsonStringToMessage(text, message, options);
  if (!status.ok()) return Fail(std::string(status.message()), "reply");
  return {};
}

}  // namespace ergo::serve
