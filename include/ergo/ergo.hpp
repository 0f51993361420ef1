// ergo in C++: owners, containers and exceptions around the C functions of ergo.h, in this header
// alone. What a function does, its errors and its threads are described there.
#pragma once

#include <ergo/ergo.h>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ergo::api {

using Tokens = std::vector<std::int32_t>;

/// What every function here throws; what() is the whole message.
class Error : public std::runtime_error {
 public:
  explicit Error(const ergo_error* error)
      : std::runtime_error(ergo_error_message(error)),
        status_(ergo_error_status(error)),
        where_(ergo_error_where(error)),
        remedy_(ergo_error_remedy(error)) {}

  ergo_status status() const { return status_; }
  const std::string& where() const { return where_; }
  const std::string& remedy() const { return remedy_; }

 private:
  ergo_status status_;
  std::string where_;
  std::string remedy_;
};

namespace detail {

/// Takes the error of one call, and throws it.
class Call {
 public:
  Call() = default;
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { ergo_error_free(error_); }

  ergo_error** error() { return &error_; }
  ergo_status Check(ergo_status status) const {
    if (status < 0) throw Error(error_);
    return status;
  }
  template <typename T>
  T* Check(T* pointer) const {
    if (pointer == nullptr) throw Error(error_);
    return pointer;
  }

 private:
  ergo_error* error_ = nullptr;
};

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
template <typename T, auto Free>
using Owner = std::unique_ptr<T, Freer<Free>>;

inline std::string Take(char* text) {
  const Owner<char, ergo_string_free> owner(text);
  return owner.get();
}

inline Tokens Take(std::int32_t* tokens, std::size_t count) {
  const Owner<std::int32_t, ergo_tokens_free> owner(tokens);
  return Tokens(tokens, tokens + count);
}

}  // namespace detail

class Model;
class Sequence;

struct ModelOptions : ergo_model_options {
  ModelOptions() { ergo_model_options_init(this, sizeof(ergo_model_options)); }
};

/// Copies are the same constraint.
class Constraint {
 public:
  const ergo_constraint* get() const { return handle_.get(); }

 private:
  friend class Model;
  explicit Constraint(ergo_constraint* made) : handle_(made, ergo_constraint_free) {}
  std::shared_ptr<ergo_constraint> handle_;
};

/// The fields of ergo_sequence_options; what its pointers point at is the caller's.
struct SequenceOptions : ergo_sequence_options {
  /// A model's plain distribution; Model::Options has what its makers recommend.
  SequenceOptions() { ergo_sequence_options_init(nullptr, this, sizeof(ergo_sequence_options)); }
  /// `by` must live until the options were used.
  SequenceOptions& Constrain(const Constraint& by) {
    constraint = by.get();
    return *this;
  }
  SequenceOptions& Constrain(Constraint&&) = delete;
};

struct InspectOptions : ergo_inspect_options {
  InspectOptions() { ergo_inspect_options_init(this, sizeof(ergo_inspect_options)); }
};

/// What was seen inside; the pointers of its fields live as long as a copy of it.
class Inspection {
 public:
  const ergo_inspected* operator->() const { return &inspected_; }

 private:
  friend class Model;
  explicit Inspection(ergo_inspection* made) : handle_(made, ergo_inspection_free) {
    inspected_.size = sizeof(inspected_);
    detail::Call call;
    call.Check(ergo_inspection_get(made, &inspected_, call.error()));
  }
  std::shared_ptr<ergo_inspection> handle_;
  ergo_inspected inspected_ = {};
};

/// A drawn token, copied.
struct Token {
  explicit Token(const ergo_token& token)
      : id(token.id),
        forced(token.forced != 0),
        logprob(token.logprob),
        text(token.text, token.text_length),
        alternatives(token.alternatives, token.alternatives + token.alternative_count) {}

  std::int32_t id;
  bool forced;
  float logprob;
  std::string text;
  std::vector<ergo_alternative> alternatives;
};

/// Takes the pieces of a text; false stops the sequence. What it throws comes out of Generate.
using OnToken = std::function<bool(const ergo_token&)>;

