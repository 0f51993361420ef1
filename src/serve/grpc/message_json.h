// Protobuf messages as the JSON that endpoints take and give, and back.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace ergo::serve {

/// Fields that are set, under the names of the .proto file.
Result<OrderedJson> ToJson(const google::protobuf::Message& message);
/// Members that the message does not know are left out. Error: a value that does not fit.
Status FromJson(const OrderedJson& json, google::protobuf::Message* message);

}  // namespace ergo::serve
