// stream/SHAPE/threads:1: a bin at a time, no look-ahead, all bins before, a new trial every `bins`; a million bins.
// After each step as long a loop of plain multiply-adds runs: what the machine does to that, it does to the step too.
// Reading the bytes that a bin reads takes turns with it, for the same reason: the floor is what that takes at best.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "clock.hpp"
#include "counters.hpp"
#include "floor.hpp"
#include "shapes.hpp"

namespace {

using Decoder = ndt::DynamicDecoder<>;

/// As one batch: the library would add a number of iterations to the name.
constexpr benchmark::IterationCount bins_in_all = 1'000'000;

/// Few enough turns that the bins after them, whose weights reading has driven out, are less than one in a thousand.
constexpr benchmark::IterationCount bins_between_reads = 2000;
constexpr int reads_at_a_time = 100;

using bench::Nanoseconds, bench::us;

void stream(benchmark::State& state, const bench::Shape& shape) {
  bench::Model model(shape.causal_config(), 1, 1);
  ndt::Buffer<float> memory(Decoder::state_size(model.model));
  Decoder decoder;
  if (!decoder.bind(model.model, {}, memory).ok()) std::abort();
  decoder.prepare();

  std::size_t bin = 0;
  const auto counts_of_next = [&] {
    if (bin == shape.bins) {
      decoder.reset();
      bin = 0;
    }
    return &model.counts[bin++ * shape.neurons];
  };
  const auto watched = std::make_unique<ndt::WatchedDecoder<Decoder, Nanoseconds>>(decoder, ~std::uint64_t{0});
  const auto loop = std::make_unique<ndt::LatencyHistogram<>>(), reads = std::make_unique<ndt::LatencyHistogram<>>();
  const double bytes = bench::bytes_of_bin(model.model, (static_cast<double>(shape.bins) + 1) / 2);  // of the mean bin
  const ndt::Buffer<float> block(static_cast<std::size_t>(bytes) / sizeof(float));
  const auto read = [&] {
    benchmark::DoNotOptimize(bench::read_through(block.data(), block.size()));  // brings it into the caches
    for (int i = 0; i < reads_at_a_time; ++i) {
      const std::uint64_t start = Nanoseconds::ticks();
      benchmark::DoNotOptimize(bench::read_through(block.data(), block.size()));
      reads->record(Nanoseconds::ticks() - start);
    }
  };
  {
    ndt::WatchedDecoder<Decoder, Nanoseconds> first(decoder, ~std::uint64_t{0});
    for (std::size_t i = 0; i < 20 * shape.bins; ++i) first.step(counts_of_next());
    decoder.reset();
    bin = 0;
    const std::size_t rounds = bench::spin_rounds(static_cast<double>(first.latency().quantile(0.5)));
    while (state.KeepRunningBatch(bins_in_all)) {
      for (benchmark::IterationCount i = 0; i < bins_in_all; ++i) {
        watched->step(counts_of_next());
        benchmark::ClobberMemory();
        const std::uint64_t start = Nanoseconds::ticks();
        bench::spin(rounds);
        loop->record(Nanoseconds::ticks() - start);
        if (i % bins_between_reads == 0) read();
      }
    }
  }
  const ndt::LatencyHistogram<>& latency = watched->latency();
  bench::count_latency(state, latency, bench::floor_us(0, bytes));
  state.counters["p999_us"] = us(latency.quantile(0.999));
  state.counters["max_us"] = us(latency.largest());
  state.counters["first_us"] = us(latency.first());
  state.counters["read_p50_us"] = us(reads->quantile(0.5));
  state.counters["loop_p50_us"] = us(loop->quantile(0.5));
  state.counters["loop_p999_us"] = us(loop->quantile(0.999));
  state.counters["state_bytes"] = static_cast<double>(memory.size() * sizeof(float));
}

}  // namespace

void bench::register_stream() {
  for (const bench::Shape& shape : bench::shapes) {
    benchmark::RegisterBenchmark(("stream/" + std::string(shape.name) + "/threads:1").c_str(),
                                 [=](benchmark::State& state) { stream(state, shape); })
        ->Unit(benchmark::kMicrosecond);
  }
}
