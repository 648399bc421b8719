// tools/io/removed_on_signal.hpp: files and children that do not outlive a program that is told to end.
#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstddef>
#include <string>

namespace tool {

/// While it lives, signals that end a program (SIGINT, SIGTERM, SIGHUP, SIGQUIT and others) remove the file before they
/// do. A signal that is ignored or that somebody handles stays theirs. SIGKILL leaves the file.
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

/// While it lives, the same signals end the child before files are removed: it could make one of them again.
class EndedOnSignal {
 public:
  explicit EndedOnSignal(pid_t child);
  ~EndedOnSignal();
  EndedOnSignal(const EndedOnSignal&) = delete;
  EndedOnSignal& operator=(const EndedOnSignal&) = delete;

 private:
  std::size_t slot_;
};

/// While it lives, no such signal comes in: between fork() and the line that knows of the child.
class SignalsHeld {
 public:
  SignalsHeld();
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

}  // namespace tool
