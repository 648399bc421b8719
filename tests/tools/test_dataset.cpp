// The data layouts in use, each with what may be missing, and files that no training should start from.
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <numeric>

#include <ndt/data/lorenz.hpp>

#include "../../tools/io/dataset.hpp"
#include "../../tools/io/dataset_files.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../../tools/io/isolated.hpp"
#include "../../tools/io/simulation_file.hpp"
#include "../support/catch.hpp"
#include "files.hpp"
#include "hdf5_files.hpp"
#include "says.hpp"

using support::refusal, support::says, support::TemporaryFolder;
using tool::DatasetOptions, tool::load_dataset, tool::Shape;

namespace {

/// A file in the making: datasets of doubles or bytes by name, to be changed by each test.
struct File {
  std::map<std::string, std::pair<Shape, std::vector<std::uint8_t>>> counts;
  std::map<std::string, std::pair<Shape, std::vector<double>>> numbers;

  /// Counts first, first + 1, ... modulo 200, so that every element of a small file is told from the others.
  File& add(const std::string& name, const Shape& shape, int first = 0) {
    std::vector<std::uint8_t> values(tool::element_count(shape).value());
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<std::uint8_t>((static_cast<std::size_t>(first) + i) % 200);
    }
    counts[name] = {shape, values};
    return *this;
  }
  File& number(const std::string& name, const Shape& shape, std::vector<double> values) {
    numbers[name] = {shape, std::move(values)};
    return *this;
  }
  File& rates(const std::string& name, const Shape& shape) {
    std::vector<double> values(tool::element_count(shape).value());
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.5 * static_cast<double>(i);
    return number(name, shape, values);
  }
  std::filesystem::path write(const std::filesystem::path& path) const {
    std::vector<tool::OutputDataset> datasets;
    for (const auto& [name, dataset] : counts) datasets.push_back({name, dataset.first, std::span(dataset.second)});
    for (const auto& [name, dataset] : numbers) datasets.push_back({name, dataset.first, std::span(dataset.second)});
    tool::write_hdf5(path, datasets);
    return path;
  }
};

/// 3 + 2 trials of 4 bins of 5 neurons.
File lfads() { return File().add("train_data", {3, 4, 5}, 7).add("valid_data", {2, 4, 5}, 100); }

/// 3 + 2 trials; 4 observed and 2 forward bins; 3 held-in and 2 held-out neurons.
File nlb(const std::string& prefix = "", const std::string& spelling = "spikes") {
  File file;
  for (const auto& [split, trials] : {std::pair<std::string, std::size_t>{"train_", 3}, {"eval_", 2}}) {
    const std::string base = prefix + split + spelling + "_";
    file.add(base + "heldin", {trials, 4, 3}, 1);
    file.add(base + "heldout", {trials, 4, 2}, 51);
    file.add(base + "heldin_forward", {trials, 2, 3}, 101);
    file.add(base + "heldout_forward", {trials, 2, 2}, 151);
  }
  return file;
}

void drop(File& file, const std::string& name) {
  REQUIRE(file.counts.count(name) + file.numbers.count(name) == 1);
  file.counts.erase(name);
  file.numbers.erase(name);
}

/// The message of a file that must be refused.
std::string refused(const TemporaryFolder& folder, const File& file, const DatasetOptions& options = {}) {
  const auto path = file.write(folder / "bad.h5");
  return refusal([&] { load_dataset(path, options); });
}

}  // namespace

TEST_CASE("LFADS' layout: counts, truth in counts per bin, and what goes with them", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file = lfads();
  file.rates("train_truth", {3, 4, 5}).rates("valid_truth", {2, 4, 5}).number("conversion_factor", {}, {4.0});
  file.rates("train_behavior", {3, 4, 2}).rates("valid_behavior", {2, 4, 2});
  file.number("train_inds", {1, 3}, {1, 2, 4}).number("valid_inds", {1, 2}, {3, 5}).number("dt", {}, {0.01});
  file.number("condition_labels_train", {3}, {0, 2, 0}).number("condition_labels_valid", {2}, {1, 1});
  const auto all = load_dataset(file.write(folder / "a.h5"));
  CHECK(all.bins == 4);
  CHECK(all.neurons == 5);
  CHECK(all.forward_bins == 0);
  CHECK(all.heldout_neurons == 0);
  CHECK(all.behavior_dims == 2);
  CHECK(all.conditions == 3);
  CHECK(all.bin_width == 0.01);
  CHECK(all.train.trials == 3);
  CHECK(all.valid.trials == 2);
  CHECK(all.train.counts[0] == 7);
  CHECK(all.train.counts[59] == 66);
  CHECK(all.valid.counts[39] == 139);
  CHECK(all.train.truth[3] == 0.375f);
  CHECK(all.valid.behavior[5] == 2.5f);
  CHECK(all.train.condition == std::vector<std::int32_t>{0, 2, 0});
  CHECK(all.train.index == std::vector<std::int64_t>{1, 2, 4});
  CHECK(!all.train.heldout_hidden);
  CHECK(!all.valid.forward_hidden);
  CHECK(load_dataset(folder / "a.h5", {.truth_scale = 2.0}).train.truth[3] == 3.0f);
}

