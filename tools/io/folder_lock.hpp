// tools/io/folder_lock.hpp: a folder that one process at a time writes to.
#pragma once

#include <filesystem>

namespace tool {

/// While it lives, no other process has the lock of the folder, which must be there. The kernel takes the lock back
/// however the process ends; the empty file .lock stays. What processes that were killed left half-written in the
/// folder is removed. Throws Refused where another process has the lock. A file system without locks holds nobody off.
class FolderLock {
 public:
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_;
};

}  // namespace tool
