// Any bytes as config.json, as ordered JSON and as a hub's description of a model.
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/json.h"
#include "formats/hf_folder.h"
#include "formats/hub/pull.h"
#include "formats/name_check.h"

namespace {

void Require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto config = ergo::formats::ParseConfigObject(text, "config.json");
  if (config) {
    // What was read once reads the same again.
    const auto again = ergo::ParseJson(config->dump(), "again");
    Require(again && *again == *config);
  } else {
    Require(config.error().Message().find('\n') == std::string::npos);
  }
  ergo::JsonLimits ordered_limits;
  ordered_limits.max_ordered_members = size;
  Require(ergo::ParseJson(text, "x").has_value() ==
          ergo::ParseOrderedJson(text, "x", ordered_limits).has_value());
  if (const auto repo = ergo::formats::hub::ParseRepoInfo(text, "fuzz")) {
    for (const char* wanted : {"", "q", "m-00001-of-00002.gguf"}) {
      const auto files = ergo::formats::hub::SelectFiles(*repo, wanted, "org/name");
      if (!files) continue;
      for (const auto& file : *files) Require(ergo::formats::IsSafeRelativePath(file.path));
    }
  }
  return 0;
}
