#include "reasoning/sandbox/seccomp_filter.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>

namespace ergo::reasoning {
namespace {

// Enough for CPython, g++ with its assembler and linker, and what they compile.
constexpr std::array kAllowed = {
    // files
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "open",
    "openat", "close", "close_range", "creat", "lseek", "stat", "lstat", "fstat", "newfstatat",
    "statx", "fstatfs", "statfs", "access", "faccessat", "faccessat2", "readlink", "readlinkat",
    "getdents", "getdents64", "getcwd", "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink",
    "unlinkat", "rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat",
    "chmod", "fchmod", "fchmodat", "umask", "truncate", "ftruncate", "fallocate", "fsync",
    "fdatasync", "flock", "fcntl", "dup", "dup2", "dup3", "pipe", "pipe2", "poll", "ppoll",
    "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "eventfd2",
    "sendfile", "copy_file_range", "fadvise64", "utime", "utimes", "utimensat", "futimesat",
    // memory
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "msync", "mincore", "membarrier",
    // this process and its children
    "execve", "exit", "exit_group", "wait4", "waitid", "kill", "tgkill", "tkill", "getpid",
    "getppid", "gettid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid",
    "getgroups", "getresuid", "getresgid", "setsid", "setpgid", "getrusage", "times", "getrlimit",
    "setrlimit", "sysinfo", "uname", "arch_prctl", "set_tid_address", "set_robust_list",
    "get_robust_list", "rseq", "futex", "sched_yield", "sched_getaffinity", "getpriority", "getcpu",
    "getrandom", "restart_syscall", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min",
    // signals and clocks
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "pause", "alarm", "getitimer", "setitimer", "time",
    "gettimeofday", "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "timer_create",
    "timer_settime", "timer_gettime", "timer_delete", "timer_getoverrun", "timerfd_create",
    "timerfd_settime", "timerfd_gettime"};

struct Release {
  void operator()(void* context) const { seccomp_release(context); }
};
using Context = std::unique_ptr<void, Release>;

int AllowIf(scmp_filter_ctx context, const char* call, scmp_arg_cmp condition) {
  const int number = seccomp_syscall_resolve_name(call);
  if (number == __NR_SCMP_ERROR) return 0;  // another processor's
  return seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 1, &condition);
}

int AddRules(scmp_filter_ctx context, bool processes) {
  int error = 0;
  const auto add = [&](int result) {
    if (result != 0 && error == 0) error = result;
  };
  for (const char* call : kAllowed) {
    const int number = seccomp_syscall_resolve_name(call);
    if (number != __NR_SCMP_ERROR)
      add(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 0, nullptr));
  }
  for (const std::uint64_t request : {std::uint64_t{TCGETS}, std::uint64_t{FIONREAD},
                                      std::uint64_t{FIOCLEX}, std::uint64_t{TIOCGWINSZ}}) {
    // The kernel reads 32 bits of the request; the rest must not let another one pass.
    add(AllowIf(context, "ioctl", SCMP_A1(SCMP_CMP_EQ, request, 0)));
  }
  for (const std::uint64_t option : {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE}) {
    add(AllowIf(context, "prctl", SCMP_A0(SCMP_CMP_EQ, option, 0)));
  }
  add(AllowIf(context, "prlimit64", SCMP_A0(SCMP_CMP_EQ, 0, 0)));  // its own limits only
  // Threads share all that a limit counts; a namespace flag is refused either way.
  constexpr std::uint64_t kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                        CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  constexpr std::uint64_t kThread = CLONE_THREAD | CLONE_VM;
  if (processes) {
    add(AllowIf(context, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaces, 0)));
    for (const char* call : {"fork", "vfork"}) {
      const int number = seccomp_syscall_resolve_name(call);
      if (number != __NR_SCMP_ERROR) {
        add(seccomp_rule_add_array(context, SCMP_ACT_ALLOW, number, 0, nullptr));
      }
    }
  } else {
    add(AllowIf(context, "clone", SCMP_A0(SCMP_CMP_MASKED_EQ, kNamespaces | kThread, kThread)));
  }
  // Its flags lie in memory, out of a filter's sight; C libraries then use clone.
  const int clone3 = seccomp_syscall_resolve_name("clone3");
  if (clone3 != __NR_SCMP_ERROR) {
    add(seccomp_rule_add_array(context, SCMP_ACT_ERRNO(ENOSYS), clone3, 0, nullptr));
  }
  return error;
}

}  // namespace

Result<std::string> SeccompFilter(bool processes) {
  const Context context(seccomp_init(SCMP_ACT_ERRNO(EPERM)));
  if (context == nullptr) return Fail("no memory for a system call filter", "sandbox");
  if (AddRules(context.get(), processes) != 0) {
    return Fail("libseccomp refused a rule of the system call filter", "sandbox",
                "install libseccomp 2.5 or later");
  }
  const int file = memfd_create("seccomp", MFD_CLOEXEC);
  if (file < 0) return Fail("no memory file for the system call filter", "sandbox");
  std::string program;
  if (seccomp_export_bpf(context.get(), file) == 0 && lseek(file, 0, SEEK_SET) == 0) {
    std::array<char, 4096> block;
    for (ssize_t got; (got = read(file, block.data(), block.size())) > 0;) {
      program.append(block.data(), static_cast<std::size_t>(got));
    }
  }
  close(file);
  if (program.empty()) return Fail("the system call filter could not be exported", "sandbox");
  return program;
}

}  // namespace ergo::reasoning
