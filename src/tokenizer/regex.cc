#include "tokenizer/regex.h"

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/utf8.h"

namespace ergo::tokenizer {
namespace {

/// Backtracking steps for one match; PCRE2's own default would take seconds.
constexpr std::uint32_t kMatchLimit = 1000000;
constexpr std::size_t kJitStackStart = 32 * 1024;
constexpr std::size_t kJitStackLimit = 4 * 1024 * 1024;
constexpr std::size_t kMaxPatternBytes = 65536;

/// What a thread needs to match: PCRE2's results, limits and machine stack.
class MatchState {
 public:
  MatchState()
      : data_(pcre2_match_data_create(1, nullptr)),
        context_(pcre2_match_context_create(nullptr)),
        stack_(pcre2_jit_stack_create(kJitStackStart, kJitStackLimit, nullptr)) {
    if (context_ == nullptr) return;
    pcre2_set_match_limit(context_, kMatchLimit);
    pcre2_set_heap_limit(context_, kJitStackLimit / 1024);
    if (stack_ != nullptr) pcre2_jit_stack_assign(context_, nullptr, stack_);
  }
  ~MatchState() {
    pcre2_match_data_free(data_);
    pcre2_match_context_free(context_);
    pcre2_jit_stack_free(stack_);
  }
  MatchState(const MatchState&) = delete;
  MatchState& operator=(const MatchState&) = delete;

  pcre2_match_data* data() { return data_; }
  pcre2_match_context* context() { return context_; }

 private:
  pcre2_match_data* data_;
  pcre2_match_context* context_;
  pcre2_jit_stack* stack_;
};

}  // namespace

Result<Regex> Regex::Compile(std::string_view pattern, const std::string& where) {
  if (pattern.size() > kMaxPatternBytes) {
    return Fail(fmt::format("regular expression of {} bytes", pattern.size()), where);
  }
  auto translated = TranslatePattern(pattern);
  if (!translated) {
    return Fail(translated.error().what, where, translated.error().remedy);
  }
  int code = 0;
  PCRE2_SIZE offset = 0;
  constexpr std::uint32_t kOptions =
      PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C;
  pcre2_code* compiled = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()),
                                       translated->size(), kOptions, &code, &offset, nullptr);
  if (compiled == nullptr) {
    char reason[160] = {};
    pcre2_get_error_message(code, reinterpret_cast<PCRE2_UCHAR*>(reason), sizeof reason);
    return Fail(fmt::format("regular expression {}: {} at byte {}", QuoteForMessage(*translated),
                            reason, offset),
                where);
  }
  Regex regex;
  regex.code_ = std::shared_ptr<void>(
      compiled, [](void* p) { pcre2_code_free(static_cast<pcre2_code*>(p)); });
  // Without JIT (a pattern that it can't take) pcre2_match interprets.
  pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
  return regex;
}

std::optional<Regex::Match> Regex::Find(std::string_view text, std::size_t from) const {
  thread_local MatchState state;
  if (state.data() == nullptr || state.context() == nullptr) return std::nullopt;
  const int found = pcre2_match(static_cast<const pcre2_code*>(code_.get()),
                                reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                                PCRE2_NO_UTF_CHECK, state.data(), state.context());
  if (found < 0) return std::nullopt;
  const PCRE2_SIZE* span = pcre2_get_ovector_pointer(state.data());
  // \K may put the start behind the end.
  if (span[0] > span[1] || span[0] < from || span[1] > text.size()) return std::nullopt;
  return Match{span[0], span[1]};
}

std::optional<Regex::Match> RegexMatches::Next() {
  while (at_ <= text_.size()) {
    const auto match = regex_.Find(text_, at_);
    if (!match) return std::nullopt;
    if (match->begin == match->end && last_end_ == match->end) {
      if (match->end >= text_.size()) return std::nullopt;
      at_ = match->end + DecodeUtf8(text_.substr(match->end)).bytes;
      continue;
    }
    at_ = match->end;
    last_end_ = match->end;
    return match;
  }
  return std::nullopt;
}

}  // namespace ergo::tokenizer
