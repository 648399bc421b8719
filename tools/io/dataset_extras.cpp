#include "dataset_extras.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "refused.hpp"

namespace tool {

namespace {

namespace data = ndt::data;

/// The names that a split goes by.
struct SplitNames {
  data::Split& split;
  Names prefixes;

  const Found* find(const DatasetFiles& files, const std::string& suffix) const {
    Names names;
    for (const std::string& prefix : prefixes) names.push_back(prefix + suffix);
    return files.find_any(names);
  }
};

void require_trials(const Found& found, const data::Split& split) {
  if (found.shape()[0] == split.trials) return;
  found.refuse(
      "shape " + text(found.shape()) + " does not fit the " + std::to_string(split.trials) + " trials of the counts",
      "both must have the same number of trials");
}

/// [rows, bins, width] with the observed bins or all of them, cut to the observed ones.
std::vector<float> read_per_bin(const Found& found, const data::Dataset& all) {
  const std::size_t bins = found.shape()[1], observed = all.observed_bins();
  if (bins != observed && bins != all.bins) {
    found.refuse("shape " + text(found.shape()) + " does not fit counts of " + std::to_string(observed) +
                     " observed bins and " + std::to_string(all.forward_bins) + " forward bins",
                 "both must have the same number of bins");
  }
  std::vector<float> values = found.as_listed(read_float(found.path, found.info.name)).values;
  if (bins == observed) return values;
  const std::size_t rows = found.shape()[0], width = found.shape()[2];
  for (std::size_t row = 0; row < rows; ++row) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row * bins * width), observed * width,
                values.begin() + static_cast<std::ptrdiff_t>(row * observed * width));
  }
  values.resize(rows * observed * width);
  return values;
}

double truth_scale(const DatasetFiles& files, const DatasetOptions& options) {
  if (options.truth_scale) {
    if (!(*options.truth_scale > 0 && std::isfinite(*options.truth_scale))) {
      throw Refused("a scale of " + text(*options.truth_scale), "--truth-scale",
                    "truth times a positive number is counts per bin");
    }
    return *options.truth_scale;
  }
  const Found* found = files.find("conversion_factor");
  if (found == nullptr) return 1.0;
  const std::vector<double> factor = read_double(found->path, found->info.name).values;
  if (factor.size() != 1 || !(factor[0] > 0 && std::isfinite(factor[0]))) {
    found->refuse("no positive number", "truth divided by it is counts per bin; or give --truth-scale");
  }
  return 1.0 / factor[0];
}

void read_truth(const DatasetFiles& files, const DatasetOptions& options, const data::Dataset& all,
                const SplitNames& names) {
  const Found* found = names.find(files, "_truth");
  if (found == nullptr || names.split.trials == 0) return;
  found->require_rank(3, "rates are [trials, bins, neurons]");
  require_trials(*found, names.split);
  if (found->shape()[2] != all.neurons) {
    found->refuse(
        "shape " + text(found->shape()) + " does not fit counts of " + std::to_string(all.neurons) + " neurons",
        "both must have the same number of neurons");
  }
  const double scale = truth_scale(files, options);
  names.split.truth = read_per_bin(*found, all);
  for (std::size_t i = 0; i < names.split.truth.size(); ++i) {
    float& rate = names.split.truth[i];
    if (!(rate >= 0 && std::isfinite(rate))) {
      throw Refused("a rate that is negative or not finite",
                    found->where() + " has " + text(rate) + " at " +
                        place_text({names.split.trials, all.observed_bins(), all.neurons}, i),
                    "rates are numbers from 0");
    }
    const float scaled = static_cast<float>(static_cast<double>(rate) * scale);
    if (!std::isfinite(scaled)) {
      throw Refused("a rate of " + text(rate) + " times " + text(scale) + " is not finite", found->where(),
                    "--truth-scale or a conversion_factor that makes counts per bin of the rates");
    }
    rate = scaled;
  }
}

void read_behavior(const DatasetFiles& files, data::Dataset& all, const SplitNames& names) {
  const Found* found = names.find(files, "_behavior");
  if (found == nullptr || names.split.trials == 0 || found->shape().size() == 2) return;
  found->require_rank(3, "behaviour is [trials, bins, dims]");
  require_trials(*found, names.split);
  if (all.behavior_dims != 0 && all.behavior_dims != found->shape()[2]) {
    found->refuse("shape " + text(found->shape()) + " does not fit the " + std::to_string(all.behavior_dims) +
                      " dimensions of the training trials' behaviour",
                  "both must have the same number of dimensions");
  }
  all.behavior_dims = found->shape()[2];
  names.split.behavior = read_per_bin(*found, all);
  for (std::size_t i = 0; i < names.split.behavior.size(); ++i) {
    const float value = names.split.behavior[i];
    if (!std::isinf(value)) continue;
    throw Refused("behaviour that is infinite",
                  found->where() + " has " + text(value) + " at " +
                      place_text({names.split.trials, all.observed_bins(), all.behavior_dims}, i, "dimension"),
                  "numbers, or NaN where there is no behaviour");
  }
}

