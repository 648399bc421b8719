// tools/io/training_checkpoint.cpp
#include "training_checkpoint.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "content_hash.hpp"
#include "input_file.hpp"
#include "json_text.hpp"
#include "model_check.hpp"
#include "model_config.hpp"
#include "numbers.hpp"
#include "output_file.hpp"
#include "parameters.hpp"
#include "refused.hpp"
#include "tensor_file.hpp"
#include "train_config.hpp"

namespace tool {

namespace {

constexpr TensorFileKind checkpoint_kind{"ndt-training", "a checkpoint that `ndt train` wrote (last.ckpt)"};

/// f(key, field) for every field of the state.
template <class State, class F>
void visit_state(State& state, F&& f) {
  f("step", state.step);
  f("seconds", state.seconds);
  f("loss_sum", state.loss_sum);
  f("loss_count", state.loss_count);
  f("best_loss", state.best_loss);
  f("best_step", state.best_step);
  f("best_r2", state.best_r2);
  f("stopped", state.stopped);
}

std::string state_text(const ndt::train::TrainingState& state) {
  nlohmann::ordered_json json;
  visit_state(state, [&](const char* key, const auto& field) {
    if constexpr (std::is_same_v<std::decay_t<decltype(field)>, bool>) {
      json[key] = field ? "true" : "false";
    } else {
      json[key] = text(field);
    }
  });
  return json.dump();
}

bool read_field(const std::string& text, bool& field) {
  field = text == "true";
  return field || text == "false";
}
template <class T>
bool read_field(const std::string& text, T& field) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), field);
  return error == std::errc() && end == text.data() + text.size();
}

ndt::train::TrainingState parse_state(const std::string& bytes, const std::string& where) {
  const nlohmann::json json = parse_json(bytes, where, 2);
  ndt::train::TrainingState state;
  visit_state(state, [&](const char* key, auto& field) {
    const auto found = json.is_object() ? json.find(key) : json.end();
    if (!json.is_object() || found == json.end() || !found->is_string() ||
        !read_field(found->template get<std::string>(), field)) {
      throw Refused(std::string("the state's ") + key + " is not there or no number", where,
                    "a checkpoint that `ndt train` wrote is expected");
    }
  });
  return state;
}

/// The configuration without what may differ between two parts of a run.
std::string comparable(ndt::train::TrainConfig config) {
  config.num_updates = config.patience = 0;
  config.threads = 1;
  config.checkpoint_interval = 1;
  return train_config_text(config);
}

/// A state that no training has been in. Steps are numbers of 32 bits where random numbers are drawn.
void check_state(const ndt::train::TrainingState& state, const std::string& where) {
  const bool validated = state.best_step != 0;
  const bool possible =
      state.step <= std::numeric_limits<std::uint32_t>::max() && state.best_step <= state.step &&
      state.loss_count <= state.step && std::isfinite(state.seconds) && state.seconds >= 0 &&
      std::isfinite(state.loss_sum) && state.best_r2 <= 1 &&
      (validated ? std::isfinite(state.best_loss) : state.best_loss == std::numeric_limits<double>::infinity());
  if (!possible)
    throw Refused("the state is not one of this run", where, "a checkpoint that `ndt train` wrote is expected");
}

/// "KEY is A in the checkpoint and B here" of the first key that differs between two JSON texts.
std::string first_difference(const std::string& theirs, const std::string& ours, const std::string& where) {
  const std::vector<JsonDifference> differences = json_differences(theirs, ours, where);
  if (differences.empty()) return "it is written in another way";
  const JsonDifference& first = differences.front();
  if (first.theirs.empty()) return first.key + " is missing in the checkpoint";
  if (first.ours.empty()) return "the checkpoint knows " + first.key + ", which this program does not";
  return first.key + " is " + first.theirs + " in the checkpoint and " + first.ours + " here";
}

/// f(name in the file, parameter, where its values are) for all that is kept.
template <class Run, class F>
void visit_tensors(const Run& run, F&& f) {
  for (const ndt::Parameter& p : run.parameters.list()) {
    f(p.name, p, run.parameters.values());
    if (!p.trained) continue;
    f("mean/" + p.name, p, run.mean);
    f("square/" + p.name, p, run.square);
  }
}

