// Thoughts as a person sees them: on stderr, so that what is piped on is the answer alone.
#pragma once

#include <string_view>

namespace ergo::cli {

/// Shows the thought before an answer, part by part, dimmed where stderr is a terminal.
class ThoughtView {
 public:
  void Show(std::string_view part);
  /// Before the answer, and at the end; an empty line divides the two.
  void End();

 private:
  bool open_ = false;
};

}  // namespace ergo::cli
