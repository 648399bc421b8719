// ndt stream MODEL SPIKES: a recording bin by bin through the real-time decoder, with its times, and compared with what
// the policy promises to equal.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>

#include "../io/hdf5_writer.hpp"
#include "../io/readout_file.hpp"
#include "../io/refused.hpp"
#include "../io/spikes.hpp"
#include "command.hpp"
#include "loaded_model.hpp"
#include "policies.hpp"
#include "progress.hpp"

namespace tool {
namespace {

struct Options {
  std::string model, spikes, out;
  std::optional<std::string> key, policy;
  std::string past_end = "stop";
  std::size_t window = 0, repeat = 1;
  double pace_ms = 0;
};

struct Nanoseconds {
  static std::uint64_t ticks() noexcept {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000u + static_cast<std::uint64_t>(now.tv_nsec);
  }
};

/// Sleeps until the next of a row of moments, as far apart as a rig's bins.
class Pace {
 public:
  explicit Pace(double ms) : step_(static_cast<std::uint64_t>(ms * 1e6)), next_(Nanoseconds::ticks()) {}
  void wait() {
    if (step_ == 0) return;
    next_ = std::max(next_ + step_, Nanoseconds::ticks());
    const timespec until{static_cast<time_t>(next_ / 1'000'000'000u), static_cast<long>(next_ % 1'000'000'000u)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
  }

 private:
  std::uint64_t step_, next_;
};

using Decoder = ndt::DynamicDecoder<>;
using Watched = ndt::WatchedDecoder<Decoder, Nanoseconds>;

ndt::StreamConfig stream_config(const Options& options, const ndt::ModelConfig& model, std::size_t bins) {
  ndt::StreamConfig config;
  if (options.policy) config.policy = policies.at(*options.policy);
  config.past_end = past_ends.at(options.past_end);
  config.window = options.window;
  if (options.window != 0 && !config.slides()) {
    throw Refused("--window without a window", "command line", "--policy windowed --window W");
  }
  if (const ndt::Status status = config.validate(model); !status.ok()) {
    std::string what(status.message());
    if (status.expected.rank == 1 && status.found.rank == 1) {
      what += fmt::format(" ({}: {}, where {} would do)", status.where.view(), status.found.size[0],
                          status.expected.size[0]);
    }
    throw Refused(what, options.model, "another --policy, --window or --past-end");
  }
  if (bins > model.trial_length && !config.slides() && config.past_end == ndt::PastEnd::stop) {
    throw Refused(fmt::format("{} are more than the {} of the model", counted(bins, "bin"),
                              counted(model.trial_length, "position")),
                  options.spikes, "--policy windowed, or --past-end restart or windowed");
  }
  return config;
}

/// The bin in which the trial of the decoder began that bin t is in.
std::size_t begin_of_trial(const ndt::StreamConfig& config, const ndt::ModelConfig& model, std::size_t t) {
  return config.restarts() ? t / model.trial_length * model.trial_length : 0;
}

/// What came out of a whole recording: log rates and rates [trials, bins, neurons], and of a model with a read-out
/// behaviour [trials, bins, outputs], NaN where a lag leaves none.
struct Streamed {
  std::vector<float> log_rates, rates, behavior;
  std::size_t behavior_bins = 0;  ///< decoded, not held
};

/// One way through all trials; `out` receives what comes out, if there is one.
void pass(Watched& watched, const SpikeCounts& spikes, Pace& pace, Progress& progress, std::size_t done,
          Streamed* out) {
  const std::size_t N = spikes.neurons;
  const std::size_t outputs = watched.decoder().readout().outputs;
  // `begin`: the row in which the decoder's trial began.
  const auto keep = [&](std::size_t begin, std::size_t end, const ndt::StreamOutput<float>& output) {
    if (out == nullptr || !output.ready) return;
    const std::size_t row = begin + output.bin;
    std::copy_n(output.log_rates, N, &out->log_rates[row * N]);
    std::copy_n(output.rates, N, &out->rates[row * N]);
    const std::int64_t behavior_row = static_cast<std::int64_t>(begin) + output.behavior_bin;
    if (outputs == 0 || output.behavior_bin < 0 || behavior_row >= static_cast<std::int64_t>(end)) return;
    std::copy_n(output.behavior, outputs, &out->behavior[static_cast<std::size_t>(behavior_row) * outputs]);
    out->behavior_bins += output.held ? 0 : 1;
  };
  for (std::size_t trial = 0; trial < spikes.trials; ++trial) {
    Decoder& decoder = watched.decoder();
    decoder.reset();
    const std::size_t row = trial * spikes.bins;
    for (std::size_t t = 0; t < spikes.bins; ++t) {
      const std::size_t begin = begin_of_trial(decoder.config(), decoder.model().config(), t);
      // Behind the trial that the decoder is in.
      const std::size_t length = decoder.config().restarts() ? decoder.model().config().trial_length : spikes.bins;
      const std::size_t end = std::min(begin + length, spikes.bins);
      pace.wait();
      keep(row + begin, row + end, watched.step(&spikes.counts[(row + t) * N]));
      while (t + 1 == end && decoder.delay() != 0 && decoder.flush().ready) {
        keep(row + begin, row + end, decoder.output());
      }
      if (t % 1024 == 0) progress.at(done + row + t);
    }
  }
}

/// The greatest difference from what whole windows give.
class Judge {
 public:
  Judge(LoadedModel& model, const ndt::StreamConfig& config, const SpikeCounts& spikes)
      : model_(model), config_(config), spikes_(spikes) {}

