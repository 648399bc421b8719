// train_step/SHAPE/batch:B/threads:N: masking, dropout, full context, backward, clipping, AdamW and repacking.
#include <benchmark/benchmark.h>

#include <string>

#include <ndt/core/random.hpp>
#include <ndt/model/cost.hpp>
#include <ndt/train.hpp>

#include "counters.hpp"
#include "shapes.hpp"

namespace {

using V = ndt::simd::native<float>;

/// One batch of trials with a spike in every tenth bin.
ndt::data::Dataset dataset_of(const bench::Shape& shape, std::size_t batch) {
  ndt::data::Dataset dataset;
  dataset.bins = shape.bins, dataset.neurons = shape.neurons;
  dataset.train.trials = batch;
  ndt::RandomStream random({.seed = 7});
  for (std::size_t i = 0; i < batch * shape.bins * shape.neurons; ++i) {
    dataset.train.counts.push_back(random.below(10) == 0);
  }
  return dataset;
}

template <class Policy>
void train_step(benchmark::State& state, const bench::Shape& shape, std::size_t batch, const Policy& policy) {
  ndt::data::Dataset dataset = dataset_of(shape, batch);
  ndt::train::TrainConfig config;
  config.batch_size = batch, config.num_updates = static_cast<std::size_t>(-1), config.do_val = false;
  config.val_interval = config.num_updates;
  config.dropout = 0.1, config.dropout_embedding = config.dropout_rates = 0.2;
  config.scheduled = false, config.learning_rate = 1e-4;
  ndt::train::Trainer<V, Policy> trainer(shape.config(), config, dataset, policy);
  trainer.step();  // the tapes reach their size
  const double seconds = bench::seconds_of(state, [&] { trainer.step(); });
  const double flop = 3 * static_cast<double>(batch) * ndt::window_flop(shape.config(), shape.bins);
  bench::count_flop(state, flop, seconds, static_cast<int>(policy.workers()));
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
