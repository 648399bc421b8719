// ndt evaluate: its numbers are the metrics of what ndt infer gives for the counts that the model may see.
#include <cmath>

#include <ndt/metrics/bits_per_spike.hpp>
#include <ndt/metrics/decoding.hpp>
#include <ndt/metrics/forecast.hpp>
#include <ndt/metrics/psth.hpp>

#include "../support/metric_cases.hpp"
#include "evaluation.hpp"

namespace {

namespace metrics = ndt::metrics;
using support::Counts, support::Floats, support::DataFile, support::Desk, support::evaluated, support::inferred;
using support::some_counts, support::some_floats, support::tiny_bins, support::tiny_model, support::tiny_neurons;

/// JSON against a value; rates have been through float.
bool is(const nlohmann::json& j, double expected) {
  return j.is_number() && support::relative_error(j.get<double>(), expected) < 1e-9;
}

/// 12 + 7 trials for the tiny model, with everything that the LFADS layout can have.
DataFile lfads_file() {
  DataFile file;
  file.counts["train_data"] = some_counts(12, tiny_bins, tiny_neurons, 1);
  file.counts["valid_data"] = some_counts(7, tiny_bins, tiny_neurons, 2);
  file.floats["train_truth"] = some_floats({12, tiny_bins, tiny_neurons}, 3);
  file.floats["valid_truth"] = some_floats({7, tiny_bins, tiny_neurons}, 4);
  file.floats["conversion_factor"] = {{1}, {4}};
  file.floats["train_behavior"] = some_floats({12, tiny_bins, 2}, 5);
  file.floats["valid_behavior"] = some_floats({7, tiny_bins, 2}, 6);
  file.integers["condition_labels_train"] = {{12}, {0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2}};
  file.integers["condition_labels_valid"] = {{7}, {2, 1, 0, 2, 1, 0, 0}};
  return file;
}

TEST_CASE("an LFADS file is scored by its counts, rates, behaviour and conditions", "[tools][evaluate]") {
  const Desk desk;
  const DataFile file = lfads_file();
  file.write(desk / "data.h5");
  for (const std::string split : {"valid", "train"}) {
    INFO(split);
    auto j = evaluated(desk, tiny_model() + " data.h5 --psth-sd 1.5 --split " + split);
    const Counts& counts = file.counts.at(split + "_data");
    const Floats rates = inferred(desk, tiny_model(), counts, "rates");
    const Floats log_rates = inferred(desk, tiny_model(), counts, "log_rates");
    const Floats train_rates = inferred(desk, tiny_model(), file.counts.at("train_data"), "rates");

    double loss = 0;  // written out, as this is the number that gets compared with papers
    for (std::size_t i = 0; i < log_rates.values.size(); ++i) {
      const double x = static_cast<double>(log_rates.values[i]);
      loss += std::exp(x) - counts.values[i] * x;
    }
    CHECK(is(j["poisson_nll"], loss / static_cast<double>(log_rates.values.size())));
    CHECK(is(j["poisson_nll_with_factorial"], metrics::poisson_nll(rates.view(), counts.view()).mean()));
    CHECK(is(j["bits_per_spike"], metrics::bits_per_spike(rates.view(), counts.view())));
    Floats truth = file.floats.at(split + "_truth");
    for (float& rate : truth.values) rate /= 4;
    CHECK(is(j["r2"], metrics::r2(truth.view(), rates.view())));
    CHECK(is(j["behavior_r2"], metrics::behavior_r2(train_rates.view(), file.floats.at("train_behavior").view(),
                                                    rates.view(), file.floats.at(split + "_behavior").view())));
    CHECK(is(j["aggregate_r"], metrics::aggregate_r(rates.view(), counts.view())));
    CHECK(is(j["pop_rate_r"], metrics::pop_rate_r(rates.view(), counts.view())));
    CHECK(is(j["spatial_r"], metrics::spatial_r(rates.view(), counts.view())));
    CHECK(is(j["cosine"], metrics::cosine_similarity(rates.view(), counts.view()).all_bins));
    CHECK(is(j["cosine_nonempty"], metrics::cosine_similarity(rates.view(), counts.view()).nonempty_bins));

    Counts all = file.counts.at("train_data");
    all.shape[0] = 19;
    all.values.insert(all.values.end(), file.counts.at("valid_data").values.begin(),
                      file.counts.at("valid_data").values.end());
    const metrics::Conditions in_all = {{0, 3, 6, 9, 14, 17, 18}, {1, 4, 7, 10, 13, 16}, {2, 5, 8, 11, 12, 15}};
    const metrics::Conditions in_split = split == "train"
                                             ? metrics::Conditions{{0, 3, 6, 9}, {1, 4, 7, 10}, {2, 5, 8, 11}}
                                             : metrics::Conditions{{2, 5, 6}, {1, 4}, {0, 3}};
    const auto psth = metrics::make_psth(all.view(), in_all, {.kernel_sd = 1.5});
    CHECK(is(j["psth_r2"], metrics::psth_r2(psth.view(), rates.view(), in_split)));

    CHECK(j["split"] == split);
    CHECK(j["trials"] == counts.shape[0]);
    for (const char* name : {"co_bps", "fp_bps", "ridge_bps"}) {
      CHECK_FALSE(j.contains(name));
      CHECK(j["left_out"].contains(name));
    }
  }
}

TEST_CASE("the scale of the truth may be given, and any number of threads", "[tools][evaluate]") {
  const Desk desk;
  DataFile file = lfads_file();
  file.write(desk / "data.h5");
  file.floats.erase("conversion_factor");
  for (const char* split : {"train_truth", "valid_truth"}) {
    for (float& rate : file.floats[split].values) rate *= 0.5f;
  }
  file.write(desk / "scaled.h5");
  auto j = evaluated(desk, tiny_model() + " data.h5");
  auto scaled = evaluated(desk, tiny_model() + " scaled.h5 --truth-scale 0.5 --threads 2");
  CHECK(is(scaled["r2"], j["r2"]));
  CHECK(scaled["poisson_nll"] == j["poisson_nll"]);
  CHECK(scaled["behavior_r2"] == j["behavior_r2"]);
}

TEST_CASE("counts above max_spikes are clipped for the model and scored as they are", "[tools][evaluate]") {
  const Desk desk;
  DataFile file;
  file.counts["valid_data"] = some_counts(3, tiny_bins, tiny_neurons, 8);
  const Floats log_rates = [&] {
    Counts clipped = file.counts["valid_data"];
    clipped.values[5] = clipped.values[77] = 4;  // max_spikes of the model
    return inferred(desk, tiny_model(), clipped, "log_rates");
  }();
  file.counts["valid_data"].values[5] = 9, file.counts["valid_data"].values[77] = 200;
  file.write(desk / "data.h5");
  auto j = evaluated(desk, tiny_model() + " data.h5");
  CHECK(j["clipped"] == 2);
  CHECK(is(j["poisson_nll"], metrics::poisson_loss(log_rates.view(), file.counts["valid_data"].view()).mean()));
}

TEST_CASE("metrics without a value are null, and those asked for are alone", "[tools][evaluate]") {
  const Desk desk;
  DataFile file;
  file.counts["valid_data"] = some_counts(3, tiny_bins, tiny_neurons, 8);
  for (auto& count : file.counts["valid_data"].values) count = 0;
  file.write(desk / "silent.h5");
  auto j = evaluated(desk, tiny_model() + " silent.h5");
  CHECK(j.contains("bits_per_spike"));
  CHECK(j["bits_per_spike"].is_null());
  CHECK(j["poisson_nll"].is_number());

  auto few = evaluated(desk, tiny_model() + " silent.h5 --only cosine,poisson_nll");
  CHECK(few.contains("cosine"));
  CHECK(few["poisson_nll"] == j["poisson_nll"]);
  CHECK_FALSE(few.contains("aggregate_r"));
  CHECK(few["left_out"].empty());
  const support::Ran text = desk.ndt("evaluate " + tiny_model() + " silent.h5");
  CHECK(text.status == 0);
  CHECK(support::has(text.out, "poisson_nll"));
  CHECK(support::has(text.out, "left out: needs true rates"));
}

// The Neural Latents Benchmark: 3 neurons and 15 bins are shown to the tiny model, 1 neuron and 5 bins are not.

constexpr std::size_t shown_bins = 15, forward_bins = 5, shown_neurons = 3, heldout_neurons = 1;

struct Nlb {
  Counts train = some_counts(9, tiny_bins, tiny_neurons, 11), eval = some_counts(6, tiny_bins, tiny_neurons, 12);
  DataFile input, target;

