// instruction_count PATH SHAPE: a path through the library, once, for instruction_count.sh to count.
// PATH: forward (one window), stream (a bin of a causal model whose context is full) or train_step (two trials).
#include <string>
#include <vector>

#include <ndt/core/random.hpp>
#include <ndt/ndt.hpp>
#include <ndt/train.hpp>

#include "../../bench/shapes.hpp"
#include "../support/stream.hpp"

namespace {

using V = ndt::simd::native<float>;

/// A spike in every tenth bin.
std::vector<std::uint16_t> counts_of(const bench::Shape& shape, std::size_t trials) {
  ndt::RandomStream random({.seed = 7});
  std::vector<std::uint16_t> counts(trials * shape.bins * shape.neurons);
  for (std::uint16_t& count : counts) count = random.below(10) == 0;
  return counts;
}

}  // namespace

/// The only one whose instructions are counted.
template <class Work>
NDT_NOINLINE void counted_path(Work& work) {
  work();
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string path = argv[1], name = argv[2];
  for (const bench::Shape& shape : bench::shapes) {
    if (shape.name != name) continue;
    ndt::ModelConfig config = shape.config();
    if (path == "train_step") {
      ndt::data::Dataset data;
      data.bins = shape.bins, data.neurons = shape.neurons, data.train.trials = 2;
      for (const std::uint16_t count : counts_of(shape, 2)) data.train.counts.push_back(count);
      ndt::train::TrainConfig training;
      training.batch_size = 2, training.num_updates = static_cast<std::size_t>(-1), training.do_val = false;
      training.val_interval = training.num_updates;
      training.dropout = 0.1, training.dropout_embedding = training.dropout_rates = 0.2;
      ndt::train::Trainer<V> trainer(config, training, data);
      trainer.step();  // the tapes reach their size
      const auto work = [&] { trainer.step(); };
      counted_path(work);
      return 0;
    }
    if (path == "stream") config.full_context = false, config.context_forward = 0, config.context_backward = 0;
    const support::RandomModel<V> random(config);
    if (!random.bound()) return 1;
    const std::vector<std::uint16_t> counts = counts_of(shape, 1);
    if (path == "stream") {
      support::Stream<V> stream(random.model, {});
      for (std::size_t t = 0; t + 1 < shape.bins; ++t) stream.decoder.step(&counts[t * shape.neurons]);
      const auto work = [&] { stream.decoder.step(&counts[(shape.bins - 1) * shape.neurons]); };
      counted_path(work);
      return stream.decoder.output().ready ? 0 : 1;
    }
    if (path != "forward") return 2;
    std::vector<float> log_rates(shape.bins * shape.neurons);
    ndt::Buffer<float> workspace(random.model.workspace_size(shape.bins, 1));
    const auto work = [&] {
      random.model.forward({.log_rates = log_rates.data()}, counts.data(), 1, shape.bins, workspace);
    };
    counted_path(work);
    return 0;
  }
  return 2;
}
