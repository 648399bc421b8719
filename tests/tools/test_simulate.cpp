// ndt simulate: the values that a seed stands for, what is in the file, and what is refused.
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../tools/io/dataset.hpp"
#include "../../tools/io/hdf5_reader.hpp"
#include "../support/catch.hpp"
#include "desk.hpp"
#include "says.hpp"

using support::check_refused, support::Desk, support::Ran, support::says;

TEST_CASE("the default data sets have the values they always had", "[tools][simulate]") {
  const Desk desk;
  struct Known {
    std::string system, hash;
  };
  const auto [system, hash] =
      GENERATE(Known{"lorenz", "28dbf929b9d0f5bdc3683f883fabcebd77bb51455fdcdd117d1ed76d6d19dad5"},
               Known{"chaotic-rnn", "21a33fbda3d9b53e06b2cd0be0e127d6c09688b8f29e2c0b01a35931835497f1"},
               Known{"reach", "8967df3d3613cc728bcd39c9aa12359d03ae502b88e0cd013327fa77096aef7d"});
  INFO(system);
  const Ran ran = desk.ndt("simulate " + system + " a.h5 --json");
  REQUIRE(ran.status == 0);
  CHECK(ran.err.empty());
  const auto json = nlohmann::json::parse(ran.out);
  CHECK(json["values_sha256"] == hash);
  CHECK(json["seed"] == 0);
  CHECK(json["train_trials"] == 4 * json["valid_trials"].get<int>());
  const Ran other = desk.ndt("simulate " + system + " b.h5 --json --seed 1");
  REQUIRE(other.status == 0);
  CHECK(nlohmann::json::parse(other.out)["values_sha256"] != hash);
}

TEST_CASE("the Lorenz file has LFADS' datasets, with integers as counts", "[tools][simulate]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate lorenz a.h5 --conditions 4 --repeats 5 --bins 6 --neurons 7").status == 0);
  std::string names;
  for (const auto& dataset : tool::list_datasets(desk / "a.h5")) {
    names += dataset.name + " " + dataset.type + " " + tool::text(dataset.shape) + "\n";
  }
  CHECK(names ==
        "condition_labels_train int32 [16]\ncondition_labels_valid int32 [4]\nconversion_factor float64 []\n"
        "dt float64 []\ntrain_data uint8 [16, 6, 7]\ntrain_inds int64 [16]\ntrain_truth float32 [16, 6, 7]\n"
        "valid_data uint8 [4, 6, 7]\nvalid_inds int64 [4]\nvalid_truth float32 [4, 6, 7]\n");
}

TEST_CASE("a chaotic network's truth is from 0 to 1", "[tools][simulate]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate chaotic-rnn a.h5 --conditions 2 --repeats 5").status == 0);
  float highest = 0;
  for (const float rate : tool::read_float(desk / "a.h5", "train_truth").values) highest = std::max(highest, rate);
  CHECK(highest == 1.0f);
  CHECK(std::abs(tool::read_double(desk / "a.h5", "conversion_factor").values[0] - 1 / 0.3) < 1e-12);
  const auto truth = tool::load_dataset(desk / "a.h5").train.truth;
  CHECK(std::abs(*std::max_element(truth.begin(), truth.end()) - 0.3f) < 1e-6f);
}

TEST_CASE("the reach file has both layouts, of the same counts", "[tools][simulate]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate reach a.h5 --repeats 10 --neurons 12 --heldout-neurons 4").status == 0);
  const auto all = tool::load_dataset(desk / "a.h5");
  CHECK(all.train.trials == 64);
  CHECK(all.valid.trials == 16);
  CHECK(all.forward_bins == 10);
  CHECK(all.observed_bins() == 35);
  CHECK(all.heldout_neurons == 4);
  CHECK(all.behavior_dims == 2);
  CHECK(all.conditions == 8);
  CHECK(all.psth.size() == 8u * 35 * 12);
  CHECK(all.train.truth.size() == 64u * 35 * 12);
  CHECK(!all.valid.heldout_hidden);
  CHECK(!all.valid.forward_hidden);
  const auto plain = tool::read_integers(desk / "a.h5", "valid_data");
  REQUIRE(plain.shape == tool::Shape{16, 35, 12});
  bool same = true;
  for (std::size_t i = 0; i < plain.values.size(); ++i) {
    same = same && plain.values[i] == all.valid.counts[i / (35 * 12) * 45 * 12 + i % (35 * 12)];
  }
  CHECK(same);
  CHECK(tool::read_float(desk / "a.h5", "eval_behavior").values == all.valid.behavior);
  CHECK(tool::read_integers(desk / "a.h5", "condition_labels_valid").values ==
        std::vector<std::int64_t>(all.valid.condition.begin(), all.valid.condition.end()));
}

TEST_CASE("options and files that cannot be are refused in one line, and leave no file", "[tools][simulate]") {
  const Desk desk;
  for (const char* arguments :
       {"", "lorenz", "pendulum a.h5", "lorenz a.h5 --repeats 0", "lorenz a.h5 --bins -3", "lorenz a.h5 --seed -1",
        "lorenz a.h5 --mean-rate nan", "lorenz a.h5 --mean-rate 10000 --bin-width 1 --weight-scale 10",
        "chaotic-rnn a.h5 --bin-width 0.1", "reach a.h5 --repeats 7", "reach a.h5 --heldout-neurons 60",
        "reach a.h5 --heldout-neurons -1", "reach a.h5 --forward-bins -1", "lorenz a.h5 --seed 18446744073709551616",
        "lorenz a.h5 --seed ''", "lorenz nowhere/a.h5"}) {
    INFO(arguments);
    check_refused(desk.ndt(std::string("simulate ") + arguments));
    CHECK(!std::filesystem::exists(desk / "a.h5"));
  }
  CHECK(says(desk.ndt("simulate reach a.h5 --repeats 7").err, "no multiple of 5", "ndt simulate reach"));
}

TEST_CASE("too little memory is an error with advice that the subcommand knows", "[tools][simulate]") {
  const Desk desk;
  const auto run = [&](const std::string& arguments) {
    support::write(desk / "little.sh", "ulimit -v 1000000; '" + std::string(NDT_TOOL) + "' " + arguments + " 2>err\n");
    const int status = std::system(("cd '" + desk.folder.path().string() + "' && sh little.sh </dev/null").c_str());
    return std::pair(WEXITSTATUS(status), support::contents(desk / "err"));
  };
  if (run("--version >out").first != 0) return;  // a sanitizer takes all addresses there are
  const auto [status, err] = run("simulate lorenz a.h5 --conditions 1 --repeats 5 --bins 1000 --neurons 800000");
  INFO(err);
  CHECK(status == 1);
  CHECK(support::is_error_line(err));
  CHECK(says(err, "not enough memory", "fewer conditions"));
  CHECK_FALSE(says(err, "--chop"));
}
