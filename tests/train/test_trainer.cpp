// The trainer: it learns, its bits depend on neither threads nor interruptions, and it stops where it must.
#include <cmath>
#include <string>
#include <vector>

#include <ndt/data/random_numbers.hpp>
#include <ndt/train/trainer.hpp>

#include "../support/matrix.hpp"
#include "../support/policies.hpp"

using ndt::ModelConfig;
using ndt::train::TrainConfig;

namespace {

/// Neurons that fire in turns: half of them in the first bins of a trial, half in the last ones.
ndt::data::Dataset turns(std::size_t trials) {
  ndt::data::Dataset dataset;
  dataset.bins = 8, dataset.neurons = 6;
  for (ndt::data::Split* const split : {&dataset.train, &dataset.valid}) {
    split->trials = trials;
    for (std::size_t i = 0; i < trials * dataset.bins * dataset.neurons; ++i) {
      const std::size_t bin = i / dataset.neurons % dataset.bins, neuron = i % dataset.neurons;
      const bool active = (bin < 4) == (neuron < 3);
      ndt::RandomStream random({.seed = split == &dataset.train, .item = static_cast<std::uint32_t>(i)});
      split->truth.push_back(active ? 1.5f : 0.1f);
      split->counts.push_back(static_cast<std::uint16_t>(ndt::data::poisson(random, active ? 1.5 : 0.1)));
    }
  }
  return dataset;
}

ModelConfig small_model() {
  ModelConfig c;
  c.neurons = 6, c.trial_length = 8, c.layers = 2, c.heads = 2, c.hidden_size = 16, c.embed_dim = 2, c.max_spikes = 12;
  c.full_context = true, c.learnable_position = true, c.pre_norm = true;
  return c;
}

TrainConfig settings() {
  TrainConfig c;
  c.batch_size = 24, c.num_updates = 60, c.val_interval = 20, c.learning_rate = 3e-3, c.scheduled = false;
  c.mask.ratio = 0.3;
  return c;
}

template <class Trainer>
std::vector<double> run(Trainer& trainer, std::size_t steps) {
  std::vector<double> seen;
  for (std::size_t i = 0; i < steps && !trainer.finished(); ++i) {
    const auto progress = trainer.step();
    seen.push_back(progress.loss), seen.push_back(progress.gradient_norm);
    if (progress.validated) {
      seen.push_back(progress.validation.masked_loss), seen.push_back(progress.validation.unmasked_loss);
      seen.push_back(progress.validation.r2), seen.push_back(progress.train_loss);
    }
  }
  return seen;
}

using V = ndt::simd::native<float>;
using Trainer = ndt::train::Trainer<V>;

}  // namespace

TEST_CASE("training finds rates that depend on time and neuron", "[train]") {
  auto dataset = turns(100);
  TrainConfig config = settings();
  config.num_updates = 200;
  Trainer trainer(small_model(), config, dataset);
  const double before = trainer.validate().r2;
  double best = 0;
  while (!trainer.finished()) {
    const auto progress = trainer.step();
    if (progress.validated) best = std::max(best, progress.validation.r2);
  }
  CHECK(before < 0.2);
  CHECK(best > 0.9);
  CHECK(trainer.state().best_r2 == best);
}

#ifdef _OPENMP
TEST_CASE("a run has the same bits for any number of threads", "[train]") {
  auto dataset = turns(50);
  for (const double topk : {1.0, 0.5}) {
    TrainConfig config = settings();
    config.topk = topk;
    Trainer serial(small_model(), config, dataset);
    const auto expected = run(serial, 25);
    for (const std::size_t threads : std::vector<std::size_t>{2, 3}) {
      ndt::train::Trainer<V, ndt::OpenMP> parallel(small_model(), config, dataset, {threads});
      CHECK(support::same_bits(run(parallel, 25), expected));
      CHECK(support::same_bits(parallel.parameters().values(), serial.parameters().values()));
    }
  }
}
#endif

TEST_CASE("a run that goes on in another trainer has the bits of one that was never stopped", "[train]") {
  auto dataset = turns(50);
  TrainConfig config = settings();
  config.mask.max_span = 3, config.mask.ramp_start = 0, config.mask.ramp_end = 40;
  config.mask.token_ratio = 0.7;
  for (const bool reproduce : {false, true}) {
    config.reproduce = reproduce;
    Trainer whole(small_model(), config, dataset);
    run(whole, 7);
    Trainer other(small_model(), config, dataset);
    run(other, 2);  // a state that must be forgotten
    const auto copy = [](auto from, auto to) { std::copy(from.begin(), from.end(), to.begin()); };
    copy(whole.parameters().values(), other.parameters().values());
    copy(whole.optimizer().mean(), other.optimizer().mean());
    copy(whole.optimizer().square(), other.optimizer().square());
    other.state() = whole.state();
    other.restored();
    CHECK(support::same_bits(run(whole, 30), run(other, 30)));
    CHECK(support::same_bits(whole.parameters().values(), other.parameters().values()));
  }
}

