#include "scores.hpp"

#include <algorithm>
#include <functional>
#include <ndt/metrics/bits_per_spike.hpp>
#include <ndt/metrics/decoding.hpp>
#include <ndt/metrics/forecast.hpp>
#include <ndt/metrics/poisson.hpp>
#include <ndt/metrics/psth.hpp>
#include <ndt/metrics/r2.hpp>
#include <stdexcept>

namespace tool {
namespace {

namespace metrics = ndt::metrics;
using metrics::Trials;

/// One metric: what it lacks (empty: nothing), and its value.
struct Metric {
  std::string name, missing;
  std::function<double()> value;
};

class Scorer {
 public:
  explicit Scorer(const Scored& scored)
      : s_(scored),
        d_(scored.dataset),
        counts_(scored.split.counts.data(), scored.split.trials, d_.bins, d_.neurons),
        rates_(scored.of_split != nullptr ? scored.of_split->rate_view() : Trials<float>()) {}

  std::vector<Metric> metrics() const {
    std::vector<Metric> all;
    const auto add = [&](const char* name, std::string missing, std::function<double()> value) {
      all.push_back({name, std::move(missing), std::move(value)});
    };
    add("poisson_nll", "", [this] { return poisson_nll(); });
    add("poisson_nll_with_factorial", "",
        [this] { return metrics::poisson_nll(shown(rates_), shown(counts_)).mean(); });
    add("bits_per_spike", "", [this] { return metrics::bits_per_spike(shown(rates_), shown(counts_)); });
    add("co_bps", missing_heldout(), [this] { return metrics::co_bps(rates_, heldout_counts()); });
    add("fp_bps", missing_forward(), [this] { return metrics::fp_bps(rates_, forward_counts()); });
    add("r2", s_.split.truth.empty() ? "true rates" : "", [this] { return r2(); });
    add("behavior_r2", missing_behavior(), [this] { return behavior_r2(); });
    add("psth_r2", missing_psth(), [this] { return psth_r2(); });
    add("aggregate_r", "", [this] { return metrics::aggregate_r(forecast(rates_), forecast(counts_)); });
    add("pop_rate_r", "", [this] { return metrics::pop_rate_r(forecast(rates_), forecast(counts_)); });
    add("spatial_r", "", [this] { return metrics::spatial_r(forecast(rates_), forecast(counts_)); });
    add("cosine", "", [this] { return cosine().all_bins; });
    add("cosine_nonempty", "", [this] { return cosine().nonempty_bins; });
    add("ridge_bps", d_.heldout_neurons == 0 || s_.split.heldout_hidden ? "counts of held-out neurons" : "",
        [this] { return ridge_bps(); });
    return all;
  }

 private:
  /// Held-in neurons in observed bins: what the model was shown, and the reference's unmasked loss looks at.
  template <class T>
  Trials<T> shown(const Trials<T>& all) const {
    return all.bin_range(0, s_.fit.shown_bins).column_range(0, s_.fit.shown_neurons);
  }
  template <class T>
  Trials<T> observed(const Trials<T>& all) const {
    return all.bin_range(0, s_.fit.shown_bins);
  }
  bool scores_forward() const { return missing_forward().empty(); }
  /// Forward bins where there are any, as they alone are forecasts; else the bins shown.
  template <class T>
  Trials<T> forecast(const Trials<T>& all) const {
    if (!scores_forward()) return shown(all);
    return all.bin_range(s_.fit.shown_bins, d_.forward_bins);
  }
  Trials<std::uint16_t> heldout_counts() const {
    return observed(counts_).column_range(d_.heldin_neurons(), d_.heldout_neurons);
  }
  Trials<std::uint16_t> forward_counts() const { return counts_.bin_range(d_.observed_bins(), d_.forward_bins); }

  std::string missing_heldout() const {
    if (d_.heldout_neurons == 0 || s_.split.heldout_hidden) return "counts of held-out neurons";
    return s_.fit.heldout() ? "" : "a model of the held-out neurons";
  }
  std::string missing_forward() const {
    if (d_.forward_bins == 0 || s_.split.forward_hidden) return "counts of forward bins";
    if (d_.heldout_neurons > 0 && !s_.fit.heldout()) return "a model of the held-out neurons";
    return s_.fit.forward() ? "" : "a model with positions for the forward bins";
  }
  std::string missing_behavior() const {
    const bool known = !d_.train.behavior.empty() && !s_.split.behavior.empty();
    return known ? "" : "behaviour of training trials and of those to score";
  }
  std::string missing_psth() const {
    const auto& condition = s_.split.condition;
    if (std::none_of(condition.begin(), condition.end(), [](auto c) { return c >= 0; })) return "conditions";
    return d_.psth.empty() && !s_.psth_sd ? "PSTHs (--psth-sd makes them of the counts)" : "";
  }

