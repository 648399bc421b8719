// forward/SHAPE/batch:B/threads:N: whole windows at full context.
#include <benchmark/benchmark.h>

#include <string>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "counters.hpp"
#include "shapes.hpp"

namespace {

template <class Policy>
void forward(benchmark::State& state, const bench::Shape& shape, std::size_t batch, const Policy& policy) {
  bench::Model model(shape, batch, policy.workers());
  const double seconds = bench::seconds_of(state, [&] { model.forward(policy); });
  const double flop = static_cast<double>(batch) * ndt::window_flop(shape.config(), shape.bins);
  bench::count_flop(state, flop, seconds, static_cast<int>(policy.workers()));
}

void add(const bench::Shape& shape, std::size_t batch, int threads) {
  const std::string name =
      "forward/" + std::string(shape.name) + "/batch:" + std::to_string(batch) + "/threads:" + std::to_string(threads);
  const auto run = [=](benchmark::State& state) {
#ifdef _OPENMP
    if (threads > 1) return forward(state, shape, batch, ndt::OpenMP{static_cast<std::size_t>(threads)});
#endif
    forward(state, shape, batch, ndt::Serial{});
  };
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond);
}

}  // namespace

void bench::register_forward() {
  for (const bench::Shape& shape : bench::shapes) {
    for (const std::size_t batch : std::vector<std::size_t>{1, 64}) {
      add(shape, batch, 1);
#ifdef _OPENMP
      for (int threads = 2; threads <= omp_get_num_procs(); threads *= 2) add(shape, batch, threads);
#endif
    }
  }
}
