#include "removed_on_signal.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

namespace tool {

namespace {

/// What finds no place is not removed, or ended. A handler may read nothing that needs a lock.
std::array<std::atomic<const char*>, 16> paths;
std::array<std::atomic<pid_t>, 16> children;
static_assert(std::atomic<const char*>::is_always_lock_free && std::atomic<pid_t>::is_always_lock_free);

constexpr std::array ending = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGALRM, SIGXCPU, SIGUSR1, SIGUSR2};

void end_all(int number) {
  for (const auto& child : children) {
    const pid_t pid = child.load();
    if (pid <= 0) continue;
    kill(pid, SIGKILL);
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  for (const auto& path : paths) {
    if (const char* const name = path.load()) unlink(name);
  }
  // Now it may end the program, which then shows the signal as its cause.
  signal(number, SIG_DFL);
  raise(number);
}

void handle_signals() {
  for (const int number : ending) {
    struct sigaction now {};
    if (sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    now.sa_handler = end_all;
    sigaction(number, &now, nullptr);
  }
}

/// The place that it found, or their number.
template <class T, std::size_t count>
std::size_t put(std::array<std::atomic<T>, count>& places, T value) {
  std::size_t slot = 0;
  for (; slot < count; ++slot) {
    T none{};
    if (places[slot].compare_exchange_strong(none, value)) break;
  }
  handle_signals();
  return slot;
}

}  // namespace

RemovedOnSignal::RemovedOnSignal(std::string path) : path_(std::move(path)), slot_(put(paths, path_.c_str())) {}

RemovedOnSignal::~RemovedOnSignal() {
  if (slot_ < paths.size()) paths[slot_] = nullptr;
}

EndedOnSignal::EndedOnSignal(pid_t child) : slot_(put(children, child)) {}

EndedOnSignal::~EndedOnSignal() {
  if (slot_ < children.size()) children[slot_] = 0;
}

SignalsHeld::SignalsHeld() {
  sigset_t these;
  sigemptyset(&these);
  for (const int number : ending) sigaddset(&these, number);
  pthread_sigmask(SIG_BLOCK, &these, &before_);
}

SignalsHeld::~SignalsHeld() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

}  // namespace tool
