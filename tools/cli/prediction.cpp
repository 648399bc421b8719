#include "prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "../io/refused.hpp"
#include "progress.hpp"

namespace tool {
namespace {

void require_finite(const Prediction& p, const std::string& model_name) {
  for (std::size_t i = 0; i < p.rates.size(); ++i) {
    if (std::isfinite(p.rates[i])) continue;
    throw Refused(fmt::format("trial {}, bin {}, neuron {} has a rate that is infinite or not a number",
                              i / p.neurons / p.bins, i / p.neurons % p.bins, i % p.neurons),
                  model_name, "a model whose weights do not overflow");
  }
}

}  // namespace

Fit fit_of(const ndt::ModelConfig& config, const ndt::data::Dataset& dataset, const std::string& model,
           const std::string& data) {
  Fit fit;
  fit.shown_bins = dataset.observed_bins(), fit.shown_neurons = dataset.heldin_neurons();
  const bool all = config.neurons == dataset.neurons;
  if (!all && config.neurons != fit.shown_neurons) {
    const std::string found = dataset.heldout_neurons == 0
                                  ? fmt::format("{} neurons", dataset.neurons)
                                  : fmt::format("{} held-in and {} held-out neurons ({} in all)", fit.shown_neurons,
                                                dataset.heldout_neurons, dataset.neurons);
    throw Refused(found, data, fmt::format("{} neurons are needed for {}", config.neurons, model));
  }
  if (config.trial_length < fit.shown_bins) {
    throw Refused(
        fmt::format("{} bins are more than the {} positions of the model", fit.shown_bins, config.trial_length), data,
        "a model for trials of this length");
  }
  fit.neurons = config.neurons;
  fit.bins = config.trial_length < dataset.bins ? fit.shown_bins : dataset.bins;
  return fit;
}

Prediction predict(LoadedModel& model, const Fit& fit, const ndt::data::Dataset& dataset, const ndt::data::Split& split,
                   std::size_t threads, const std::string& model_name, bool with_hidden) {
  constexpr std::size_t batch = 64;
  const std::size_t window = fit.bins * fit.neurons;
  Prediction p{split.trials, fit.bins, fit.neurons, std::vector<float>(split.trials * window), {}, {}, 0};
  const std::size_t hidden = fit.bins * model.config().width();
  if (with_hidden) p.hidden.resize(split.trials * hidden);
  std::vector<std::int32_t> shown(batch * window);
  Progress progress(split.trials);
  for (std::size_t first = 0; first < split.trials; first += batch) {
    const std::size_t count = std::min(batch, split.trials - first);
    for (std::size_t b = 0; b < count; ++b) {
      for (std::size_t t = 0; t < fit.shown_bins; ++t) {
        const std::uint16_t* const from = split.counts.data() + ((first + b) * dataset.bins + t) * dataset.neurons;
        std::int32_t* const to = shown.data() + b * window + t * fit.neurons;
        for (std::size_t n = 0; n < fit.shown_neurons; ++n) {
          const bool clip = from[n] > model.config().max_spikes;
          to[n] = static_cast<std::int32_t>(clip ? model.config().max_spikes : from[n]);
          p.clipped += clip;
        }
      }
    }
    model.forward({.log_rates = p.output.data() + first * window,
                   .hidden = with_hidden ? p.hidden.data() + first * hidden : nullptr},
                  shown.data(), count, fit.bins, threads);
    progress.at(first + count);
  }
  p.rates = p.output;
  if (model.config().lograte) {
    ndt::kernels::exp_row<ndt::simd::native<float>>(p.rates.data(), p.rates.data(), p.rates.size());
  }
  require_finite(p, model_name);
  return p;
}

}  // namespace tool