  double poisson_nll() const {
    const auto output = shown(s_.of_split->output_view());
    const auto loss = s_.lograte ? metrics::poisson_loss(output, shown(counts_))
                                 : metrics::poisson_loss_of_rates(output, shown(counts_));
    return loss.mean();
  }
  double r2() const {
    const Trials<float> truth(s_.split.truth.data(), s_.split.trials, d_.observed_bins(), d_.neurons);
    return metrics::r2(truth.column_range(0, s_.fit.neurons), observed(rates_));
  }
  double behavior_r2() const {
    const auto behavior = [&](const ndt::data::Split& split) {
      return Trials<float>(split.behavior.data(), split.trials, d_.observed_bins(), d_.behavior_dims);
    };
    const auto mask = [&](const ndt::data::Split& split) {
      return Trials<std::uint8_t>(split.decode_mask.data(), split.decode_mask.empty() ? 0 : split.trials,
                                  d_.decode_masks);
    };
    return metrics::behavior_r2(observed(s_.of_train->rate_view()), behavior(d_.train), observed(rates_),
                                behavior(s_.split), mask(d_.train), mask(s_.split));
  }
  metrics::Conditions conditions(const ndt::data::Split& split, std::size_t first, metrics::Conditions all) const {
    for (std::size_t trial = 0; trial < split.condition.size(); ++trial) {
      const std::int32_t condition = split.condition[trial];
      if (condition >= 0) all[static_cast<std::size_t>(condition)].push_back(first + trial);
    }
    return all;
  }
  double psth_r2() const {
    const metrics::Conditions none(d_.conditions), of_split = conditions(s_.split, 0, none);
    const std::vector<std::ptrdiff_t> jitter(s_.split.jitter.begin(), s_.split.jitter.end());
    const auto score = [&](const auto& psth, std::size_t neurons) {
      return metrics::psth_r2(psth.column_range(0, neurons), observed(rates_).column_range(0, neurons), of_split,
                              jitter);
    };
    if (!s_.psth_sd) {
      return score(Trials<float>(d_.psth.data(), d_.conditions, d_.observed_bins(), d_.neurons), s_.fit.neurons);
    }
    // Of all trials there are, as nlb_tools has it: training and validation.
    std::vector<std::uint16_t> counts = d_.train.counts;
    counts.insert(counts.end(), d_.valid.counts.begin(), d_.valid.counts.end());
    const Trials<std::uint16_t> all(counts.data(), d_.train.trials + d_.valid.trials, d_.bins, d_.neurons);
    metrics::PsthOptions options;
    options.kernel_sd = *s_.psth_sd;
    const bool hidden = d_.train.heldout_hidden || d_.valid.heldout_hidden;
    const std::size_t neurons = hidden ? s_.fit.shown_neurons : s_.fit.neurons;
    const auto psth = metrics::make_psth(observed(all).column_range(0, neurons),
                                         conditions(d_.valid, d_.train.trials, conditions(d_.train, 0, none)), options);
    return score(psth.view(), neurons);
  }
  metrics::CosineSimilarity cosine() const { return metrics::cosine_similarity(forecast(rates_), forecast(counts_)); }
  double ridge_bps() const {
    const auto rates = shown(rates_);
    const auto counts = heldout_counts();
    const auto rate_rows = metrics::all_rows(rates);
    const auto count_rows = metrics::all_rows(counts);
    return metrics::ridge_bps(metrics::Picked<float>{rate_rows, rates.columns},
                              metrics::Picked<std::uint16_t>{count_rows, counts.columns});
  }

  const Scored& s_;
  const ndt::data::Dataset& d_;
  Trials<std::uint16_t> counts_;
  Trials<float> rates_;
};

}  // namespace

std::vector<Score> available(const Scored& scored) {
  const Scorer scorer(scored);
  std::vector<Score> all;
  for (const Metric& metric : scorer.metrics()) all.push_back({metric.name, std::nullopt, metric.missing});
  return all;
}

std::vector<Score> scores(const Scored& scored, const std::vector<std::string>& wanted) {
  const Scorer scorer(scored);
  std::vector<Score> all;
  for (const Metric& metric : scorer.metrics()) {
    Score score{metric.name, std::nullopt, metric.missing};
    const bool is_wanted = wanted.empty() || std::find(wanted.begin(), wanted.end(), metric.name) != wanted.end();
    if (is_wanted && metric.missing.empty()) {
      try {
        score.value = metric.value();
      } catch (const std::invalid_argument& error) {
        score.missing = std::string("other data: ") + error.what();
      }
    }
    all.push_back(std::move(score));
  }
  return all;
}

}  // namespace tool
