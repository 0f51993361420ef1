// Every command, one file each; the list that the program shows is in cli/commands.cc.
#pragma once

#include "cli/command.h"

namespace ergo::cli {

extern const Command kBench;
extern const Command kChat;
extern const Command kCompletion;
extern const Command kEval;
extern const Command kInspect;
extern const Command kList;
extern const Command kPerplexity;
extern const Command kPull;
extern const Command kRm;
extern const Command kRun;
extern const Command kServe;
extern const Command kShow;
extern const Command kTemplate;
extern const Command kTokenize;
extern const Command kTrace;

}  // namespace ergo::cli
