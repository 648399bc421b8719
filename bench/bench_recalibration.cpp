// recalibration/features:256/threads:1: a read-out of 256 hidden units that is fitted again between bins, and what that
// does to the bins. Blocks of bins with and without it take turns.
#include <benchmark/benchmark.h>

#include <memory>

#include "clock.hpp"
#include "counters.hpp"
#include "shapes.hpp"

namespace {

using bench::Nanoseconds, bench::us;
using Decoder = ndt::DynamicDecoder<>;
using Watched = ndt::WatchedDecoder<Decoder, Nanoseconds>;

constexpr std::size_t block = 500;
constexpr benchmark::IterationCount blocks = 400;

void recalibration(benchmark::State& state) {
  ndt::ModelConfig config = bench::Shape{"", 100, 128, 6, 2}.config();
  config.full_context = false, config.context_forward = 0, config.context_backward = 20;
  bench::Model model(config, 1, 1);
  const ndt::ReadoutConfig readout{ndt::ReadoutKind::ridge,      ndt::ReadoutFeatures::hidden, 2, 1, 0, 0,
                                   ndt::fingerprint(model.model)};
  const auto weights = bench::random_floats(2 * 256 + 2, 0.1f, 5);
  std::vector<float> packed(ndt::readout_packed_size<ndt::simd::native<float>>(readout, config));
  const ndt::DynamicSetup setup{{ndt::StreamPolicy::delayed, ndt::PastEnd::restart}, readout};
  ndt::Buffer<float> memory(Decoder::state_size(model.model, setup));
  Decoder decoder;
  const ndt::Status packing = ndt::pack_readout<ndt::simd::native<float>>(
      std::span<float>(packed), readout, config, [&](std::string_view name) {
        return name == "readout.weight" ? ndt::StoredTensor<float>{weights.data(), nullptr, ndt::Extents(2, 256)}
                                        : ndt::StoredTensor<float>{weights.data() + 512, nullptr, ndt::Extents(2)};
      });
  if (!packing.ok() || !decoder.bind(model.model, setup, memory, packed).ok()) std::abort();
  decoder.prepare();

  using Recalibration = ndt::Recalibration<Decoder>;
  const ndt::RecalibrationOptions options;
  Recalibration recalibration;
  ndt::Buffer<double> sums(Recalibration::memory_size(decoder, options));
  ndt::Buffer<float> readouts(Recalibration::readouts_size(decoder));
  if (!recalibration.bind(decoder, packed.data(), options, sums, readouts).ok()) std::abort();

  Watched idle(decoder, ~std::uint64_t{0}), busy(decoder, ~std::uint64_t{0});
  const auto refits = std::make_unique<ndt::LatencyHistogram<>>();
  std::size_t bin = 0;
  const float behavior[2] = {0.5f, -0.5f};
  while (state.KeepRunningBatch(blocks)) {
    for (benchmark::IterationCount b = 0; b < blocks; ++b) {
      for (std::size_t i = 0; i < block; ++i, ++bin) {
        const std::uint8_t* const counts = &model.counts[bin % config.trial_length * config.neurons];
        if (b % 2 == 0) {
          idle.step(counts);
          continue;
        }
        busy.step(counts);
        const std::uint64_t start = Nanoseconds::ticks();
        recalibration.observe(behavior);
        recalibration.refit_some();
        refits->record(Nanoseconds::ticks() - start);
      }
    }
  }
  const double p99 = us(idle.latency().quantile(0.99));
  state.counters["idle_p50_us"] = us(idle.latency().quantile(0.5));
  state.counters["idle_p99_us"] = p99;
  state.counters["step_p50_us"] = us(busy.latency().quantile(0.5));
  state.counters["step_p99_us"] = us(busy.latency().quantile(0.99));
  state.counters["p99_over_idle"] = us(busy.latency().quantile(0.99)) / p99;
  state.counters["refit_p50_us"] = us(refits->quantile(0.5));
  state.counters["refit_p99_us"] = us(refits->quantile(0.99));
  state.counters["refit_max_us"] = us(refits->largest());
  state.counters["refits"] = static_cast<double>(recalibration.counters().refits);
}

}  // namespace

void bench::register_recalibration() {
  benchmark::RegisterBenchmark("recalibration/features:256/threads:1", recalibration)->Unit(benchmark::kMicrosecond);
}
