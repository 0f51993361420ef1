// The program. What it can do is in cli/commands/.
#include "cli/cli.h"

int main(int argc, char** argv) { return ergo::cli::Main(argc, argv); }
