// What ndt evaluate refuses, each with one line that says what would be right, and without a file.
#include <cmath>

#include "evaluation.hpp"
#include "says.hpp"

namespace {

using support::DataFile, support::Desk, support::says, support::some_counts, support::some_floats;
using support::tiny_bins, support::tiny_model, support::tiny_neurons;

/// Runs it, and gives the line.
std::string refused(const Desk& desk, const std::string& arguments) {
  const support::Ran ran = desk.ndt("evaluate " + arguments);
  INFO(arguments);
  support::check_refused(ran);
  CHECK_FALSE(std::filesystem::exists(desk / "out.h5"));
  return ran.err;
}

DataFile data() {
  DataFile file;
  file.counts["train_data"] = some_counts(6, tiny_bins, tiny_neurons, 1);
  file.counts["valid_data"] = some_counts(5, tiny_bins, tiny_neurons, 2);
  return file;
}

TEST_CASE("data that do not fit the model are refused with both numbers", "[tools][evaluate]") {
  const Desk desk;
  DataFile file;
  file.counts["valid_data"] = some_counts(2, tiny_bins, 7, 1);
  file.write(desk / "wide.h5");
  CHECK(says(refused(desk, tiny_model() + " wide.h5"), "7 neurons", "wide.h5", "4 neurons"));
  file.counts["valid_data"] = some_counts(2, tiny_bins + 3, tiny_neurons, 1);
  file.write(desk / "long.h5");
  CHECK(says(refused(desk, tiny_model() + " long.h5"), "23 bins", "20 positions", "long.h5"));

  DataFile nlb;
  nlb.counts["eval_spikes_heldin"] = some_counts(2, tiny_bins, 5, 1);
  nlb.counts["eval_spikes_heldout"] = some_counts(2, tiny_bins, 3, 1);
  nlb.write(desk / "nlb.h5");
  CHECK(says(refused(desk, tiny_model() + " nlb.h5"), "5 held-in", "3 held-out", "8 in all", "4 neurons"));
}

TEST_CASE("what was asked for and is not there is refused", "[tools][evaluate]") {
  const Desk desk;
  data().write(desk / "data.h5");
  const std::string call = tiny_model() + " data.h5 ";
  CHECK(says(refused(desk, call + "--truth-scale 2"), "no true rates", "valid_truth"));
  CHECK(says(refused(desk, call + "--split train --truth-scale 2"), "train_truth"));
  CHECK(says(refused(desk, call + "--only r2"), "no r2", "data.h5", "true rates"));
  CHECK(says(refused(desk, call + "--only poisson_nll,co_bps"), "no co_bps", "held-out"));
  CHECK(says(refused(desk, call + "--only fp_bps"), "forward"));
  CHECK(says(refused(desk, call + "--only behavior_r2"), "behaviour"));
  CHECK(says(refused(desk, call + "--only psth_r2"), "conditions"));
  CHECK(says(refused(desk, call + "--only speed"), "no such metric: speed", "poisson_nll", "ridge_bps"));

  DataFile conditions = data();
  conditions.integers["condition_labels_valid"] = {{5}, {0, 1, 0, 1, 0}};
  conditions.write(desk / "data.h5");
  CHECK(says(refused(desk, call + "--only psth_r2"), "--psth-sd"));
}

TEST_CASE("a regression without enough rows is left out, or refused if asked for", "[tools][evaluate]") {
  const Desk desk;
  DataFile file = data();
  file.floats["train_behavior"] = some_floats({6, tiny_bins, 2}, 3);
  file.floats["valid_behavior"] = some_floats({5, tiny_bins, 2}, 4);
  for (float& value : file.floats["train_behavior"].values) value = NAN;
  file.write(desk / "data.h5");
  auto j = support::evaluated(desk, tiny_model() + " data.h5");
  CHECK_FALSE(j.contains("behavior_r2"));
  CHECK(says(j["left_out"]["behavior_r2"].get<std::string>(), "fewer rows than folds"));
  CHECK(says(refused(desk, tiny_model() + " data.h5 --only behavior_r2"), "no behavior_r2", "fewer rows than folds"));
}

TEST_CASE("bad usage and files that are no data are refused", "[tools][evaluate]") {
  const Desk desk;
  data().write(desk / "data.h5");
  support::write(desk / "text.h5", "this is no data");
  const std::string call = tiny_model() + " data.h5 ";
  for (const std::string& bad :
       {std::string(), tiny_model(), tiny_model() + " missing.h5", tiny_model() + " text.h5",
        std::string("text.h5 data.h5"), call + "--split test", call + "--psth-sd 0", call + "--psth-sd -1",
        call + "--truth-scale x", call + "--group nothing", call + "--target-group mc_maze",
        call + "--target missing.h5", call + "--threads 0", call + "--submission ''"}) {
    refused(desk, bad);
  }
  CHECK(says(refused(desk, call + "--group ''"), "--group", "an empty name of a group"));
  CHECK(says(refused(desk, call + "--target data.h5 --target-group ''"), "--target-group", "an empty name"));
  DataFile empty;
  empty.floats["something"] = some_floats({3}, 1);
  empty.write(desk / "other.h5");
  CHECK(says(refused(desk, tiny_model() + " other.h5"), "train_data", "something"));
}

TEST_CASE("half a submission, or one of data without held-out neurons, is refused", "[tools][evaluate]") {
  const Desk desk;
  data().write(desk / "data.h5");
  DataFile nlb;
  for (const char* split : {"train", "eval"}) {
    nlb.counts[std::string(split) + "_spikes_heldin"] = some_counts(3, tiny_bins, tiny_neurons - 1, 1);
    nlb.counts[std::string(split) + "_spikes_heldout"] = some_counts(3, tiny_bins, 1, 1);
  }
  nlb.write(desk / "nlb.h5");
  const std::string call = tiny_model() + " nlb.h5 ";
  CHECK(says(refused(desk, call + "--submission out.h5"), "half of a submission", "--dataset-name"));
  CHECK(says(refused(desk, call + "--dataset-name mc_maze"), "half of a submission", "--submission"));
  CHECK(says(refused(desk, call + "--submission out.h5 --dataset-name a/b"), "--dataset-name", "mc_maze_20"));
  CHECK(says(refused(desk, call + "--submission nlb.h5 --dataset-name mc_maze"), "overwrite"));
  CHECK(says(refused(desk, call + "--submission no/such/folder/out.h5 --dataset-name mc_maze"), "no/such/folder"));
  CHECK(says(refused(desk, tiny_model() + " data.h5 --submission out.h5 --dataset-name mc_maze"), "held-out neurons"));
  nlb.counts.erase("train_spikes_heldin");
  nlb.counts.erase("train_spikes_heldout");
  nlb.write(desk / "nlb.h5");
  CHECK(says(refused(desk, call + "--submission out.h5 --dataset-name mc_maze"), "train_spikes_heldin"));
  CHECK(desk.ndt("evaluate " + call).status == 0);
}

}  // namespace
