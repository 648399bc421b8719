#include "folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "output_file.hpp"
#include "refused.hpp"

namespace tool {

FolderLock::FolderLock(const std::filesystem::path& folder)
    // A file, open for writing: over a network, that is what can be locked, and a folder is not.
    : fd_(open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) {
    throw Refused("cannot open the lock: " + std::generic_category().message(errno), (folder / ".lock").string(),
                  "a folder that can be written to, and in it a file of that name or none");
  }
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(fd_);
    throw Refused("another run is at work in this folder", folder.string(), "another folder, or wait for its end");
  }
  OutputFile::remove_left_behind(folder);
}

FolderLock::~FolderLock() { close(fd_); }

}  // namespace tool
