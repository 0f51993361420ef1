#include "generate/think/think_budget.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ergo::generate {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();
/// Share of the rise that counts within a sentence.
constexpr float kMidSentence = 0.3f;
/// Where closing was made likelier by so much, a tag of several tokens is completed once begun.
constexpr float kRaised = 2.0f;
/// Closing tags that are forced at most: nested thoughts need several.
constexpr std::size_t kMostForcings = 64;

bool InRange(TokenId token, std::span<float> logits) {
  return token >= 0 && static_cast<std::size_t>(token) < logits.size();
}

std::size_t Minus(std::size_t a, std::size_t b) { return a > b ? a - b : 0; }

/// Whether text that ends with these bytes may well be at the end of a line or sentence.
bool EndsLineOrSentence(std::string_view bytes) {
  if (bytes.find('\n') != std::string_view::npos) return true;
  constexpr std::string_view kClosers[] = {" ", "\"", "'", ")", "]", "*", "_", "$", "”", "’", "»"};
  constexpr std::string_view kEnds[] = {".", "!", "?", ":", ";", "…", "。", "！", "？"};
  const auto ends = [&](std::string_view end) { return bytes.ends_with(end); };
  while (true) {
    const auto* closer = std::find_if(std::begin(kClosers), std::end(kClosers), ends);
    if (closer == std::end(kClosers)) break;
    bytes.remove_suffix(closer->size());
  }
  return std::any_of(std::begin(kEnds), std::end(kEnds), ends);
}

}  // namespace

ThinkBudget::ThinkBudget(tokenizer::Tokenizer tokenizer, std::shared_ptr<const ThinkTags> tags,
                         ThoughtStart start, ThinkBudgetOptions options, StopThinking stop)
    : tokenizer_(std::move(tokenizer)),
      tags_(std::move(tags)),
      stop_(std::move(stop)),
      splitter_(tags_, tags_ == nullptr ? ThoughtStart::kUnopened : start) {
  auto phrases = std::make_shared<Phrases>();
  if (tags_ != nullptr) {
    phrases->closing = tags_->EncodeClosing("");
    phrases->cut_off = tags_->EncodeClosing(options.phrase);
    phrases->empty_thought = tags_->EncodeClosing(options.empty_thought);
    // What ends one part of a message in some models is the beginning of a tag.
    std::erase_if(options.ends, [&](TokenId end) {
      const auto has = [end](const ThinkTag& tag) {
        return std::find(tag.tokens.begin(), tag.tokens.end(), end) != tag.tokens.end();
      };
      return has(tags_->opening()) ||
             std::any_of(tags_->closings().begin(), tags_->closings().end(), has);
    });
  }
  std::sort(options.ends.begin(), options.ends.end());
  options.answer_reserve = std::max<std::size_t>(options.answer_reserve, 1);
  options_ = std::make_shared<const ThinkBudgetOptions>(std::move(options));
  phrases_ = std::move(phrases);
}

/// Tokens that may be thought before the closing is forced.
std::size_t ThinkBudget::FreeThought() const {
  const std::size_t tag = phrases_->closing.size();
  const std::size_t phrase = Minus(phrases_->cut_off.size(), tag);
  const auto without_phrase = [phrase](std::size_t most) {
    return most / 2 >= phrase ? most - phrase : most;
  };
  std::size_t left = ThinkBudgetOptions::kUnlimited;
  if (options_->budget != ThinkBudgetOptions::kUnlimited) {
    left = Minus(without_phrase(options_->budget), Used());
  }
  if (options_->max_tokens != ThinkBudgetOptions::kUnlimited) {
    const std::size_t most = Minus(Minus(options_->max_tokens, options_->answer_reserve), tag);
    left = std::min(left, Minus(without_phrase(most), total_));
  }
  return left;
}

/// Whether `tokens` can be forced and the answer still has its reserve.
bool ThinkBudget::Fits(std::size_t tokens) const {
  return tokens <= Minus(Minus(options_->max_tokens, options_->answer_reserve), total_);
}

const std::vector<TokenId>& ThinkBudget::Closing() const {
  if (!splitter_.thought_visible()) {
    const auto& empty = phrases_->empty_thought;
    return Fits(empty.size()) ? empty : phrases_->closing;
  }
  const std::size_t phrase = Minus(phrases_->cut_off.size(), phrases_->closing.size());
  const bool fits = phrase <= Minus(options_->budget, Used()) && Fits(phrases_->cut_off.size());
  return fits ? phrases_->cut_off : phrases_->closing;
}

