// ndt/core/parallel_for.hpp: who runs the independent parts of a piece of work. Kernels never split themselves: only
// these policies do, and results do not depend on which one is used.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"

namespace ndt::inline NDT_TARGET {

/// Everything on the calling thread, in order. The real-time guarantees are those of this policy.
struct Serial {
  static constexpr std::size_t workers() noexcept { return 1; }
  /// work(task, worker) for every task below `tasks`; no two tasks run at once on one worker.
  template <class Work>
  NDT_INLINE void operator()(std::size_t tasks, Work work) const noexcept {
    for (std::size_t task = 0; task < tasks; ++task) work(task, std::size_t{0});
  }
};

/// A range of elements is cut where its size alone says, so that what is computed from a part does not depend on the
/// policy.
inline constexpr std::size_t part_size = 4096;
constexpr std::size_t parts_of(std::size_t size) noexcept { return divide_up(size, part_size); }
/// work(part, first, count) for every part of `size` elements.
template <class Policy, class Work>
void for_parts(std::size_t size, const Policy& policy, Work work) noexcept {
  policy(parts_of(size), [&](std::size_t part, std::size_t) {
    const std::size_t first = part * part_size;
    work(part, first, min_size(part_size, size - first));
  });
}

#ifdef _OPENMP
/// Tasks dealt out in turn to `threads` threads of OpenMP.
struct OpenMP {
  std::size_t threads = 1;

  constexpr std::size_t workers() const noexcept { return threads == 0 ? 1 : threads; }
  template <class Work>
  void operator()(std::size_t tasks, Work work) const noexcept {
    const std::size_t team = threads < tasks ? threads : tasks;
    if (team <= 1) return Serial{}(tasks, work);
    // A worker is a loop index and not a thread number: it holds whatever team the runtime grants.
    const int team_size = static_cast<int>(team);
#pragma omp parallel for num_threads(team_size) schedule(static, 1)
    for (std::size_t worker = 0; worker < team; ++worker) {
      for (std::size_t task = worker; task < tasks; task += team) work(task, worker);
    }
  }
};
#endif

}  // namespace ndt::inline NDT_TARGET
