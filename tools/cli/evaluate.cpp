// ndt evaluate MODEL DATA.h5: how good a model's rates are, by the metrics that the data allow.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "../io/refused.hpp"
#include "command.hpp"
#include "dataset_options.hpp"
#include "scores.hpp"
#include "submission.hpp"

namespace tool {
namespace {

struct Options {
  std::string model, data, split = "valid";
  std::vector<std::string> only;
  DatasetOptions dataset;
  std::optional<double> psth_sd;
  std::string submission, submission_name;
};

const char* const explanation =
    "Scores what the data allow. The model is shown held-in neurons in observed bins, zeros elsewhere.\n"
    "  poisson_nll    the reference's loss, mean of rate - n ln(rate) over the bins and neurons shown, without ln n!:\n"
    "                 the number that papers on this model report\n"
    "  poisson_nll_with_factorial  the same with ln n!, as nlb_tools has it, but the mean and not the sum\n"
    "  bits_per_spike of the bins and neurons shown, over every neuron's mean\n"
    "  co_bps, fp_bps the same of held-out neurons, and of forward bins\n"
    "  r2             rates against true rates, mean over neurons\n"
    "  behavior_r2    ridge regression from rates to behaviour, fitted to the training trials\n"
    "  psth_r2        rates averaged by condition against PSTHs\n"
    "  aggregate_r, pop_rate_r, spatial_r, cosine, cosine_nonempty  forecasts of forward bins, else of the bins shown\n"
    "  ridge_bps      held-out counts by ridge regression from rates, which is not co_bps";

bool wants(const Options& options, const char* name) {
  return options.only.empty() || std::find(options.only.begin(), options.only.end(), name) != options.only.end();
}

/// Options that cannot go together, before any work is done.
void require_sense(const Options& options) {
  if (options.submission.empty() != options.submission_name.empty()) {
    throw Refused("half of a submission", "command line", "--submission OUT.h5 --dataset-name NAME");
  }
  require_sense(options.dataset);
  if (!options.submission.empty()) {
    require_output(options.submission, {options.model, options.data, options.dataset.target.string()});
  }
}

/// Whatever was asked for by name and is not there.
void require_asked(const Options& options, const std::vector<Score>& all) {
  for (const std::string& name : options.only) {
    const auto score = std::find_if(all.begin(), all.end(), [&](const Score& s) { return s.name == name; });
    if (score == all.end()) {
      std::string known;
      for (const Score& s : all) known += (known.empty() ? "" : " ") + s.name;
      throw Refused("no such metric: " + name, "--only", known);
    }
    if (!score->missing.empty()) throw Refused("no " + name, options.data, "it needs " + score->missing);
  }
}

Answer evaluate(const Options& options, const Common& common) {
  require_sense(options);
  LoadedModel model(options.model);
  DatasetOptions dataset_options = options.dataset;
  const bool on_train = options.split == "train", submits = !options.submission.empty();
  dataset_options.need_train = on_train || submits;
  dataset_options.makes_psth = options.psth_sd.has_value();
  const ndt::data::Dataset dataset = load_dataset(options.data, dataset_options);
  const Fit fit = fit_of(model.config(), dataset, options.model, options.data);
  const ndt::data::Split& split = on_train ? dataset.train : dataset.valid;
  if (dataset_options.truth_scale && split.truth.empty()) {
    throw Refused("no true rates to scale", options.data, "a dataset " + options.split + "_truth, or no --truth-scale");
  }

  Scored scored{dataset, split, fit, model.config().lograte, options.psth_sd};
  require_asked(options, available(scored));
  if (submits) require_submission(options.submission, options.submission_name, fit);

  const auto start = std::chrono::steady_clock::now();
  const bool decodes = wants(options, "behavior_r2") && !dataset.train.behavior.empty() && !split.behavior.empty();
  std::optional<Prediction> train, valid;
  const auto run = [&](const ndt::data::Split& of) {
    return predict(model, fit, dataset, of, common.threads, options.model);
  };
  if (on_train || submits || decodes) train = run(dataset.train);
  if (!on_train || submits) valid = run(dataset.valid);
  if (train && !on_train) train->output = std::vector<float>();  // rates are enough, and memory is not
  scored.of_split = on_train ? &*train : &*valid;
  scored.of_train = train ? &*train : nullptr;
  const std::vector<Score> all = scores(scored, options.only);
  require_asked(options, all);
  if (submits) write_submission(options.submission, options.submission_name, fit, *train, *valid);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

  Answer answer;
  answer.text =
      fmt::format("{} split: {} trials x {} bins x {} neurons, {} of the bins and {} of the neurons shown\n",
                  options.split, split.trials, dataset.bins, dataset.neurons, fit.shown_bins, fit.shown_neurons);
  nlohmann::ordered_json left_out = nlohmann::ordered_json::object();
  for (const Score& score : all) {
    if (!score.value) {
      if (wants(options, score.name.c_str()) && !score.missing.empty()) left_out[score.name] = "needs " + score.missing;
      continue;
    }
    const bool has_value = std::isfinite(*score.value);
    answer.json[score.name] = has_value ? nlohmann::ordered_json(*score.value) : nlohmann::ordered_json();
    answer.text += has_value ? fmt::format("{:<28}{:.6f}\n", score.name, *score.value)
                             : fmt::format("{:<28}undefined for these data\n", score.name);
  }
  answer.json["left_out"] = left_out;
  for (const auto& [name, why] : left_out.items()) {
    answer.text += fmt::format("{:<28}left out: {}\n", name, why.get<std::string>());
  }
  answer.json["split"] = options.split;
  answer.json["trials"] = split.trials;
  answer.json["bins"] = dataset.bins;
  answer.json["neurons"] = dataset.neurons;
  answer.json["shown_bins"] = fit.shown_bins;
  answer.json["shown_neurons"] = fit.shown_neurons;
  answer.json["clipped"] = scored.of_split->clipped;
  answer.json["seconds"] = elapsed.count();
  if (scored.of_split->clipped > 0) {
    answer.text += fmt::format("{} counts above {} were clipped on their way into the model\n",
                               scored.of_split->clipped, model.config().max_spikes);
  }
  if (submits) {
    answer.json["submission"] = options.submission;
    answer.text += fmt::format("{}: rates of {} + {} trials as {}\n", options.submission, dataset.train.trials,
                               dataset.valid.trials, options.submission_name);
  }
  return answer;
}

}  // namespace

void add_evaluate(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("evaluate", "how good a model's rates are");
  command->footer(explanation);
  auto options = std::make_shared<Options>();
  command->add_option("MODEL", options->model, "a model file or checkpoint")->required();
  add_dataset_options(*command, options->data, options->dataset);
  command->add_option("--split", options->split, "the trials to score")
      ->check(CLI::IsMember({"valid", "train"}))
      ->capture_default_str();
  command->add_option("--only", options->only, "these metrics, separated by commas")
      ->delimiter(',')
      ->type_name("NAMES");
  command
      ->add_option("--truth-scale", options->dataset.truth_scale,
                   "truth times this is counts per bin (default: divided by conversion_factor)")
      ->type_name("S");
  command->add_option("--psth-sd", options->psth_sd, "make PSTHs of counts smoothed with a Gaussian of so many bins")
      ->check(real_number)
      ->check(CLI::Range(1.0 / 6, 1e4))
      ->type_name("BINS");
  command->add_option("--submission", options->submission, "also write rates for the Neural Latents Benchmark")
      ->check(some_name)
      ->type_name("OUT.h5");
  command->add_option("--dataset-name", options->submission_name, "the group in it, such as mc_maze_20")
      ->type_name("NAME");
  command->callback([options, &run] { run = [options](const Common& common) { return evaluate(*options, common); }; });
}

}  // namespace tool
