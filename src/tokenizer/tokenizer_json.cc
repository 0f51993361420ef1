#include "tokenizer/tokenizer_json.h"

#include <limits>

#include "base/utf8.h"

namespace ergo::tokenizer {
namespace {

constexpr std::size_t kMaxDepth = 128;

class Handler : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_float(double value, const std::string&) override { return Put(value); }
  bool number_integer(std::int64_t value) override {
    if (part_ == Part::kVocabulary) return AddEntry(value);
    return Put(value);
  }
  bool number_unsigned(std::uint64_t value) override {
    if (part_ == Part::kVocabulary) {
      constexpr std::uint64_t kMax = std::numeric_limits<std::int32_t>::max();
      return value > kMax ? Refuse("token id over 2^31")
                          : AddEntry(static_cast<std::int64_t>(value));
    }
    return Put(value);
  }
  bool string(std::string& value) override {
    if (part_ == Part::kMerges) return AddMerge(value);
    return Put(std::move(value));
  }
  bool binary(Json::binary_t&) override { return false; }

  bool start_object(std::size_t) override {
    if (part_ != Part::kOther) return Refuse("an object inside \"vocab\" or \"merges\"");
    if (AtModelMember("vocab")) {
      part_ = Part::kVocabulary;
      out_.has_vocabulary = true;
      return true;
    }
    return Open(Json::object());
  }
  bool end_object() override {
    if (part_ == Part::kVocabulary) {
      part_ = Part::kOther;
      return true;
    }
    return Close();
  }
  bool start_array(std::size_t) override {
    if (part_ == Part::kVocabulary) return Refuse("an array inside \"vocab\"");
    if (part_ == Part::kMerges) {
      if (in_pair_) return Refuse("an array inside a merge");
      in_pair_ = true;
      pair_.clear();
      return true;
    }
    if (AtModelMember("merges")) {
      part_ = Part::kMerges;
      out_.has_merges = true;
      return true;
    }
    return Open(Json::array());
  }
  bool end_array() override {
    if (part_ != Part::kMerges) return Close();
    if (!in_pair_) {
      part_ = Part::kOther;
      return true;
    }
    in_pair_ = false;
    if (pair_.size() != 2) return Refuse("a merge that is not two strings");
    out_.merges.push_back({pair_[0], pair_[1]});
    return true;
  }

  bool key(std::string& name) override {
    if (part_ == Part::kVocabulary) {
      entry_ = Keep(name);
      return true;
    }
    const bool twice =
        stack_.back()->contains(name) || (InModel() && ((name == "vocab" && out_.has_vocabulary) ||
                                                        (name == "merges" && out_.has_merges)));
    if (twice) return Refuse("duplicate key " + QuoteForMessage(name, 60));
    if (stack_.size() == 1) in_model_ = name == "model";
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    return Refuse("not valid JSON at byte " + std::to_string(position) +
                  (token.empty() ? std::string() : " near " + QuoteForMessage(token, 40)));
  }

  const std::string& error() const { return error_; }
  TokenizerJson Take() {
    out_.rest = std::move(root_);
    return std::move(out_);
  }

 private:
  enum class Part { kOther, kVocabulary, kMerges };

  bool Refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }

  /// Inside the object "model" of the document, not deeper.
  bool InModel() const { return in_model_ && stack_.size() == 2; }
  bool AtModelMember(std::string_view name) const { return InModel() && key_ == name; }

  TokenizerJson::Text Keep(std::string_view text) {
    const std::size_t offset = out_.arena.size();
    out_.arena += text;
    return {offset, text.size()};
  }

  bool AddEntry(std::int64_t id) {
    out_.vocabulary.push_back({entry_, id});
    return true;
  }

  /// One half of a pair, or "left right".
  bool AddMerge(std::string_view text) {
    if (in_pair_) {
      pair_.push_back(Keep(text));
      return pair_.size() <= 2 || Refuse("a merge of more than two strings");
    }
    if (text.starts_with("#version")) return true;
    const std::size_t space = text.find(' ');
    if (space == std::string_view::npos || text.find(' ', space + 1) != std::string_view::npos) {
      return Refuse("a merge that is not two strings: " + QuoteForMessage(text, 40));
    }
    const TokenizerJson::Text kept = Keep(text);
    out_.merges.push_back({{kept.offset, space}, {kept.offset + space + 1, kept.size - space - 1}});
    return true;
  }

  Json* Place(Json value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  template <typename Value>
  bool Put(Value&& value) {
    if (part_ != Part::kOther)
      return Refuse("a value of the wrong kind in \"vocab\" or \"merges\"");
    Place(Json(std::forward<Value>(value)));
    return true;
  }

  bool Open(Json container) {
    if (stack_.size() >= kMaxDepth) return Refuse("nested too deep");
    stack_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    stack_.pop_back();
    return true;
  }

  TokenizerJson out_;
  Json root_;
  std::vector<Json*> stack_;
  std::string key_;
  bool in_model_ = false;
  Part part_ = Part::kOther;
  TokenizerJson::Text entry_{};
  bool in_pair_ = false;
  std::vector<TokenizerJson::Text> pair_;
  std::string error_ = "not valid JSON";
};

}  // namespace

Result<TokenizerJson> ParseTokenizerJson(std::string_view text, const std::string& where) {
  constexpr const char* kRemedy = "check or fetch the file again";
  if (const auto bad = FindInvalidUtf8(text)) {
    return Fail("not UTF-8 at byte " + std::to_string(*bad), where, kRemedy);
  }
  Handler handler;
  if (!Json::sax_parse(text.begin(), text.end(), &handler)) {
    return Fail(handler.error(), where, kRemedy);
  }
  return handler.Take();
}

}  // namespace ergo::tokenizer