  double worst(const Streamed& streamed, Progress& progress, std::size_t done) {
    const std::size_t T = model_.config().trial_length, N = spikes_.neurons;
    // Bins that one window answers for: where every bin has a window of its own, one.
    const bool whole = config_.keeps_rows(model_.config());
    for (std::size_t trial = 0; trial < spikes_.trials; ++trial) {
      const std::size_t row = trial * spikes_.bins;
      for (std::size_t t = 0; t < spikes_.bins;) {
        progress.at(done + row + t);
        const std::size_t begin = begin_of_trial(config_, model_.config(), t),
                          limit = std::min(begin + T, spikes_.bins);
        std::size_t first = begin, last = t + 1;
        if (whole && t < limit) last = limit;
        if (config_.slides() && last > config_.window_of(model_.config())) {
          first = last - config_.window_of(model_.config());
        }
        if (last - first > T) first = last - T;
        rates_.resize((last - first) * N);
        model_.forward({.log_rates = rates_.data()}, &spikes_.counts[(row + first) * N], 1, last - first, 1);
        for (; t < last; ++t) compare(&streamed.log_rates[(row + t) * N], &rates_[(t - first) * N]);
      }
    }
    return worst_;
  }

 private:
  void compare(const float* found, const float* expected) {
    for (std::size_t n = 0; n < spikes_.neurons; ++n) {
      const double difference = std::abs(static_cast<double>(found[n]) - static_cast<double>(expected[n]));
      if (!(difference <= worst_)) worst_ = std::isnan(difference) ? INFINITY : difference;
    }
  }

