// The policies of parallel_for: every task once, and one at a time on a worker.
#include <atomic>
#include <cstddef>
#include <utility>
#include <vector>

#include <ndt/core/parallel_for.hpp>

#include "../support/catch.hpp"
#include "../support/widths.hpp"

TEST_CASE("the serial policy runs every task in order on its one worker", "[core][parallel_for]") {
  static_assert(ndt::Serial::workers() == 1);
  for (std::size_t tasks = 0; tasks < 20; ++tasks) {
    std::vector<std::pair<std::size_t, std::size_t>> seen, expected;
    ndt::Serial{}(tasks, [&](std::size_t task, std::size_t worker) { seen.emplace_back(task, worker); });
    for (std::size_t task = 0; task < tasks; ++task) expected.emplace_back(task, 0);
    CHECK(seen == expected);
  }
}

#ifdef _OPENMP
TEST_CASE("the OpenMP policy runs every task once, never two at once on one of its workers", "[core][parallel_for]") {
  for (std::size_t threads = 0; threads <= 9; ++threads) {
    const ndt::OpenMP policy{threads};
    for (const std::size_t tasks : support::Sizes{0, 1, 2, 3, 7, 8, 9, 100}) {
      INFO("threads " << threads << " tasks " << tasks);
      std::vector<std::atomic<int>> runs(tasks), busy(policy.workers() + 1);
      std::atomic<int> at_once = 0, beyond = 0;
      policy(tasks, [&](std::size_t task, std::size_t worker) {
        if (worker >= policy.workers()) ++beyond;
        const std::size_t slot = worker < policy.workers() ? worker : policy.workers();
        if (busy[slot]++ != 0) ++at_once;
        ++runs[task];
        --busy[slot];
      });
      std::size_t once = 0;
      for (const auto& run : runs) once += run == 1;
      CHECK(once == tasks);
      CHECK(at_once == 0);
      CHECK(beyond == 0);
    }
  }
}

TEST_CASE("the OpenMP policy gives a task the same worker every time", "[core][parallel_for]") {
  const auto workers_of = [](std::size_t tasks) {
    std::vector<std::size_t> workers(tasks);
    ndt::OpenMP{3}(tasks, [&](std::size_t task, std::size_t worker) { workers[task] = worker; });
    return workers;
  };
  const auto first = workers_of(50);
  for (int i = 0; i < 20; ++i) CHECK(workers_of(50) == first);
}
#endif
