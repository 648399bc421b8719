#include "submission.hpp"

#include <algorithm>
#include <cctype>
#include <deque>
#include <vector>

#include "../io/hdf5_writer.hpp"
#include "../io/refused.hpp"

namespace tool {
namespace {

/// A part of the predicted rates in one piece.
std::vector<float> part_of(const ndt::metrics::Trials<float>& rates) {
  std::vector<float> part;
  part.reserve(rates.size() * rates.columns);
  for (std::size_t row = 0; row < rates.size(); ++row) part.insert(part.end(), rates[row], rates[row] + rates.columns);
  return part;
}

}  // namespace

void require_submission(const std::filesystem::path& path, const std::string& name, const Fit& fit) {
  const bool good = !name.empty() && name.size() <= 100 && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '-';
  });
  if (!good) throw Refused("no name of a dataset", "--dataset-name", "letters, digits, _ and -, such as mc_maze_20");
  if (!fit.heldout()) {
    throw Refused("no rates of held-out neurons", path.string(),
                  "a submission needs data with held-out neurons and a model of all neurons");
  }
}

void write_submission(const std::filesystem::path& path, const std::string& name, const Fit& fit,
                      const Prediction& train, const Prediction& eval) {
  require_submission(path, name, fit);
  std::deque<std::vector<float>> values;
  std::vector<OutputDataset> datasets;
  for (const auto& [split, prediction] : {std::pair("train", &train), std::pair("eval", &eval)}) {
    const auto add = [&, part = split, trials = prediction->trials, all = prediction->rate_view()](
                         const std::string& suffix, std::size_t bin, std::size_t bins, std::size_t neuron,
                         std::size_t neurons) {
      values.push_back(part_of(all.bin_range(bin, bins).column_range(neuron, neurons)));
      OutputDataset dataset{
          name + "/" + part + "_rates_" + suffix, {trials, bins, neurons}, std::span<const float>(values.back())};
      dataset.attributes["unit"] = std::string("counts per bin");
      datasets.push_back(std::move(dataset));
    };
    const std::size_t T = fit.shown_bins, N = fit.shown_neurons;
    add("heldin", 0, T, 0, N);
    add("heldout", 0, T, N, fit.neurons - N);
    if (!fit.forward()) continue;
    add("heldin_forward", T, fit.bins - T, 0, N);
    add("heldout_forward", T, fit.bins - T, N, fit.neurons - N);
  }
  write_hdf5(path, datasets, {}, {.gzip = 4});
}

}  // namespace tool
