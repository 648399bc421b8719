#include "simulation_file.hpp"

#include <algorithm>
#include <bit>
#include <deque>
#include <limits>
#include <type_traits>

#include "content_hash.hpp"

namespace tool {

namespace {

namespace data = ndt::data;

/// The datasets, and the values that they borrow.
class Contents {
 public:
  template <class T>
  void add(const std::string& name, Shape shape, std::vector<T> values) {
    if (values.empty()) return;
    auto& kept = std::get<std::deque<std::vector<T>>>(kept_).emplace_back(std::move(values));
    datasets_.push_back({name, std::move(shape), std::span<const T>(kept)});
  }
  /// As the smallest integer type that holds them.
  void add_counts(const std::string& name, Shape shape, const std::vector<std::uint16_t>& counts) {
    if (counts.empty()) return;
    if (*std::max_element(counts.begin(), counts.end()) <= 0xff) {
      add(name, std::move(shape), std::vector<std::uint8_t>(counts.begin(), counts.end()));
    } else {
      add(name, std::move(shape), std::vector<std::int32_t>(counts.begin(), counts.end()));
    }
  }

  const std::vector<OutputDataset>& sorted() {
    std::sort(datasets_.begin(), datasets_.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    return datasets_;
  }

 private:
  std::tuple<std::deque<std::vector<std::uint8_t>>, std::deque<std::vector<std::int32_t>>,
             std::deque<std::vector<std::int64_t>>, std::deque<std::vector<float>>, std::deque<std::vector<double>>>
      kept_;
  std::vector<OutputDataset> datasets_;
};

/// Half-open.
struct Range {
  std::size_t from, to;
  std::size_t size() const { return to - from; }
};

std::vector<std::uint16_t> part(const data::Split& split, const data::Dataset& all, Range bins, Range neurons) {
  std::vector<std::uint16_t> counts;
  counts.reserve(split.trials * bins.size() * neurons.size());
  for (std::size_t trial = 0; trial < split.trials; ++trial) {
    for (std::size_t bin = bins.from; bin < bins.to; ++bin) {
      const auto row = split.counts.begin() + static_cast<std::ptrdiff_t>((trial * all.bins + bin) * all.neurons);
      counts.insert(counts.end(), row + static_cast<std::ptrdiff_t>(neurons.from),
                    row + static_cast<std::ptrdiff_t>(neurons.to));
    }
  }
  return counts;
}

void add_lfads(Contents& contents, const data::Simulation& simulation, const data::Split& split,
               const std::string& name) {
  const data::Dataset& all = simulation.data;
  const std::size_t T = all.observed_bins(), N = all.neurons;
  contents.add_counts(name + "_data", {split.trials, T, N}, part(split, all, {0, T}, {0, N}));
  std::vector<float> truth = split.truth;
  for (float& rate : truth) rate = static_cast<float>(static_cast<double>(rate) * simulation.conversion_factor);
  contents.add(name + "_truth", {split.trials, T, N}, std::move(truth));
  contents.add(name + "_behavior", {split.trials, T, all.behavior_dims}, split.behavior);
  contents.add(name + "_inds", {split.trials}, split.index);
  contents.add("condition_labels_" + name, {split.trials}, split.condition);
}

/// The trials of each condition; all conditions have equally many.
std::vector<std::int64_t> condition_index(const data::Split& split, std::size_t conditions) {
  std::vector<std::int64_t> trials;
  for (std::size_t condition = 0; condition < conditions; ++condition) {
    for (std::size_t trial = 0; trial < split.trials; ++trial) {
      if (split.condition[trial] == static_cast<std::int32_t>(condition)) {
        trials.push_back(static_cast<std::int64_t>(trial));
      }
    }
  }
  return trials;
}

void add_nlb(Contents& contents, const data::Dataset& all, const data::Split& split, const std::string& name) {
  const Range observed = {0, all.observed_bins()}, forward = {all.observed_bins(), all.bins};
  const Range heldin = {0, all.heldin_neurons()}, heldout = {all.heldin_neurons(), all.neurons};
  const auto add = [&](const std::string& suffix, Range bins, Range neurons) {
    contents.add_counts(name + "_spikes_" + suffix, {split.trials, bins.size(), neurons.size()},
                        part(split, all, bins, neurons));
  };
  add("heldin", observed, heldin);
  add("heldout", observed, heldout);
  add("heldin_forward", forward, heldin);
  add("heldout_forward", forward, heldout);
  if (!all.psth.empty()) {
    contents.add(name + "_cond_idx", {all.conditions, split.trials / all.conditions},
                 condition_index(split, all.conditions));
  }
}

std::string hash(const std::vector<OutputDataset>& datasets) {
  ContentHash result;
  for (const OutputDataset& dataset : datasets) {
    result.bytes(dataset.name);
    result.number(dataset.shape.size());
    for (const std::size_t size : dataset.shape) result.number(size);
    std::visit(
        [&](const auto& values) {
          for (const auto value : values) {
            if constexpr (std::is_floating_point_v<std::remove_cvref_t<decltype(value)>>) {
              result.number(std::bit_cast<std::uint64_t>(static_cast<double>(value)));
            } else {
              result.number(static_cast<std::uint64_t>(static_cast<std::int64_t>(value)));
            }
          }
        },
        dataset.values);
  }
  return result.digits();
}

}  // namespace

std::string write_simulation(const std::filesystem::path& path, const data::Simulation& simulation,
                             const Attributes& attributes) {
  const data::Dataset& all = simulation.data;
  Contents contents;
  contents.add("conversion_factor", {}, std::vector<double>{simulation.conversion_factor});
  contents.add("dt", {}, std::vector<double>{all.bin_width});
  add_lfads(contents, simulation, all.train, "train");
  add_lfads(contents, simulation, all.valid, "valid");
  if (all.heldout_neurons > 0 || all.forward_bins > 0) {
    add_nlb(contents, all, all.train, "train");
    add_nlb(contents, all, all.valid, "eval");
    contents.add("eval_behavior", {all.valid.trials, all.observed_bins(), all.behavior_dims}, all.valid.behavior);
    contents.add("psth", {all.conditions, all.observed_bins(), all.neurons}, all.psth);
  }
  write_hdf5(path, contents.sorted(), attributes);
  return hash(contents.sorted());
}

}  // namespace tool