  Nlb() {
    for (const auto& [name, all] : {std::pair("train", &train), std::pair("eval", &eval)}) {
      DataFile& rest = std::string(name) == "train" ? input : target;
      const std::string group = &rest == &target ? "mc_maze/" : "";
      const std::string base = std::string(name) + "_spikes_";
      input.counts[base + "heldin"] = all->part(0, shown_bins, 0, shown_neurons);
      rest.counts[group + base + "heldout"] = all->part(0, shown_bins, shown_neurons, heldout_neurons);
      rest.counts[group + base + "heldin_forward"] = all->part(shown_bins, forward_bins, 0, shown_neurons);
      rest.counts[group + base + "heldout_forward"] = all->part(shown_bins, forward_bins, shown_neurons, 1);
    }
    target.floats["mc_maze/train_behavior"] = some_floats({9, shown_bins, 2}, 13);
    target.floats["mc_maze/eval_behavior"] = some_floats({6, shown_bins, 2}, 14);
    target.floats["mc_maze/train_behavior"].values[8] = NAN;
    target.floats["mc_maze/eval_behavior"].values[2] = NAN;
    target.floats["mc_maze/psth"] = some_floats({3, shown_bins, tiny_neurons}, 15);
    // Trial 1 is a bin late, which no condition has a first bin for.
    auto& psth = target.floats["mc_maze/psth"].values;
    for (std::size_t i = 0; i < psth.size(); ++i) {
      if (i / tiny_neurons % shown_bins == 0) psth[i] = NAN;
    }
    target.integers["mc_maze/eval_jitter"] = {{6}, {0, 1, 0, 0, 0, 0}};
    target.integers["mc_maze/train_cond_idx"] = {{3, 3}, {0, 3, 6, 1, 4, 7, 2, 5, 8}};
    target.integers["mc_maze/eval_cond_idx"] = {{3, 2}, {0, 3, 1, 4, 5, -1}};
    target.counts["mc_maze/train_decode_mask"] = {{9, 2}, {1, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1}};
    target.counts["mc_maze/eval_decode_mask"] = {{6, 2}, {1, 0, 0, 1, 1, 0, 0, 1, 1, 1, 0, 1}};
  }
  void write(const Desk& desk) const {
    input.write(desk / "input.h5");
    target.write(desk / "target.h5");
  }
  /// Rates [trials, 20, 4] of a model that is shown zeros where it may not look.
  static Floats rates(const Desk& desk, Counts counts) {
    for (std::size_t i = 0; i < counts.values.size(); ++i) {
      const std::size_t neuron = i % tiny_neurons, bin = i / tiny_neurons % tiny_bins;
      if (neuron >= shown_neurons || bin >= shown_bins) counts.values[i] = 0;
    }
    return inferred(desk, tiny_model(), counts, "rates");
  }
};

TEST_CASE("an NLB file with its target is scored as the benchmark does", "[tools][evaluate]") {
  const Desk desk;
  const Nlb nlb;
  nlb.write(desk);
  auto j = evaluated(desk, tiny_model() + " input.h5 --target target.h5 --target-group mc_maze");
  const Floats all = Nlb::rates(desk, nlb.eval), all_train = Nlb::rates(desk, nlb.train);
  const Floats rates = all.part(0, shown_bins, 0, tiny_neurons);
  CHECK(is(j["bits_per_spike"], metrics::bits_per_spike(all.part(0, shown_bins, 0, shown_neurons).view(),
                                                        nlb.eval.part(0, shown_bins, 0, shown_neurons).view())));
  CHECK(is(j["co_bps"], metrics::bits_per_spike(all.part(0, shown_bins, shown_neurons, 1).view(),
                                                nlb.eval.part(0, shown_bins, shown_neurons, 1).view())));
  CHECK(is(j["fp_bps"], metrics::bits_per_spike(all.part(shown_bins, forward_bins, 0, tiny_neurons).view(),
                                                nlb.eval.part(shown_bins, forward_bins, 0, tiny_neurons).view())));
  CHECK(is(j["behavior_r2"], metrics::behavior_r2(all_train.part(0, shown_bins, 0, tiny_neurons).view(),
                                                  nlb.target.floats.at("mc_maze/train_behavior").view(), rates.view(),
                                                  nlb.target.floats.at("mc_maze/eval_behavior").view(),
                                                  nlb.target.counts.at("mc_maze/train_decode_mask").view(),
                                                  nlb.target.counts.at("mc_maze/eval_decode_mask").view())));
  CHECK(is(j["psth_r2"],
           metrics::psth_r2(nlb.target.floats.at("mc_maze/psth").view(), rates.view(),
                            metrics::Conditions{{0, 3}, {1, 4}, {5}}, std::vector<std::ptrdiff_t>{0, 1, 0, 0, 0, 0})));
  // Forecasts are of the forward bins, where there are some.
  CHECK(is(j["pop_rate_r"], metrics::pop_rate_r(all.part(shown_bins, forward_bins, 0, tiny_neurons).view(),
                                                nlb.eval.part(shown_bins, forward_bins, 0, tiny_neurons).view())));
  CHECK(j["ridge_bps"].is_number());
  CHECK(j["shown_bins"] == shown_bins);
  CHECK(j["shown_neurons"] == shown_neurons);
}

TEST_CASE("counts that the benchmark keeps to itself are not scored", "[tools][evaluate]") {
  const Desk desk;
  const Nlb nlb;
  nlb.write(desk);
  auto j = evaluated(desk, tiny_model() + " input.h5");
  for (const char* name : {"co_bps", "fp_bps", "ridge_bps", "behavior_r2", "psth_r2"}) {
    INFO(name);
    CHECK_FALSE(j.contains(name));
    CHECK(j["left_out"].contains(name));
  }
  CHECK(j["poisson_nll"].is_number());
  // The training trials have theirs in the input file.
  CHECK(evaluated(desk, tiny_model() + " input.h5 --split train")["co_bps"].is_number());
}

TEST_CASE("a model of held-in neurons and observed bins alone is scored on them", "[tools][evaluate]") {
  const Desk desk;
  DataFile file;
  file.counts["train_spikes_heldin"] = some_counts(4, tiny_bins, tiny_neurons, 21);
  file.counts["eval_spikes_heldin"] = some_counts(5, tiny_bins, tiny_neurons, 22);
  for (const std::string split : {"train", "eval"}) {
    const std::size_t trials = split == "train" ? 4 : 5;
    file.counts[split + "_spikes_heldout"] = some_counts(trials, tiny_bins, 2, 23);
    file.counts[split + "_spikes_heldin_forward"] = some_counts(trials, 3, tiny_neurons, 24);
    file.counts[split + "_spikes_heldout_forward"] = some_counts(trials, 3, 2, 25);
  }
  file.write(desk / "data.h5");
  auto j = evaluated(desk, tiny_model() + " data.h5");
  const Counts& counts = file.counts["eval_spikes_heldin"];
  const Floats rates = inferred(desk, tiny_model(), counts, "rates");
  CHECK(is(j["bits_per_spike"], metrics::bits_per_spike(rates.view(), counts.view())));
  CHECK_FALSE(j.contains("co_bps"));
  CHECK_FALSE(j.contains("fp_bps"));
  CHECK(j["ridge_bps"].is_number());
}

TEST_CASE("forward bins beyond the model's positions are not scored", "[tools][evaluate]") {
  const Desk desk;
  DataFile file;
  for (const std::string split : {"train", "eval"}) {
    file.counts[split + "_spikes_heldin"] = some_counts(4, tiny_bins, tiny_neurons, 31);
    file.counts[split + "_spikes_heldin_forward"] = some_counts(4, 3, tiny_neurons, 32);
  }
  file.write(desk / "data.h5");
  auto j = evaluated(desk, tiny_model() + " data.h5");
  CHECK(j["poisson_nll"].is_number());
  CHECK_FALSE(j.contains("fp_bps"));
  CHECK(support::has(j["left_out"]["fp_bps"].get<std::string>(), "positions"));
}

TEST_CASE("a submission holds the rates of all parts, per bin", "[tools][evaluate]") {
  const Desk desk;
  const Nlb nlb;
  nlb.write(desk);
  auto j = evaluated(desk, tiny_model() + " input.h5 --submission out.h5 --dataset-name mc_maze_20");
  CHECK(j["submission"] == "out.h5");
  const Floats eval = Nlb::rates(desk, nlb.eval), train = Nlb::rates(desk, nlb.train);
  for (const auto& [split, all] : {std::pair("train", &train), std::pair("eval", &eval)}) {
    const std::string base = std::string("mc_maze_20/") + split + "_rates_";
    const auto check = [&](const std::string& name, const Floats& expected) {
      INFO(base + name);
      const auto found = tool::read_float(desk / "out.h5", base + name);
      CHECK(found.shape == expected.shape);
      CHECK(found.values == expected.values);
    };
    check("heldin", all->part(0, shown_bins, 0, shown_neurons));
    check("heldout", all->part(0, shown_bins, shown_neurons, heldout_neurons));
    check("heldin_forward", all->part(shown_bins, forward_bins, 0, shown_neurons));
    check("heldout_forward", all->part(shown_bins, forward_bins, shown_neurons, heldout_neurons));
  }
  CHECK(tool::list_datasets(desk / "out.h5").size() == 8);
  // Whatever is written, what is scored stays.
  const std::string on_train = tiny_model() + " input.h5 --split train";
  CHECK(evaluated(desk, on_train + " --submission out.h5 --dataset-name mc_maze")["poisson_nll"] ==
        evaluated(desk, on_train)["poisson_nll"]);
}

}  // namespace
