#include "input_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>
#include <utility>

#include "numbers.hpp"
#include "refused.hpp"

namespace tool {

namespace {

std::string error_text(int error) { return std::generic_category().message(error); }

bool starts_with(const std::vector<std::byte>& bytes, std::string_view magic) {
  return bytes.size() == magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

}  // namespace

// O_NONBLOCK: opening a FIFO must not wait for somebody to write into it. Regular files do not notice.
InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), fd_(open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {
  if (fd_ < 0)
    throw Refused("cannot open the file: " + error_text(errno), path_.string(), "name a file that can be read");
  struct stat status {};
  const int failed = fstat(fd_, &status);
  const bool regular = failed == 0 && S_ISREG(status.st_mode);
  if (!regular || status.st_size == 0) {
    close(fd_);
    if (regular) throw Refused("the file is empty", path_.string(), "name a file with data in it");
    const bool folder = failed == 0 && S_ISDIR(status.st_mode);
    throw Refused(folder ? "this is a folder" : "this is not a regular file", path_.string(),
                  "name a file with data in it");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::~InputFile() { close(fd_); }

std::vector<std::byte> InputFile::read(std::uint64_t offset, std::size_t bytes) const {
  std::vector<std::byte> result(offset < size_ ? std::min<std::uint64_t>(bytes, size_ - offset) : 0);
  std::size_t done = 0;
  while (done < result.size()) {
    const ssize_t got = pread(fd_, result.data() + done, result.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Refused("cannot read the file: " + error_text(errno), path_.string(), "name a file that can be read");
    if (got == 0) break;  // somebody is shortening it
    done += static_cast<std::size_t>(got);
  }
  result.resize(done);
  return result;
}

std::vector<std::byte> InputFile::read_all() const {
  if (size_ > most_bytes()) {
    throw Refused("the file has " + std::to_string(size_) + " bytes", path_.string(),
                  "at most " + std::to_string(most_bytes()) + " bytes are read at once on this machine");
  }
  return read(0, static_cast<std::size_t>(size_));
}

bool InputFile::is_npy() const { return starts_with(read(0, 6), "\x93NUMPY"); }

bool InputFile::is_hdf5() const {
  // The format allows a block of the user's own in front, of 512 bytes or a doubling of that.
  for (std::uint64_t offset = 0; offset < size_; offset = offset == 0 ? 512 : offset * 2) {
    if (starts_with(read(offset, 8), "\x89HDF\r\n\x1a\n")) return true;
  }
  return false;
}

bool InputFile::is_locked() const {
  if (flock(fd_, LOCK_SH | LOCK_NB) == 0) {
    flock(fd_, LOCK_UN);
    return false;
  }
  return errno == EWOULDBLOCK;  // anything else: a file system without locks
}

}  // namespace tool
