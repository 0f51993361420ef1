// What an answer would be if one of its steps had come out otherwise.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reasoning/derive/derivation.h"
#include "reasoning/stage/work.h"

namespace ergo::reasoning {

enum class Role {
  kReal,        ///< another result of the step gives another answer
  kDecorative,  ///< the answer stays whatever the step comes to
  kUnknown,     ///< no equation in it is understood, or none gives the answer
};

/// What became of one step's change.
struct StepRole {
  Role role = Role::kUnknown;
  Span result = {};             ///< of the changed number in the derivation; empty: none
  std::string value = {};       ///< the step's result
  std::string changed_to = {};  ///< what it was changed to
  std::string predicted = {};   ///< the final value then
  bool by_model = false;        ///< drawn anew by the model, not recomputed
};

/// One for each of StepsOf(derivation): its result is changed by a little, what follows from it is
/// recomputed in exact rationals, and the final value is looked at. A step is real if one of its
/// equations is; of those the last is reported. All kUnknown if `final_value` is no number or no
/// step gives it.
std::vector<StepRole> RolesOf(std::string_view question, std::string_view derivation,
                              std::string_view final_value);

/// What a derivation's confidence is to be multiplied by: 0.9 for each decorative step, at least
/// 0.5.
double ConfidenceFactor(const std::vector<StepRole>& roles);

/// Asks the model what follows where recomputation does not know: the last three such steps that
/// say a number, the very last step aside, get another one, and the rest of the derivation is drawn
/// anew from there, all in one batch.
void AskForRoles(Work& work, const Derivation& derivation, std::vector<StepRole>* roles);

/// Writes a node of kind kCounterfactual for every step whose role is known or can be asked for,
/// which supports or contradicts the step's node, and an entry of method "counterfactual" (never
/// exact) in both. Returns the roles; empty if the derivation is no chain or its nodes are not in
/// the trace.
std::vector<StepRole> NoteCounterfactuals(Work& work, const Derivation& derivation);

}  // namespace ergo::reasoning
