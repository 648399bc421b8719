#include "output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <system_error>
#include <utility>

#include "refused.hpp"

namespace tool {

namespace {

std::string error_text(int error) { return std::generic_category().message(error); }

/// Through links, to what they stand for, whether it is there or not: renaming would replace the link.
std::filesystem::path behind_links(std::filesystem::path path) {
  constexpr int most = 40;  // as the kernel follows
  std::error_code none;
  for (int links = 0; std::filesystem::is_symlink(std::filesystem::symlink_status(path, none)); ++links) {
    if (links == most) {
      throw Refused("the output is a link that leads to itself", path.string(), "name a file to be written");
    }
    path = path.parent_path() / std::filesystem::read_symlink(path, none);
  }
  return path;
}

std::string temporary_name(pid_t pid, unsigned count) {
  return ".ndt-" + std::to_string(pid) + "-" + std::to_string(count) + ".tmp";
}

/// The process that wrote a temporary file; 0 where it is not one.
pid_t writer_of(const std::string& name) {
  int pid = 0;
  unsigned count = 0;
  if (std::sscanf(name.c_str(), ".ndt-%d-%u", &pid, &count) != 2) return 0;
  return pid > 0 && name == temporary_name(pid, count) ? pid : 0;
}

/// Others may write to the folder: what a living process writes is left alone. A name with our own number is of one
/// before us, as we have written nothing yet; in a container numbers are often the same.
bool is_left_behind(const std::string& name) {
  const pid_t pid = writer_of(name);
  return pid > 0 && (pid == getpid() || (kill(pid, 0) != 0 && errno == ESRCH));
}

}  // namespace

void OutputFile::remove_left_behind(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code stays;
    if (is_left_behind(at->path().filename().string())) std::filesystem::remove(at->path(), stays);
  }
}

OutputFile::OutputFile(const std::filesystem::path& target) : target_(behind_links(target)) {
  std::error_code none;
  const std::filesystem::file_status status = std::filesystem::status(target_, none);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    throw Refused(std::filesystem::is_directory(status) ? "the output is a folder" : "the output is not a regular file",
                  target.string(), "name a file to be written");
  }
  if (!target_.has_filename())
    throw Refused("the output has no file name", target.string(), "name a file to be written");
  // Not mkstemp: that makes a file for one's own eyes, and the mode is to be what the user's mask says.
  static std::atomic<unsigned> counter = 0;
  do {
    temporary_ = target_.parent_path() / temporary_name(getpid(), counter++);
    removed_.emplace(temporary_.string());  // before it is there: a signal may come at any time
    fd_ = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd_ < 0 && errno == EEXIST);
  if (fd_ < 0) failed(error_text(errno));
}

OutputFile::~OutputFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

void OutputFile::write(const void* bytes, std::size_t count) {
  const auto* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t done = ::write(fd_, from, count);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) failed(error_text(done < 0 ? errno : EIO));
    from += done;
    count -= static_cast<std::size_t>(done);
  }
}

void OutputFile::commit() {
  if (fsync(fd_) != 0) failed(error_text(errno));
  if (std::rename(temporary_.c_str(), target_.c_str()) != 0) failed(error_text(errno));
  close(std::exchange(fd_, -1));
  removed_.reset();
  // The new name survives a power cut only once the folder is on the disk. Not every file system can do that, and the
  // file is whole either way.
  const std::filesystem::path folder = target_.parent_path();
  const int fd = open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    fsync(fd);
    close(fd);
  }
}

void OutputFile::failed(const std::string& reason) const {
  throw Refused("cannot write the output: " + reason, target_.string(),
                "a folder that can be written to, with enough room");
}

}  // namespace tool