TEST_CASE("NLB's layout: held-out neurons behind the others, forward bins behind those observed", "[tools][dataset]") {
  const TemporaryFolder folder;
  const std::string spelling = GENERATE("spikes", "data");
  const auto all = load_dataset(nlb("", spelling).write(folder / "a.h5"));
  CHECK(all.bins == 6);
  CHECK(all.forward_bins == 2);
  CHECK(all.neurons == 5);
  CHECK(all.heldout_neurons == 2);
  const auto at = [&](std::size_t trial, std::size_t bin, std::size_t neuron) {
    return all.valid.counts[(trial * 6 + bin) * 5 + neuron];
  };
  CHECK(at(0, 0, 0) == 1);
  CHECK(at(1, 3, 2) == 24);
  CHECK(at(0, 0, 3) == 51);
  CHECK(at(1, 3, 4) == 66);
  CHECK(at(0, 4, 0) == 101);
  CHECK(at(1, 5, 2) == 112);
  CHECK(at(1, 5, 4) == 158);
}

TEST_CASE("what an NLB file keeps to itself is marked as hidden", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file = nlb();
  drop(file, "eval_spikes_heldout");
  auto all = load_dataset(file.write(folder / "a.h5"));
  CHECK(all.heldout_neurons == 2);
  CHECK(all.valid.heldout_hidden);
  CHECK(!all.train.heldout_hidden);
  CHECK(!all.valid.forward_hidden);
  drop(file, "eval_spikes_heldin_forward");
  CHECK(says(refused(folder, file), "forward bins of held-in or held-out neurons alone"));
  // Nothing is written where there is no room, whichever of the shapes is at fault.
  File longer = nlb();
  drop(longer, "eval_spikes_heldin_forward");
  longer.add("eval_spikes_heldout_forward", {2, 4000, 2});
  CHECK(says(refused(folder, longer), "[2, 4000, 2]", "bins"));
  longer = nlb();
  drop(longer, "train_spikes_heldin_forward");
  longer.add("train_spikes_heldout_forward", {3, 4000, 2});
  CHECK(says(refused(folder, longer), "4000", "bins"));
  drop(file, "eval_spikes_heldout_forward");
  all = load_dataset(file.write(folder / "b.h5"));
  CHECK(all.forward_bins == 2);
  CHECK(all.valid.forward_hidden);
  CHECK(!all.train.forward_hidden);
}

TEST_CASE("a target file and groups complete what the first file has", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file = nlb("set/"), target;
  for (const char* name : {"eval_spikes_heldout", "eval_spikes_heldin_forward", "eval_spikes_heldout_forward"}) {
    const std::string key = std::string("set/") + name;
    target.counts["set_20/" + std::string(name)] = file.counts.at(key);
    drop(file, key);
  }
  target.rates("set_20/train_behavior", {3, 4, 2}).rates("set_20/eval_behavior", {2, 4, 2});
  target.rates("set_20/psth", {2, 4, 5}).number("set_20/eval_cond_idx", {2, 2}, {1, -1, 0, -1});
  target.number("set_20/eval_decode_mask", {2, 2}, {0, 1, 1, 0}).number("set_20/eval_jitter", {2}, {-1, 2});
  target.write(folder / "target.h5");
  const auto all = load_dataset(file.write(folder / "a.h5"),
                                {.group = "set", .target = folder / "target.h5", .target_group = "set_20"});
  CHECK(!all.valid.heldout_hidden);
  CHECK(!all.valid.forward_hidden);
  CHECK(all.valid.counts[3] == 51);
  CHECK(all.behavior_dims == 2);
  CHECK(all.conditions == 2);
  CHECK(all.psth.size() == 40);
  CHECK(all.valid.condition == std::vector<std::int32_t>{1, 0});
  CHECK(all.decode_masks == 2);
  CHECK(all.valid.decode_mask == std::vector<std::uint8_t>{0, 1, 1, 0});
  CHECK(all.valid.jitter == std::vector<std::int32_t>{-1, 2});
  CHECK(says(refusal([&] { load_dataset(folder / "a.h5", {.group = "other"}); }), "no datasets in the group other"));
}

