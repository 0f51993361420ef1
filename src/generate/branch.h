// Places in a text from which a model can go on, many at a time, over shared keys and values.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "generate/language_model.h"
#include "generate/session.h"

namespace ergo::generate {

/// A place in a text: cheap to copy. While one lives the engine keeps what it has computed up to
/// it; branches share what they have in common.
class Branch {
 public:
  Branch() = default;
  /// A text that nothing has been computed of yet. Not empty.
  explicit Branch(std::vector<TokenId> tokens)
      : tokens_(std::make_shared<const std::vector<TokenId>>(std::move(tokens))) {}

  const std::vector<TokenId>& tokens() const { return *tokens_; }

 private:
  friend class BranchRun;
  friend Result<std::vector<std::vector<float>>> ScoreAfter(
      LanguageModel& model, const Branch& branch,
      const std::vector<std::vector<TokenId>>& continuations, const std::string& name_space);

  std::shared_ptr<const std::vector<TokenId>> tokens_;
  runtime::Stream stream_;  ///< of an ended and kept sequence that begins with the tokens; or none
};

struct Extension {
  Branch from;
  std::vector<TokenId> append = {};  ///< stands before what is drawn
  /// think_budget and stop_thinking have no effect; the constraint holds from the first token.
  AnswerOptions options = {};
  OnText on_text = {};  ///< takes the text as it comes, on the thread of the call
};

struct Extended {
  /// Behind all that was drawn: a stop string included, a token that ends answers not.
  Branch branch;
  GenerateResult result;
  bool ended = false;  ///< by a token that ends answers
};

/// Hears how extension `index` ended, while the others go on. What it returns, if anything, is
/// drawn in its place and is heard under the same index; after a cancel it is not.
using HearExtended =
    std::function<std::optional<Extension>(std::size_t index, Result<Extended> extended)>;

/// Goes on from many places at once, in common steps. Errors: those of Generate, each for its own
/// extension.
void ExtendEach(LanguageModel& model, std::vector<Extension> extensions, const HearExtended& hear,
                const std::function<bool()>& cancelled = {});

/// The same, with one result for each, in order.
std::vector<Result<Extended>> Extend(LanguageModel& model, std::span<const Extension> extensions,
                                     const std::function<bool()>& cancelled = {});

/// Log-probabilities of the tokens of continuations of a branch: one row for each of them.
/// `name_space` as in AnswerOptions.
Result<std::vector<std::vector<float>>> ScoreAfter(
    LanguageModel& model, const Branch& branch,
    const std::vector<std::vector<TokenId>>& continuations, const std::string& name_space = {});

}  // namespace ergo::generate
