// tools/io/isolated.hpp: work in a process of its own, where a crash or an endless loop does no harm.
//
// Why a process: libhdf5 crashes and hangs on some damaged files, and neither can be caught inside the process in which
// it happens.
//
// Why fork without exec is safe here, even when other threads exist (OpenMP keeps its own alive): the child has only
// the thread that forked, so what it may touch is what no other thread can have left locked or half-changed. That is
// malloc, which glibc itself hands over unlocked, and libhdf5, which runs in such children only: it is never
// initialised in the parent. The child starts no parallel region, touches no stream, and leaves through _exit, so that
// no destructor, exit handler or unwritten stdio buffer of the parent runs twice.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>

#include "removed_on_signal.hpp"

namespace tool {

/// What a child may use; 0 stands for no limit.
struct Limits {
  std::uint64_t memory = 0;  ///< bytes of address space, on top of what the parent has
  double processor_seconds = 0;
  double wall_seconds = 0;  ///< enforced by the parent
};

/// The child was not started, crashed, stalled or talked nonsense; what() says which, to follow "reading it" or the
/// like.
struct ChildFailed : std::runtime_error {
  enum class Why { not_started, crashed, stalled, garbled };
  ChildFailed(Why reason, const std::string& message) : std::runtime_error(message), why(reason) {}
  Why why;
};

/// The child's end of the pipe. A frame is a tag and bytes.
class Sender {
 public:
  explicit Sender(int fd) : fd_(fd) {}
  void send(char tag, const void* bytes, std::size_t count);
  void send(char tag, const std::string& bytes) { send(tag, bytes.data(), bytes.size()); }
  /// Lifts the child's own limits once it is known how much there is to do.
  void allow_more(const Limits& more);

 private:
  int fd_;
};

/// One child at work. Silent: standard streams lead to /dev/null. The destructor ends it, whatever it does.
class Isolated {
 public:
  Isolated(const Limits& limits, const std::function<void(Sender&)>& work);
  ~Isolated();
  Isolated(const Isolated&) = delete;
  Isolated& operator=(const Isolated&) = delete;

  struct Frame {
    char tag;
    std::uint64_t bytes;
  };
  /// The next frame's tag and size. Take its bytes with read(); throws ChildFailed where none comes, or one larger.
  Frame next(std::uint64_t at_most);
  void read(void* to, std::size_t bytes);
  std::string read_text(std::size_t bytes);
  void extend(double wall_seconds);

 private:
  [[noreturn]] void ended();
  void finish(bool kill_first);

  Limits limits_;
  pid_t child_ = -1;
  std::optional<EndedOnSignal> dies_with_us_;
  int fd_ = -1;
  int status_ = 0;  ///< as of waitpid; 0 while unknown
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace tool
