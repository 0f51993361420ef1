#include "generate/constrain/constraint.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace ergo::generate::constrain {
namespace {

constexpr std::size_t kMaxStoreBytes = std::size_t{48} << 20;
/// A run of forced text is given in parts of this many bytes.
constexpr std::size_t kMaxForcedBytes = 4096;
/// How far back a token may begin that goes on after a forced text.
constexpr std::size_t kMaxOverlap = 64;

}  // namespace

/// The hook of one sequence.
class ConstraintState final : public runtime::LogitHook {
 public:
  ConstraintState(std::shared_ptr<const Constraint> constraint,
                  std::shared_ptr<Constraint::Store> store)
      : constraint_(std::move(constraint)),
        store_(std::move(store)),
        set_(store_->machine.start()) {}

  void Mask(std::span<float> logits) override {
    std::shared_ptr<const TokenSet> allowed;
    if (over_) {
      TokenSet ends;
      ends.ids = constraint_->table().ends();
      ends.Apply(logits);
      return;
    }
    {
      const std::lock_guard lock(constraint_->mutex_);
      allowed = constraint_->Allowed(store_.get(), set_);
    }
    allowed->Apply(logits);
  }

  bool Accept(std::int32_t token) override {
    if (over_) return false;
    const std::lock_guard lock(constraint_->mutex_);
    if (store_ != constraint_->store_) {
      set_ = constraint_->store_->machine.Import(store_->machine, set_);
      store_ = constraint_->store_;
    }
    const std::string_view bytes = constraint_->table().bytes(token);
    over_ = bytes.empty();
    Machine& machine = store_->machine;
    for (const char c : bytes) set_ = machine.Step(set_, static_cast<std::uint8_t>(c));
    const auto positions = machine.positions(set_);
    const bool complete = positions.size() == 1 && machine.CanEnd(set_);
    if (positions.empty() || complete) over_ = true;
    return !over_;
  }

  std::vector<std::int32_t> Forced() override {
    if (over_) return {};
    const std::lock_guard lock(constraint_->mutex_);
    return constraint_->Forced(store_.get(), set_);
  }

  std::unique_ptr<runtime::LogitHook> Fork() const override {
    return std::unique_ptr<runtime::LogitHook>(new ConstraintState(*this));
  }

 private:
  ConstraintState(const ConstraintState&) = default;

  std::shared_ptr<const Constraint> constraint_;
  std::shared_ptr<Constraint::Store> store_;
  SetId set_ = Machine::kDead;
  bool over_ = false;
};

Constraint::Constraint(std::shared_ptr<const Grammar> grammar,
                       std::shared_ptr<const TokenTable> table)
    : grammar_(std::move(grammar)),
      table_(std::move(table)),
      masks_(grammar_, table_),
      store_(std::make_shared<Store>(grammar_)) {}

Result<std::shared_ptr<const Constraint>> Constraint::Create(
    std::shared_ptr<const Grammar> grammar, std::shared_ptr<const TokenTable> table) {
  std::array<bool, 256> known{};
  const auto nodes = table->trie().nodes();
  for (std::size_t i = 0; i < nodes.size(); i = nodes[i].end) {
    known[nodes[i].byte] = !table->trie().tokens(i).empty();
  }
  constexpr unsigned kAscii = 0x80;
  for (std::uint32_t state = 0; state < grammar->state_count(); ++state) {
    for (const ByteEdge& edge : grammar->bytes(state)) {
      const bool any = std::find(known.begin() + edge.first, known.begin() + edge.last + 1, true) !=
                       known.begin() + edge.last + 1;
      if (edge.first >= kAscii || any) continue;
      return Fail(fmt::format("the vocabulary has no token for the byte 0x{:02X} that the grammar "
                              "needs",
                              edge.first),
                  "grammar");
    }
  }
  return std::shared_ptr<const Constraint>(new Constraint(std::move(grammar), std::move(table)));
}

Result<std::shared_ptr<const Constraint>> Constraint::Create(std::shared_ptr<const Grammar> grammar,
                                                             const tokenizer::Tokenizer& tokenizer,
                                                             std::span<const TokenId> ends) {
  auto table = TokenTable::Create(tokenizer, ends);
  if (!table) return Fail(std::move(table));
  return Create(std::move(grammar), std::move(*table));
}

std::unique_ptr<runtime::LogitHook> Constraint::Start() const {
  const std::lock_guard lock(mutex_);
  return std::make_unique<ConstraintState>(shared_from_this(), store_);
}

Constraint::Store::Known& Constraint::Store::At(SetId set) {
  if (set >= known.size()) known.resize(set + 1U);
  return known[set];
}

std::shared_ptr<const TokenSet> Constraint::Allowed(Store* store, SetId set) const {
  if (const auto& known = store->At(set).allowed) return known;
  auto allowed = std::make_shared<const TokenSet>(masks_.Allowed(&store->machine, set));
  store->mask_bytes += allowed->bits.size() * 8 + allowed->ids.size() * sizeof(TokenId);
  store->At(set).allowed = allowed;
  if (store == store_.get() && store->machine.bytes() + store->mask_bytes > kMaxStoreBytes) {
    store_ = std::make_shared<Store>(grammar_);
  }
  return allowed;
}

std::vector<TokenId> Constraint::Forced(Store* store, SetId set) const {
  if (const auto& known = store->At(set).forced) return *known;
  auto forced = FindForced(&store->machine, set);
  store->At(set).forced = forced;
  return forced;
}

std::vector<TokenId> Constraint::FindForced(Machine* machine, SetId set) const {
  std::string text;
  while (text.size() < kMaxForcedBytes) {
    const int byte = machine->OnlyByte(set);
    if (byte < 0) break;
    text.push_back(static_cast<char>(byte));
    set = machine->Step(set, static_cast<std::uint8_t>(byte));
  }
  if (text.empty()) return {};
  // Where the first token might begin that has to do with what comes behind the text.
  std::size_t safe = text.size();
  const std::size_t first = text.size() > kMaxOverlap ? text.size() - kMaxOverlap : 0;
  for (std::size_t i = first; i < text.size(); ++i) {
    if (!masks_.Extends(machine, set, std::string_view(text).substr(i))) continue;
    safe = i;
    break;
  }
  if (safe == 0) return {};
  std::vector<TokenId> ids = table_->Tokenize(text);
  std::size_t length = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    length += table_->bytes(ids[i]).size();
    if (length <= safe) continue;
    ids.resize(i);
    break;
  }
  return ids;
}

}  // namespace ergo::generate::constrain