/// A text that grows. Moved, not copied: a copy is a Fork.
class Sequence {
 public:
  Sequence Fork(std::span<const std::int32_t> appended = {}, std::size_t position = ERGO_HERE) {
    return ForkWith(nullptr, appended, position);
  }
  Sequence Fork(const ergo_sequence_options& options, std::span<const std::int32_t> appended = {},
                std::size_t position = ERGO_HERE) {
    return ForkWith(&options, appended, position);
  }

  /// Reads to the end.
  ergo_end Generate(const OnToken& on_token = {}) {
    Reader reader = {&on_token, nullptr};
    ergo_end end = {};
    end.size = sizeof(end);
    detail::Call call;
    const ergo_status status = ergo_generate(handle_.get(), on_token ? &Reader::OnToken : nullptr,
                                             &reader, &end, call.error());
    if (reader.thrown) std::rethrow_exception(reader.thrown);
    call.Check(status);
    return end;
  }

  /// Reads to the end; the text of what was drawn.
  std::string Text() {
    std::string text;
    Generate([&](const ergo_token& token) {
      text.append(token.text, token.text_length);
      return true;
    });
    return text;
  }

  /// The next token; none at the end.
  std::optional<Token> Next() {
    const ergo_token* token = nullptr;
    detail::Call call;
    const ergo_status status = ergo_sequence_next(handle_.get(), -1.0, &token, call.error());
    if (call.Check(status) != ERGO_OK) return std::nullopt;
    return Token(*token);
  }

  /// Log-probabilities of the tokens of each continuation.
  std::vector<std::vector<float>> Score(const std::vector<Tokens>& continuations) {
    std::vector<ergo_continuation> given;
    std::size_t total = 0;
    for (const Tokens& one : continuations) {
      given.push_back({one.data(), one.size()});
      total += one.size();
    }
    std::vector<float> flat(total);
    detail::Call call;
    call.Check(
        ergo_score(handle_.get(), given.data(), given.size(), flat.data(), total, call.error()));
    std::vector<std::vector<float>> rows;
    auto at = flat.begin();
    for (const Tokens& one : continuations) {
      rows.emplace_back(at, at + static_cast<std::ptrdiff_t>(one.size()));
      at += static_cast<std::ptrdiff_t>(one.size());
    }
    return rows;
  }

  void Stop() { ergo_stop(handle_.get()); }
  void Drop() { ergo_sequence_drop(handle_.get()); }

  Tokens tokens() const {
    std::int32_t* tokens = nullptr;
    std::size_t count = 0;
    detail::Call call;
    call.Check(ergo_sequence_get_tokens(handle_.get(), &tokens, &count, call.error()));
    return detail::Take(tokens, count);
  }
  std::size_t position() const { return ergo_sequence_position(handle_.get()); }
  ergo_sequence* get() const { return handle_.get(); }

 private:
  friend class Model;
  struct Reader {
    const api::OnToken* read;
    std::exception_ptr thrown;

    static int OnToken(const ergo_token* token, void* user) {
      auto* self = static_cast<Reader*>(user);
      try {
        return (*self->read)(*token) ? 0 : 1;
      } catch (...) {
        self->thrown = std::current_exception();
        return 1;
      }
    }
  };

  explicit Sequence(ergo_sequence* made) : handle_(made) {}
  Sequence ForkWith(const ergo_sequence_options* options, std::span<const std::int32_t> appended,
                    std::size_t position) {
    detail::Call call;
    return Sequence(call.Check(ergo_fork(handle_.get(), position, appended.data(), appended.size(),
                                         options, call.error())));
  }

  detail::Owner<ergo_sequence, ergo_sequence_free> handle_;
};

/// The messages of a conversation.
class Messages {
 public:
  Messages& Add(std::string_view role, std::string_view content) {
    json_ += json_.empty() ? "" : ",";
    json_ += "{\"role\":" + Quote(role) + ",\"content\":" + Quote(content) + "}";
    return *this;
  }
  std::string Json() const { return "[" + json_ + "]"; }

