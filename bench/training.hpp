// What a step of training is measured on: a batch of trials, and the settings.
#pragma once

#include <cstddef>

#include <ndt/core/random.hpp>
#include <ndt/train.hpp>

#include "shapes.hpp"

namespace bench {

/// One batch of trials with a spike in every tenth bin.
inline ndt::data::Dataset dataset_of(const Shape& shape, std::size_t batch) {
  ndt::data::Dataset dataset;
  dataset.bins = shape.bins, dataset.neurons = shape.neurons;
  dataset.train.trials = batch;
  ndt::RandomStream random({.seed = 7});
  for (std::size_t i = 0; i < batch * shape.bins * shape.neurons; ++i) {
    dataset.train.counts.push_back(random.below(10) == 0);
  }
  return dataset;
}

/// Steps without end and without validation.
inline ndt::train::TrainConfig training_of(std::size_t batch) {
  ndt::train::TrainConfig config;
  config.batch_size = batch, config.num_updates = static_cast<std::size_t>(-1), config.do_val = false;
  config.val_interval = config.num_updates;
  config.dropout = 0.1, config.dropout_embedding = config.dropout_rates = 0.2;
  config.scheduled = false, config.learning_rate = 1e-4;
  return config;
}

}  // namespace bench