TEST_CASE("a target file that adds nothing is refused, with what is in it", "[tools][dataset]") {
  const TemporaryFolder folder;
  lfads().rates("train_behavior", {3, 4, 2}).write(folder / "data.h5");
  const auto with = [&](const File& target, const std::string& group = "") {
    target.write(folder / "target.h5");
    return refusal([&] { load_dataset(folder / "data.h5", {.target = folder / "target.h5", .target_group = group}); });
  };
  CHECK(says(with(File().rates("speed", {2, 4})), "adds nothing to", "data.h5", "target.h5", "there is speed"));
  CHECK(says(with(File().rates("train_behavior", {3, 4, 2})), "adds nothing to", "train_behavior"));
  const File grouped = File().rates("set/valid_behavior", {2, 4, 2});
  CHECK(says(with(grouped), "adds nothing to", "--target-group", "set/valid_behavior"));
  CHECK(with(grouped, "set").empty());
  // A group of the same file is another place.
  lfads().rates("more/valid_behavior", {2, 4, 2}).write(folder / "both.h5");
  CHECK(load_dataset(folder / "both.h5", {.target = folder / "both.h5", .target_group = "more"}).behavior_dims == 2);
  CHECK(says(refusal([&] { load_dataset(folder / "both.h5", {.target = folder / "both.h5"}); }), "adds nothing to"));
}

TEST_CASE("conditions may come as ragged rows", "[tools][dataset]") {
  const TemporaryFolder folder;
  // libhdf5 has no way to add to our writer's file the type that h5py uses, so the whole file is made by hand.
  support::make_hdf5(folder / "a.h5", [](hid_t file) {
    const std::vector<std::uint8_t> counts(5 * 2 * 3, 1);
    support::add_dataset(file, "train_data", H5T_STD_U8LE, H5T_NATIVE_UINT8, {5, 2, 3}, counts.data());
    support::add_dataset(file, "valid_data", H5T_STD_U8LE, H5T_NATIVE_UINT8, {5, 2, 3}, counts.data());
    std::vector<std::int32_t> first = {4, 0, 2}, last = {3};
    const std::vector<hvl_t> rows = {{first.size(), first.data()}, {0, nullptr}, {last.size(), last.data()}};
    const hid_t stored = H5Tvlen_create(H5T_STD_I32LE), memory = H5Tvlen_create(H5T_NATIVE_INT32);
    support::add_dataset(file, "train_cond_idx", stored, memory, {3}, rows.data());
  });
  const auto all = load_dataset(folder / "a.h5");
  CHECK(all.conditions == 3);
  CHECK(all.train.condition == std::vector<std::int32_t>{0, -1, 0, 2, 0});
  CHECK(all.valid.condition.empty());
}

