// tools/io/train_config.hpp: the configuration of a training run, from the reference's YAML files and their like.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ndt/model/config.hpp>
#include <ndt/train/config.hpp>

#include "config_entry.hpp"

namespace tool {

/// neurons, trial_length and max_spikes of the model are 0 until the data are known: see complete().
struct RunConfig {
  ndt::ModelConfig model;
  ndt::train::TrainConfig train;
};

/// The files merged in their order over the reference's defaults, then `overrides`, each KEY=VALUE. As strict about
/// types as the reference's yacs, but for an integer where a number is expected. An unknown key is refused with the
/// nearest known one, a dead one is ignored (train_fields.hpp), and so is what cannot run or contradicts itself
/// refused. Throws Refused, naming file and line.
RunConfig read_run_config(const std::vector<std::filesystem::path>& files, const std::vector<std::string>& overrides);

/// The same from entries.
RunConfig make_run_config(const std::vector<ConfigEntry>& entries);

/// KEY=VALUE as an entry.
ConfigEntry parse_override(std::string_view text);

/// What the data say about a model.
struct DataSizes {
  std::size_t neurons = 0;       ///< with held-out ones
  std::size_t trial_length = 0;  ///< bins, with forward ones
  std::size_t max_spikes = 0;    ///< the reference: largest training count + 3
};

/// The model with its sizes. Throws Refused where no such model can exist, or where a span of the mask does not fit.
ndt::ModelConfig complete(const RunConfig& config, const DataSizes& sizes, const std::string& where);

/// Every field but paths and threads, under the same keys as JSON in which sections are objects. The same config gives
/// the same text: a trained model's file carries it beside the text of the model's own configuration.
std::string train_config_text(const ndt::train::TrainConfig& config);

/// The inverse of train_config_text; defaults stand for keys that are missing, as an older program did not know them.
/// Throws Refused for unknown keys and wrong values.
ndt::train::TrainConfig parse_train_config_text(std::string_view text, const std::string& where);

}  // namespace tool
