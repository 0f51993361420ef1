#include "base/json.h"

#include <set>
#include <type_traits>
#include <vector>

#include "base/utf8.h"

namespace ergo {
namespace {

/// Builds a document from parser events and refuses what the limits forbid.
template <typename Document>
class Builder : public nlohmann::json_sax<Document> {
 public:
  explicit Builder(const JsonLimits& limits) : limits_(limits) {}

  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(std::int64_t value) override { return Put(value); }
  bool number_unsigned(std::uint64_t value) override { return Put(value); }
  bool number_float(double value, const std::string&) override { return Put(value); }
  bool string(std::string& value) override { return Put(std::move(value)); }
  bool binary(typename Document::binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Document::object()); }
  bool start_array(std::size_t) override { return Open(Document::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(std::string& name) override {
    Document& object = *stack_.back();
    if (object.contains(name)) return Refuse("duplicate key " + QuoteForMessage(name));
    if constexpr (std::is_same_v<Document, OrderedJson>) {
      if (object.size() >= limits_.max_ordered_members)
        return Refuse("object with too many members");
    }
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::detail::exception&) override {
    error_ = "not valid JSON at byte " + std::to_string(position) +
             (token.empty() ? std::string() : " near " + QuoteForMessage(token, 40));
    return false;
  }

  const std::string& error() const { return error_; }
  Document Take() { return std::move(root_); }

 private:
  bool Refuse(std::string why) {
    error_ = std::move(why);
    return false;
  }

  Document* Place(Document value) {
    if (stack_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Document& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  template <typename Value>
  bool Put(Value&& value) {
    Place(Document(std::forward<Value>(value)));
    return true;
  }

  bool Open(Document container) {
    if (stack_.size() >= limits_.max_depth) {
      return Refuse("nested deeper than " + std::to_string(limits_.max_depth) + " levels");
    }
    stack_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    stack_.pop_back();
    return true;
  }

  const JsonLimits& limits_;
  Document root_;
  std::vector<Document*> stack_;
  std::string key_;
  std::string error_ = "not valid JSON";
};

template <typename Document>
Result<Document> Parse(std::string_view text, const std::string& where, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return Fail("JSON text of " + std::to_string(text.size()) + " bytes is over the limit of " +
                    std::to_string(limits.max_bytes),
                where);
  }
  if (auto bad = FindInvalidUtf8(text)) {
    return Fail("not UTF-8 at byte " + std::to_string(*bad), where, "save the file as UTF-8");
  }
  // The parser would take a NUL for the end of the text and ignore what follows.
  if (const auto nul = text.find('\0'); nul != text.npos) {
    return Fail("NUL character at byte " + std::to_string(nul), where, "check or fetch it again");
  }
  Builder<Document> builder(limits);
  if (!Document::sax_parse(text.begin(), text.end(), &builder)) {
    return Fail(builder.error(), where, "check or fetch the file again");
  }
  return builder.Take();
}

}  // namespace

Result<Json> ParseJson(std::string_view text, const std::string& where, const JsonLimits& limits) {
  return Parse<Json>(text, where, limits);
}

Result<OrderedJson> ParseOrderedJson(std::string_view text, const std::string& where,
                                     const JsonLimits& limits) {
  return Parse<OrderedJson>(text, where, limits);
}

}  // namespace ergo