TEST_CASE("lfads-torch's layout: what the encoder sees is a corner of what is reconstructed", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file;
  file.add("train_recon_data", {3, 6, 5}, 9).add("valid_recon_data", {2, 6, 5}, 30);
  file.add("train_encod_data", {3, 4, 3}).add("valid_encod_data", {2, 4, 3});
  for (const std::string split : {"train", "valid"}) {
    const auto& whole = file.counts.at(split + "_recon_data").second;
    auto& corner = file.counts.at(split + "_encod_data").second;
    for (std::size_t i = 0; i < corner.size(); ++i) corner[i] = whole[(i / 12 * 6 + i / 3 % 4) * 5 + i % 3];
  }
  auto all = load_dataset(file.write(folder / "a.h5"));
  CHECK(all.bins == 6);
  CHECK(all.forward_bins == 2);
  CHECK(all.neurons == 5);
  CHECK(all.heldout_neurons == 2);
  CHECK(all.valid.counts.back() == 89);
  CHECK(all.train.counts.front() == 9);
  File other = file;
  other.counts.at("valid_encod_data").second[16] = 1;
  CHECK(says(refused(folder, other), "a count of 1 at trial 1, bin 1, neuron 1", "valid_encod_data",
             "the 66 of dataset valid_recon_data of "));
  drop(file, "valid_recon_data");
  all = load_dataset(file.write(folder / "b.h5"));
  CHECK(all.valid.heldout_hidden);
  CHECK(all.valid.forward_hidden);
  CHECK(all.valid.counts[0] == 30);
  CHECK(all.valid.counts[5] == 35);  // bin 1
  CHECK(all.valid.counts[3] == 0);
  file.add("train_recon_data", {3, 6, 2});
  CHECK(says(refused(folder, file), "[3, 6, 2]", "[2, 4, 3]", "is smaller"));
}

TEST_CASE("evaluation alone can do without training trials", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file = lfads();
  drop(file, "train_data");
  const auto all = load_dataset(file.write(folder / "a.h5"), {.need_train = false});
  CHECK(all.train.trials == 0);
  CHECK(all.valid.trials == 2);
  CHECK(says(refused(folder, file), "no dataset train_data", "there is valid_data"));
}

TEST_CASE("missing datasets are named, with those there", "[tools][dataset]") {
  const TemporaryFolder folder;
  CHECK(says(refused(folder, File().add("spikes", {2, 3, 4}).add("trial", {2})), "none of the datasets train_data",
             "bad.h5", "there is spikes, trial"));
  File file = nlb();
  drop(file, "eval_spikes_heldin");
  CHECK(says(refused(folder, file), "no dataset eval_spikes_heldin", "there is eval_spikes_heldin_forward"));
  CHECK(says(refusal([&] { load_dataset(folder / "nothing.h5"); }), "nothing.h5"));
}

TEST_CASE("shapes that do not fit each other are refused, with both", "[tools][dataset]") {
  const TemporaryFolder folder;
  CHECK(says(refused(folder, lfads().add("valid_data", {2, 4, 6})), "[2, 4, 6]", "[3, 4, 5]", "neurons"));
  CHECK(says(refused(folder, lfads().add("valid_data", {2, 3, 5})), "[2, 3, 5]", "[3, 4, 5]", "bins"));
  CHECK(says(refused(folder, lfads().add("train_data", {12, 5})), "[12, 5]", "[trials, bins, neurons]"));
  CHECK(says(refused(folder, lfads().rates("train_truth", {3, 5, 5})), "[3, 5, 5]", "4 observed bins"));
  CHECK(says(refused(folder, lfads().rates("train_truth", {3, 4, 4})), "[3, 4, 4]", "5 neurons"));
  CHECK(says(refused(folder, lfads().rates("valid_truth", {3, 4, 5})), "[3, 4, 5]", "2 trials"));
  CHECK(says(refused(folder, lfads().rates("valid_behavior", {2, 7, 2})), "[2, 7, 2]", "4 observed bins"));
  CHECK(says(refused(folder, lfads().rates("train_behavior", {3, 4, 2}).rates("valid_behavior", {2, 4, 3})),
             "[2, 4, 3]", "2 dimensions"));
  CHECK(says(refused(folder, nlb().add("train_spikes_heldout", {2, 4, 2})), "[2, 4, 2]", "[3, 4, 3]", "trials"));
  CHECK(says(refused(folder, nlb().add("train_spikes_heldout", {3, 5, 2})), "[3, 5, 2]", "[3, 4, 3]", "bins"));
  CHECK(says(refused(folder, nlb().add("eval_spikes_heldout", {2, 4, 1})), "[2, 4, 1]", "[3, 4, 2]", "neurons"));
  CHECK(says(refused(folder, nlb().add("train_spikes_heldin_forward", {3, 2, 4})), "[3, 2, 4]", "neurons"));
  CHECK(says(refused(folder, nlb().add("eval_spikes_heldout_forward", {2, 3, 2})), "[2, 3, 2]", "bins"));
  CHECK(says(refused(folder, lfads().number("train_inds", {2}, {0, 1})), "3 trials"));
  CHECK(says(refused(folder, lfads().rates("psth", {2, 4, 6})), "[2, 4, 6]", "5 neurons"));
}