void read_decode_mask(const DatasetFiles& files, data::Dataset& all, const SplitNames& names) {
  const Found* found = names.find(files, "_decode_mask");
  if (found == nullptr || names.split.trials == 0) return;
  if (found->shape().size() != 1) found->require_rank(2, "a decode mask is [trials, masks]");
  require_trials(*found, names.split);
  const std::size_t masks = found->shape().size() == 1 ? 1 : found->shape()[1];
  if (all.decode_masks != 0 && all.decode_masks != masks) {
    found->refuse("shape " + text(found->shape()) + " does not fit the " + std::to_string(all.decode_masks) +
                      " masks of the training trials",
                  "both must have the same number of masks");
  }
  all.decode_masks = masks;
  const Array<std::int64_t> mask = found->as_listed(read_integers(found->path, found->info.name));
  for (const std::int64_t value : mask.values) {
    if (value != 0 && value != 1) found->refuse("a mask of " + text(value), "masks are 0 or 1");
    names.split.decode_mask.push_back(static_cast<std::uint8_t>(value));
  }
}

/// One whole number a trial.
template <class T>
void read_per_trial(const Found* found, const data::Split& split, std::vector<T>& values) {
  if (found == nullptr || split.trials == 0) return;
  Array<std::int64_t> numbers = read_integers(found->path, found->info.name);
  if (numbers.values.size() != split.trials) {  // Matlab writes [1, trials] or [trials, 1]
    found->refuse(
        "shape " + text(found->shape()) + " does not fit the " + std::to_string(split.trials) + " trials of the counts",
        "one number for each trial is needed");
  }
  for (const std::int64_t number : numbers.values) {
    const auto same = exactly<T>(number);
    if (!same) found->refuse("the number " + text(number), "a smaller number is needed");
    values.push_back(*same);
  }
}

void read_conditions(const DatasetFiles& files, data::Dataset& all, const SplitNames& names) {
  data::Split& split = names.split;
  if (split.trials == 0) return;
  if (const Found* found = names.find(files, "_cond_idx")) {
    const Array<std::int64_t> rows = read_integers(found->path, found->info.name);
    if (rows.shape.size() != 2)
      found->refuse("an array of shape " + text(rows.shape), "condition indices are [conditions, trials]");
    split.condition.assign(split.trials, -1);
    for (std::size_t i = 0; i < rows.values.size(); ++i) {
      const std::int64_t trial = rows.values[i];
      if (trial == -1) continue;  // filling of a shorter row
      if (trial < 0 || static_cast<std::size_t>(trial) >= split.trials) {
        found->refuse("trial " + text(trial) + " of " + std::to_string(split.trials), "trials are counted from 0");
      }
      std::int32_t& condition = split.condition[static_cast<std::size_t>(trial)];
      if (condition != -1) found->refuse("trial " + text(trial) + " in two conditions", "one condition for a trial");
      condition = static_cast<std::int32_t>(i / rows.shape[1]);
    }
    all.conditions = std::max(all.conditions, rows.shape[0]);
    return;
  }
  Names labels;
  for (const std::string& prefix : names.prefixes) labels.push_back("condition_labels_" + prefix);
  const Found* found = files.find_any(labels);
  read_per_trial(found, split, split.condition);
  for (const std::int32_t condition : split.condition) {
    if (condition < 0) found->refuse("condition " + text(condition), "conditions are counted from 0");
    all.conditions = std::max(all.conditions, static_cast<std::size_t>(condition) + 1);
  }
}

void read_psth(const DatasetFiles& files, data::Dataset& all) {
  const Found* found = files.find("psth");
  if (found == nullptr) return;
  found->require_rank(3, "PSTHs are [conditions, bins, neurons]");
  if (found->shape()[2] != all.neurons || (all.conditions != 0 && found->shape()[0] != all.conditions)) {
    found->refuse("shape " + text(found->shape()) + " does not fit " + std::to_string(all.conditions) +
                      " conditions and counts of " + std::to_string(all.neurons) + " neurons",
                  "PSTHs are [conditions, bins, neurons]");
  }
  all.conditions = found->shape()[0];
  all.psth = read_per_bin(*found, all);
}

double read_bin_width(const DatasetFiles& files) {
  const Found* found = files.find("dt");
  if (found == nullptr) return 0;
  const std::vector<double> width = read_double(found->path, found->info.name).values;
  if (width.size() != 1 || !(width[0] > 0 && width[0] < 1000)) {
    found->refuse("no width of a bin", "seconds, as one positive number");
  }
  return width[0];
}

}  // namespace

void read_extras(const DatasetFiles& files, const DatasetOptions& options, data::Dataset& all) {
  all.bin_width = read_bin_width(files);
  for (const SplitNames& names : {SplitNames{all.train, {"train"}}, SplitNames{all.valid, {"valid", "eval"}}}) {
    read_truth(files, options, all, names);
    read_behavior(files, all, names);
    read_decode_mask(files, all, names);
    read_per_trial(names.find(files, "_jitter"), names.split, names.split.jitter);
    read_per_trial(names.find(files, "_inds"), names.split, names.split.index);
    read_conditions(files, all, names);
  }
  // A label claims all conditions up to its number; PSTHs of doubles are made of them.
  if (options.makes_psth)
    files.require_room("PSTHs of all conditions,", {all.conditions, all.observed_bins(), all.neurons}, sizeof(double));
  read_psth(files, all);
}

}  // namespace tool
