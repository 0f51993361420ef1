// A tokenizer from tokenizer.json and the files beside it.
#include <fmt/format.h>

#include <algorithm>

#include "base/utf8.h"
#include "tokenizer/bpe.h"
#include "tokenizer/json_fields.h"
#include "tokenizer/parts.h"
#include "tokenizer/tokenizer_json.h"

namespace ergo::tokenizer {
namespace {

const Json& MemberOrNull(const Json& object, std::string_view key) {
  static const Json kNull;
  const Json* member = Member(object, key);
  return member == nullptr ? kNull : *member;
}

class Loader {
 public:
  explicit Loader(const formats::ModelFiles& files)
      : files_(files), where_(files.path + "/tokenizer.json") {}

  Result<Parts> Load() {
    if (!files_.tokenizer_json) {
      return Fail("there is no tokenizer.json", files_.path,
                  "fetch it; tokenizer.model and vocab.txt alone are not supported");
    }
    auto parsed = ParseTokenizerJson(*files_.tokenizer_json, where_);
    if (!parsed) return Fail(std::move(parsed));
    json_ = std::move(*parsed);
    if (!json_.rest.is_object()) return Fail("not a JSON object", where_);
    for (const auto step : {&Loader::BuildVocabulary, &Loader::MakePipeline, &Loader::MakeModel,
                            &Loader::FindAddedTokens, &Loader::ReadConfigs}) {
      if (auto done = (this->*step)(); !done) return tl::unexpected<Error>(std::move(done.error()));
    }
    CompleteEndOfGeneration(&parts_);
    return std::move(parts_);
  }

 private:
  const Json& ModelJson() const { return MemberOrNull(json_.rest, "model"); }

  Status BuildVocabulary() {
    const std::string type = StringOr(ModelJson(), "type", "BPE");
    if (type != "BPE") {
      return Fail(fmt::format("tokenizer model {} is not supported", QuoteForMessage(type, 40)),
                  where_, "BPE is");
    }
    if (!json_.has_vocabulary || !json_.has_merges) {
      return Fail("\"model\" lacks \"vocab\" or \"merges\"", where_, "fetch the file again");
    }
    if (auto read = ReadAddedTokens(); !read) return read;
    std::vector<Vocabulary::Entry> entries;
    entries.reserve(json_.vocabulary.size() + added_.size());
    for (const auto& entry : json_.vocabulary) {
      if (entry.id < 0) return Fail("token id below zero", where_);
      entries.push_back({json_.View(entry.text), static_cast<TokenId>(entry.id)});
    }
    auto built = Vocabulary::Build(entries, where_);
    if (!built) return Fail(std::move(built));
    model_vocabulary_ = std::make_shared<const Vocabulary>(std::move(*built));
    parts_.vocabulary = model_vocabulary_;
    // Added tokens that the model knows already keep its ids; the others stay unknown to it.
    bool news = false;
    for (AddedToken& token : added_) {
      if (const auto known = model_vocabulary_->Find(token.content)) {
        token.id = *known;
      } else {
        entries.push_back({token.content, token.id});
        news = true;
      }
    }
    if (!news) return {};
    auto all = Vocabulary::Build(entries, where_);
    if (!all) return Fail(std::move(all));
    parts_.vocabulary = std::make_shared<const Vocabulary>(std::move(*all));
    return {};
  }

  Status ReadAddedTokens() {
    const Json& list = MemberOrNull(json_.rest, "added_tokens");
    if (list.is_null()) return {};
    if (!list.is_array()) return Fail("\"added_tokens\" is no array", where_);
    for (const Json& json : list) {
      const std::string* content = StringMember(json, "content");
      const auto id = IntMember(json, "id");
      if (content == nullptr || !id || *id < 0 || *id > 0x7FFFFFFF) {
        return Fail("an added token without content or id", where_);
      }
      if (content->empty()) continue;  // stands in no text
      AddedToken token;
      token.content = *content;
      token.id = static_cast<TokenId>(*id);
      token.special = BoolOr(json, "special", false);
      token.single_word = BoolOr(json, "single_word", false);
      token.lstrip = BoolOr(json, "lstrip", false);
      token.rstrip = BoolOr(json, "rstrip", false);
      token.normalized = BoolOr(json, "normalized", !token.special);
      added_.push_back(std::move(token));
    }
    return {};
  }

  Status MakePipeline() {
    const Json& root = json_.rest;
    auto normalizer = Normalizer::FromJson(MemberOrNull(root, "normalizer"), where_);
    if (!normalizer) return Fail(std::move(normalizer));
    auto pre_tokenizer = PreTokenizer::FromJson(MemberOrNull(root, "pre_tokenizer"), where_);
    if (!pre_tokenizer) return Fail(std::move(pre_tokenizer));
    auto post = PostProcessor::FromJson(MemberOrNull(root, "post_processor"),
                                        parts_.vocabulary->size(), where_);
    if (!post) return Fail(std::move(post));
    auto decoder = Decoder::FromJson(MemberOrNull(root, "decoder"), where_);
    if (!decoder) return Fail(std::move(decoder));
    parts_.normalizer = std::move(*normalizer);
    parts_.pre_tokenizer = std::move(*pre_tokenizer);
    parts_.post_processor = std::move(*post);
    parts_.decoder = std::move(*decoder);
    return {};
  }