TEST_CASE("a file that changes between its list and its numbers is refused", "[tools][dataset]") {
  const TemporaryFolder folder;
  const tool::DatasetFiles files(lfads().write(folder / "a.h5"), {});
  const tool::Found& found = files.need("train_data");
  const auto read = [&] { return found.as_listed(tool::read_dataset(found.path, found.info.name)); };
  CHECK(read().shape == Shape{3, 4, 5});
  lfads().add("train_data", {3, 4, 2}).write(folder / "a.h5");
  CHECK(says(refusal(read), "shape [3, 4, 2] where the file just had [3, 4, 5]", "nobody changes meanwhile"));
}

TEST_CASE("what cannot be a count is refused by trial, bin and neuron", "[tools][dataset]") {
  const TemporaryFolder folder;
  const auto with = [&](double value) {
    File file = lfads();
    std::vector<double> values(60, 1.0);
    values[2 * 20 + 1 * 5 + 3] = value;
    drop(file, "train_data");
    return refused(folder, file.number("train_data", {3, 4, 5}, values));
  };
  CHECK(with(2.0).empty());
  CHECK(says(with(0.25), "a rate where a count belongs", "train_data", "0.25 at trial 2, bin 1, neuron 3"));
  CHECK(says(with(-1), "a negative count", "trial 2, bin 1, neuron 3"));
  CHECK(says(with(-0.5), "a negative count"));
  CHECK(says(with(std::nan("")), "not finite", "trial 2, bin 1, neuron 3"));
  CHECK(with(65535).empty());
  CHECK(says(with(65536), "too large", "trial 2, bin 1, neuron 3"));
}

TEST_CASE("truth, conditions and masks out of range are refused", "[tools][dataset]") {
  const TemporaryFolder folder;
  std::vector<double> rates(40, 1.0);
  rates[21] = -0.5;
  CHECK(says(refused(folder, lfads().number("valid_truth", {2, 4, 5}, rates)), "trial 1, bin 0, neuron 1"));
  rates[21] = INFINITY;
  CHECK(says(refused(folder, lfads().number("valid_truth", {2, 4, 5}, rates)), "trial 1, bin 0, neuron 1"));
  File truth = lfads().rates("valid_truth", {2, 4, 5});
  CHECK(says(refused(folder, File(truth).number("conversion_factor", {}, {0})), "conversion_factor"));
  CHECK(says(refused(folder, truth, {.truth_scale = -1.0}), "--truth-scale"));
  CHECK(says(refused(folder, lfads().number("train_cond_idx", {1, 2}, {0, 3})), "trial 3 of 3"));
  CHECK(says(refused(folder, lfads().number("train_cond_idx", {1, 2}, {0, 0})), "trial 0 in two conditions"));
  CHECK(says(refused(folder, lfads().number("condition_labels_train", {3}, {0, -1, 0})), "condition -1"));
  CHECK(says(refused(folder, lfads().number("train_decode_mask", {3, 1}, {0, 1, 2})), "a mask of 2"));
  CHECK(says(refused(folder, lfads().number("dt", {}, {0})), "width of a bin"));
}

TEST_CASE("infinite behaviour is refused by dataset and place, and NaN is none", "[tools][dataset]") {
  const TemporaryFolder folder;
  std::vector<double> velocity(16, 1.0);
  velocity[1 * 8 + 2 * 2 + 1] = -INFINITY;
  CHECK(says(refused(folder, lfads().number("valid_behavior", {2, 4, 2}, velocity)), "valid_behavior", ".h5",
             "-inf at trial 1, bin 2, dimension 1 (from 0)"));
  velocity[1 * 8 + 2 * 2 + 1] = NAN;
  CHECK(refused(folder, lfads().number("valid_behavior", {2, 4, 2}, velocity)).empty());
}

TEST_CASE("too few trials for a batch or a split are refused", "[tools][dataset]") {
  const TemporaryFolder folder;
  CHECK(refused(folder, lfads(), {.least_train = 3, .least_valid = 2}).empty());
  CHECK(says(refused(folder, lfads(), {.least_train = 4}), "3 trials to train on", "at least 4"));
  CHECK(says(refused(folder, lfads(), {.least_valid = 3}), "2 trials to validate on", "at least 3"));
}

