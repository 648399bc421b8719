// tools/cli/progress.hpp: a bar on a terminal, and nothing elsewhere.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdio>

namespace tool {

class Progress {
 public:
  explicit Progress(std::size_t total) : total_(total), shown_(isatty(STDERR_FILENO) == 1 && total > 1) {}
  ~Progress() {
    if (shown_) std::fprintf(stderr, "\r%*s\r", width + 10, "");
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void at(std::size_t done) {
    if (!shown_) return;
    const int filled = static_cast<int>(done * width / total_);
    std::fprintf(stderr, "\r[%.*s%*s] %3zu %%", filled, "########################################", width - filled, "",
                 done * 100 / total_);
  }

 private:
  static constexpr int width = 40;
  std::size_t total_;
  bool shown_;
};

}  // namespace tool