TensorFile read_checkpoint(const std::filesystem::path& path) {
  const std::vector<std::byte> bytes = InputFile(path).read_all();
  return parse_tensor_file({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path.string(), checkpoint_kind);
}

const std::string& metadata_of(const TensorFile& file, const char* key, const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw Refused(std::string("the metadata has no ") + key, where,
                  std::string(checkpoint_kind.expected) + " is expected");
  }
  return found->second;
}

}  // namespace

std::string data_fingerprint(const ndt::data::Dataset& dataset) {
  ContentHash hash;
  for (const std::size_t size : {dataset.bins, dataset.neurons, dataset.forward_bins, dataset.heldout_neurons}) {
    hash.number(size);
  }
  hash.number(std::bit_cast<std::uint64_t>(dataset.bin_width));
  for (const ndt::data::Split* const split : {&dataset.train, &dataset.valid}) {
    hash.number(split->trials);
    hash.bytes({reinterpret_cast<const char*>(split->counts.data()), split->counts.size() * sizeof(std::uint16_t)});
    hash.bytes({reinterpret_cast<const char*>(split->truth.data()), split->truth.size() * sizeof(float)});
    hash.number((split->heldout_hidden ? 1 : 0) + (split->forward_hidden ? 2 : 0));
  }
  return hash.digits();
}

void save_checkpoint(const TrainingRun& run, const std::filesystem::path& path) {
  Tensors tensors;
  visit_tensors(run, [&](const std::string& name, const ndt::Parameter& p, std::span<const float> values) {
    tensors.emplace(name, tensor_of(p, values));
  });
  const std::string bytes = tensor_file_bytes(checkpoint_kind,
                                              {{"config", config_text(run.model)},
                                               {"train_config", train_config_text(run.config)},
                                               {"data", run.data},
                                               {"state", state_text(run.state)}},
                                              tensors);
  OutputFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

ndt::ModelConfig checkpoint_model(const std::filesystem::path& path) {
  const std::string where = path.string();
  TensorFile file = read_checkpoint(path);
  ModelFile model;
  model.config = parse_config_text(metadata_of(file, "config", where), where + " config");
  std::erase_if(file.tensors, [](const auto& tensor) {
    return tensor.first.starts_with("mean/") || tensor.first.starts_with("square/");
  });
  model.tensors = std::move(file.tensors);
  check_model(model, where);  // before memory is taken for what it claims to be
  return model.config;
}

void load_checkpoint(const TrainingRun& run, const std::filesystem::path& path) {
  const std::string where = path.string();
  const TensorFile file = read_checkpoint(path);
  const auto text_of = [&](const char* key) -> const std::string& { return metadata_of(file, key, where); };
  const auto must_equal = [&](const std::string& theirs, const std::string& ours, const char* what) {
    if (theirs == ours) return;
    throw Refused(std::string("the checkpoint is of another ") + what + ": " + first_difference(theirs, ours, where),
                  where, "--resume goes on with the run as it was begun; start anew without it, in another folder");
  };
  must_equal(text_of("config"), config_text(run.model), "model");
  must_equal(comparable(parse_train_config_text(text_of("train_config"), where + " train_config")),
             comparable(run.config), "configuration");
  if (text_of("data") != run.data) {
    throw Refused("the checkpoint is of another data set", where, "--resume goes on with the data as they were");
  }
  const ndt::train::TrainingState state = parse_state(text_of("state"), where + " state");
  check_state(state, where + " state");

  std::size_t expected = 0;
  visit_tensors(run, [&](const std::string& name, const ndt::Parameter& p, std::span<float>) {
    ++expected;
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end() || found->second.shape != shape_of(p.extents) ||
        found->second.values.size() != p.extents.count()) {
      throw Refused("tensor " + name + " is missing or of another shape", where,
                    "the checkpoint of a model with this configuration has it");
    }
    const float lowest = name.starts_with("square/") ? 0.0f : std::numeric_limits<float>::lowest();
    for (const float value : found->second.values) {
      if (value >= lowest && value <= std::numeric_limits<float>::max()) continue;
      throw Refused("tensor " + name + " has " + text(value), where, "no run goes on from numbers like that");
    }
  });
  if (file.tensors.size() != expected) throw Refused("tensors are left over", where, "a whole checkpoint is expected");
  visit_tensors(run, [&](const std::string& name, const ndt::Parameter& p, std::span<float> values) {
    const std::vector<float>& stored = file.tensors.find(name)->second.values;
    std::copy(stored.begin(), stored.end(), values.begin() + static_cast<std::ptrdiff_t>(p.value));
  });
  run.state = state;
}

}  // namespace tool