 private:
  static std::string Quote(std::string_view text) {
    detail::Call call;
    return detail::Take(call.Check(ergo_json_string(text.data(), text.size(), call.error())));
  }
  std::string json_;
};

/// Copies are the same model.
class Model {
 public:
  explicit Model(const std::string& path, const ergo_model_options& options = ModelOptions()) {
    detail::Call call;
    handle_.reset(call.Check(ergo_model_load(path.c_str(), &options, call.error())),
                  ergo_model_free);
  }

  /// The sampling that the model's makers recommend.
  SequenceOptions Options() const {
    SequenceOptions options;
    ergo_sequence_options_init(handle_.get(), &options, sizeof(ergo_sequence_options));
    return options;
  }

  Tokens Tokenize(std::string_view text,
                  std::uint32_t flags = ERGO_ADD_SPECIAL | ERGO_PARSE_SPECIAL) const {
    std::int32_t* tokens = nullptr;
    std::size_t count = 0;
    detail::Call call;
    call.Check(ergo_tokenize(handle_.get(), text.data(), text.size(), flags, &tokens, &count,
                             call.error()));
    return detail::Take(tokens, count);
  }
  std::string Detokenize(std::span<const std::int32_t> tokens, bool with_special = false) const {
    std::size_t length = 0;
    detail::Call call;
    const detail::Owner<char, ergo_string_free> text(call.Check(ergo_detokenize(
        handle_.get(), tokens.data(), tokens.size(), with_special ? 1 : 0, &length, call.error())));
    return std::string(text.get(), length);
  }

  /// The tokens of a conversation, with the header of the answer to come.
  Tokens Encode(const Messages& messages, const ergo_chat_options* options = nullptr) const {
    std::int32_t* tokens = nullptr;
    std::size_t count = 0;
    detail::Call call;
    call.Check(ergo_encode_chat(handle_.get(), messages.Json().c_str(), options, &tokens, &count,
                                call.error()));
    return detail::Take(tokens, count);
  }

  Sequence Submit(std::span<const std::int32_t> tokens,
                  const ergo_sequence_options& options) const {
    detail::Call call;
    return Sequence(call.Check(
        ergo_submit(handle_.get(), tokens.data(), tokens.size(), &options, call.error())));
  }
  Sequence Submit(std::span<const std::int32_t> tokens) const { return Submit(tokens, Options()); }

  Constraint JsonSchema(const std::string& schema) const {
    return Compile(ergo_constraint_json_schema, schema);
  }
  Constraint Regex(const std::string& pattern) const {
    return Compile(ergo_constraint_regex, pattern);
  }
  Constraint Grammar(const std::string& grammar) const {
    return Compile(ergo_constraint_grammar, grammar);
  }
  Constraint Choices(const std::vector<std::string>& choices) const {
    std::vector<const char*> texts;
    for (const std::string& choice : choices) texts.push_back(choice.c_str());
    detail::Call call;
    return Constraint(call.Check(
        ergo_constraint_choices(handle_.get(), texts.data(), texts.size(), call.error())));
  }

  Inspection Inspect(std::span<const std::int32_t> tokens,
                     const ergo_inspect_options& options) const {
    detail::Call call;
    return Inspection(call.Check(
        ergo_inspect(handle_.get(), tokens.data(), tokens.size(), &options, call.error())));
  }

  ergo_model_info info() const {
    ergo_model_info info = {};
    info.size = sizeof(info);
    detail::Call call;
    call.Check(ergo_model_get_info(handle_.get(), &info, call.error()));
    return info;
  }
  ergo_stats stats() const {
    ergo_stats stats = {};
    stats.size = sizeof(stats);
    detail::Call call;
    call.Check(ergo_model_get_stats(handle_.get(), &stats, call.error()));
    return stats;
  }
  const ergo_model* get() const { return handle_.get(); }

 private:
  template <typename Function>
  Constraint Compile(Function compile, const std::string& text) const {
    detail::Call call;
    return Constraint(call.Check(compile(handle_.get(), text.c_str(), call.error())));
  }

  std::shared_ptr<ergo_model> handle_;
};

}  // namespace ergo::api
