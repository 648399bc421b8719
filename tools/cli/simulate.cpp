// ndt simulate SYSTEM OUT.h5: synthetic data of known rates.
#include <fmt/format.h>

#include <cmath>
#include <memory>

#include <ndt/data/chaotic_rnn.hpp>
#include <ndt/data/lorenz.hpp>
#include <ndt/data/reach.hpp>

#include "../io/refused.hpp"
#include "../io/simulation_file.hpp"
#include "command.hpp"

namespace tool {
namespace {

namespace data = ndt::data;

struct Summary {
  double mean_count = 0;
  double nll = 0;  ///< of the true rates: the mean of rate - count ln(rate)
};

Summary summary(const data::Dataset& all, const data::Split& split) {
  const std::size_t row = all.observed_bins() * all.neurons;
  Summary sum;
  for (std::size_t i = 0; i < split.truth.size(); ++i) {
    const double rate = static_cast<double>(split.truth[i]);
    const double count = split.counts[i / row * all.bins * all.neurons + i % row];
    sum.mean_count += count;
    // A rate of zero gives no spike, and loses nothing by it.
    sum.nll += rate - (count > 0 ? count * std::log(rate) : 0);
  }
  const auto n = static_cast<double>(split.truth.size());
  return {sum.mean_count / n, sum.nll / n};
}

Answer written(const std::string& system, const std::string& out, std::uint64_t seed,
               const data::Simulation& simulation) {
  const data::Dataset& all = simulation.data;
  const std::string hash = write_simulation(out, simulation, {{"system", system}, {"seed", std::to_string(seed)}});
  const Summary train = summary(all, all.train), valid = summary(all, all.valid);
  Answer answer;
  answer.json = {{"out", out},
                 {"system", system},
                 {"seed", seed},
                 {"train_trials", all.train.trials},
                 {"valid_trials", all.valid.trials},
                 {"bins", all.bins},
                 {"neurons", all.neurons},
                 {"forward_bins", all.forward_bins},
                 {"heldout_neurons", all.heldout_neurons},
                 {"conditions", all.conditions},
                 {"bin_width", all.bin_width},
                 {"train_mean_count", train.mean_count},
                 {"valid_mean_count", valid.mean_count},
                 {"valid_truth_nll", valid.nll},
                 {"values_sha256", hash}};
  answer.text = fmt::format(
      "{}: {} + {} trials x {} bins x {} neurons of {}, {} conditions\n"
      "counts a bin: {:.4f} on average; Poisson NLL of the true rates on the validation trials: {:.4f}\n"
      "values: sha256 {}\n",
      out, all.train.trials, all.valid.trials, all.bins, all.neurons, system, all.conditions, train.mean_count,
      valid.nll, hash);
  return answer;
}

/// One system: its own options, the output, and what makes the data.
template <class Options>
struct Chosen {
  std::string out;
  Options options;
};

/// Adds a system with the options that all of them have.
template <class Options, class Simulate>
std::pair<CLI::App*, Options*> add_system(CLI::App& app, Run& run, const std::string& name, const std::string& what,
                                          Simulate simulate) {
  auto* command = app.add_subcommand(name, what);
  auto chosen = std::make_shared<Chosen<Options>>();
  Options& options = chosen->options;
  command->add_option("OUT", chosen->out, "the HDF5 file to write")->required();
  command->add_option("--seed", options.seed, "another number, other data")->check(whole_number)->capture_default_str();
  command->add_option("--conditions", options.conditions)->check(whole_number)->capture_default_str();
  command->add_option("--repeats", options.repeats, "trials of each condition; every fifth trial is for validation")
      ->check(whole_number)
      ->capture_default_str();
  command->add_option("--bins", options.bins, "of a trial")->check(whole_number)->capture_default_str();
  command->add_option("--neurons", options.neurons)->check(whole_number)->capture_default_str();
  command->add_option("--bin-width", options.bin_width, "in seconds")->capture_default_str();
  command->callback([chosen, name, simulate, &run] {
    run = [chosen, name, simulate](const Common&) {
      require_output(chosen->out);
      try {
        return written(name, chosen->out, chosen->options.seed, simulate(chosen->options));
      } catch (const std::invalid_argument& wrong) {
        throw Refused(wrong.what(), "options of ndt simulate " + name, "see ndt simulate " + name + " --help");
      } catch (const std::domain_error& wrong) {
        throw Refused(wrong.what(), "options of ndt simulate " + name, "lower rates or shorter bins");
      }
    };
  });
  return {command, &options};
}

}  // namespace

void add_simulate(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("simulate", "synthetic spike counts of known rates, as HDF5");
  command->require_subcommand(1);
  command->footer(
      "The file has the names of LFADS: train_data, valid_data, train_truth, valid_truth, conversion_factor (truth\n"
      "divided by it is counts a bin), train_inds, valid_inds and condition_labels_* (all from 0), dt in seconds.\n"
      "The same seed and options give the same values on every machine; values_sha256 of --json is their hash.");

  {
    const auto [system, options] = add_system<data::LorenzOptions>(
        *command, run, "lorenz", "neurons that see a Lorenz attractor, after LFADS", data::simulate_lorenz);
    system->add_option("--mean-rate", options->mean_rate, "spikes per second")->capture_default_str();
    system->add_option("--weight-scale", options->weight_scale, "weights are +-[1, 2] times this")
        ->capture_default_str();
    system->add_option("--speed", options->speed, "the system's own time in a second; 6 in the example of LFADS")
        ->capture_default_str();
  }
  {
    const auto [system, options] = add_system<data::ChaoticRnnOptions>(
        *command, run, "chaotic-rnn", "a chaotic recurrent network, after LFADS", data::simulate_chaotic_rnn);
    system->add_option("--max-rate", options->max_rate, "spikes per second of a unit at its highest")
        ->capture_default_str();
    system->add_option("--gain", options->gain, "of the weights")->capture_default_str();
    system->add_option("--tau", options->tau, "time constant in seconds")->capture_default_str();
    system->footer(system->get_footer() +
                   "\nHere truth is the rate of each unit in each trial from 0 to 1, as LFADS has it.");
  }
  {
    const auto [system, options] = add_system<data::ReachOptions>(
        *command, run, "reach", "centre-out reaching, with hand velocity", data::simulate_reach);
    system->add_option("--forward-bins", options->forward_bins, "after the observed --bins")
        ->check(whole_number)
        ->capture_default_str();
    system->add_option("--heldout-neurons", options->heldout_neurons, "of --neurons, the last ones")
        ->check(whole_number)
        ->capture_default_str();
    system->add_option("--mean-rate", options->mean_rate, "spikes per second")->capture_default_str();
    system->footer(
        system->get_footer() +
        "\nA condition is a direction. The file also has train_behavior and valid_behavior, the hand's velocity in "
        "mm/s\n"
        "100 ms after the bin, and for the same trials (eval is valid) the names of the Neural Latents Benchmark:\n"
        "{train,eval}_spikes_{heldin,heldout}[_forward], eval_behavior, {train,eval}_cond_idx and psth. train_data "
        "and\n"
        "train_truth have the observed bins of all neurons; forward bins are in *_forward alone.");
  }
}

}  // namespace tool
