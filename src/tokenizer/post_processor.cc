#include "tokenizer/post_processor.h"

#include <fmt/format.h>

#include "base/utf8.h"
#include "tokenizer/json_fields.h"

namespace ergo::tokenizer {
namespace {

class Parser {
 public:
  Parser(std::size_t vocabulary_size, std::string where)
      : size_(vocabulary_size), where_(std::move(where)) {}

  Status Add(const Json& json) {
    const std::string type = StringOr(json, "type", "");
    if (type == "ByteLevel") return {};  // moves offsets only
    if (type == "TemplateProcessing") return AddTemplate(json);
    if (type == "BertProcessing" || type == "RobertaProcessing") return AddPair(json);
    if (type == "Sequence") {
      const Json* members = Member(json, "processors");
      if (members == nullptr || !members->is_array()) {
        return Fail("post-processor Sequence without \"processors\"", where_);
      }
      for (const Json& member : *members) {
        if (auto added = Add(member); !added) return added;
      }
      return {};
    }
    return Fail(fmt::format("post-processor {} is not supported", QuoteForMessage(type, 40)),
                where_);
  }

  PostProcessor result;

 private:
  /// Appends one id to `ids`.
  Status AddId(const Json& id, std::vector<TokenId>* ids) {
    const bool known = id.is_number_unsigned() && id.get<std::uint64_t>() < size_;
    if (!known) {
      return Fail(fmt::format("token id {} is outside of the vocabulary of {}",
                              id.dump(-1, ' ', true).substr(0, 40), size_),
                  where_);
    }
    ids->push_back(id.get<TokenId>());
    return {};
  }

  /// Wraps what is there already, as a later processor does.
  void Wrap(std::vector<TokenId> prefix, const std::vector<TokenId>& suffix) {
    prefix.insert(prefix.end(), result.prefix.begin(), result.prefix.end());
    result.prefix = std::move(prefix);
    result.suffix.insert(result.suffix.end(), suffix.begin(), suffix.end());
  }

  /// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
  Status AddPair(const Json& json) {
    std::vector<TokenId> prefix;
    std::vector<TokenId> suffix;
    for (const auto& [key, ids] : {std::pair{"cls", &prefix}, std::pair{"sep", &suffix}}) {
      const Json* pair = Member(json, key);
      if (pair == nullptr || !pair->is_array() || pair->size() != 2) {
        return Fail(fmt::format("post-processor without \"{}\"", key), where_);
      }
      if (auto added = AddId((*pair)[1], ids); !added) return added;
    }
    Wrap(std::move(prefix), suffix);
    return {};
  }

  Status AddTemplate(const Json& json) {
    const Json* pieces = Member(json, "single");
    if (pieces == nullptr || !pieces->is_array()) {
      return Fail("TemplateProcessing without \"single\"", where_);
    }
    std::vector<TokenId> prefix;
    std::vector<TokenId> suffix;
    int sequences = 0;
    for (const Json& piece : *pieces) {
      if (Member(piece, "Sequence") != nullptr) {
        ++sequences;
        continue;
      }
      if (auto added = AddSpecial(json, piece, sequences == 0 ? &prefix : &suffix); !added) {
        return added;
      }
    }
    if (sequences != 1) return Fail("TemplateProcessing whose \"single\" is not one text", where_);
    Wrap(std::move(prefix), suffix);
    return {};
  }

  /// One {"SpecialToken": {"id": "<s>"}} of a template; its ids stand in "special_tokens".
  Status AddSpecial(const Json& json, const Json& piece, std::vector<TokenId>* ids) {
    const Json* special = Member(piece, "SpecialToken");
    const std::string* name = special == nullptr ? nullptr : StringMember(*special, "id");
    if (name == nullptr) return Fail("TemplateProcessing with a piece of unknown kind", where_);
    const Json* table = Member(json, "special_tokens");
    const Json* entry = table == nullptr ? nullptr : Member(*table, *name);
    const Json* values = entry == nullptr ? nullptr : Member(*entry, "ids");
    if (values == nullptr || !values->is_array()) {
      return Fail(fmt::format("TemplateProcessing without ids for {}", QuoteForMessage(*name, 40)),
                  where_);
    }
    for (const Json& value : *values) {
      if (auto added = AddId(value, ids); !added) return added;
    }
    return {};
  }

  std::size_t size_;
  std::string where_;
};

}  // namespace

Result<PostProcessor> PostProcessor::FromJson(const Json& json, std::size_t vocabulary_size,
                                              const std::string& where) {
  Parser parser(vocabulary_size, where + ": post_processor");
  if (json.is_null()) return std::move(parser.result);
  if (auto added = parser.Add(json); !added) {
    return tl::unexpected<Error>(std::move(added.error()));
  }
  return std::move(parser.result);
}

}  // namespace ergo::tokenizer
