#include <ndt/data/lorenz.hpp>
#include <ndt/train.hpp>

/// R2 of the rates that a small model finds in a minute's worth of steps.
double train_on_lorenz(std::size_t steps) {
  ndt::data::Dataset data = ndt::data::simulate_lorenz({.conditions = 20, .repeats = 20, .mean_rate = 25}).data;
  ndt::ModelConfig shape;
  shape.neurons = data.neurons, shape.trial_length = data.bins;
  shape.layers = 2, shape.max_spikes = 20, shape.pre_norm = shape.learnable_position = shape.full_context = true;
  ndt::train::TrainConfig config;
  config.num_updates = steps, config.val_interval = steps, config.scheduled = false, config.mask.ratio = 0.25;

  ndt::train::Trainer<ndt::simd::native<float>> trainer(shape, config, data);
  while (!trainer.finished()) trainer.step();  // throws ndt::train::NotFinite if the loss blows up
  return trainer.validate().r2;                // trainer.model() is an ndt::DynamicTransformer, ready to run
}
