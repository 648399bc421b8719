// tools/cli/training_log.hpp: log.csv, one row a validation.
#pragma once

#include <cstddef>
#include <cstdio>
#include <filesystem>

#include <ndt/train/trainer.hpp>

namespace tool {

/// step, training seconds, learning rate, losses and R2; a value that there is not is empty. Numbers are written with
/// the digits that give them back.
class TrainingLog {
 public:
  /// Starts anew, or keeps the rows up to `step` of the log that is there: what a run that was stopped had written
  /// beyond its last checkpoint will be written again. Throws Refused.
  TrainingLog(const std::filesystem::path& path, std::size_t step);
  ~TrainingLog();
  TrainingLog(const TrainingLog&) = delete;
  TrainingLog& operator=(const TrainingLog&) = delete;

  void add(const ndt::train::Progress& progress, double seconds);
  /// Puts all rows on the disk. To be called before a checkpoint is written: resuming finds rows that are too many, but
  /// those that a power cut took from below the checkpoint's step would be missing for ever.
  void sync();

 private:
  [[noreturn]] void failed() const;

  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

}  // namespace tool
