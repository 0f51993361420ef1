// `ergo pull`: fetches a model from a hub.
#include "formats/hub/pull.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/commands/all.h"
#include "cli/terminal.h"

namespace ergo::cli {

namespace {

struct Settings {
  std::vector<std::string> model;
  std::string revision = "main";
};

std::string Size(std::uint64_t bytes) {
  if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", static_cast<double>(bytes) / 1e9);
  return fmt::format("{:.1f} MB", static_cast<double>(bytes) / 1e6);
}

std::string TimeLeft(double seconds) {
  if (seconds < 0) return "";
  const auto whole = std::llround(seconds);
  if (whole >= 3600) return fmt::format(", {} h {:02} min left", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format(", {} min {:02} s left", whole / 60, whole % 60);
  return fmt::format(", {} s left", whole);
}

/// One line on a terminal that is written over; elsewhere a line for each file.
class ProgressLine {
 public:
  void Show(const formats::hub::PullProgress& progress) {
    if (!IsTerminal(STDERR_FILENO)) {
      if (progress.file != file_) Note("fetching " + progress.file);
      file_ = progress.file;
      return;
    }
    std::string line = Size(progress.done);
    if (progress.total > 0) {
      line = fmt::format(
          "{:3.0f}% of {}",
          100.0 * static_cast<double>(progress.done) / static_cast<double>(progress.total),
          Size(progress.total));
    }
    fmt::print(stderr, "\r\033[K{}, {}/s{}  {}", line,
               Size(static_cast<std::uint64_t>(progress.bytes_per_second)),
               TimeLeft(progress.seconds_left), progress.file);
    open_ = true;
  }

  void Finish() {
    if (open_) fmt::print(stderr, "\r\033[K");
    open_ = false;
  }

 private:
  std::string file_;
  bool open_ = false;
};

Result<int> Pull(const Settings& settings) {
  formats::hub::PullOptions options = formats::hub::PullOptionsFromEnvironment();
  options.revision = settings.revision;
  const InterruptGuard guard;
  ProgressLine line;
  options.progress = [&line](const formats::hub::PullProgress& progress) {
    line.Show(progress);
    return !InterruptGuard::Requested();
  };
  const Result<std::string> snapshot = formats::hub::Pull(settings.model[0], options);
  line.Finish();
  if (InterruptGuard::Requested()) {
    Note("interrupted; the same command goes on from here");
    return kInterrupted;
  }
  if (!snapshot) return tl::unexpected(snapshot.error());
  if (Status printed = Print(*snapshot + '\n'); !printed) return tl::unexpected(printed.error());
  return kOk;
}

Action Prepare(Options& options) {
  const auto settings = std::make_shared<Settings>();
  options.Arguments(&settings->model, 1, 1);
  options.Text("--revision", &settings->revision, "NAME", "branch, tag or commit (default: main)");
  options.Note(
      "MODEL is org/name, or org/name:PART for the one GGUF file whose name holds PART (Q4_K_M).\n"
      "A pull that was cut goes on where it stopped. Environment: HF_ENDPOINT (another hub),\n"
      "HF_TOKEN (sent to that host alone), HF_HOME (where models are kept).");
  return [settings] { return Pull(*settings); };
}

}  // namespace

const Command kPull = {"pull", "[options] MODEL", "Fetch a model from a hub", Prepare};

}  // namespace ergo::cli
