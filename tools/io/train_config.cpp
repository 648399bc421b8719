// tools/io/train_config.cpp
#include "train_config.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <type_traits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "bytes.hpp"
#include "json_text.hpp"
#include "model_config.hpp"
#include "model_fields.hpp"
#include "nearest.hpp"
#include "train_fields.hpp"
#include "yaml_entries.hpp"

namespace tool {

namespace {

using ndt::data::MaskMode;
using ndt::train::Schedule;
using ndt::train::TrainConfig;

[[noreturn]] void refuse(const ConfigEntry& entry, const std::string& right) {
  throw Refused(printable(entry.key) + " is " + (entry.text.empty() ? "empty" : printable(entry.text)), entry.where,
                right + " is expected");
}

/// Names of the values of an enumeration.
template <class E>
using Names = std::vector<std::pair<const char*, E>>;
const Names<ndt::Activation>& names(ndt::Activation) {
  static const Names<ndt::Activation> all = {{"relu", ndt::Activation::relu}, {"gelu", ndt::Activation::gelu}};
  return all;
}
const Names<MaskMode>& names(MaskMode) {
  static const Names<MaskMode> all = {{"full", MaskMode::full},
                                      {"timestep", MaskMode::timestep},
                                      {"neuron", MaskMode::neuron},
                                      {"timestep_only", MaskMode::timestep_only}};
  return all;
}
const Names<Schedule>& names(Schedule) {
  static const Names<Schedule> all = {{"cosine", Schedule::cosine}, {"invsqrt", Schedule::inverse_sqrt}};
  return all;
}

/// All of the text as a number, in the letters that YAML and Python share.
template <class T>
std::optional<T> number(std::string_view text) {
  if (text.substr(0, 1) == "+") text.remove_prefix(1);
  const std::string_view digits = text.substr(text.substr(0, 1) == "-" ? 1 : 0);
  constexpr bool real = std::is_floating_point_v<T>;
  if (digits.empty() || digits.find_first_not_of(real ? "0123456789.eE+-" : "0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  if (digits.front() == '-' || digits.front() == '+') return std::nullopt;
  // An integer with a leading zero is octal for one reader and decimal for the next.
  if (!real && digits.size() > 1 && digits.front() == '0') return std::nullopt;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void assign(bool& field, const ConfigEntry& entry) {
  static constexpr std::string_view yes[] = {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"};
  static constexpr std::string_view no[] = {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"};
  for (const std::string_view word : yes) {
    if (entry.text == word) return void(field = true);
  }
  for (const std::string_view word : no) {
    if (entry.text == word) return void(field = false);
  }
  refuse(entry, "True or False");
}
void assign(std::int64_t& field, const ConfigEntry& entry) {
  const auto value = number<std::int64_t>(entry.text);
  if (!value || *value < INT32_MIN || *value > INT32_MAX) {
    refuse(entry, "an integer from -2147483648 to 2147483647");
  }
  field = *value;
}
// size_t, and the seed.
void assign(std::uint64_t& field, const ConfigEntry& entry) {
  const auto value = number<std::int64_t>(entry.text);
  if (!value || *value < 0 || *value > INT32_MAX) refuse(entry, "an integer from 0 to 2147483647");
  field = static_cast<std::uint64_t>(*value);
}
void assign(double& field, const ConfigEntry& entry) {
  const auto value = number<double>(entry.text);
  if (!value) refuse(entry, "a number");
  field = *value;
}
void assign(std::string& field, const ConfigEntry& entry) {
  if (entry.text.empty() || entry.text.find('\0') != std::string::npos) refuse(entry, "a path");
  field = entry.text;
}
template <class E>
requires std::is_enum_v<E>
void assign(E& field, const ConfigEntry& entry) {
  std::string right;
  for (const auto& [name, value] : names(E{})) {
    if (entry.text == name) return void(field = value);
    right += (right.empty() ? "" : ", ") + std::string(name);
  }
  refuse(entry, "one of " + right);
}

/// f(key, field) for every field that a configuration file can set.
template <class Run, class F>
void visit_run_fields(Run& run, F&& f) {
  visit_train_fields(run.train, f);
  visit_model_fields(run.model, [&](std::string_view key, auto& field) {
    if (key.find('.') != std::string_view::npos) f(key, field);
  });
}

/// Keys that the reference leaves a choice for and this tool does not.
struct OnlyValue {
  std::string_view key, value, right;
};
constexpr OnlyValue only_values[] = {
    {"MODEL.NAME", "NeuralDataTransformer",
     "NeuralDataTransformer, the one model that the reference's trainer can run,"},
    {"MODEL.LOSS.TYPE", "poisson", "poisson, with another the reference itself has no working forward pass,"},
};

std::vector<std::string> known_keys() {
  std::vector<std::string> keys;
  const RunConfig run;
  visit_run_fields(run, [&](std::string_view key, const auto&) { keys.emplace_back(key); });
  for (const OnlyValue& only : only_values) keys.emplace_back(only.key);
  for (const std::string_view key : ignored_keys) keys.emplace_back(key);
  return keys;
}

/// The last entry of each key: the one that counts.
using Last = std::map<std::string, ConfigEntry, std::less<>>;

/// Checks values against each other and against sense. Every message names the entry that set the value.
class Checker {
 public:
  Checker(const RunConfig& run, const Last& last) : run_(run), last_(last) {}

  void check() const {
    const TrainConfig& t = run_.train;
    const auto is = [](auto x) { return fmt::format("{}", x); };
    const auto within = [&](const char* key, double x, double lowest, double highest) {
      if (!(x >= lowest && x <= highest))
        refuse_value(key, is(x), fmt::format("a number from {} to {}", lowest, highest));
    };
    const auto positive = [&](const char* key, std::size_t n) {
      if (n == 0) refuse_value(key, "0", "1 or more");
    };
    within("DATA.RANDOM_SUBSET_TRIALS", t.random_subset_trials, 1e-6, 1.0);
    for (const auto& [key, dropout] : {std::pair{"MODEL.DROPOUT", t.dropout},
                                       {"MODEL.DROPOUT_RATES", t.dropout_rates},
                                       {"MODEL.DROPOUT_EMBEDDING", t.dropout_embedding}}) {
      if (!(dropout >= 0.0 && dropout < 1.0)) refuse_value(key, is(dropout), "a number from 0 to below 1");
    }
    if (!(t.topk > 0.0 && t.topk <= 1.0)) refuse_value("MODEL.LOSS.TOPK", is(t.topk), "a number above 0, at most 1");
    positive("TRAIN.BATCH_SIZE", t.batch_size);
    positive("TRAIN.NUM_UPDATES", t.num_updates);
    positive("TRAIN.CHECKPOINT_INTERVAL", t.checkpoint_interval);
    positive("TRAIN.VAL_INTERVAL", t.val_interval);
    within("TRAIN.MAX_GRAD_NORM", t.max_grad_norm, 1e-30, 1e30);
    within("TRAIN.MASK_RATIO", t.mask.ratio, 0.0, 1.0);
    within("TRAIN.MASK_TOKEN_RATIO", t.mask.token_ratio, 0.0, 1.0);
    within("TRAIN.MASK_RANDOM_RATIO", t.mask.random_ratio, 0.0, 1.0);
    positive("TRAIN.MASK_MAX_SPAN", t.mask.max_span);
    if (t.mask.ramp_end < t.mask.ramp_start) {
      refuse_value("TRAIN.MASK_SPAN_RAMP_END", is(t.mask.ramp_end),
                   "TRAIN.MASK_SPAN_RAMP_START, " + is(t.mask.ramp_start) + ", or more");
    }
    // A rate of 1 moves every weight by about 1 in each step.
    if (!(t.learning_rate > 0.0 && t.learning_rate <= 1.0)) {
      refuse_value("TRAIN.LR.INIT", is(t.learning_rate), "a number above 0, at most 1");
    }
    if (!(t.weight_decay >= 0.0 && t.weight_decay * t.learning_rate < 1.0)) {
      refuse_value("TRAIN.WEIGHT_DECAY", is(t.weight_decay), "0 or more, and times TRAIN.LR.INIT less than 1,");
    }
    within("TRAIN.EPS", t.epsilon, 1e-30, 1.0);
    positive("NDT.THREADS", t.threads);
    if (t.threads > 1024) refuse_value("NDT.THREADS", is(t.threads), "at most 1024");
    for (const auto& [key, beta] : {std::pair{"NDT.BETA1", t.beta1}, {"NDT.BETA2", t.beta2}}) {
      if (!(beta >= 0.0 && beta < 1.0)) refuse_value(key, is(beta), "a number from 0 to below 1");
    }
    check_model_switches();
    if (t.reproduce) check_reproducible();
  }

 private:
  void check_model_switches() const {
    const ndt::ModelConfig& m = run_.model;
    for (const auto& [key, n] : {std::pair{"MODEL.NUM_LAYERS", m.layers},
                                 {"MODEL.NUM_HEADS", m.heads},
                                 {"MODEL.HIDDEN_SIZE", m.hidden_size}}) {
      if (n == 0 || n > ndt::ModelConfig::largest_size) refuse_value(key, fmt::format("{}", n), "1 to 1048576");
    }
    if (m.embed_dim > ndt::ModelConfig::largest_size) {
      refuse_value("MODEL.EMBED_DIM", fmt::format("{}", m.embed_dim), "0 to 1048576");
    }
    if (m.decoder_layers != 1 && m.decoder_layers != 2) {
      refuse_value("MODEL.DECODER.LAYERS", fmt::format("{}", m.decoder_layers),
                   "1, or 2, for which the reference takes every other number,");
    }
  }
  /// What stops the reference is refused where it is to be followed to the letter.
  void check_reproducible() const {
    const TrainConfig& t = run_.train;
    const ndt::ModelConfig& m = run_.model;
    const std::string without = ", as the reference stops there, or NDT.REPRODUCE False";
    if (t.mask.max_span > 1 && (t.mask.mode == MaskMode::full || t.mask.mode == MaskMode::timestep_only)) {
      refuse_value("TRAIN.MASK_MAX_SPAN", fmt::format("{}", t.mask.max_span), "1 in this TRAIN.MASK_MODE" + without);
    }
    if (t.mask.mode == MaskMode::neuron && t.batch_size != 1) {
      refuse_value("TRAIN.BATCH_SIZE", fmt::format("{}", t.batch_size), "1 in TRAIN.MASK_MODE neuron" + without);
    }
    if (t.mask.max_span > 1 && t.mask.ramp_end == t.mask.ramp_start) {
      refuse_value("TRAIN.MASK_SPAN_RAMP_END", fmt::format("{}", t.mask.ramp_end),
                   "more than TRAIN.MASK_SPAN_RAMP_START" + without);
    }
    if (t.scheduled && t.schedule == Schedule::inverse_sqrt && t.warmup == 0) {
      refuse_value("TRAIN.LR.WARMUP", "0", "1 or more with invsqrt" + without);
    }
    if (m.context_wrap_initial && !m.full_context && m.context_backward > 0) {
      refuse_value("MODEL.CONTEXT_WRAP_INITIAL", "True", "False" + without);
    }
    if (m.linear_embedder && m.embed_dim != 0) {
      refuse_value("MODEL.LINEAR_EMBEDDER", "True", "False, or MODEL.EMBED_DIM 0" + without);
    }
  }
  [[noreturn]] void refuse_value(std::string_view key, const std::string& value, const std::string& right) const {
    const auto found = last_.find(key);
    refuse({std::string(key), found == last_.end() ? value : found->second.text,
            found == last_.end() ? "the default" : found->second.where},
           right);
  }

  const RunConfig& run_;
  const Last& last_;
};

/// The keys and values of nested objects, for train_config_text's inverse.
void flatten(const nlohmann::json& json, const std::string& path, const std::string& where,
             std::vector<ConfigEntry>& entries) {
  for (const auto& [name, value] : json.items()) {
    const std::string key = path.empty() ? name : path + "." + name;
    if (value.is_object()) {
      flatten(value, key, where, entries);
    } else {
      entries.push_back({key, value.is_string() ? value.get<std::string>() : value.dump(), where});
    }
  }
}

}  // namespace

ConfigEntry parse_override(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw Refused("this is no setting: " + printable(text), "the command line", "KEY=VALUE is expected");
  }
  return {std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)), "the command line"};
}

RunConfig make_run_config(const std::vector<ConfigEntry>& entries) {
  RunConfig run;
  Last last;
  for (const ConfigEntry& entry : entries) {
    bool known = std::find(ignored_keys.begin(), ignored_keys.end(), entry.key) != ignored_keys.end();
    visit_run_fields(run, [&](std::string_view key, auto& field) {
      if (key != entry.key) return;
      assign(field, entry);
      known = true;
    });
    for (const OnlyValue& only : only_values) {
      if (only.key != entry.key) continue;
      if (only.value != entry.text) refuse(entry, std::string(only.right));
      known = true;
    }
    if (!known) {
      const std::vector<std::string> keys = known_keys();
      const std::string section = entry.key + ".";
      for (const std::string& key : keys) {
        if (key.rfind(section, 0) == 0) refuse(entry, "a section with keys such as " + key);
      }
      // A name much longer than any key is nobody's slip, and the distance takes time.
      throw Refused("key " + printable(entry.key) + " is unknown", entry.where,
                    "the nearest is " + nearest(std::string_view(entry.key).substr(0, 64), keys));
    }
    last[entry.key] = entry;
  }
  Checker(run, last).check();
  return run;
}

RunConfig read_run_config(const std::vector<std::filesystem::path>& files, const std::vector<std::string>& overrides) {
  std::vector<ConfigEntry> entries;
  for (const std::filesystem::path& file : files) {
    for (ConfigEntry& entry : read_yaml(file)) entries.push_back(std::move(entry));
  }
  for (const std::string& text : overrides) entries.push_back(parse_override(text));
  return make_run_config(entries);
}

ndt::ModelConfig complete(const RunConfig& config, const DataSizes& sizes, const std::string& where) {
  ndt::ModelConfig model = config.model;
  model.neurons = sizes.neurons, model.trial_length = sizes.trial_length, model.max_spikes = sizes.max_spikes;
  check_model(model, where);
  const bool of_neurons = config.train.mask.mode == MaskMode::neuron;
  const std::size_t room = of_neurons ? sizes.neurons : sizes.trial_length;
  if (config.train.mask.max_span > room) {
    throw Refused("TRAIN.MASK_MAX_SPAN is " + std::to_string(config.train.mask.max_span), where,
                  fmt::format("at most {}, the {} of a trial, is expected", room, of_neurons ? "neurons" : "bins"));
  }
  return model;
}

std::string train_config_text(const TrainConfig& config) {
  nlohmann::json root;
  visit_train_fields(config, [&](std::string_view key, const auto& value) {
    if (is_of_the_machine(key)) return;
    nlohmann::json& node = at_key(root, key);
    if constexpr (std::is_enum_v<std::decay_t<decltype(value)>>) {
      for (const auto& [name, named] : names(value)) {
        if (named == value) node = name;
      }
    } else {
      node = value;
    }
  });
  return root.dump();
}

TrainConfig parse_train_config_text(std::string_view text, const std::string& where) {
  std::vector<ConfigEntry> entries;
  flatten(parse_json(text, where), "", where, entries);
  return make_run_config(entries).train;
}

}  // namespace tool
