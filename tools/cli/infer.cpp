// ndt infer MODEL SPIKES OUT.h5: firing rates, and what else of the model one wants to see.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "../io/hdf5_writer.hpp"
#include "../io/refused.hpp"
#include "../io/spikes.hpp"
#include "chop.hpp"
#include "command.hpp"
#include "loaded_model.hpp"
#include "progress.hpp"

namespace tool {
namespace {

struct Options {
  std::string model, spikes, out;
  std::optional<std::string> key;
  bool hidden = false, layers = false, attention = false;
  std::size_t chop = 0, overlap = 0;
};

/// One output of the model for all trials: `rows` times (bins, width) for each trial.
struct Output {
  std::string name;
  bool wanted;
  std::size_t rows, width;
  std::vector<float> values = {};

  void resize(std::size_t trials, std::size_t bins) {
    if (wanted) values.resize(trials * rows * bins * width);
  }
  float* at(std::size_t trial, std::size_t bins) {
    return wanted ? values.data() + trial * rows * bins * width : nullptr;
  }
};

struct Outputs {
  Output log_rates, hidden, layers, attention;

  Outputs(const ndt::ModelConfig& c, std::size_t bins, const Options& options)
      : log_rates{"log_rates", true, 1, c.neurons},
        hidden{"hidden", options.hidden, 1, c.width()},
        layers{"layers", options.layers, c.layers, c.width()},
        attention{"attention", options.attention, c.layers, bins} {}

  void resize(std::size_t trials, std::size_t bins) {
    for (Output* output : all()) output->resize(trials, bins);
  }
  ndt::Outputs<float> at(std::size_t trial, std::size_t bins) {
    return {log_rates.at(trial, bins), hidden.at(trial, bins), layers.at(trial, bins), attention.at(trial, bins)};
  }
  std::vector<Output*> all() { return {&log_rates, &hidden, &layers, &attention}; }
};

/// Trials or windows that go through the model together, so that threads have whole ones to do.
constexpr std::size_t batch = 64;

/// Whole trials, no longer than the positions.
void infer_trials(LoadedModel& model, const SpikeCounts& spikes, Outputs& out, std::size_t threads) {
  Progress progress(spikes.trials);
  for (std::size_t trial = 0; trial < spikes.trials; trial += batch) {
    const std::size_t count = std::min(batch, spikes.trials - trial);
    model.forward(out.at(trial, spikes.bins), spikes.counts.data() + trial * spikes.bins * spikes.neurons, count,
                  spikes.bins, threads);
    progress.at(trial + count);
  }
}

/// Adds a window's part of `to`, one output of a trial of `bins` bins.
void blend(float* to, const float* from, const Output& output, std::size_t bins, const std::vector<std::size_t>& starts,
           std::size_t length, std::size_t w) {
  for (std::size_t row = 0; row < output.rows * length; ++row) {
    const std::size_t bin = starts[w] + row % length;
    const float share = static_cast<float>(window_share(starts, length, w, bin));
    float* const sum = to + (row / length * bins + bin) * output.width;
    for (std::size_t i = 0; i < output.width; ++i) sum[i] += share * from[row * output.width + i];
  }
}

/// Windows of `length` bins of each trial, blended where they overlap.
void infer_windows(LoadedModel& model, const SpikeCounts& spikes, Outputs& out, const Options& options,
                   std::size_t length, std::size_t threads) {
  const auto starts = window_starts(spikes.bins, length, options.overlap);
  const std::size_t total = spikes.trials * starts.size(), most = std::min(batch, total), N = spikes.neurons;
  Options of_window = options;
  of_window.attention = false;
  Outputs windows(model.config(), length, of_window);
  windows.resize(most, length);
  std::vector<std::int32_t> counts(most * length * N);
  Progress progress(total);
  for (std::size_t first = 0; first < total; first += batch) {
    const std::size_t count = std::min(batch, total - first);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t trial = (first + i) / starts.size(), start = starts[(first + i) % starts.size()];
      std::copy_n(&spikes.counts[(trial * spikes.bins + start) * N], length * N, &counts[i * length * N]);
    }
    model.forward(windows.at(0, length), counts.data(), count, length, threads);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t trial = (first + i) / starts.size(), w = (first + i) % starts.size();
      for (std::size_t o = 0; o < windows.all().size(); ++o) {
        Output &from = *windows.all()[o], &to = *out.all()[o];
        if (from.wanted) blend(to.at(trial, spikes.bins), from.at(i, length), from, spikes.bins, starts, length, w);
      }
    }
    progress.at(first + count);
  }
}

