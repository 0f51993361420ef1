// What the handles of models and constraints stand for.
#pragma once

#include <memory>

#include "capi/boundary.h"
#include "generate/constrain/constraint.h"
#include "generate/language_model.h"

namespace ergo::capi {

using generate::TokenId;

/// A loaded model. Any thread.
class ModelState {
 public:
  explicit ModelState(std::shared_ptr<generate::LanguageModel> loaded)
      : model_(std::move(loaded)) {}

  generate::LanguageModel& model() const { return *model_; }
  runtime::Scheduler& scheduler() const { return model_->scheduler(); }
  std::size_t vocabulary() const { return model_->model().config().vocabulary; }

 private:
  const std::shared_ptr<generate::LanguageModel> model_;
};

}  // namespace ergo::capi

struct ergo_model {
  std::shared_ptr<ergo::capi::ModelState> state;
};

struct ergo_constraint {
  std::shared_ptr<ergo::capi::ModelState> model;
  std::shared_ptr<const ergo::generate::constrain::Constraint> compiled;
};