std::vector<std::int32_t> ThinkBudget::Forced() {
  if (!splitter_.in_thought()) {
    forced_.clear();
    return {};
  }
  if (!forced_.empty() || forcings_ >= kMostForcings) return forced_;
  if (!stop_.requested() && FreeThought() > 0) return {};
  ++forcings_;
  forced_ = splitter_.RestOfClosing();
  if (forced_.empty()) {
    forced_ = Closing();
    if (!splitter_.thought_visible()) blank_ += Minus(forced_.size(), phrases_->closing.size());
  }
  return forced_;
}

TokenId ThinkBudget::NextOfClosing() const {
  const std::vector<TokenId> rest = splitter_.RestOfClosing();
  return rest.empty() ? phrases_->closing.front() : rest.front();
}

void ThinkBudget::Mask(std::span<float> logits) {
  raised_ = false;
  if (splitter_.in_thought()) {
    MaskThought(logits);
  } else if (!answer_visible_) {
    ForbidEnds(logits);
  }
}

void ThinkBudget::MaskThought(std::span<float> logits) {
  const TokenId closing = NextOfClosing();
  if (!InRange(closing, logits)) return;
  float& logit = logits[static_cast<std::size_t>(closing)];
  const float before = logit;
  for (const TokenId end : options_->ends) {
    if (!InRange(end, logits)) continue;
    float& other = logits[static_cast<std::size_t>(end)];
    logit = std::max(logit, other);
    other = kForbidden;
  }
  logit += Rise();
  raised_ = logit - before > kRaised;
  // A thought is not opened twice.
  const std::vector<TokenId>& opening = tags_->opening().tokens;
  if (!tags_->spelled() && opening.size() == 1 && InRange(opening[0], logits)) {
    logits[static_cast<std::size_t>(opening[0])] = kForbidden;
  }
}

void ThinkBudget::ForbidEnds(std::span<float> logits) const {
  const std::vector<TokenId>& ends = options_->ends;
  bool other = false;
  for (std::size_t i = 0; i < logits.size() && !other; ++i) {
    other = logits[i] > kForbidden &&
            !std::binary_search(ends.begin(), ends.end(), static_cast<TokenId>(i));
  }
  if (!other) return;
  for (const TokenId end : ends) {
    if (InRange(end, logits)) logits[static_cast<std::size_t>(end)] = kForbidden;
  }
}

float ThinkBudget::Rise() const {
  const std::size_t left = FreeThought();
  if (left == ThinkBudgetOptions::kUnlimited) return 0.0f;
  const double soft =
      (1.0 - options_->soft_from) * (static_cast<double>(left) + static_cast<double>(Used()));
  if (static_cast<double>(left) >= soft) return 0.0f;
  const auto share = static_cast<float>(1.0 - static_cast<double>(left) / soft);
  return options_->soft_rise * share * (EndsSentence() ? 1.0f : kMidSentence);
}

bool ThinkBudget::EndsSentence() const {
  return last_ < 0 || EndsLineOrSentence(tokenizer_.PieceBytes(last_));
}

bool ThinkBudget::Accept(std::int32_t token) {
  const bool raised = std::exchange(raised_, false);
  const bool closes = raised && splitter_.in_thought() && token == NextOfClosing();
  const bool unopened = splitter_.closed_unopened();
  const std::vector<SplitToken> split = splitter_.Push(token);
  ++total_;
  last_ = token;
  if (!forced_.empty()) {
    if (forced_.front() == token) {
      forced_.erase(forced_.begin());
    } else {
      forced_.clear();
    }
  } else if (closes) {
    forced_ = splitter_.RestOfClosing();
  }
  for (const SplitToken& one : split) Look(one);
  // What came before was no answer.
  if (splitter_.closed_unopened() && !unopened) answer_visible_ = false;
  return true;
}

void ThinkBudget::Look(const SplitToken& token) {
  if (answer_visible_ || token.part != ThoughtPart::kAnswer) return;
  if (token.whole) {
    answer_visible_ =
        !tokenizer_.IsSpecial(token.token) && !IsBlank(tokenizer_.PieceBytes(token.token));
  } else {
    answer_visible_ = !IsBlank(token.bytes);
  }
}

std::unique_ptr<runtime::LogitHook> ThinkBudget::Fork() const {
  return std::make_unique<ThinkBudget>(*this);
}

}  // namespace ergo::generate