  Status MakeModel() {
    const Json& model = ModelJson();
    BpeOptions options;
    options.byte_fallback = BoolOr(model, "byte_fallback", false);
    options.fuse_unknown = BoolOr(model, "fuse_unk", false);
    options.ignore_merges = BoolOr(model, "ignore_merges", false);
    options.continuing_prefix = StringOr(model, "continuing_subword_prefix", "");
    options.end_suffix = StringOr(model, "end_of_word_suffix", "");
    // Bytes need no alphabet where the model has no rules for characters.
    options.bytes = parts_.pre_tokenizer.ends_in_bytes();
    if (options.bytes && (!options.continuing_prefix.empty() || !options.end_suffix.empty() ||
                          options.byte_fallback)) {
      return Fail("BPE over bytes with affixes or byte_fallback is not supported", where_);
    }
    if (const std::string* unknown = StringMember(model, "unk_token")) {
      const auto id = model_vocabulary_->Find(*unknown);
      if (id) options.unknown = *id;
    }
    std::vector<MergeRule> rules;
    rules.reserve(json_.merges.size());
    for (const auto& merge : json_.merges) {
      rules.push_back({json_.View(merge.left), json_.View(merge.right)});
    }
    auto table =
        BuildMergeTable(*model_vocabulary_, rules, options.continuing_prefix, where_ + ": merges");
    if (!table) return Fail(std::move(table));
    parts_.model = std::make_unique<BpeModel>(model_vocabulary_, std::move(*table), options);
    return {};
  }

  Status FindAddedTokens() {
    parts_.special.assign(parts_.vocabulary->size(), 0);
    std::vector<AddedToken> plain;
    std::vector<AddedToken> normalized;
    for (AddedToken& token : added_) {
      if (token.special) parts_.special[static_cast<std::size_t>(token.id)] = 1;
      if (!token.normalized) {
        plain.push_back(std::move(token));
        continue;
      }
      std::string storage;
      const std::string_view found = parts_.normalizer.Apply(token.content, &storage);
      if (found != token.content) {  // which is how the reference decodes it, too
        token.content = std::string(found);
        parts_.decoded_as.insert_or_assign(token.id, token.content);
      }
      normalized.push_back(std::move(token));
    }
    parts_.added = AddedTokenFinder(std::move(plain));
    parts_.normalized_added = AddedTokenFinder(std::move(normalized));
    return {};
  }

  std::optional<TokenId> InRange(std::int64_t id) const {
    if (id < 0 || static_cast<std::uint64_t>(id) >= parts_.vocabulary->size()) return std::nullopt;
    return static_cast<TokenId>(id);
  }

  /// The id of a token that a config names: a string, or an object with "content".
  std::optional<TokenId> NamedToken(const Json& config, std::string_view key) const {
    const Json* value = Member(config, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_object()) return NamedToken(*value, "content");
    if (!value->is_string()) return std::nullopt;
    return parts_.vocabulary->Find(value->get_ref<const std::string&>());
  }

  /// The ids under `key`: one number or several.
  std::vector<TokenId> Ids(const Json& config, std::string_view key) const {
    std::vector<TokenId> ids;
    const Json* value = Member(config, key);
    const auto add = [&](const Json& number) {
      if (!number.is_number_integer()) return;
      if (const auto id = InRange(number.get<std::int64_t>())) ids.push_back(*id);
    };
    if (value == nullptr) return ids;
    if (value->is_array()) {
      for (const Json& number : *value) add(number);
    } else {
      add(*value);
    }
    return ids;
  }

  Status ReadConfigs() {
    Json config;
    if (files_.tokenizer_config_json) {
      auto parsed =
          ParseJson(*files_.tokenizer_config_json, files_.path + "/tokenizer_config.json");
      if (!parsed) return Fail(std::move(parsed));
      config = std::move(*parsed);
    }
    parts_.bos = NamedToken(config, "bos_token");
    parts_.eos = NamedToken(config, "eos_token");
    std::vector<const Json*> configs;
    if (files_.generation_config) configs.push_back(&*files_.generation_config);
    configs.push_back(&files_.config);
    for (const Json* json : configs) {
      const std::vector<TokenId> bos = Ids(*json, "bos_token_id");
      const std::vector<TokenId> eos = Ids(*json, "eos_token_id");
      if (!parts_.bos && !bos.empty()) parts_.bos = bos.front();
      if (!parts_.eos && !eos.empty()) parts_.eos = eos.front();
      auto& ends = parts_.end_of_generation;
      ends.insert(ends.end(), eos.begin(), eos.end());
    }
    return ReadChatTemplate(config);
  }

  /// A file of its own, or a string, or a list of named ones.
  Status ReadChatTemplate(const Json& config) {
    if (files_.chat_template) {
      parts_.chat_template = *files_.chat_template;
      return {};
    }
    const Json* value = Member(config, "chat_template");
    if (value == nullptr) return {};
    if (value->is_string()) {
      parts_.chat_template = value->get<std::string>();
    } else if (value->is_array()) {
      for (const Json& named : *value) {
        if (StringOr(named, "name", "") == "default") {
          parts_.chat_template = StringOr(named, "template", "");
        }
      }
    } else {
      return Fail("\"chat_template\" is neither text nor a list",
                  files_.path + "/tokenizer_config.json");
    }
    return {};
  }

  const formats::ModelFiles& files_;
  std::string where_;
  TokenizerJson json_;
  std::vector<AddedToken> added_;
  std::shared_ptr<const Vocabulary> model_vocabulary_;  ///< without tokens that are only added
  Parts parts_;
};

}  // namespace

Result<Parts> LoadJsonParts(const formats::ModelFiles& files) { return Loader(files).Load(); }

}  // namespace ergo::tokenizer
