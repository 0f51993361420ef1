#include "cli/command.h"
#include "cli/commands/all.h"

namespace ergo::cli {

std::span<const Command* const> Commands() {
  static constexpr const Command* kCommands[] = {
      &kBench,       //
      &kChat,        //
      &kCompletion,  //
      &kEval,        //
      &kInspect,     //
      &kList,        //
      &kPerplexity,  //
      &kPull,        //
      &kRm,          //
      &kRun,         //
      &kServe,       //
      &kShow,        //
      &kTemplate,    //
      &kTokenize,    //
      &kTrace,       //
  };
  return kCommands;
}

}  // namespace ergo::cli
