// ndt fit-readout MODEL DATA.h5 OUT: behaviour from a model's activity, stored in the model file.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <stdexcept>

#include <ndt/core/finite.hpp>
#include <ndt/metrics/rows.hpp>
#include <ndt/train/kalman_fit.hpp>
#include <ndt/train/ridge_fit.hpp>

#include "../io/readout_file.hpp"
#include "../io/refused.hpp"
#include "command.hpp"
#include "dataset_options.hpp"
#include "prediction.hpp"

namespace tool {
namespace {

using ndt::metrics::Trials;

/// Sums of products of all pairs of inputs take 8 bytes a pair, several times.
constexpr std::size_t most_inputs = 2048;

struct Options {
  std::string model, data, out, features = "rates";
  std::size_t history = 1;
  std::int64_t lag = 0;
  bool kalman = false;
  DatasetOptions dataset;
};

/// A split's activity, with its behaviour.
struct Activity {
  Prediction prediction;
  ndt::train::ReadoutTrials trials;

  Activity(LoadedModel& model, const Fit& fit, const ndt::data::Dataset& dataset, const ndt::data::Split& split,
           const ndt::ReadoutConfig& readout, std::size_t threads, const std::string& name)
      : prediction(
            predict(model, fit, dataset, split, threads, name, readout.features == ndt::ReadoutFeatures::hidden)) {
    const float* const values =
        readout.pick(prediction.rates.data(), prediction.output.data(), prediction.hidden.data());
    trials.features =
        Trials<float>(values, split.trials, fit.bins, readout.width(model.config())).bin_range(0, fit.shown_bins);
    trials.behavior =
        Trials<float>(split.behavior.data(), split.trials, dataset.observed_bins(), dataset.behavior_dims);
  }
  Activity(const Activity&) = delete;
  Activity& operator=(const Activity&) = delete;
};

/// Every dimension varies in the bins of a split that a fit with this lag looks at.
void require_varying(const Trials<float>& behavior, std::int64_t lag, const std::string& where) {
  const auto bins = static_cast<std::int64_t>(behavior.bins);
  const std::size_t dims = behavior.columns;
  std::vector<float> low(dims, std::numeric_limits<float>::infinity()), high(dims, -low[0]);
  bool any = false;
  for (std::size_t trial = 0; trial < behavior.trials; ++trial) {
    for (std::int64_t bin = std::max<std::int64_t>(lag, 0); bin < bins + std::min<std::int64_t>(lag, 0); ++bin) {
      const float* const row = behavior.at(trial, static_cast<std::size_t>(bin));
      if (!ndt::metrics::is_complete(row, dims)) continue;
      any = true;
      for (std::size_t d = 0; d < dims; ++d) low[d] = std::min(low[d], row[d]), high[d] = std::max(high[d], row[d]);
    }
  }
  if (!any) throw Refused("no bin with all of its behaviour", where, "some bins without NaN");
  for (std::size_t d = 0; d < dims; ++d) {
    if (low[d] < high[d]) continue;
    throw Refused(fmt::format("dimension {} of behaviour never varies where all of it is known", d), where,
                  "numbers that tell something: a score of what is constant would say nothing");
  }
}

/// Behaviour that can be read out.
void require_behavior(const ndt::data::Dataset& dataset, std::int64_t lag, const std::string& where) {
  if (dataset.train.behavior.empty() || dataset.valid.behavior.empty()) {
    throw Refused("no behaviour", where, "datasets train_behavior and valid_behavior [trials, bins, dims]");
  }
  const std::size_t dims = dataset.behavior_dims;
  if (dims > ndt::ReadoutConfig::most_outputs) {
    throw Refused(fmt::format("behaviour of {} dimensions", dims), where,
                  fmt::format("at most {}", ndt::ReadoutConfig::most_outputs));
  }
  const auto of = [&](const ndt::data::Split& split) {
    return Trials<float>(split.behavior.data(), split.trials, dataset.observed_bins(), dims);
  };
  require_varying(of(dataset.train), lag, where + " train_behavior");
  require_varying(of(dataset.valid), lag, where + " valid_behavior");
}

/// What was fitted can be stored.
void require_finite(const ndt::train::FittedReadout& fitted, const std::string& where) {
  for (const std::vector<float>* numbers : {&fitted.weight, &fitted.bias, &fitted.gain, &fitted.mean}) {
    if (!std::all_of(numbers->begin(), numbers->end(), ndt::is_finite<float>)) {
      throw Refused("the fit is beyond what a float holds", where, "behaviour in units that make it smaller");
    }
  }
}

Tensors tensors_of(const ndt::train::FittedReadout& fitted) {
  const ndt::ReadoutConfig& c = fitted.config;
  Tensors tensors;
  tensors["readout.weight"] = {{c.outputs, fitted.weight.size() / c.outputs}, fitted.weight, {}};
  tensors["readout.bias"] = {{c.outputs}, fitted.bias, {}};
  if (c.kind == ndt::ReadoutKind::kalman) {
    tensors["readout.gain"] = {{c.gains, c.outputs, 2 * c.outputs}, fitted.gain, {}};
    tensors["readout.mean"] = {{c.outputs}, fitted.mean, {}};
  }
  return tensors;
}

Answer fit_readout(const Options& options, const Common& common) {
  refuse_other_endings(options.out, {".safetensors"});
  require_output(options.out, {options.model, options.data, options.dataset.target.string()});
  require_sense(options.dataset);
  LoadedModel model(options.model);
  const ndt::data::Dataset dataset = load_dataset(options.data, options.dataset);
  const Fit fit = fit_of(model.config(), dataset, options.model, options.data);
  if (static_cast<std::size_t>(std::abs(options.lag)) >= fit.shown_bins) {
    throw Refused(fmt::format("a lag of {} bins in trials of {}", options.lag, fit.shown_bins), "--lag",
                  "a shorter one");
  }
  require_behavior(dataset, options.lag, options.data);
  ndt::ReadoutConfig config;
  config.kind = options.kalman ? ndt::ReadoutKind::kalman : ndt::ReadoutKind::ridge;
  config.features = readout_features.at(options.features);
  config.history = options.history, config.lag = options.lag;
  config.outputs = dataset.behavior_dims, config.gains = options.kalman ? 1 : 0;
  require_readout(config.validate(model.config()), options.model);
  if (config.inputs(model.config()) > most_inputs) {
    throw Refused(fmt::format("{} inputs, of {} in each of {}", config.inputs(model.config()),
                              counted(config.width(model.config()), "feature"), counted(options.history, "bin")),
                  "--history", fmt::format("at most {} inputs: fewer bins", most_inputs));
  }
  config.fingerprint = ndt::fingerprint(model.model);

  const auto activity = [&](const ndt::data::Split& split) {
    return std::make_unique<Activity>(model, fit, dataset, split, config, common.threads, options.model);
  };
  const auto train = activity(dataset.train), valid = activity(dataset.valid);
  ndt::train::FittedReadout fitted;
  try {
    fitted = options.kalman ? ndt::train::fit_kalman(config, train->trials, valid->trials)
                            : ndt::train::fit_ridge(config, train->trials, valid->trials);
  } catch (const std::invalid_argument& error) {
    throw Refused(error.what(), options.data,
                  "at least five training bins with finite behaviour, for --kalman in several trials; a shorter --lag");
  }
  if (!std::isfinite(fitted.r2_valid)) {
    throw Refused("fewer than two bins with behaviour", options.data + " valid_behavior",
                  "validation trials with behaviour, or a shorter --lag");
  }
  require_finite(fitted, options.data);
  model.file.readout = StoredReadout{fitted.config, tensors_of(fitted)};
  // A file that would not load is not written.
  static_cast<void>(packed_readout(model.file, model.packed, options.out));
  write_safetensors(model.file, options.out);

  const ndt::ReadoutConfig& c = fitted.config;
  Answer answer;
  answer.json = {{"out", options.out},
                 {"kind", name_of(readout_kinds, c.kind)},
                 {"features", options.features},
                 {"history", c.history},
                 {"lag", c.lag},
                 {"inputs", c.inputs(model.config())},
                 {"outputs", c.outputs},
                 {options.kalman ? "shrinkage" : "penalty", fitted.penalty},
                 {"r2_train", fitted.r2_train},
                 {"r2_valid", fitted.r2_valid},
                 {"neurons", dataset.neurons},
                 {"shown_neurons", fit.shown_neurons},
                 {"clipped", train->prediction.clipped + valid->prediction.clipped}};
  if (options.kalman) answer.json["inflation"] = fitted.inflation, answer.json["gains"] = c.gains;
  answer.text =
      fmt::format("{}: {}, {} {:.3g}\nR2 {:.4f} in training, {:.4f} in validation\n", options.out, readout_summary(c),
                  options.kalman ? "shrinkage" : "penalty", fitted.penalty, fitted.r2_train, fitted.r2_valid);
  if (fit.shown_neurons < dataset.neurons) {
    answer.text += fmt::format("The model was shown {} of {} neurons: a stream must have zeros for the others, too.\n",
                               fit.shown_neurons, dataset.neurons);
  }
  return answer;
}

}  // namespace

void add_fit_readout(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("fit-readout", "behaviour from a model's activity, stored in the model");
  auto options = std::make_shared<Options>();
  command->add_option("MODEL", options->model, "a model file or checkpoint")->required();
  add_dataset_options(*command, options->data, options->dataset);
  command->add_option("OUT", options->out, "the model with the read-out inside, .safetensors")->required();
  command->add_option("--features", options->features, "what of a bin is looked at")
      ->check(CLI::IsMember(names_of(readout_features)))
      ->capture_default_str();
  command->add_option("--history", options->history, "bins that are looked at")
      ->check(decimal)
      ->check(CLI::Range(std::size_t{1}, ndt::ReadoutConfig::most_history))
      ->type_name("H")
      ->capture_default_str();
  command
      ->add_option("--lag", options->lag,
                   "bins by which activity leads behaviour: bin t of one tells of t + BINS of the other")
      ->check(decimal)
      ->check(CLI::Range(-static_cast<std::int64_t>(ndt::ReadoutConfig::most_history),
                         static_cast<std::int64_t>(ndt::ReadoutConfig::most_history)))
      ->type_name("BINS")
      ->capture_default_str();
  command->add_flag("--kalman", options->kalman, "a Kalman filter instead of ridge regression");
  command->footer(
      "DATA has train_behavior and valid_behavior. Fitted to the training trials, with the model shown what\n"
      "`evaluate` shows it. The penalty (ridge) is chosen by cross-validation in them, shrinkage and inflation of the\n"
      "noise (Kalman) by a fifth of them; validation trials are only scored. At most 64 dimensions and 2048 inputs;\n"
      "beyond 1000 a fit takes minutes. A model that looks ahead is fitted to whole trials: stream it by `delayed`.\n"
      "Held-out neurons are zeros to the model, and must be in a stream, or scores fall.");
  command->callback(
      [options, &run] { run = [options](const Common& common) { return fit_readout(*options, common); }; });
}

}  // namespace tool
