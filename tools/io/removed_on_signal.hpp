// tools/io/removed_on_signal.hpp: a file that does not outlive a program that is told to end.
#pragma once

#include <cstddef>
#include <string>

namespace tool {

/// While it lives, SIGINT, SIGTERM and SIGHUP remove the file before they end the program, as they would have ended it.
/// A signal that is ignored or that somebody handles stays theirs. SIGKILL leaves the file.
class RemovedOnSignal {
 public:
  explicit RemovedOnSignal(std::string path);
  ~RemovedOnSignal();
  RemovedOnSignal(const RemovedOnSignal&) = delete;
  RemovedOnSignal& operator=(const RemovedOnSignal&) = delete;

 private:
  std::string path_;
  std::size_t slot_;
};

}  // namespace tool
