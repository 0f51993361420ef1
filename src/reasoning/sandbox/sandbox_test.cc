#include "reasoning/sandbox/sandbox.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

namespace ergo::reasoning {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// Skipped, with the reason, where the machine forbids namespaces.
class SandboxTest : public ::testing::Test {
 protected:
  void SetUp() override {
    static const Status available = SandboxAvailable();
    if (!available) GTEST_SKIP() << available.error().Message();
  }

  /// A busy machine must not look like a program that never ends.
  static SandboxLimits Patient() {
    SandboxLimits limits;
    limits.wall = std::chrono::seconds(30);
    limits.compile_wall = std::chrono::seconds(90);
    return limits;
  }

  static RunResult Python(std::string source, const SandboxLimits& limits = Patient(),
                          std::string input = {}) {
    auto result = RunProgram({Language::kPython, std::move(source), std::move(input)}, limits);
    EXPECT_TRUE(result) << result.error().Message();
    return result ? *result : RunResult{};
  }

  static RunResult Cpp(std::string source, const SandboxLimits& limits = Patient()) {
    auto result = RunProgram({Language::kCpp, std::move(source), "5 7"}, limits);
    EXPECT_TRUE(result) << result.error().Message();
    return result ? *result : RunResult{};
  }
};

/// Runs the statement and prints what stopped it, or "done".
std::string Attempt(std::string_view statement) {
  return "import os, sys\ntry:\n    " + std::string(statement) +
         "\n    print('done')\nexcept Exception as e:\n    print(type(e).__name__)\n";
}

TEST_F(SandboxTest, PythonReadsInputAndWritesBothOutputs) {
  const RunResult result = Python(
      "import sys, math, collections, typing, itertools\n"
      "print(sum(map(int, sys.stdin.read().split())), '\\u00e9')\nprint('b', file=sys.stderr)\n",
      Patient(), "1 2 3");
  EXPECT_TRUE(result.ok()) << result.err;
  EXPECT_EQ(result.out, "6 \u00e9\n");
  EXPECT_EQ(result.err, "b\n");
  EXPECT_GT(result.seconds, 0);
}

TEST_F(SandboxTest, ExitCodesExceptionsAndSignals) {
  EXPECT_EQ(Python("import sys; sys.exit(7)").exit_code, 7);
  const RunResult raised = Python("x = {}['a']");
  EXPECT_EQ(raised.status, RunStatus::kExited);
  EXPECT_EQ(raised.exit_code, 1);
  EXPECT_THAT(raised.err, HasSubstr("KeyError"));
  const RunResult aborted = Python("import os; os.abort()");
  EXPECT_EQ(aborted.status, RunStatus::kSignaled);
  EXPECT_EQ(aborted.signal, SIGABRT);
}

TEST_F(SandboxTest, CppCompilesRunsAndReportsErrors) {
  const RunResult sum =
      Cpp("#include <iostream>\n#include <thread>\nint main() { int a, b; std::cin >> a >> b;\n"
          "std::thread([&] { std::cout << a + b; }).join(); }");
  EXPECT_TRUE(sum.ok()) << sum.err;
  EXPECT_EQ(sum.out, "12");
  const RunResult wrong = Cpp("int main() { return undefined_name; }");
  EXPECT_EQ(wrong.status, RunStatus::kCompileError);
  EXPECT_THAT(wrong.err, HasSubstr("undefined_name"));
}

TEST_F(SandboxTest, CppCannotReadTheHostWhileCompiling) {
  const RunResult result = Cpp("#include \"/etc/shadow\"\nint main() {}");
  EXPECT_EQ(result.status, RunStatus::kCompileError);
  EXPECT_THAT(result.err, HasSubstr("No such file"));
}

TEST_F(SandboxTest, EndlessProgramsEndAtTheDeadline) {
  SandboxLimits limits;
  limits.wall = milliseconds(300);
  for (const char* source :
       {"while True: pass", "import time\ntime.sleep(1000)",
        "import sys\nsys.stdin.read()\n9**9**9",
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "while True: time.sleep(1)"}) {
    EXPECT_EQ(Python(source, limits).status, RunStatus::kTimeout) << source;
  }
}

TEST_F(SandboxTest, ForkBombsMeetAWall) {
  EXPECT_EQ(Python(Attempt("os.fork()")).out, "PermissionError\n");
  SandboxLimits limits = Patient();
  limits.wall = milliseconds(1500);
  limits.processes = true;
  // Every process forks until it can't, and they sleep: all must be gone when RunProgram returns.
  const RunResult bomb = Python(
      "import os, time\nn = 0\nwhile True:\n"
      "    try:\n        if os.fork(): n += 1\n    except OSError:\n        break\n"
      "os.write(1, b'%d\\n' % n)\ntime.sleep(1000)",
      limits);
  EXPECT_EQ(bomb.status, RunStatus::kTimeout);
  const auto written = std::count(bomb.out.begin(), bomb.out.end(), '\n');
  EXPECT_GE(written, 2);  // it did fork
  EXPECT_LE(written, 16);
  EXPECT_LT(bomb.seconds, 20);
}

TEST_F(SandboxTest, ThreadBombsMeetAWall) {
  const RunResult result = Python(
      "import threading, time\nn = 0\ntry:\n    while n < 1000:\n"
      "        threading.Thread(target=time.sleep, args=(0.2,)).start(); n += 1\n"
      "except RuntimeError: print(n)");
  EXPECT_TRUE(result.ok()) << result.err;
  EXPECT_GT(std::atoi(result.out.c_str()), 0);
  EXPECT_LT(std::atoi(result.out.c_str()), 16);
}

TEST_F(SandboxTest, MemoryOutputAndFilesAreBounded) {
  EXPECT_EQ(Python("x = bytearray(1 << 40)").status, RunStatus::kMemory);
  EXPECT_EQ(Python("x = []\nwhile True: x.append(bytearray(1 << 20))").status, RunStatus::kMemory);
  const RunResult loud = Python("while True: print('x' * 1000)");
  EXPECT_EQ(loud.status, RunStatus::kOutputLimit);
  EXPECT_LE(loud.out.size(), SandboxLimits{}.output_bytes);
  EXPECT_EQ(Python("import sys\nwhile True: sys.stderr.write('x' * 1000)").status,
            RunStatus::kOutputLimit);
  const RunResult disk = Python(
      "n = 0\ntry:\n    for i in range(1000):\n"
      "        with open(f'/tmp/{i}', 'wb') as f: n += f.write(bytes(1 << 20))\n"
      "except OSError as e: print(n >> 20, e.errno)");
  EXPECT_EQ(disk.out, "16 28\n");  // ENOSPC
  const RunResult files = Python(
      "f = []\ntry:\n    while len(f) < 100000: f.append(open('/dev/null'))\n"
      "except OSError as e: print(len(f), e.errno)");
  EXPECT_THAT(files.out, HasSubstr(" 24\n"));  // EMFILE
  EXPECT_LT(std::atoi(files.out.c_str()), 64);
}

TEST_F(SandboxTest, TheHostsFilesAreNotThere) {
  const char host[] = "/tmp/ergo_sandbox_test_secret";
  std::ofstream(host) << "secret";
  for (const char* path : {"/etc/shadow", "/etc/passwd", "/root", "/home", "/proc/1/environ",
                           "/proc/self/maps", "/sys/kernel", "/var", "/run", "/dev/mem", host}) {
    const std::string statement = "os.listdir('" + std::string(path) + "') if os.path.isdir('" +
                                  path + "') else open('" + path + "')";
    EXPECT_EQ(Python(Attempt(statement)).out, "FileNotFoundError\n") << path;
  }
  // A link that is made inside leads to places inside.
  EXPECT_EQ(
      Python(Attempt("os.symlink('" + std::string(host) + "', '/tmp/l'); open('/tmp/l')")).out,
      "FileNotFoundError\n");
  unlink(host);
}

TEST_F(SandboxTest, OnlyTheTemporaryFolderCanBeWritten) {
  for (const char* path : {"/x", "/usr/x", "/usr/bin/x", "/usr/lib/x", "/dev/x", "/program/x"}) {
    EXPECT_EQ(Python(Attempt("open('" + std::string(path) + "', 'w')")).out, "OSError\n") << path;
  }
  EXPECT_THAT(Python(Attempt("os.remove('/usr/bin/python3')")).out, Not(HasSubstr("done")));
  EXPECT_THAT(Python(Attempt("os.chmod('/usr/bin/python3', 0o777)")).out, Not(HasSubstr("done")));
  EXPECT_EQ(
      Python(Attempt("open('/tmp/x', 'w').write('y'); assert open('/tmp/x').read() == 'y'")).out,
      "done\n");
  EXPECT_EQ(Python("import os; print(os.path.exists('/tmp/x'))").out, "False\n");
}

TEST_F(SandboxTest, NoNetwork) {
  for (const char* family : {"AF_INET", "AF_INET6", "AF_UNIX", "AF_NETLINK"}) {
    EXPECT_EQ(
        Python(Attempt("import socket; socket.socket(socket." + std::string(family) + ")")).out,
        "PermissionError\n")
        << family;
  }
}

TEST_F(SandboxTest, DangerousSystemCallsAreRefused) {
  const RunResult result = Cpp(R"(
#include <cerrno>
#include <cstdio>
#include <sys/syscall.h>
#include <unistd.h>
#include <initializer_list>
int main() {
  for (long call : {SYS_ptrace, SYS_mount, SYS_umount2, SYS_unshare, SYS_setns, SYS_bpf, SYS_keyctl,
                    SYS_add_key, SYS_request_key, SYS_perf_event_open, SYS_process_vm_readv,
                    SYS_process_vm_writev, SYS_socket, SYS_io_uring_setup, SYS_userfaultfd,
                    SYS_memfd_create, SYS_chroot, SYS_pivot_root, SYS_kexec_load, SYS_init_module,
                    SYS_reboot, SYS_name_to_handle_at, SYS_open_by_handle_at, SYS_setuid,
                    SYS_personality, SYS_shmget, SYS_fork, SYS_vfork, SYS_pidfd_open,
                    SYS_pidfd_getfd, SYS_sethostname, SYS_seccomp}) {
    errno = 0;
    const long result = syscall(call, 0, 0, 0, 0, 0, 0);
    if (result != -1 || errno != EPERM) std::printf("%ld: %ld, errno %d\n", call, result, errno);
  }
  for (long flag : {0x10000000L, 0x00020000L, 0x20000000L, 0x40000000L})  // namespaces
    if (syscall(SYS_clone, flag | 17, 0, 0, 0, 0) != -1 || errno != EPERM) std::puts("clone");
  if (syscall(SYS_ioctl, 0, 0x5412, "x") != -1 || errno != EPERM) std::puts("TIOCSTI");
  if (syscall(SYS_ioctl, 0, 0x100005412, "x") != -1 || errno != EPERM) std::puts("long TIOCSTI");
  std::puts("end");
})");
  EXPECT_EQ(result.out, "end\n") << result.err;
}

TEST_F(SandboxTest, NothingOfTheHostIsInherited) {
  const RunResult result = Python(
      "import os\nopen_now = []\nfor fd in range(64):\n    try: os.fstat(fd); open_now.append(fd)\n"
      "    except OSError: pass\nprint(open_now, os.getuid(), sorted(os.environ), os.getcwd())");
  EXPECT_EQ(result.out, "[0, 1, 2] 65534 ['HOME', 'LC_ALL', 'PATH', 'PWD', 'TMPDIR'] /tmp\n");
}

TEST_F(SandboxTest, ParentsSurviveTheirChildren) {
  const RunResult result = Python(
      "import os, signal\nfor pid in (os.getppid(), 1, -1):\n"
      "    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass\nprint('here')");
  EXPECT_TRUE(result.ok()) << result.err;
  EXPECT_EQ(result.out, "here\n");
}

TEST_F(SandboxTest, ManyAtATimeKeepApart) {
  std::vector<std::string> outputs(12);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    threads.emplace_back([&outputs, i] {
      outputs[i] = Python("open('/tmp/x', 'a').write('" + std::to_string(i) +
                          "')\nprint(open('/tmp/x').read())")
                       .out;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], std::to_string(i) + "\n");
}

TEST_F(SandboxTest, StartUpIsCheap) {
  double best = 1e9;
  for (int i = 0; i < 10; ++i) best = std::min(best, Python("print(1)").seconds);
  RecordProperty("milliseconds", std::to_string(best * 1000));
  std::printf("start-up of a Python program: %.1f ms (best of 10)\n", best * 1000);
  EXPECT_LT(best, 1.0);
}

TEST(SandboxInputTest, AnEnormousProgramIsRefused) {
  const auto result = RunProgram({Language::kPython, std::string(std::size_t{2} << 20, '#'), ""});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().Message(), HasSubstr("too large"));
}

}  // namespace
}  // namespace ergo::reasoning