std::size_t clip_counts(SpikeCounts& spikes, std::size_t max_spikes) {
  std::size_t clipped = 0;
  for (std::int32_t& count : spikes.counts) {
    if (static_cast<std::size_t>(count) <= max_spikes) continue;
    count = static_cast<std::int32_t>(max_spikes);
    ++clipped;
  }
  return clipped;
}

/// The bins of a window: all of a trial that has positions, or --chop.
std::size_t window_length(const Options& options, const SpikeCounts& spikes, const ndt::ModelConfig& config) {
  if (options.chop == 0) {
    if (options.overlap != 0) throw Refused("--overlap without --chop", "command line", "--chop T --overlap O");
    if (spikes.bins <= config.trial_length) return spikes.bins;
    throw Refused(
        fmt::format("{} are more than the {} of the model", counted(spikes.bins, "bin"),
                    counted(config.trial_length, "position")),
        options.spikes,
        fmt::format("shorter trials, or --chop {0} --overlap {1}", config.trial_length, config.trial_length / 2));
  }
  if (options.chop > config.trial_length) {
    throw Refused("windows of " + counted(options.chop, "bin"), "--chop",
                  "at most the " + counted(config.trial_length, "position") + " of the model");
  }
  if (options.overlap >= options.chop) {
    throw Refused(fmt::format("windows of {} that share {}", counted(options.chop, "bin"), options.overlap),
                  "--overlap", "fewer bins than a window has");
  }
  if (options.attention && spikes.bins > options.chop) {
    throw Refused("attention weights of a chopped recording", "--attention",
                  "trials that fit the positions: weights of different windows cannot be blended");
  }
  return std::min(options.chop, spikes.bins);
}

void write(const Options& options, const LoadedModel& model, const SpikeCounts& spikes, Outputs& out) {
  std::vector<float> rates = out.log_rates.values, hertz;
  if (model.config().lograte) {
    ndt::kernels::exp_row<ndt::simd::native<float>>(rates.data(), rates.data(), rates.size());
  }
  if (model.file.bin_width) {
    hertz = rates;
    for (float& rate : hertz) rate /= static_cast<float>(*model.file.bin_width);
  }
  std::vector<OutputDataset> datasets;
  const auto add = [&](const std::string& name, std::vector<std::size_t> shape, const std::vector<float>& values,
                       const char* unit) {
    if (spikes.one_recording) shape.erase(shape.begin());
    OutputDataset dataset{name, std::move(shape), std::span<const float>(values)};
    if (unit != nullptr) dataset.attributes["unit"] = std::string(unit);
    datasets.push_back(std::move(dataset));
  };
  const std::size_t B = spikes.trials, T = spikes.bins, L = model.config().layers;
  add("rates", {B, T, spikes.neurons}, rates, "counts per bin");
  if (model.config().lograte) add("log_rates", {B, T, spikes.neurons}, out.log_rates.values, "ln(counts per bin)");
  if (model.file.bin_width) add("rates_hz", {B, T, spikes.neurons}, hertz, "spikes per second");
  if (out.hidden.wanted) add("hidden", {B, T, out.hidden.width}, out.hidden.values, nullptr);
  if (out.layers.wanted) add("layers", {B, L, T, out.layers.width}, out.layers.values, nullptr);
  if (out.attention.wanted) add("attention", {B, L, T, T}, out.attention.values, nullptr);
  write_hdf5(options.out, datasets);
}

struct Summary {
  double mean = 0, lowest = INFINITY, highest = -INFINITY;
};
template <class Values>
Summary summary(const Values& values, bool is_log = false) {
  Summary s;
  for (const auto value : values) {
    const double x = is_log ? std::exp(static_cast<double>(value)) : static_cast<double>(value);
    s.mean += x / static_cast<double>(values.size());
    s.lowest = std::min(s.lowest, x);
    s.highest = std::max(s.highest, x);
  }
  return s;
}

