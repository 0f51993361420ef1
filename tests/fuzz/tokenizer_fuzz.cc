// The text of a tokenizer.json and, after a zero byte, text to encode with it.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "formats/model_files.h"
#include "tokenizer/tokenizer.h"

namespace {

using ergo::tokenizer::TokenId;
using ergo::tokenizer::Tokenizer;

constexpr std::string_view kSample =
    "Hello World, it's 1234\n  \u4F60\u597D e\u0301\u0327 \U0001F642 <s> <mask>  \xFF\xE4\xB8 x";

void Require(bool holds) {
  if (!holds) std::abort();
}

void CheckEncoding(const Tokenizer& tokenizer, std::string_view text) {
  for (const bool flag : {false, true}) {
    const std::vector<TokenId> ids = tokenizer.Encode(text, {flag, !flag});
    for (const TokenId id : ids) {
      Require(id >= 0 && static_cast<std::size_t>(id) < tokenizer.size());
    }
    const std::string decoded = tokenizer.Decode(ids, flag);
    Require(!ergo::FindInvalidUtf8(decoded));
    ergo::tokenizer::StreamDecoder stream(tokenizer, flag);
    std::string streamed;
    for (const TokenId id : ids) {
      const std::string part = stream.Push(id);
      Require(!ergo::FindInvalidUtf8(part));
      streamed += part;
    }
    streamed += stream.Finish();
    Require(streamed == decoded);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(input.find('\0'), input.size());
  ergo::formats::ModelFiles files;
  files.kind = ergo::formats::ModelFiles::Kind::kHuggingFace;
  files.path = "folder";
  files.config = ergo::Json::object();
  files.tokenizer_json = std::string(input.substr(0, split));
  const auto tokenizer = Tokenizer::Load(files);
  if (!tokenizer) {
    const std::string message = tokenizer.error().Message();
    Require(message.find('\n') == std::string::npos && !tokenizer.error().what.empty());
    return 0;
  }
  CheckEncoding(*tokenizer, kSample);
  if (split < input.size()) CheckEncoding(*tokenizer, input.substr(split + 1));
  return 0;
}
