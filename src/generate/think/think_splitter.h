// Which tokens are thought and which are answer.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "generate/think/think_tags.h"

namespace ergo::generate {

enum class ThoughtPart {
  kThought,
  kTag,
  kAnswer,
};

struct SplitToken {
  TokenId token = -1;
  ThoughtPart part = ThoughtPart::kAnswer;
  /// Where a spelled tag begins or ends within the token, it comes in several parts, each with its
  /// bytes. Else the token is whole, and this is empty.
  std::string bytes = {};
  bool whole = true;
};

/// Splits a text token by token. A value: copies go their own way.
///
/// - A thought that the prompt has opened needs no opening tag; one more right at its start is
///   ignored.
/// - Tags that are tokens nest; the thought ends with the outermost one. Spelled ones do not: there
///   the first closing tag ends the thought, an opening tag counts only before any other text, and
///   after the thought there are no tags.
/// - A closing tag without a thought before it is a tag (closed_unopened()): what came before it
///   was a thought, though it has been given out as answer. SplitThought sets that right.
/// - After a thought another one may be opened, by a token.
class ThinkSplitter {
 public:
  /// Without tags everything is answer.
  ThinkSplitter(std::shared_ptr<const ThinkTags> tags, ThoughtStart start);

  /// The tokens that are certain now, in order: usually this one; fewer while a tag of several
  /// tokens may be coming.
  std::vector<SplitToken> Push(TokenId token);
  /// The rest.
  std::vector<SplitToken> Finish();

  bool in_thought() const { return depth_ > 0; }
  /// Whether a thought was closed, here or in the prompt.
  bool closed() const { return closed_; }
  bool closed_unopened() const { return closed_unopened_; }
  /// Closing tags of nested thoughts in the present one.
  std::size_t inner_closings() const { return inner_closings_; }
  /// Tokens within thoughts, tags apart; those that Push still holds count as what they are now.
  std::size_t thought_tokens() const;
  /// Whether the present thought has anything visible in it.
  bool thought_visible() const { return thought_visible_; }

  /// Tokens, or if tags are spelled bytes, that have come and may begin a tag.
  std::size_t begun() const { return held_.empty() ? 0 : Undecided(); }
  /// Tokens that lead on to a tag that has begun; none if tags are spelled.
  std::vector<TokenId> NextOfTag() const;
  /// Tokens that complete a closing tag that has begun; none if none has.
  std::vector<TokenId> RestOfClosing() const;

 private:
  enum class TagKind { kOpening, kClosing };
  struct Candidate {
    TagKind kind;
    const ThinkTag* tag;
  };
  std::vector<Candidate> Candidates() const;
  std::size_t Undecided() const {
    return tags_->spelled() ? text_.size() - decided_.size() : held_.size();
  }
  ThoughtPart Present() const { return depth_ > 0 ? ThoughtPart::kThought : ThoughtPart::kAnswer; }
  bool HasBegun(const ThinkTag& tag) const;
  void Apply(TagKind kind);
  void See(std::string_view bytes);
  void Emit(SplitToken token, std::vector<SplitToken>* out);

  void DecideTokens(std::vector<SplitToken>* out);
  bool DecideText();
  void ReleaseText(std::vector<SplitToken>* out);
  void Flush(std::vector<SplitToken>* out);

  std::shared_ptr<const ThinkTags> tags_;
  std::size_t depth_ = 0;
  bool opened_ = false;
  bool closed_ = false;
  bool closed_unopened_ = false;
  bool thought_visible_ = false;
  bool answer_visible_ = false;
  std::size_t inner_closings_ = 0;
  std::size_t thought_tokens_ = 0;

  struct Held {
    TokenId token;
    std::size_t bytes;
  };
  std::vector<Held> held_;
  std::string text_;                  ///< bytes of the held tokens, if tags are spelled
  std::vector<ThoughtPart> decided_;  ///< of the first bytes of text_
};

/// A whole text, split.
struct SplitTokens {
  std::vector<TokenId> thought;
  std::vector<TokenId> answer;
};

/// Splits a text that is complete. Beyond what ThinkSplitter can know: what stands before a closing
/// tag that nothing opened is thought; if a thought never ends, but one within it did, what stands
/// behind the last closing tag is the answer. Of tokens that a tag shares with text, the text
/// counts.
SplitTokens SplitThought(const std::shared_ptr<const ThinkTags>& tags, ThoughtStart start,
                         std::span<const TokenId> tokens);

}  // namespace ergo::generate
