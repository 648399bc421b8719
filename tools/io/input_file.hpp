// tools/io/input_file.hpp: a file that somebody named on the command line, opened with suspicion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

namespace tool {

/// An open regular file with something in it. Everything else is Refused: a FIFO or terminal would block for ever, and
/// a device has no size.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t size() const { return size_; }
  /// Up to `bytes` bytes from `offset`; fewer where the file ends.
  std::vector<std::byte> read(std::uint64_t offset, std::size_t bytes) const;
  /// The file, whole.
  std::vector<std::byte> read_all() const;

  /// By content, not by name.
  bool is_npy() const;
  bool is_hdf5() const;
  /// Another program holds it open for writing, by the lock that libhdf5 takes.
  bool is_locked() const;

 private:
  std::filesystem::path path_;
  int fd_;
  std::uint64_t size_ = 0;
};

}  // namespace tool
