#include "reasoning/sandbox/jail.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>
#include <optional>

#include "reasoning/sandbox/seccomp_filter.h"

namespace ergo::reasoning {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kBubblewrap = "/usr/bin/bwrap";
constexpr const char* kPrlimit = "/usr/bin/prlimit";
constexpr uid_t kNobody = 65534;
/// Descriptors that the child is given start here, above any that it keeps for itself.
constexpr int kFirstFree = 64;

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { Close(); }
  int get() const { return fd_; }
  void Close() {
    if (fd_ >= 0) close(std::exchange(fd_, -1));
  }

 private:
  int fd_ = -1;
};

/// Moves a descriptor out of the numbers that the child's own will take.
Descriptor Raised(int fd) {
  Descriptor low(fd);
  if (fd < 0) return low;
  return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, kFirstFree));
}

Result<Descriptor> FileOf(std::string_view bytes) {
  Descriptor file = Raised(memfd_create("sandbox", MFD_CLOEXEC));
  while (file.get() >= 0 && !bytes.empty()) {
    const ssize_t wrote = write(file.get(), bytes.data(), bytes.size());
    if (wrote <= 0) file.Close();
    bytes.remove_prefix(wrote > 0 ? static_cast<std::size_t>(wrote) : 0);
  }
  if (file.get() < 0 || lseek(file.get(), 0, SEEK_SET) != 0) {
    return Fail("no memory file for a program's text", "sandbox", "allow more open files");
  }
  return file;
}

struct Pipe {
  Descriptor read;
  Descriptor write;
};

Result<Pipe> NewPipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    return Fail("no pipe for a program's output", "sandbox", "allow more open files");
  }
  Pipe made{Raised(ends[0]), Raised(ends[1])};
  if (made.read.get() < 0 || made.write.get() < 0) {
    return Fail("no pipe for a program's output", "sandbox", "allow more open files");
  }
  fcntl(made.read.get(), F_SETFL, O_NONBLOCK);
  return made;
}

/// All that the child needs between clone and exec, prepared before: it shares our memory, and may
/// allocate nothing.
struct Launch {
  std::vector<std::string> arguments;
  std::vector<char*> argv;
  std::vector<Descriptor> files;  ///< become 0, 1, 2, … of the child, in order
  std::array<std::pair<int, rlimit>, 4> limits{};
  bool drop_root = false;
  int dumpable = 1;
  int error = 0;
};

int StartChild(void* argument) {
  auto& launch = *static_cast<Launch*>(argument);
  // Ignored signals would stay ignored across exec.
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  int next = 0;
  for (const Descriptor& file : launch.files) {
    if (dup2(file.get(), next++) < 0) {
      launch.error = errno;
      _exit(127);
    }
  }
  if (syscall(SYS_close_range, next, ~0U, 0) != 0) {
    const long highest = std::min(sysconf(_SC_OPEN_MAX), 1L << 20);
    for (int fd = next; fd < highest; ++fd) close(fd);
  }
  setsid();
  for (const auto& [what, limit] : launch.limits) {
    if (prlimit(0, static_cast<__rlimit_resource>(what), &limit, nullptr) != 0) {
      launch.error = errno;
      _exit(127);
    }
  }
  if (launch.drop_root) {
    // By system call: the library's functions would change every thread that shares this memory.
    if (syscall(SYS_setgroups, 0, nullptr) != 0 ||
        syscall(SYS_setresgid, kNobody, kNobody, kNobody) != 0 ||
        syscall(SYS_setresuid, kNobody, kNobody, kNobody) != 0) {
      launch.error = errno;
      _exit(127);
    }
    prctl(PR_SET_DUMPABLE, launch.dumpable);  // the memory is ours, and so is its flag
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  static constinit char* empty[] = {nullptr};
  execve(launch.argv[0], launch.argv.data(), empty);
  launch.error = errno;
  _exit(127);
}

struct Child {
  pid_t pid = -1;
  Descriptor handle;  ///< readable once it has ended
};

/// Clones without copying page tables: a process with a large model would take milliseconds.
Result<Child> Start(Launch& launch) {
  constexpr std::size_t kStack = std::size_t{64} << 10;
  const auto stack = std::make_unique<std::byte[]>(kStack);
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int handle = -1;
  const pid_t pid = clone(StartChild, stack.get() + kStack - 64,
                          CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &launch, &handle);
  const int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) {
    return Fail(fmt::format("a process could not be started: {}", std::strerror(error)), "sandbox");
  }
  Child child{pid, Descriptor(handle)};
  if (launch.error != 0) {
    siginfo_t ended{};
    waitid(P_PIDFD, static_cast<id_t>(handle), &ended, WEXITED);
    return Fail(
        fmt::format("{} could not be started: {}", kBubblewrap, std::strerror(launch.error)),
        "sandbox", "install the package bubblewrap");
  }
  return child;
}

