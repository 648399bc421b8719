// recurrent/...: the comparison of the model's paper (Ye & Pandarinath 2021, fig. 5) on one thread: windows of 5 to 100
// bins through LFADS without a controller, with one sample as that paper timed it, and through NDT of 1, 2 and 6
// layers, and what one new bin costs.
//
//   recurrent/lfads/SIZE/bins:T/threads:1               a window; also what a new bin costs LFADS, as its encoder reads
//                                                       the whole window in both directions
//   recurrent/ndt/SIZE/layers:L/bins:T/threads:1        a window at full context
//   recurrent/ndt/SIZE/layers:L/bins:T/step/threads:1   a new bin of a causal model that sees T bins in each layer
//   recurrent/gru/SIZE/step/threads:1                   a new bin of a GRU of LFADS' size that goes forward alone
#include <benchmark/benchmark.h>

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "counters.hpp"
#include "floor.hpp"
#include "recurrent/random_weights.hpp"
#include "shapes.hpp"

namespace {

using V = ndt::simd::native<float>;
using Decoder = ndt::DynamicDecoder<>;

/// Both models at one size: the recurrent one as its authors had it for such data.
struct Size {
  bench::LfadsShape lfads;
  std::size_t embed_dim;

  bench::Shape ndt(std::size_t layers, std::size_t bins) const {
    return {lfads.name, bins, lfads.neurons, layers, embed_dim};
  }
};
constexpr std::array<Size, 2> sizes = {{{{"chaotic", 50, 64, 64, 40}, 2}, {{"maze700", 202, 200, 200, 40}, 0}}};

auto random_numbers() {
  return [seed = 1u](std::size_t count) mutable { return bench::random_floats(count, 0.08f, seed++); };
}

void report(benchmark::State& state, const ndt::LatencyHistogram<>& latency, double flop, double floor) {
  bench::count_latency(state, latency, floor);
  state.counters["gflops"] = flop * 1e-3 / bench::us(latency.quantile(0.5));
}

/// A recurrence cannot but read its weights for every bin. Directions follow one another, so each may have the caches
/// to itself: the bandwidth is that of a block of its size. Everything else is one product over all bins.
double lfads_floor(const bench::LfadsShape& shape, std::size_t bins) {
  const auto recurrence = [&](std::size_t units) {
    const auto weights = static_cast<double>(bench::LfadsShape::recurrent(units)), times = static_cast<double>(bins);
    return bench::floor_us(2 * weights * times, sizeof(float) * weights, times);
  };
  return bench::floor_us(2 * static_cast<double>(bins * shape.products()), 0) + 2 * recurrence(shape.encoder) +
         recurrence(shape.generator);
}

void lfads(benchmark::State& state, const bench::LfadsShape& shape, std::size_t bins) {
  auto numbers = random_numbers();
  bench::Lfads<V> model(shape, bench::random_lfads<float>(shape, numbers), bins);
  const auto counts = bench::random_counts(bins * shape.neurons);
  const auto noise = numbers(shape.generator);
  std::vector<float> log_rates(counts.size());
  const auto run = [&] { model.run(log_rates.data(), counts.data(), bins, noise.data()); };
  run();
  const auto latency = bench::latency_of(state, run);
  report(state, latency, shape.flop(bins), lfads_floor(shape, bins));
}

void gru_step(benchmark::State& state, const bench::LfadsShape& shape) {
  constexpr std::size_t bins = 100;
  bench::CausalGru<V> model(shape, bench::random_causal<float>(shape, random_numbers()));
  const auto counts = bench::random_counts(bins * shape.neurons);
  std::vector<float> log_rates(shape.neurons);
  std::size_t bin = 0;
  const auto run = [&] { model.step(log_rates.data(), &counts[bin++ % bins * shape.neurons]); };
  for (std::size_t i = 0; i < bins; ++i) run();
  const auto latency = bench::latency_of(state, run);
  const double flop = 2 * static_cast<double>(bench::CausalGru<V>::products(shape));
  report(state, latency, flop, bench::floor_us(flop, sizeof(float) * flop / 2));
}

void ndt_window(benchmark::State& state, const bench::Shape& shape) {
  bench::Model model(shape, 1, 1);
  const auto run = [&] { model.forward(ndt::Serial{}); };
  run();
  const auto latency = bench::latency_of(state, run);
  const double flop = ndt::window_flop(shape.config(), shape.bins);
  report(state, latency, flop, bench::floor_us(flop, bench::bytes_of_bin(model.model, 0)));
}

/// Trials are four windows long, so that most bins see as many as they may; p50 is a bin that does.
void ndt_step(benchmark::State& state, const bench::Shape& shape) {
  ndt::ModelConfig config = shape.causal_config();
  config.context_backward = static_cast<std::int64_t>(shape.bins - 1), config.trial_length = 4 * shape.bins;
  bench::Model model(config, 1, 1);
  ndt::Buffer<float> memory(Decoder::state_size(model.model));
  Decoder decoder;
  if (!decoder.bind(model.model, {{.past_end = ndt::PastEnd::restart}, {}}, memory).ok()) std::abort();
  decoder.prepare();
  std::size_t bin = 0;
  const auto run = [&] { decoder.step(&model.counts[bin++ % config.trial_length * shape.neurons]); };
  for (std::size_t i = 0; i < config.trial_length; ++i) run();
  const auto latency = bench::latency_of(state, run);
  const double flop = ndt::bin_flop(config);
  report(state, latency, flop,
         bench::floor_us(flop, bench::bytes_of_bin(model.model, static_cast<double>(shape.bins))));
}

void add(const std::string& name, auto run) {
  benchmark::RegisterBenchmark(("recurrent/" + name + "/threads:1").c_str(), run)->Unit(benchmark::kMicrosecond);
}

}  // namespace

void bench::register_recurrent() {
  for (const Size& size : sizes) {
    const std::string name(size.lfads.name);
    for (const std::size_t bins : std::vector<std::size_t>{5, 10, 20, 50, 100}) {
      const std::string of_bins = "/bins:" + std::to_string(bins);
      add("lfads/" + name + of_bins, [=](benchmark::State& state) { lfads(state, size.lfads, bins); });
      for (const std::size_t layers : std::vector<std::size_t>{1, 2, 6}) {
        const Shape shape = size.ndt(layers, bins);
        const std::string model = "ndt/" + name + "/layers:" + std::to_string(layers) + of_bins;
        add(model, [=](benchmark::State& state) { ndt_window(state, shape); });
        add(model + "/step", [=](benchmark::State& state) { ndt_step(state, shape); });
      }
    }
    add("gru/" + name + "/step", [=](benchmark::State& state) { gru_step(state, size.lfads); });
  }
}
