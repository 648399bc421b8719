#include "isolated.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>
#include <thread>

namespace tool {

namespace {

using Clock = std::chrono::steady_clock;
using Why = ChildFailed::Why;

constexpr int pipe_fd = 3;  // in the child, beside the three standard ones

Clock::duration seconds(double s) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(s));
}

/// Only the soft limit, which the child may lift again.
void limit(int resource, std::uint64_t value) {
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0) return;
  now.rlim_cur = std::min<rlim_t>(value, now.rlim_max);
  setrlimit(static_cast<__rlimit_resource>(resource), &now);
}

void lift(int resource, std::uint64_t by) {
  rlimit now{};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &now) != 0 || now.rlim_cur == RLIM_INFINITY) return;
  now.rlim_cur = std::min<rlim_t>(now.rlim_cur + by, now.rlim_max);
  setrlimit(static_cast<__rlimit_resource>(resource), &now);
}

/// Counts in the limit, too: whatever the parent has mapped (a sanitizer maps terabytes).
std::uint64_t address_space_in_use() {
  std::array<char, 32> line{};
  const int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  const ssize_t got = read(fd, line.data(), line.size() - 1);
  close(fd);
  return got > 0 ? std::strtoull(line.data(), nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

/// From here on nothing of the parent is in reach but its memory as it was.
void become_child(int fd, const Limits& limits, pid_t parent) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // A core dump that is piped to a program heeds no RLIMIT_CORE, and a crash here is not news.
  prctl(PR_SET_DUMPABLE, 0);
#endif
  if (getppid() != parent) _exit(1);  // it ended before the line above
  // Handlers of the parent (a test framework's, say) would report the child's crash as theirs.
  for (int signal_number = 1; signal_number < NSIG; ++signal_number) signal(signal_number, SIG_DFL);
  signal(SIGXFSZ, SIG_IGN);  // let write() fail instead
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);

  // Clear of the numbers that are about to be taken.
  const int pipe_end = fcntl(fd, F_DUPFD, pipe_fd + 1);
  const int null = open("/dev/null", O_RDWR);
  if (pipe_end < 0 || null < 0) _exit(1);
  for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, standard);
  dup2(pipe_end, pipe_fd);
  // Among the rest may be the pipes of other children, which would not see their end while this one holds them.
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  close_range(pipe_fd + 1, ~0u, 0);
#else
  for (int other = pipe_fd + 1; other < 1024; ++other) close(other);
#endif

  limit(RLIMIT_CORE, 0);
  if (limits.memory) limit(RLIMIT_AS, address_space_in_use() + limits.memory);
  if (limits.processor_seconds > 0) limit(RLIMIT_CPU, static_cast<std::uint64_t>(std::ceil(limits.processor_seconds)));
}

std::string in_seconds(double s) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.3g s", s);
  return digits.data();
}

}  // namespace

void Sender::send(char tag, const void* bytes, std::size_t count) {
  std::array<char, 9> head{tag};
  const std::uint64_t size = count;
  std::memcpy(head.data() + 1, &size, sizeof size);
  const auto all = [this](const char* from, std::size_t left) {
    while (left > 0) {
      const ssize_t done = write(fd_, from, left);
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) _exit(1);  // nobody is listening
      from += done;
      left -= static_cast<std::size_t>(done);
    }
  };
  all(head.data(), head.size());
  all(static_cast<const char*>(bytes), count);
}

void Sender::allow_more(const Limits& more) {
  lift(RLIMIT_AS, more.memory);
  lift(RLIMIT_CPU, static_cast<std::uint64_t>(std::ceil(more.processor_seconds)));
}

Isolated::Isolated(const Limits& limits, const std::function<void(Sender&)>& work) : limits_(limits) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw ChildFailed(Why::not_started, "needs a pipe: " + std::generic_category().message(errno));
  }
  const pid_t parent = getpid();
  const SignalsHeld held;  // the child lets them in again
  child_ = fork();
  if (child_ == 0) {
    become_child(ends[1], limits, parent);
    try {
      Sender sender(pipe_fd);
      work(sender);
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  const int error = errno;
  close(ends[1]);
  fd_ = ends[0];
  if (child_ < 0) {
    close(fd_);
    throw ChildFailed(Why::not_started, "needs a process of its own: " + std::generic_category().message(error));
  }
  dies_with_us_.emplace(child_);
  deadline_ = Clock::now() + seconds(limits.wall_seconds);
}

Isolated::~Isolated() {
  close(fd_);
  finish(true);
}

void Isolated::finish(bool kill_first) {
  if (child_ < 0) return;
  // A child that was heard to end is given a moment to have its reason collected.
  const auto patience = Clock::now() + std::chrono::milliseconds(500);
  pid_t got = 0;
  if (kill_first) kill(child_, SIGKILL);
  while (!kill_first && (got = waitpid(child_, &status_, WNOHANG)) == 0 && Clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (got == 0) {
    if (!kill_first) kill(child_, SIGKILL);
    while ((got = waitpid(child_, &status_, 0)) < 0 && errno == EINTR) {
    }
  }
  dies_with_us_.reset();
  if (got < 0) status_ = 0;  // somebody ignores SIGCHLD: the kernel has thrown the status away
  child_ = -1;
}

void Isolated::ended() {
  finish(false);
  if (WIFSIGNALED(status_) && WTERMSIG(status_) == SIGXCPU) {
    throw ChildFailed(Why::stalled, "does not end (" + in_seconds(limits_.processor_seconds) + " of processor time)");
  }
  if (WIFSIGNALED(status_)) {
    throw ChildFailed(Why::crashed, std::string("crashes the library (") + strsignal(WTERMSIG(status_)) + ")");
  }
  throw ChildFailed(Why::crashed, "ends the library without an answer");
}

Isolated::Frame Isolated::next(std::uint64_t at_most) {
  std::array<char, 9> head;
  read(head.data(), head.size());
  Frame frame{head[0], 0};
  std::memcpy(&frame.bytes, head.data() + 1, sizeof frame.bytes);
  if (frame.bytes > at_most) throw ChildFailed(Why::garbled, "makes the library answer nonsense");
  return frame;
}

void Isolated::read(void* to, std::size_t bytes) {
  auto* at = static_cast<char*>(to);
  while (bytes > 0) {
    if (limits_.wall_seconds > 0) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
      pollfd wait{fd_, POLLIN, 0};
      const int ready = left <= 0 ? 0 : poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, 1 << 30)));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) throw ChildFailed(Why::stalled, "does not end (" + in_seconds(limits_.wall_seconds) + ")");
    }
    const ssize_t got = ::read(fd_, at, bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) ended();
    at += got;
    bytes -= static_cast<std::size_t>(got);
  }
}

std::string Isolated::read_text(std::size_t bytes) {
  std::string result(bytes, '\0');
  read(result.data(), bytes);
  return result;
}

void Isolated::extend(double wall_seconds) {
  deadline_ += seconds(wall_seconds);
  if (limits_.wall_seconds > 0) limits_.wall_seconds += wall_seconds;
}

}  // namespace tool
