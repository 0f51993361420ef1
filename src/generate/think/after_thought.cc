#include "generate/think/after_thought.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace ergo::generate {
namespace {

constexpr float kForbidden = -std::numeric_limits<float>::infinity();

}  // namespace

AfterThought::AfterThought(std::shared_ptr<const ThinkTags> tags, ThoughtStart start,
                           std::unique_ptr<runtime::LogitHook> answer)
    : tags_(std::move(tags)), splitter_(tags_, start), answer_(std::move(answer)) {
  phase_ = Phase::kAnswer;
  if (tags_ == nullptr) return;
  if (start == ThoughtStart::kOpen) phase_ = Phase::kThought;
  if (start == ThoughtStart::kUnopened && !tags_->spelled()) phase_ = Phase::kMayOpen;
}

AfterThought::AfterThought(const AfterThought& other)
    : LogitHook(other),
      tags_(other.tags_),
      splitter_(other.splitter_),
      answer_(other.answer_->Fork()),
      phase_(other.phase_) {}

void AfterThought::Mask(std::span<float> logits) {
  const auto possible = [&](TokenId token) {
    return token >= 0 && static_cast<std::size_t>(token) < logits.size();
  };
  if (phase_ == Phase::kAnswer) return answer_->Mask(logits);
  if (phase_ == Phase::kMayOpen) {
    const TokenId opening = tags_->opening().tokens.front();
    const float kept = possible(opening) ? logits[static_cast<std::size_t>(opening)] : kForbidden;
    answer_->Mask(logits);
    if (possible(opening)) logits[static_cast<std::size_t>(opening)] = kept;
  } else if (phase_ == Phase::kOpening) {
    const std::vector<TokenId> next = splitter_.NextOfTag();
    for (std::size_t i = 0; i < logits.size(); ++i) {
      if (std::find(next.begin(), next.end(), static_cast<TokenId>(i)) == next.end()) {
        logits[i] = kForbidden;
      }
    }
  } else if (tags_->spelled() && splitter_.begun() > 0) {
    // A token that ends the tag and begins the answer would escape the hook.
    const std::string_view rest = std::string_view(tags_->closing().text).substr(splitter_.begun());
    for (const TokenId token : tags_->overrunning()) {
      if (!possible(token) || !tags_->tokenizer().PieceBytes(token).starts_with(rest)) continue;
      logits[static_cast<std::size_t>(token)] = kForbidden;
    }
  }
}

bool AfterThought::Accept(std::int32_t token) {
  if (phase_ == Phase::kMayOpen) {
    phase_ = token == tags_->opening().tokens.front() ? Phase::kOpening : Phase::kAnswer;
  }
  if (phase_ == Phase::kAnswer) return answer_->Accept(token);
  splitter_.Push(token);
  if (splitter_.in_thought()) {
    phase_ = Phase::kThought;
  } else if (phase_ == Phase::kThought || splitter_.closed() || splitter_.begun() == 0) {
    phase_ = Phase::kAnswer;
  }
  return true;
}

std::vector<std::int32_t> AfterThought::Forced() {
  if (phase_ == Phase::kAnswer) return answer_->Forced();
  if (phase_ == Phase::kOpening) {
    std::vector<TokenId> next = splitter_.NextOfTag();
    if (next.size() == 1) return next;
  }
  return {};
}

std::unique_ptr<runtime::LogitHook> AfterThought::Fork() const {
  return std::unique_ptr<runtime::LogitHook>(new AfterThought(*this));
}

}  // namespace ergo::generate