void Add(std::vector<std::string>& to, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words) to.emplace_back(word);
}

/// The root: empty but for what the plan names. A folder that is a link on the host (/lib on most)
/// is the same link inside.
void AddRoot(const JailPlan& plan, std::vector<std::string>& to) {
  for (const std::string& path : plan.read_only) {
    struct stat status {};
    if (lstat(path.c_str(), &status) != 0) continue;
    std::array<char, 256> target;
    const ssize_t length =
        S_ISLNK(status.st_mode) ? readlink(path.c_str(), target.data(), target.size()) : 0;
    if (length > 0 && length < static_cast<ssize_t>(target.size())) {
      Add(to, {"--symlink", {target.data(), static_cast<std::size_t>(length)}, path});
    } else {
      Add(to, {"--ro-bind", path, path});
    }
  }
  for (const char* device : {"/dev/null", "/dev/zero", "/dev/urandom"}) {
    Add(to, {"--dev-bind", device, device});
  }
  Add(to, {"--size", fmt::to_string(std::max<std::size_t>(plan.disk_bytes, 4096)), "--tmpfs",
           "/tmp", "--chdir", "/tmp"});
}

/// Fills launch.files with 0 stdin, 1 stdout, 2 stderr, 3 status, 4 filter, then the plan's files.
Result<void> Prepare(const JailPlan& plan, const std::string& filter, Launch& launch) {
  auto& words = launch.arguments;
  Add(words, {kBubblewrap,
              "--unshare-user",
              "--unshare-ipc",
              "--unshare-pid",
              "--unshare-net",
              "--unshare-uts",
              "--unshare-cgroup-try",
              "--uid",
              "65534",
              "--gid",
              "65534",
              "--hostname",
              "sandbox",
              "--cap-drop",
              "ALL",
              "--die-with-parent",
              "--new-session",
              "--clearenv",
              "--setenv",
              "PATH",
              "/usr/bin:/bin",
              "--setenv",
              "LC_ALL",
              "C.UTF-8",
              "--setenv",
              "HOME",
              "/tmp",
              "--setenv",
              "TMPDIR",
              "/tmp",
              "--json-status-fd",
              "3",
              "--seccomp",
              "4"});
  AddRoot(plan, words);
  auto bpf = FileOf(filter);
  if (!bpf) return Fail(std::move(bpf));
  launch.files.push_back(std::move(*bpf));
  for (const auto& [path, content] : plan.files) {
    auto file = FileOf(content);
    if (!file) return Fail(std::move(file));
    Add(words, {"--perms", "0555", "--ro-bind-data", fmt::to_string(launch.files.size()), path});
    launch.files.push_back(std::move(*file));
  }
  // Set inside: the limit on tasks counts the user's processes within the namespace only.
  Add(words, {"--remount-ro", "/", "--", kPrlimit, fmt::format("--nproc={0}:{0}", plan.tasks),
              fmt::format("--as={0}:{0}", plan.memory_bytes), "--"});
  words.insert(words.end(), plan.command.begin(), plan.command.end());
  for (std::string& word : words) launch.argv.push_back(word.data());
  launch.argv.push_back(nullptr);
  const auto seconds = static_cast<rlim_t>(plan.wall.count() / 1000 + 2);
  const auto same = [](rlim_t value) { return rlimit{value, value}; };
  launch.limits = {{{RLIMIT_CPU, same(seconds)},
                    {RLIMIT_FSIZE, same(std::max(plan.disk_bytes, plan.out_bytes))},
                    {RLIMIT_NOFILE, same(std::max<std::size_t>(plan.open_files, 16))},
                    {RLIMIT_CORE, same(0)}}};
  launch.drop_root = geteuid() == 0;
  launch.dumpable = prctl(PR_GET_DUMPABLE) == 1 ? 1 : 0;
  return {};
}

/// A number of bubblewrap's status lines ({"child-pid": 12, …}).
std::optional<int> NumberAfter(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(at + key.size());
  rest.remove_prefix(std::min(rest.find_first_of("0123456789"), rest.size()));
  int value = 0;
  if (std::from_chars(rest.data(), rest.data() + rest.size(), value).ec != std::errc()) {
    return std::nullopt;
  }
  return value;
}

struct Stream {
  Descriptor* from;
  std::string* to;
  std::size_t limit;
};

