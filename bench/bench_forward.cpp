// forward/SHAPE/batch:B/threads:N: whole windows at full context.
#include <benchmark/benchmark.h>

#include <string>

#include "counters.hpp"
#include "shapes.hpp"

namespace {

template <class Policy>
void forward(benchmark::State& state, const bench::Shape& shape, std::size_t batch, const Policy& policy) {
  bench::Model model(shape, batch, policy.workers());
  const int threads = static_cast<int>(policy.workers());
  const bench::BesideLoop took = bench::beside_loop(state, threads, [&] { model.forward(policy); });
  const double flop = static_cast<double>(batch) * ndt::window_flop(shape.config(), shape.bins);
  bench::count_flop(state, flop, took, threads);
}

}  // namespace

void bench::register_forward() {
  for (const bench::Shape& shape : bench::shapes) {
    for (const std::size_t batch : std::vector<std::size_t>{1, 64}) {
      register_for_threads("forward/" + std::string(shape.name) + "/batch:" + std::to_string(batch),
                           benchmark::kMicrosecond,
                           [=](benchmark::State& state, const auto& policy) { forward(state, shape, batch, policy); });
    }
  }
}
