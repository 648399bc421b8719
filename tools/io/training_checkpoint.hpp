// tools/io/training_checkpoint.hpp: everything that a training run needs to go on, in a tensor file (tensor_file.hpp)
// of format `ndt-training`: the tensors NAME, mean/NAME and square/NAME (of AdamW), and in the metadata
//
//   config          the model's configuration, as in a model file
//   train_config    the run's configuration, the same way
//   data            what identifies the training data: sizes and a hash
//   state           JSON of TrainingState; numbers as text, for infinities
#pragma once

#include <filesystem>
#include <string>

#include <ndt/train/optimizer.hpp>
#include <ndt/train/trainer.hpp>

namespace tool {

/// A run between two steps. The spans are a trainer's own memory, read by save and written by load.
struct TrainingRun {
  const ndt::ModelConfig& model;
  const ndt::train::TrainConfig& config;
  std::string data;
  ndt::Parameters<float>& parameters;
  std::span<float> mean, square;
  ndt::train::TrainingState& state;
};

/// What identifies the data of a run: resumed with other data it would be another run.
std::string data_fingerprint(const ndt::data::Dataset& dataset);

/// Whole or not at all: if the disk is full, the file that was there stays. Throws Refused.
void save_checkpoint(const TrainingRun& run, const std::filesystem::path& path);

/// The configuration of the model that a checkpoint holds. Throws Refused, also where its tensors are of another one.
ndt::ModelConfig checkpoint_model(const std::filesystem::path& path);

/// Refused, naming what differs, for a checkpoint of another model, configuration or data set, and for a state that no
/// run has. Nothing is written to the run unless all of it fits. How long a run goes on (num_updates, patience) and on
/// how many threads may differ.
void load_checkpoint(const TrainingRun& run, const std::filesystem::path& path);

}  // namespace tool