  LoadedModel& model_;
  ndt::StreamConfig config_;
  const SpikeCounts& spikes_;
  std::vector<float> rates_;
  double worst_ = 0;
};

void write(const Options& options, const LoadedModel& model, const SpikeCounts& spikes, const Streamed& streamed) {
  std::vector<std::size_t> shape = {spikes.trials, spikes.bins, spikes.neurons};
  if (spikes.one_recording) shape.erase(shape.begin());
  std::vector<OutputDataset> datasets = {
      {"rates", shape, std::span<const float>(streamed.rates), {{"unit", std::string("counts per bin")}}}};
  if (model.config().lograte) {
    datasets.push_back({"log_rates",
                        shape,
                        std::span<const float>(streamed.log_rates),
                        {{"unit", std::string("ln(counts per bin)")}}});
  }
  if (model.file.readout) {
    shape.back() = model.file.readout->config.outputs;
    datasets.push_back({"behavior", shape, std::span<const float>(streamed.behavior), {}});
  }
  write_hdf5(options.out, datasets);
}

Answer stream(const Options& options) {
  if (!options.out.empty()) {
    refuse_other_endings(options.out, {".h5"});
    require_output(options.out, {options.model, options.spikes});
  }
  LoadedModel model(options.model);
  const SpikeCounts spikes = read_spikes(options.spikes, options.key, model.config().neurons);
  const ndt::StreamConfig config = stream_config(options, model.config(), spikes.bins);
  std::vector<float> readout;
  const ndt::DynamicSetup setup{config, model.readout_config()};
  if (model.file.readout) readout = packed_readout(model.file, model.packed, options.model);
  ndt::Buffer<float> state(Decoder::state_size(model.model, setup));
  Decoder decoder;
  if (const ndt::Status status = decoder.bind(model.model, setup, state, readout); !status.ok()) {
    throw Refused(std::string(status.message()), options.model, "another --policy");
  }
  const auto watched = std::make_unique<Watched>(
      decoder, options.pace_ms > 0 ? static_cast<std::uint64_t>(options.pace_ms * 1e6) : ~std::uint64_t{0});
  decoder.prepare();

  const std::size_t bins = spikes.trials * spikes.bins;
  Streamed streamed;
  streamed.log_rates.resize(bins * spikes.neurons);
  streamed.rates.resize(bins * spikes.neurons);
  streamed.behavior.resize(bins * setup.readout.outputs, std::numeric_limits<float>::quiet_NaN());
  Progress progress(bins * (options.repeat + 1));
  Pace pace(options.pace_ms);
  for (std::size_t r = 0; r < options.repeat; ++r) {
    pass(*watched, spikes, pace, progress, r * bins, r == 0 ? &streamed : nullptr);
  }
  const double difference = Judge(model, config, spikes).worst(streamed, progress, options.repeat * bins);
  if (!options.out.empty()) write(options, model, spikes, streamed);

  const ndt::LatencyHistogram<>& latency = watched->latency();
  const auto us = [](std::uint64_t ns) { return static_cast<double>(ns) * 1e-3; };
  const ndt::StreamCounters& counters = decoder.counters();
  const std::string policy = options.policy.value_or("delayed");
  Answer answer;
  answer.json = {{"policy", policy},
                 {"p50_us", us(latency.quantile(0.5))},
                 {"p99_us", us(latency.quantile(0.99))},
                 {"p999_us", us(latency.quantile(0.999))},
                 {"max_us", us(latency.largest())},
                 {"first_us", us(latency.first())},
                 {"bins", latency.count()},
                 {"delay_bins", decoder.delay()},
                 {"max_abs_difference", difference},
                 {"missed_deadlines", watched->missed_deadlines()},
                 {"state_bytes", state.size() * sizeof(float)},
                 {"clipped", counters.clipped},
                 {"past_end", counters.past_end},
                 {"held", counters.held}};
  if (model.file.readout) answer.json["behavior_bins"] = streamed.behavior_bins;
  if (!std::isfinite(difference)) answer.json["max_abs_difference"] = nullptr;
  answer.text = fmt::format("{}, {} late, {} of state\n", counted(latency.count(), "bin"),
                            counted(decoder.delay(), "bin"), counted(state.size() * sizeof(float), "byte"));
  answer.text += fmt::format(
      "us a bin: {:.1f} at the median, {:.1f} at 99 %, {:.1f} at 99.9 %, {:.1f} at most; "
      "{:.1f} the first\n",
      us(latency.quantile(0.5)), us(latency.quantile(0.99)), us(latency.quantile(0.999)), us(latency.largest()),
      us(latency.first()));
  answer.text += fmt::format("greatest difference from whole windows: {:.2g} in a {}rate\n", difference,
                             model.config().lograte ? "log " : "");
  if (model.file.readout) {
    answer.text +=
        fmt::format("behaviour of {} of {}, lag {}\n", streamed.behavior_bins, counted(bins, "bin"), setup.readout.lag);
  }
  if (counters.clipped != 0) answer.text += fmt::format("{} clipped\n", counted(counters.clipped, "count"));
  if (counters.held != 0) answer.text += fmt::format("{} not finite and held\n", counted(counters.held, "bin"));
  return answer;
}

}  // namespace

void add_stream(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("stream", "a recording bin by bin through the real-time decoder");
  auto options = std::make_shared<Options>();
  command->add_option("MODEL", options->model, "a model file or checkpoint")->required();
  command->add_option("SPIKES", options->spikes, "counts [trials, bins, neurons] or [bins, neurons], .h5 or .npy")
      ->required();
  command->add_option("--key", options->key, "dataset of the counts");
  command->add_option("--out", options->out, "HDF5 file for what came out")->check(some_name);
  command->add_option("--policy", options->policy, "delayed (the default), immediate or windowed")
      ->check(CLI::IsMember(names_of(policies)));
  command->add_option("--window", options->window, "bins that windowed looks at [as many as have positions]")
      ->check(decimal)
      ->check(CLI::Range(1, 1 << 20))
      ->type_name("W");
  command->add_option("--past-end", options->past_end, "after the last position: stop, restart or windowed")
      ->check(CLI::IsMember(names_of(past_ends)));
  command->add_option("--repeat", options->repeat, "go through everything R times")
      ->check(decimal)
      ->check(CLI::Range(1, 1 << 30))
      ->type_name("R");
  command->add_option("--pace", options->pace_ms, "milliseconds between bins, as a rig gives them")
      ->check(number_that([](double ms) { return ms == 0 || (ms >= 0.001 && ms <= 60000); },
                          " is neither 0 nor from 0.001 to 60000", "FLOAT"))
      ->type_name("MS");
  command->footer(
      "delayed     equals the whole trial's result, layers x CONTEXT_FORWARD bins late (more with "
      "CONTEXT_WRAP_INITIAL)\n"
      "immediate   equals, after every bin, the trial as it is so far\n"
      "windowed    equals, after every bin, a trial made of the last W bins");
  command->callback([options, &run] { run = [options](const Common&) { return stream(*options); }; });
}

}  // namespace tool