/// False once the stream holds more than its limit; closes it at its end.
bool ReadInto(const Stream& stream) {
  std::array<char, 16384> block;
  while (stream.from->get() >= 0) {
    const ssize_t got = read(stream.from->get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return true;  // nothing now
    if (got == 0) {
      stream.from->Close();
      return true;
    }
    const std::size_t room = stream.limit - std::min(stream.limit, stream.to->size());
    stream.to->append(block.data(), std::min(room, static_cast<std::size_t>(got)));
    if (static_cast<std::size_t>(got) > room) return false;
  }
  return true;
}

int MillisecondsUntil(Clock::time_point when) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(when - Clock::now()).count();
  return static_cast<int>(std::clamp<long>(left, 0, 1000000));
}

/// Reads the streams until they and the child have ended, or a limit is met: then all are killed.
void Watch(const Child& child, std::array<Stream, 3> streams, Clock::time_point deadline,
           JailResult& result) {
  bool ended = false;
  bool killed = false;
  std::string& status = *streams[2].to;
  while (!ended || streams[0].from->get() >= 0 || streams[1].from->get() >= 0) {
    std::array<pollfd, 4> waits{};
    for (std::size_t i = 0; i < streams.size(); ++i) waits[i] = {streams[i].from->get(), POLLIN, 0};
    waits[3] = {ended ? -1 : child.handle.get(), POLLIN, 0};
    const int ready = poll(waits.data(), waits.size(), MillisecondsUntil(deadline));
    if (ready < 0 && errno != EINTR) break;
    bool within = true;
    for (const Stream& stream : streams) within = ReadInto(stream) && within;
    ended = ended || (waits[3].revents & POLLIN) != 0;
    const bool late = Clock::now() >= deadline;
    if (killed && late) break;
    if (killed || (within && !late)) continue;
    (within ? result.timed_out : result.output_limit) = true;
    killed = true;
    // The first of the namespace takes all the others with it.
    if (const auto first = NumberAfter(status, "\"child-pid\"")) kill(*first, SIGKILL);
    kill(child.pid, SIGKILL);
    deadline = Clock::now() + std::chrono::seconds(2);
    for (Stream& stream : streams) stream.limit = std::max(stream.limit, stream.to->size());
  }
  kill(child.pid, SIGKILL);
  siginfo_t info{};
  while (waitid(P_PIDFD, static_cast<id_t>(child.handle.get()), &info, WEXITED) != 0 &&
         errno == EINTR) {
  }
}

}  // namespace

Result<JailResult> RunInJail(const JailPlan& plan) {
  for (const char* program : {kBubblewrap, kPrlimit}) {
    if (access(program, X_OK) != 0) {
      return Fail(fmt::format("{} is missing, and nothing is run outside a sandbox", program),
                  "sandbox", "install the packages bubblewrap and util-linux");
    }
  }
  static const Result<std::string> filters[] = {SeccompFilter(false), SeccompFilter(true)};
  const auto& filter = filters[plan.processes ? 1 : 0];
  if (!filter) return tl::unexpected(filter.error());
  auto out = NewPipe();
  auto err = NewPipe();
  auto status = NewPipe();
  auto input = FileOf(plan.input);
  if (!out || !err || !status || !input) {
    return Fail("too few file descriptors for a sandbox", "sandbox", "allow more open files");
  }
  Launch launch;
  launch.files.push_back(std::move(*input));
  for (auto* pipe : {&out, &err, &status}) launch.files.push_back(std::move((*pipe)->write));
  if (auto prepared = Prepare(plan, *filter, launch); !prepared) return Fail(std::move(prepared));

  const auto started = Clock::now();
  auto child = Start(launch);
  if (!child) return Fail(std::move(child));
  launch.files.clear();
  JailResult result;
  std::string report;
  Watch(*child,
        {Stream{&out->read, &result.out, plan.out_bytes},
         Stream{&err->read, &result.err, plan.err_bytes}, Stream{&status->read, &report, 4096}},
        started + plan.wall, result);
  ReadInto({&status->read, &report, 4096});
  result.seconds = std::chrono::duration<double>(Clock::now() - started).count();
  if (const auto code = NumberAfter(report, "\"exit-code\"")) {
    result.exit_code = *code;
  } else if (!result.timed_out && !result.output_limit) {
    // No exit code: bubblewrap gave up before the program began, and said why.
    std::string why = result.err.substr(0, result.err.find('\n'));
    if (why.empty()) why = "bubblewrap ended without a word";
    return Fail(fmt::format("the sandbox could not be built: {}", why), "sandbox",
                "allow user namespaces (sysctl user.max_user_namespaces, "
                "kernel.unprivileged_userns_clone, or the container's security profile)");
  }
  return result;
}

}  // namespace ergo::reasoning
