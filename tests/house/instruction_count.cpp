// instruction_count PATH SHAPE: a path through the library, once, for instruction_count.sh to count.
// PATH: forward (one window), stream (the last bin of a trial, no look-ahead) or train_step (two trials).
#include <string>

#include <ndt/ndt.hpp>

#include "../../bench/shapes.hpp"
#include "../../bench/training.hpp"
#include "../support/stream.hpp"

/// The only one whose instructions are counted.
template <class Work>
NDT_NOINLINE void counted_path(Work work) {
  work();
}

namespace {

int forward(const bench::Shape& shape) {
  bench::Model m(shape, 1, 1);
  counted_path([&] { m.model.forward({.log_rates = m.log_rates.data()}, m.counts.data(), 1, m.bins, m.workspace); });
  return 0;
}

int stream(const bench::Shape& shape) {
  const bench::Model m(shape.causal_config(), 1, 1);
  support::Stream<ndt::simd::native<float>> stream(m.model, {});
  for (std::size_t t = 0; t + 1 < shape.bins; ++t) stream.decoder.step(&m.counts[t * shape.neurons]);
  counted_path([&] { stream.decoder.step(&m.counts[(shape.bins - 1) * shape.neurons]); });
  return stream.decoder.output().ready ? 0 : 1;
}

int train_step(const bench::Shape& shape) {
  ndt::data::Dataset data = bench::dataset_of(shape, 2);
  ndt::train::Trainer<ndt::simd::native<float>> trainer(shape.config(), bench::training_of(2), data);
  trainer.step();  // the tapes reach their size
  counted_path([&] { trainer.step(); });
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const std::string path = argv[1];
  for (const bench::Shape& shape : bench::shapes) {
    if (shape.name != argv[2]) continue;
    if (path == "forward") return forward(shape);
    if (path == "stream") return stream(shape);
    if (path == "train_step") return train_step(shape);
  }
  return 2;
}
