#include "cli/thought_view.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "cli/terminal.h"

namespace ergo::cli {

void ThoughtView::Show(std::string_view part) {
  if (part.empty()) return;
  open_ = true;
  fmt::print(stderr, "{}", Styled(Style::kDim, part, STDERR_FILENO));
  std::fflush(stderr);
}

void ThoughtView::End() {
  if (!open_) return;
  open_ = false;
  fmt::print(stderr, "\n\n");
}

}  // namespace ergo::cli
