// train_step/SHAPE/batch:B/threads:N: masking, dropout, full context, backward, clipping, AdamW and repacking.
#include <benchmark/benchmark.h>

#include <string>

#include <ndt/model/cost.hpp>
#include <ndt/train.hpp>

#include "counters.hpp"
#include "shapes.hpp"
#include "training.hpp"

namespace {

using V = ndt::simd::native<float>;

template <class Policy>
void train_step(benchmark::State& state, const bench::Shape& shape, std::size_t batch, const Policy& policy) {
  ndt::data::Dataset dataset = bench::dataset_of(shape, batch);
  ndt::train::Trainer<V, Policy> trainer(shape.config(), bench::training_of(batch), dataset, policy);
  trainer.step();  // the tapes reach their size
  const int threads = static_cast<int>(policy.workers());
  const bench::BesideLoop took = bench::beside_loop(state, threads, [&] { trainer.step(); });
  const double flop = 3 * static_cast<double>(batch) * ndt::window_flop(shape.config(), shape.bins);
  bench::count_flop(state, flop, took, threads);
  state.counters["bytes"] = static_cast<double>(trainer.bytes());
}

}  // namespace

void bench::register_train_step() {
  for (const bench::Shape& shape : bench::shapes) {
    const std::size_t batch = 64;
    register_for_threads("train_step/" + std::string(shape.name) + "/batch:" + std::to_string(batch),
                         benchmark::kMillisecond,
                         [=](benchmark::State& state, const auto& policy) { train_step(state, shape, batch, policy); });
  }
}
