// tools/io/output_file.hpp: a file that is there whole or not at all.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "removed_on_signal.hpp"

namespace tool {

/// Write to path() or with write(), then commit(). Until then, and for ever if that does not come, the target is as it
/// was: the bytes go to a temporary file beside it, on the same file system, which takes its name in the end. A signal
/// that ends the program takes the temporary file with it.
class OutputFile {
 public:
  /// Refused where the target's folder cannot be written to, or the target is not a regular file: to put a file in the
  /// place of a device or a folder cannot be meant. A link is written through, also one to a file that is not there.
  explicit OutputFile(const std::filesystem::path& target);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  const std::filesystem::path& path() const { return temporary_; }
  const std::filesystem::path& target() const { return target_; }
  /// Appends.
  void write(const void* bytes, std::size_t count);
  /// On the disk, then in place. A full disk may show only here.
  void commit();
  /// Refused, with the reason.
  [[noreturn]] void failed(const std::string& reason) const;

  /// Removes the temporary files in a folder whose processes were killed. To be called before this process has any of
  /// its own there.
  static void remove_left_behind(const std::filesystem::path& folder);

 private:
  std::filesystem::path target_, temporary_;
  std::optional<RemovedOnSignal> removed_;
  int fd_ = -1;
};

}  // namespace tool
