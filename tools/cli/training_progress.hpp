// tools/cli/training_progress.hpp: how a run is doing, on standard error: a bar on a terminal, lines elsewhere.
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>

#include <ndt/train/trainer.hpp>

namespace tool {

class TrainingProgress {
 public:
  explicit TrainingProgress(std::size_t steps) : steps_(steps), terminal_(isatty(STDERR_FILENO) == 1) {}
  ~TrainingProgress() {
    if (terminal_ && begun_) std::fputc('\n', stderr);
  }
  TrainingProgress(const TrainingProgress&) = delete;
  TrainingProgress& operator=(const TrainingProgress&) = delete;

  void at(const ndt::train::Progress& step, const ndt::train::TrainingState& state) {
    if (!begun_) first_ = step.step - 1, begun_ = true, start_ = state.seconds;
    if (step.validated) {
      seen_ = fmt::format("masked loss {:.4f}", step.validation.masked_loss);
      if (!std::isnan(step.validation.r2)) seen_ += fmt::format("  R2 {:.3f}", step.validation.r2);
    }
    const double done = static_cast<double>(step.step - first_), spent = state.seconds - start_;
    const double speed = spent > 0 ? (done - 1) / spent : 0;
    if (terminal_) {
      constexpr int width = 24;
      const int filled = static_cast<int>(step.step * width / std::max<std::size_t>(steps_, 1));
      const double left = speed > 0 ? static_cast<double>(steps_ - step.step) / speed : 0;
      std::fputs(fmt::format("\r[{:#<{}}{:{}}] {}/{}  loss {:.4f}  {}  {:.1f} steps/s  {:.0f}:{:02.0f} left \x1b[K", "",
                             filled, "", width - filled, step.step, steps_, step.loss, seen_, speed,
                             std::floor(left / 60), std::fmod(std::floor(left), 60.0))
                     .c_str(),
                 stderr);
    } else if (step.validated && (lines_++ % every() == 0 || step.step == steps_)) {
      std::fputs(
          fmt::format("step {}  loss {:.4f}  {}  {:.1f} steps/s\n", step.step, step.train_loss, seen_, speed).c_str(),
          stderr);
    }
  }

 private:
  /// A log of a thousand lines is nobody's friend: they get rarer.
  std::size_t every() const { return lines_ < 20 ? 1 : lines_ < 200 ? 10 : 100; }

  std::size_t steps_, first_ = 0, lines_ = 0;
  double start_ = 0;
  bool terminal_, begun_ = false;
  std::string seen_;
};

}  // namespace tool
