// A grammar and a vocabulary: what tokens may come next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "base/result.h"
#include "generate/constrain/grammar.h"
#include "generate/constrain/token_masks.h"
#include "generate/constrain/token_table.h"
#include "runtime/logit_hook.h"

namespace ergo::generate::constrain {

/// What a grammar makes of a vocabulary. Compiled once, shared by any number of sequences in any
/// threads; what one of them finds out about the grammar's states, all the others know too.
class Constraint : public std::enable_shared_from_this<Constraint> {
 public:
  /// Errors: the grammar needs an ASCII character that no token can give.
  static Result<std::shared_ptr<const Constraint>> Create(std::shared_ptr<const Grammar> grammar,
                                                          std::shared_ptr<const TokenTable> table);
  /// The same with a TokenTable of its own, which takes some tens of milliseconds: where there are
  /// many constraints for one model, make the table once.
  static Result<std::shared_ptr<const Constraint>> Create(std::shared_ptr<const Grammar> grammar,
                                                          const tokenizer::Tokenizer& tokenizer,
                                                          std::span<const TokenId> ends);

  /// The state of one sequence, before its first token. As a hook:
  /// - Mask forbids what the grammar forbids; tokens that end the answer are allowed where the text
  ///   may end, and there alone; special tokens are never allowed. After a token that was not
  ///   allowed, and after the end, only tokens that end the answer are.
  /// - Accept says false when the text is complete and nothing may follow, at a token that ends the
  ///   answer, and at a token that is not allowed.
  /// - Forced gives the tokens of the text that must come next, without those at its end that might
  ///   turn out otherwise once it is known what follows.
  std::unique_ptr<runtime::LogitHook> Start() const;

  const Grammar& grammar() const { return *grammar_; }
  const TokenTable& table() const { return *table_; }

 private:
  friend class ConstraintState;
  /// A machine with what is known about its sets. When it has grown too large, the next sequences
  /// to move on take a new one; this goes when the last sequence has left it.
  struct Store {
    explicit Store(std::shared_ptr<const Grammar> grammar) : machine(std::move(grammar)) {}
    struct Known {
      std::shared_ptr<const TokenSet> allowed = {};
      std::optional<std::vector<TokenId>> forced = {};
    };
    Known& At(SetId set);

    Machine machine;
    std::vector<Known> known;
    std::size_t mask_bytes = 0;
  };

  Constraint(std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTable> table);
  std::shared_ptr<const TokenSet> Allowed(Store* store, SetId set) const;
  std::vector<TokenId> Forced(Store* store, SetId set) const;
  std::vector<TokenId> FindForced(Machine* machine, SetId set) const;

  std::shared_ptr<const Grammar> grammar_;
  std::shared_ptr<const TokenTable> table_;
  mutable std::mutex mutex_;  ///< guards what follows, and all stores
  mutable TokenMasks masks_;
  mutable std::shared_ptr<Store> store_;
};

}  // namespace ergo::generate::constrain
