#include "removed_on_signal.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <utility>

namespace tool {

namespace {

/// Names of files; what finds no place is not removed. A handler may read nothing that needs a lock.
std::array<std::atomic<const char*>, 16> paths;
static_assert(std::atomic<const char*>::is_always_lock_free);

void remove_all(int number) {
  for (const auto& path : paths) {
    if (const char* const name = path.load()) unlink(name);
  }
  // Now it may end the program, which then shows the signal as its cause.
  signal(number, SIG_DFL);
  raise(number);
}

void handle_signals() {
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction now {};
    if (sigaction(number, nullptr, &now) != 0 || now.sa_handler != SIG_DFL) continue;
    now.sa_handler = remove_all;
    sigaction(number, &now, nullptr);
  }
}

}  // namespace

RemovedOnSignal::RemovedOnSignal(std::string path) : path_(std::move(path)), slot_(0) {
  for (; slot_ < paths.size(); ++slot_) {
    const char* none = nullptr;
    if (paths[slot_].compare_exchange_strong(none, path_.c_str())) break;
  }
  handle_signals();
}

RemovedOnSignal::~RemovedOnSignal() {
  if (slot_ < paths.size()) paths[slot_] = nullptr;
}

}  // namespace tool