TEST_CASE("what is simulated comes back from the file", "[tools][dataset]") {
  const TemporaryFolder folder;
  const auto simulation = ndt::data::simulate_lorenz({.conditions = 3, .repeats = 5, .bins = 7, .neurons = 4});
  const std::string hash = tool::write_simulation(folder / "a.h5", simulation, {});
  CHECK(hash == tool::write_simulation(folder / "b.h5", simulation, {{"note", std::string("not a value")}}));
  const auto all = load_dataset(folder / "a.h5");
  const auto same = [](const ndt::data::Split& a, const ndt::data::Split& b) {
    CHECK(a.trials == b.trials);
    CHECK(a.counts == b.counts);
    CHECK(a.condition == b.condition);
    CHECK(a.index == b.index);
    REQUIRE(a.truth.size() == b.truth.size());
    for (std::size_t i = 0; i < a.truth.size(); ++i) {
      CHECK(std::abs(a.truth[i] - b.truth[i]) <= 2e-7f * b.truth[i]);
    }
  };
  same(all.train, simulation.data.train);
  same(all.valid, simulation.data.valid);
  CHECK(all.bins == 7);
  CHECK(all.bin_width == 0.02);
  CHECK(all.conditions == 3);
}

namespace {

/// The message of a file of unwritten datasets of these shapes, for which there is no room for what they claim.
std::string refused_in_little_memory(const std::map<std::string, std::vector<hsize_t>>& claims,
                                     const DatasetOptions& options = {}) {
  const TemporaryFolder folder;
  support::make_hdf5(folder / "claims.h5", [&](hid_t file) {
    for (const auto& [name, shape] : claims) {
      support::add_dataset(file, name, H5T_STD_U8LE, 0, shape, nullptr, std::vector<hsize_t>(shape.size(), 1));
    }
  });
  tool::Isolated child({.memory = std::uint64_t{300} << 20}, [&](tool::Sender& to) {
    to.send('.', refusal([&] { load_dataset(folder / "claims.h5", options); }));
  });
  return child.read_text(static_cast<std::size_t>(child.next(4096).bytes));
}

}  // namespace

TEST_CASE("no memory is taken for trials that a file only claims", "[tools][dataset]") {
  const hsize_t many = hsize_t{1} << 40;
  for (const bool train : {true, false}) {
    const DatasetOptions options{.need_train = train};
    for (const hsize_t trials : {hsize_t{1} << 22, hsize_t{1} << 24, many}) {
      const auto message =
          refused_in_little_memory({{"train_data", {trials, 12, 6}}, {"valid_data", {2, 12, 6}}}, options);
      CHECK(says(message, "claims the shape [" + std::to_string(trials) + ", 12, 6]", "dataset train_data of",
                 "bytes are believed of this file"));
    }
    CHECK(says(refused_in_little_memory({{"train_data", {2, 12, 6}}, {"valid_data", {many, 12, 6}}}, options),
               "claims the shape", "dataset valid_data of"));
    CHECK(says(
        refused_in_little_memory(
            {{"train_encod_data", {2, 4, 3}}, {"valid_encod_data", {2, 4, 3}}, {"valid_recon_data", {2, many, many}}},
            options),
        "claims the shape", "dataset valid_recon_data of"));
  }
}

TEST_CASE("no memory is taken for what is hidden in more trials than a file can have", "[tools][dataset]") {
  const hsize_t some = hsize_t{1} << 20;
  const auto message = refused_in_little_memory({{"train_spikes_heldin", {some, 2, 2}},
                                                 {"eval_spikes_heldin", {1, 2, 2}},
                                                 {"eval_spikes_heldout", {1, 2, some}}});
  CHECK(says(message, "trials with what is hidden", "shape [1048576, 2, 1048578]", "claims.h5",
             "bytes are believed of this file"));
}

TEST_CASE("a condition's number that no memory could have PSTHs for is refused", "[tools][dataset]") {
  const TemporaryFolder folder;
  File file = lfads();
  file.number("condition_labels_train", {3}, {0, 2147483646, 0}).number("condition_labels_valid", {2}, {1, 1});
  CHECK(says(refused(folder, file, {.makes_psth = true}), "PSTHs of all conditions", "shape [2147483647, 4, 5]",
             "bad.h5", "are believed"));
  // Labels may be dates or other large numbers where no PSTH is made.
  CHECK(refused(folder, file).empty());
}
