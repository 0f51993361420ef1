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
      &kPs,          //
      &kPull,        //
      &kRm,          //
      &kRun,         //
      &kServe,       //
      &kShow,        //
      &kStop,        //
      &kTemplate,    //
      &kTokenize,    //
      &kTrace,       //
  };
  return kCommands;
}

}  // namespace ergo::cli