/// Finite weights can still overflow. A rate that is no number is refused, by its place.
void require_finite(const Outputs& out, const LoadedModel& model, const SpikeCounts& spikes, const Options& options) {
  const bool lograte = model.config().lograte;
  for (std::size_t i = 0; i < out.log_rates.values.size(); ++i) {
    const float x = out.log_rates.values[i];
    if (std::isfinite(lograte ? std::exp(x) : x)) continue;
    throw Refused(count_place(spikes, i) + " has a rate that is infinite or not a number", options.model,
                  "a model whose weights do not overflow");
  }
}

Answer infer(const Options& options, const Common& common) {
  refuse_other_endings(options.out, {".h5"});
  require_output(options.out, {options.model, options.spikes});
  LoadedModel model(options.model);
  SpikeCounts spikes = read_spikes(options.spikes, options.key, model.config().neurons);
  const std::size_t length = window_length(options, spikes, model.config());
  const Summary counts = summary(spikes.counts);  // as they are in the file
  const std::size_t clipped = clip_counts(spikes, model.config().max_spikes);
  Outputs out(model.config(), spikes.bins, options);
  out.resize(spikes.trials, spikes.bins);
  const auto start = std::chrono::steady_clock::now();
  if (length == spikes.bins) {
    infer_trials(model, spikes, out, common.threads);
  } else {
    infer_windows(model, spikes, out, options, length, common.threads);
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  require_finite(out, model, spikes, options);
  write(options, model, spikes, out);

  Answer answer;
  answer.json = {{"out", options.out},        {"trials", spikes.trials}, {"bins", spikes.bins},
                 {"neurons", spikes.neurons}, {"window", length},        {"clipped", clipped},
                 {"seconds", elapsed.count()}};
  answer.text = fmt::format("{}: rates of {} x {} x {}\n", options.out, counted(spikes.trials, "trial"),
                            counted(spikes.bins, "bin"), counted(spikes.neurons, "neuron"));
  if (length != spikes.bins)
    answer.text += fmt::format("chopped into windows of {} that share {}\n", counted(length, "bin"), options.overlap);
  const Summary rates = summary(out.log_rates.values, model.config().lograte);
  answer.text += fmt::format("counts a bin: {:.4f} on average, {:.0f} at most\n", counts.mean, counts.highest);
  answer.text +=
      fmt::format("rates a bin:  {:.4f} on average, {:.4f} to {:.4f}\n", rates.mean, rates.lowest, rates.highest);
  answer.text += fmt::format("{} above {} {} clipped\n", counted(clipped, "count"), model.config().max_spikes,
                             clipped == 1 ? "was" : "were");
  answer.text +=
      fmt::format("{:.1f} us of inference a trial\n", elapsed.count() * 1e6 / static_cast<double>(spikes.trials));
  return answer;
}

}  // namespace

void add_infer(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("infer", "firing rates from spike counts");
  auto options = std::make_shared<Options>();
  command->add_option("MODEL", options->model, "a model file or checkpoint")->required();
  command->add_option("SPIKES", options->spikes, "counts [trials, bins, neurons] or [bins, neurons], .h5 or .npy")
      ->required();
  command->add_option("OUT", options->out, "the HDF5 file to write")->required();
  command->add_option("--key", options->key, "dataset of the counts")->capture_default_str();
  command->add_flag("--hidden", options->hidden, "also the encoder's output");
  command->add_flag("--layers", options->layers, "also every layer's output");
  command->add_flag("--attention", options->attention, "also attention weights, mean over heads");
  command->add_option("--chop", options->chop, "windows of T bins for longer recordings")
      ->check(decimal)
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("T");
  command->add_option("--overlap", options->overlap, "bins that windows share")
      ->check(decimal)
      ->check(CLI::Range(0, 1 << 20))
      ->type_name("O");
  command->callback([options, &run] { run = [options](const Common& common) { return infer(*options, common); }; });
}

}  // namespace tool
