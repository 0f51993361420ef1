#include "generate/think/think_splitter.h"

#include <algorithm>
#include <utility>

namespace ergo::generate {

ThinkSplitter::ThinkSplitter(std::shared_ptr<const ThinkTags> tags, ThoughtStart start)
    : tags_(std::move(tags)),
      depth_(start == ThoughtStart::kOpen ? 1 : 0),
      opened_(start == ThoughtStart::kOpen),
      closed_(start == ThoughtStart::kClosed) {}

std::vector<ThinkSplitter::Candidate> ThinkSplitter::Candidates() const {
  std::vector<Candidate> candidates;
  const bool fresh = !opened_ && !closed_;
  if (!tags_->spelled() || (fresh && !answer_visible_)) {
    candidates.push_back({TagKind::kOpening, &tags_->opening()});
  }
  if (!tags_->spelled() || fresh || depth_ > 0) {
    for (const ThinkTag& tag : tags_->closings()) candidates.push_back({TagKind::kClosing, &tag});
  }
  return candidates;
}

void ThinkSplitter::Apply(TagKind kind) {
  if (kind == TagKind::kOpening) {
    if (depth_ == 0) {
      depth_ = 1;
      opened_ = true;
      thought_visible_ = false;
      inner_closings_ = 0;
    } else if (thought_visible_) {
      ++depth_;
    }
  } else if (depth_ > 1) {
    --depth_;
    ++inner_closings_;
  } else if (depth_ == 1) {
    depth_ = 0;
    closed_ = true;
    inner_closings_ = 0;
  } else if (!closed_) {
    closed_ = closed_unopened_ = true;
  }
}

void ThinkSplitter::See(std::string_view bytes) {
  bool& visible = depth_ > 0 ? thought_visible_ : answer_visible_;
  visible = visible || !IsBlank(bytes);
}

void ThinkSplitter::Emit(SplitToken token, std::vector<SplitToken>* out) {
  if (token.part == ThoughtPart::kThought) ++thought_tokens_;
  out->push_back(std::move(token));
}

std::vector<SplitToken> ThinkSplitter::Push(TokenId token) {
  std::vector<SplitToken> out;
  if (tags_ == nullptr) {
    out.push_back({token, ThoughtPart::kAnswer});
    return out;
  }
  if (!tags_->spelled()) {
    held_.push_back({token, 0});
    DecideTokens(&out);
    return out;
  }
  if (tags_->tokenizer().IsSpecial(token)) {
    Flush(&out);
    Emit({token, Present()}, &out);
    return out;
  }
  const std::string bytes = tags_->tokenizer().PieceBytes(token);
  held_.push_back({token, bytes.size()});
  text_ += bytes;
  while (DecideText()) {
  }
  ReleaseText(&out);
  return out;
}

void ThinkSplitter::DecideTokens(std::vector<SplitToken>* out) {
  const auto begins = [this](const ThinkTag& tag) {
    return held_.size() <= tag.tokens.size() &&
           std::equal(held_.begin(), held_.end(), tag.tokens.begin(),
                      [](const Held& held, TokenId token) { return held.token == token; });
  };
  const std::vector<Candidate> candidates = Candidates();
  while (!held_.empty()) {
    bool may_be_tag = false;
    for (const Candidate& candidate : candidates) {
      if (!begins(*candidate.tag)) continue;
      may_be_tag = true;
      if (held_.size() < candidate.tag->tokens.size()) continue;
      for (const Held& held : std::exchange(held_, {})) Emit({held.token, ThoughtPart::kTag}, out);
      Apply(candidate.kind);
      return;
    }
    if (may_be_tag) return;
    const TokenId first = held_.front().token;
    held_.erase(held_.begin());
    const bool seen = depth_ > 0 ? thought_visible_ : answer_visible_;
    if (!seen && !tags_->tokenizer().IsSpecial(first)) See(tags_->tokenizer().PieceBytes(first));
    Emit({first, Present()}, out);
  }
}

/// Decides what some more of text_ is; false if more of it has to come first.
bool ThinkSplitter::DecideText() {
  const std::vector<Candidate> candidates = Candidates();
  const std::size_t begin = decided_.size();
  for (std::size_t at = begin; at < text_.size(); ++at) {
    const std::string_view rest = std::string_view(text_).substr(at);
    for (const Candidate& candidate : candidates) {
      const std::string& tag = candidate.tag->text;
      const bool whole = rest.starts_with(tag);
      if (!whole && !std::string_view(tag).starts_with(rest)) continue;
      if (at > begin) {
        // What this text shows may change what can be a tag.
        See(std::string_view(text_).substr(begin, at - begin));
        decided_.resize(at, Present());
        return true;
      }
      if (!whole) return false;
      decided_.resize(at + tag.size(), ThoughtPart::kTag);
      Apply(candidate.kind);
      return true;
    }
  }
  See(std::string_view(text_).substr(begin));
  decided_.resize(text_.size(), Present());
  return false;
}

/// Gives out the tokens all of whose bytes are decided.
void ThinkSplitter::ReleaseText(std::vector<SplitToken>* out) {
  std::size_t tokens = 0;
  std::size_t at = 0;
  for (; tokens < held_.size() && at + held_[tokens].bytes <= decided_.size(); ++tokens) {
    const Held& held = held_[tokens];
    const std::size_t end = at + held.bytes;
    if (held.bytes == 0) Emit({held.token, Present()}, out);
    const bool whole = std::all_of(decided_.begin() + static_cast<std::ptrdiff_t>(at),
                                   decided_.begin() + static_cast<std::ptrdiff_t>(end),
                                   [&](ThoughtPart part) { return part == decided_[at]; });
    while (at < end) {
      const ThoughtPart part = decided_[at];
      std::size_t run = at;
      while (run < end && decided_[run] == part) ++run;
      Emit({held.token, part, whole ? "" : text_.substr(at, run - at), whole}, out);
      at = run;
    }
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(tokens));
  text_.erase(0, at);
  decided_.erase(decided_.begin(), decided_.begin() + static_cast<std::ptrdiff_t>(at));
}

void ThinkSplitter::Flush(std::vector<SplitToken>* out) {
  if (tags_ == nullptr) return;
  if (tags_->spelled()) {
    See(std::string_view(text_).substr(decided_.size()));
    decided_.resize(text_.size(), Present());
    ReleaseText(out);
    return;
  }
  for (const Held& held : std::exchange(held_, {})) Emit({held.token, Present()}, out);
}

std::vector<SplitToken> ThinkSplitter::Finish() {
  std::vector<SplitToken> out;
  Flush(&out);
  return out;
}

std::size_t ThinkSplitter::thought_tokens() const {
  return thought_tokens_ + (depth_ > 0 ? held_.size() : 0);
}

bool ThinkSplitter::HasBegun(const ThinkTag& tag) const {
  if (held_.empty()) return false;
  if (tags_->spelled()) {
    const std::string_view begun = std::string_view(text_).substr(decided_.size());
    return !begun.empty() && begun.size() < tag.text.size() && tag.text.starts_with(begun);
  }
  return held_.size() < tag.tokens.size() &&
         std::equal(held_.begin(), held_.end(), tag.tokens.begin(),
                    [](const Held& held, TokenId token) { return held.token == token; });
}

std::vector<TokenId> ThinkSplitter::NextOfTag() const {
  std::vector<TokenId> next;
  if (held_.empty() || tags_->spelled()) return next;
  for (const Candidate& candidate : Candidates()) {
    if (HasBegun(*candidate.tag)) next.push_back(candidate.tag->tokens[held_.size()]);
  }
  return next;
}

std::vector<TokenId> ThinkSplitter::RestOfClosing() const {
  if (held_.empty()) return {};
  for (const Candidate& candidate : Candidates()) {
    if (candidate.kind != TagKind::kClosing || !HasBegun(*candidate.tag)) continue;
    const ThinkTag& tag = *candidate.tag;
    if (!tags_->spelled()) {
      return {tag.tokens.begin() + static_cast<std::ptrdiff_t>(held_.size()), tag.tokens.end()};
    }
    return tags_->tokenizer().Encode(tag.text.substr(Undecided()),
                                     {.add_special = false, .parse_special = false});
  }
  return {};
}

SplitTokens SplitThought(const std::shared_ptr<const ThinkTags>& tags, ThoughtStart start,
                         std::span<const TokenId> tokens) {
  ThinkSplitter splitter(tags, start);
  std::vector<SplitToken> all;
  std::size_t answer_from = 0;  // behind the last inner closing tag
  const auto take = [&](std::vector<SplitToken> parts) {
    all.insert(all.end(), std::make_move_iterator(parts.begin()),
               std::make_move_iterator(parts.end()));
  };
  for (const TokenId token : tokens) {
    const bool unopened = splitter.closed_unopened();
    const std::size_t inner = splitter.inner_closings();
    take(splitter.Push(token));
    if (splitter.inner_closings() > inner) answer_from = all.size();
    if (splitter.closed_unopened() && !unopened) {
      std::size_t tag = all.size();
      while (tag > 0 && all[tag - 1].part != ThoughtPart::kTag) --tag;
      for (std::size_t i = 0; i < tag; ++i) {
        if (all[i].part == ThoughtPart::kAnswer) all[i].part = ThoughtPart::kThought;
      }
    }
  }
  take(splitter.Finish());
  if (splitter.in_thought() && splitter.inner_closings() > 0) {
    for (std::size_t i = answer_from; i < all.size(); ++i) {
      if (all[i].part == ThoughtPart::kThought) all[i].part = ThoughtPart::kAnswer;
    }
  }
  SplitTokens split;
  for (const SplitToken& token : all) {
    if (token.part == ThoughtPart::kTag || (!token.whole && IsBlank(token.bytes))) continue;
    (token.part == ThoughtPart::kThought ? split.thought : split.answer).push_back(token.token);
  }
  return split;
}

}  // namespace ergo::generate
