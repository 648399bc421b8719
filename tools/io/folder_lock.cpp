#include "folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <string>
#include <system_error>

#include "refused.hpp"

namespace tool {

namespace {

/// The process that wrote a temporary file, by the name that OutputFile gives it; 0 where it is not one.
pid_t writer_of(const std::string& name) {
  int pid = 0, length = 0;
  unsigned count = 0;
  if (std::sscanf(name.c_str(), ".ndt-%d-%u.tmp%n", &pid, &count, &length) != 2) return 0;
  return pid > 0 && static_cast<std::size_t>(length) == name.size() ? pid : 0;
}

/// Other subcommands write to the folder without its lock: what a living process writes is left alone. A name with our
/// own number is of one before us, as we have written nothing yet; in a container numbers are often the same.
bool is_left_behind(const std::string& name) {
  const pid_t pid = writer_of(name);
  return pid > 0 && (pid == getpid() || (kill(pid, 0) != 0 && errno == ESRCH));
}

void remove_left_behind(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code stays;
    if (is_left_behind(at->path().filename().string())) std::filesystem::remove(at->path(), stays);
  }
}

}  // namespace

FolderLock::FolderLock(const std::filesystem::path& folder)
    // A file, open for writing: over a network, that is what can be locked, and a folder is not.
    : fd_(open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) {
    throw Refused("cannot write to the folder: " + std::generic_category().message(errno), folder.string(),
                  "a folder that can be written to");
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(fd_);
    throw Refused("another run is at work in this folder", folder.string(), "another folder, or wait for its end");
  }
  remove_left_behind(folder);
}

FolderLock::~FolderLock() { close(fd_); }

}  // namespace tool
