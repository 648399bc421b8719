// scaling/...: how the time of a forward pass (the median one) grows, one thing at a time, around maze700: 70 bins of
// 202 neurons, 6 layers, full context, one window, one thread. A band is 30 bins back and 20 ahead.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "counters.hpp"
#include "shapes.hpp"

namespace {

constexpr bench::Shape base = bench::shapes[0];
static_assert(base.name == "maze700");

void add(const std::string& name, const ndt::ModelConfig& config, std::size_t batch = 1) {
  const auto run = [=](benchmark::State& state) {
    bench::Model model(config, batch, 1);
    const auto work = [&] { model.forward(ndt::Serial{}); };
    work();
    const double p50 = bench::us(bench::latency_of(state, work).quantile(0.5));
    state.counters["p50_us"] = p50;
    bench::count_flop(state, static_cast<double>(batch) * ndt::window_flop(config, config.trial_length), p50 * 1e-6, 1);
  };
  benchmark::RegisterBenchmark(("scaling/" + name).c_str(), run)->Unit(benchmark::kMicrosecond);
}

/// scaling/WHAT:SIZE: the base shape but for one of its sizes.
void add_sizes(const std::string& what, std::size_t bench::Shape::*size, const std::vector<std::size_t>& values) {
  for (const std::size_t value : values) {
    bench::Shape shape = base;
    shape.*size = value;
    add(what + ":" + std::to_string(value), shape.config());
  }
}

}  // namespace

void bench::register_scaling() {
  for (const std::size_t bins : std::vector<std::size_t>{32, 64, 128, 256, 512, 1024, 2048}) {
    Shape shape = base;
    shape.bins = bins;
    ndt::ModelConfig banded = shape.config();
    banded.full_context = false, banded.context_backward = 30, banded.context_forward = 20;
    add("bins:" + std::to_string(bins) + "/full", shape.config());
    add("bins:" + std::to_string(bins) + "/banded", banded);
  }
  add_sizes("neurons", &Shape::neurons, {16, 32, 64, 128, 256, 512, 1024});
  add_sizes("layers", &Shape::layers, {1, 2, 4, 6, 8, 12});
  for (const std::size_t batch : std::vector<std::size_t>{1, 2, 4, 8, 16, 32, 64}) {
    add("batch:" + std::to_string(batch), base.config(), batch);
  }
}
