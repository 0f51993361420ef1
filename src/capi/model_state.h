// What the handles of models and constraints stand for.
#pragma once

#include <memory>
#include <mutex>

#include "capi/boundary.h"
#include "generate/constrain/constraint.h"
#include "generate/language_model.h"

namespace ergo::capi {

using generate::TokenId;

/// A loaded model and what is made for it when it is first needed. Any thread.
class ModelState {
 public:
  explicit ModelState(std::shared_ptr<generate::LanguageModel> loaded)
      : model_(std::move(loaded)) {}

  generate::LanguageModel& model() const { return *model_; }
  runtime::Scheduler& scheduler() const { return model_->scheduler(); }
  std::size_t vocabulary() const { return model_->model().config().vocabulary; }

  /// The vocabulary's bytes, for constraints.
  Result<std::shared_ptr<const generate::constrain::TokenTable>> Table();

 private:
  const std::shared_ptr<generate::LanguageModel> model_;
  std::mutex mutex_;
  std::shared_ptr<const generate::constrain::TokenTable> table_;
};

}  // namespace ergo::capi

struct ergo_model {
  std::shared_ptr<ergo::capi::ModelState> state;
};

struct ergo_constraint {
  std::shared_ptr<ergo::capi::ModelState> model;
  std::shared_ptr<const ergo::generate::constrain::Constraint> compiled;
};
