#include "dataset.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "dataset_extras.hpp"
#include "dataset_files.hpp"
#include "refused.hpp"

namespace tool {

namespace {

namespace data = ndt::data;

template <class T>
const char* wrong_count(T value) {
  if constexpr (std::is_floating_point_v<T>) {
    if (!std::isfinite(value)) return "a count that is not finite";
    if (value > 0 && value != std::trunc(value)) return "a rate where a count belongs";
  }
  return value < T(0) ? "a negative count" : "a count that is too large";
}

/// [trials, bins, neurons]
struct Counts {
  const Found* from = nullptr;
  std::vector<std::uint16_t> values;
};

Counts read_counts(const Found& found) {
  Counts counts{&found, {}};
  const NumberArray array = found.as_listed(read_dataset(found.path, found.info.name));
  std::visit(
      [&](const auto& values) {
        counts.values.reserve(values.size());
        for (const auto value : values) {
          const auto count = exactly<std::uint16_t>(value);
          if (!count) {
            throw Refused(
                wrong_count(value),
                found.where() + " has " + text(value) + " at " + place_text(array.shape, counts.values.size()),
                "counts are whole numbers from 0 to 65535");
          }
          counts.values.push_back(*count);
        }
      },
      array.values);
  return counts;
}

/// Writes `part` into the trials of `split`, from bin and neuron on, where there must be room for it.
void place_counts(data::Split& split, const data::Dataset& all, const Counts& part, std::size_t bin,
                  std::size_t neuron) {
  const Shape& shape = part.from->shape();
  if (shape[0] != split.trials || shape[1] > all.bins - bin || shape[2] > all.neurons - neuron) {
    part.from->refuse("shape " + text(shape) + " where there is room for " +
                          text(Shape{split.trials, all.bins - bin, all.neurons - neuron}),
                      "the trials, bins and neurons of the others");
  }
  for (std::size_t row = 0; row < shape[0] * shape[1]; ++row) {
    const std::size_t to = (row / shape[1] * all.bins + bin + row % shape[1]) * all.neurons + neuron;
    std::copy_n(part.values.begin() + static_cast<std::ptrdiff_t>(row * shape[2]), shape[2],
                split.counts.begin() + static_cast<std::ptrdiff_t>(to));
  }
}

/// A count takes up less than what it is read as, but hidden neurons and bins, of which nothing is read, take room too.
void make_room(data::Split& split, const data::Dataset& all, std::size_t trials, const DatasetFiles& files) {
  files.require_room("trials with what is hidden in them,", {trials, all.bins, all.neurons}, sizeof(std::uint16_t));
  split.trials = trials;
  split.counts.assign(trials * all.bins * all.neurons, 0);
}

// The three layouts.

/// What a layout may have for a split: the four parts of the matrix of a trial, or all of it in one.
struct Parts {
  const Found* heldin = nullptr;
  const Found* heldout = nullptr;
  const Found* heldin_forward = nullptr;
  const Found* heldout_forward = nullptr;
};

void require_counts(std::initializer_list<const Found*> parts) {
  for (const Found* part : parts) {
    if (part == nullptr) continue;
    part->require_rank(3, "counts are [trials, bins, neurons]");
    part->require_believable();
  }
}

void require_counts(const Parts& parts) {
  require_counts({parts.heldin, parts.heldout, parts.heldin_forward, parts.heldout_forward});
}

/// All parts of a split against each other, and against those of the other split.
void require_fit(const Parts& parts, const Parts& other) {
  const auto both = [](const Found* a, std::size_t axis, const Found* b, const char* what) {
    if (a != nullptr && b != nullptr) a->require_equal(axis, *b, axis, what);
  };
  const auto& [heldin, heldout, heldin_forward, heldout_forward] = parts;
  both(heldout, 0, heldin, "trials");
  both(heldout, 1, heldin, "bins");
  both(heldin_forward, 0, heldin, "trials");
  both(heldin_forward, 2, heldin, "neurons");
  both(heldout_forward, 0, heldin, "trials");
  both(heldout_forward, 1, heldin_forward, "bins");
  both(heldout_forward, 2, heldout, "neurons");
  both(heldin, 1, other.heldin, "bins");
  both(heldin, 2, other.heldin, "neurons");
  both(heldout, 2, other.heldout, "neurons");
  both(heldin_forward, 1, other.heldin_forward, "bins");
  both(heldout_forward, 1, other.heldin_forward, "bins");
  both(heldout_forward, 1, other.heldout_forward, "bins");
  both(heldout_forward, 2, other.heldout, "neurons");
  both(heldout_forward, 2, other.heldout_forward, "neurons");
}

void fill(data::Split& split, const data::Dataset& all, const Parts& parts, const DatasetFiles& files) {
  if (parts.heldin == nullptr) return;
  const bool half = all.forward_bins > 0 && all.heldout_neurons > 0 &&
                    (parts.heldin_forward == nullptr) != (parts.heldout_forward == nullptr);
  if (half) {
    const Found& there = parts.heldin_forward != nullptr ? *parts.heldin_forward : *parts.heldout_forward;
    there.refuse("forward bins of held-in or held-out neurons alone", files.those_there());
  }
  make_room(split, all, parts.heldin->shape()[0], files);
  const auto add = [&](const Found* part, std::size_t bin, std::size_t neuron) {
    if (part != nullptr) place_counts(split, all, read_counts(*part), bin, neuron);
  };
  const std::size_t T = all.observed_bins(), N = all.heldin_neurons();
  add(parts.heldin, 0, 0);
  add(parts.heldout, 0, N);
  add(parts.heldin_forward, T, 0);
  add(parts.heldout_forward, T, N);
  split.heldout_hidden = all.heldout_neurons > 0 && parts.heldout == nullptr;
  split.forward_hidden = all.forward_bins > 0 && parts.heldin_forward == nullptr;
}

data::Dataset read_nlb(const DatasetFiles& files, const std::string& spelling, const DatasetOptions& options) {
  const auto parts_of = [&](const std::string& split) {
    const std::string base = split + "_" + spelling + "_";
    return Parts{files.find(base + "heldin"), files.find(base + "heldout"), files.find(base + "heldin_forward"),
                 files.find(base + "heldout_forward")};
  };
  const Parts train = parts_of("train"), valid = parts_of("eval");
  if (options.need_train) files.need("train_" + spelling + "_heldin");
  files.need("eval_" + spelling + "_heldin");
  require_counts(train);
  require_counts(valid);
  require_fit(train, valid);
  require_fit(valid, train);
  data::Dataset all;
  const auto size = [](std::initializer_list<const Found*> parts, std::size_t axis) {
    for (const Found* part : parts) {
      if (part != nullptr) return part->shape()[axis];
    }
    return std::size_t{0};
  };
  all.heldout_neurons = size({train.heldout, valid.heldout, train.heldout_forward, valid.heldout_forward}, 2);
  all.forward_bins =
      size({train.heldin_forward, valid.heldin_forward, train.heldout_forward, valid.heldout_forward}, 1);
  all.bins = valid.heldin->shape()[1] + all.forward_bins;
  all.neurons = valid.heldin->shape()[2] + all.heldout_neurons;
  fill(all.train, all, train, files);
  fill(all.valid, all, valid, files);
  return all;
}

/// What the encoder sees must be what stands in its corner of the whole: a split holds every count once.
void require_corner(const data::Split& split, const data::Dataset& all, const Counts& corner, const Found& whole) {
  const Shape& shape = corner.from->shape();
  for (std::size_t i = 0; i < corner.values.size(); ++i) {
    const std::size_t row = i / shape[2], trial = row / shape[1], bin = row % shape[1], neuron = i % shape[2];
    const std::uint16_t there = split.counts[(trial * all.bins + bin) * all.neurons + neuron];
    if (there == corner.values[i]) continue;
    corner.from->refuse("a count of " + std::to_string(corner.values[i]) + " at " + place_text(shape, i),
                        "the " + std::to_string(there) + " of " + whole.where());
  }
}

data::Dataset read_lfads_torch(const DatasetFiles& files, const DatasetOptions& options) {
  const Found& valid = files.need("valid_encod_data");
  if (options.need_train) files.need("train_encod_data");
  const Found *train = files.find("train_encod_data"), *train_all = files.find("train_recon_data"),
              *valid_all = files.find("valid_recon_data");
  require_counts({train, train_all, &valid, valid_all});
  if (train != nullptr) {
    train->require_equal(1, valid, 1, "bins");
    train->require_equal(2, valid, 2, "neurons");
  }
  if (train_all != nullptr && valid_all != nullptr) {
    train_all->require_equal(1, *valid_all, 1, "bins");
    train_all->require_equal(2, *valid_all, 2, "neurons");
  }
  data::Dataset all;
  const Found& whole = train_all != nullptr ? *train_all : valid_all != nullptr ? *valid_all : valid;
  if (whole.shape()[1] < valid.shape()[1] || whole.shape()[2] < valid.shape()[2]) {
    whole.refuse("shape " + text(whole.shape()) + " is smaller than shape " + text(valid.shape()) + " of " +
                     one_line(valid.info.name),
                 "recon_data has the bins and neurons of encod_data and more");
  }
  all.bins = whole.shape()[1], all.forward_bins = all.bins - valid.shape()[1];
  all.neurons = whole.shape()[2], all.heldout_neurons = all.neurons - valid.shape()[2];
  const auto fill_split = [&](data::Split& split, const Found* seen, const Found* full) {
    if (seen == nullptr) return;
    if (full != nullptr) full->require_equal(0, *seen, 0, "trials");
    make_room(split, all, seen->shape()[0], files);
    place_counts(split, all, read_counts(full != nullptr ? *full : *seen), 0, 0);
    if (full != nullptr) require_corner(split, all, read_counts(*seen), *full);
    split.heldout_hidden = full == nullptr && all.heldout_neurons > 0;
    split.forward_hidden = full == nullptr && all.forward_bins > 0;
  };
  fill_split(all.train, train, train_all);
  fill_split(all.valid, &valid, valid_all);
  return all;
}

data::Dataset read_lfads(const DatasetFiles& files, const DatasetOptions& options) {
  const Found& valid = files.need("valid_data");
  const Parts train_parts{options.need_train ? &files.need("train_data") : files.find("train_data")};
  const Parts valid_parts{&valid};
  require_counts(train_parts);
  require_counts(valid_parts);
  require_fit(valid_parts, train_parts);
  data::Dataset all;
  all.bins = valid.shape()[1], all.neurons = valid.shape()[2];
  fill(all.train, all, train_parts, files);
  fill(all.valid, all, valid_parts, files);
  return all;
}

data::Dataset read_layout(const DatasetFiles& files, const DatasetOptions& options) {
  for (const char* spelling : {"spikes", "data"}) {
    const std::string base = std::string("_") + spelling + "_heldin";
    if (files.find_any({"train" + base, "eval" + base})) return read_nlb(files, spelling, options);
  }
  if (files.find_any({"train_encod_data", "valid_encod_data"})) return read_lfads_torch(files, options);
  if (files.find_any({"train_data", "valid_data"})) return read_lfads(files, options);
  throw Refused("none of the datasets train_data, train_spikes_heldin and train_encod_data", files.path().string(),
                files.those_there());
}

}  // namespace

data::Dataset load_dataset(const std::filesystem::path& path, const DatasetOptions& options) {
  const DatasetFiles files(path, options);
  data::Dataset all = read_layout(files, options);
  const auto require_enough = [&](const char* split, std::size_t trials, std::size_t least) {
    if (trials >= least) return;
    throw Refused(std::to_string(trials) + " trials to " + split, path.string(),
                  "at least " + std::to_string(least) + " are needed");
  };
  if (options.need_train) require_enough("train on", all.train.trials, options.least_train);
  require_enough("validate on", all.valid.trials, options.least_valid);

  read_extras(files, options, all);
  files.require_target_used();
  return all;
}

}  // namespace tool