TEST_CASE("an update is a step, and a pass over the data where the reference is followed", "[train]") {
  auto dataset = turns(50);  // three batches
  TrainConfig config = settings();
  config.num_updates = 4, config.val_interval = 1;
  Trainer steps(small_model(), config, dataset);
  CHECK(steps.last_step() == 4);
  while (!steps.finished()) CHECK(steps.step().validated);
  CHECK(steps.state().step == 4);
  config.reproduce = true;
  Trainer passes(small_model(), config, dataset);
  CHECK(passes.last_step() == 12);
  std::size_t validations = 0;
  while (!passes.finished()) validations += passes.step().validated;
  CHECK(passes.state().step == 12);
  CHECK(validations == 4);
}

TEST_CASE("patience ends a run that does not get better", "[train]") {
  auto dataset = turns(50);
  TrainConfig config = settings();
  config.num_updates = 1000, config.val_interval = 2, config.patience = 6, config.learning_rate = 1e-30;
  Trainer trainer(small_model(), config, dataset);
  while (!trainer.finished()) trainer.step();
  CHECK(trainer.state().stopped);
  CHECK(trainer.state().step < 20);
  // One that goes on with more of it is not at its end; with as much as before it is.
  for (const std::size_t patience : {std::size_t{6}, std::size_t{600}}) {
    config.patience = patience;
    Trainer other(small_model(), config, dataset);
    other.state() = trainer.state();
    other.restored();
    CHECK(other.finished() == (patience == 6));
  }
}

TEST_CASE("a rate that blows up stops the run and names step and tensor", "[train]") {
  auto dataset = turns(50);
  TrainConfig config = settings();
  config.num_updates = 1000, config.learning_rate = 1e30, config.do_val = false;
  Trainer trainer(small_model(), config, dataset);
  std::string what;
  try {
    while (!trainer.finished()) trainer.step();
  } catch (const ndt::train::NotFinite& stopped) {
    what = stopped.what();
    CHECK(stopped.step == trainer.state().step + 1);
  }
  CHECK(what.find("is not finite in step ") != std::string::npos);
}

TEST_CASE("data and model that do not fit are refused", "[train]") {
  auto dataset = turns(10);
  ModelConfig model = small_model();
  model.neurons = 8;
  CHECK_THROWS_AS(Trainer(model, settings(), dataset), std::invalid_argument);
  model = small_model();
  model.trial_length = 7;
  CHECK_THROWS_AS(Trainer(model, settings(), dataset), std::invalid_argument);
  model = small_model();
  model.heads = 5;
  CHECK_THROWS_AS(Trainer(model, settings(), dataset), std::invalid_argument);
  // Counts of 16 bits leave no number for the mask token.
  TrainConfig config = settings();
  config.mask.zero_mask = false;
  model = small_model();
  model.max_spikes = 65534;
  CHECK_NOTHROW(Trainer(model, config, dataset));
  model.max_spikes = 65535;
  CHECK_THROWS_AS(Trainer(model, config, dataset), std::invalid_argument);
}

TEST_CASE("the largest losses are kept, the first of equal ones", "[train]") {
  const std::vector<float> losses{3, 1, 2, 3, 2, 5, 2};
  std::vector<float> weight{1, 1, 1, 1, 1, 0, 1};
  ndt::train::keep_largest(weight.data(), losses.data(), losses.size(), 0.5);  // 3 of 6
  CHECK(weight == std::vector<float>{1, 0, 1, 1, 0, 0, 0});
}

TEST_CASE("held-out counts that a benchmark hides are in no loss", "[train]") {
  auto dataset = turns(30);
  dataset.heldout_neurons = 2;
  const auto loss = [&](bool hidden, std::uint16_t value) {
    auto copy = dataset;
    copy.valid.heldout_hidden = hidden;
    for (std::size_t i = 0; i < copy.valid.counts.size(); ++i) {
      if (i % 6 >= 4) copy.valid.counts[i] = value;
    }
    Trainer trainer(small_model(), settings(), copy);
    return trainer.validate().masked_loss;
  };
  CHECK(loss(true, 0) == loss(true, 9));
  CHECK(loss(false, 0) != loss(false, 9));
}
