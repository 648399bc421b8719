// ndt fit-readout: behaviour is stored in the model, and a stream gives it with the score that the fit reported.
#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include <ndt/metrics/r2.hpp>

#include "../../tools/io/hdf5_reader.hpp"
#include "../../tools/io/hdf5_writer.hpp"
#include "../../tools/io/model_file.hpp"
#include "../../tools/io/safetensors.hpp"
#include "../support/catch.hpp"
#include "desk.hpp"
#include "says.hpp"

using support::check_refused, support::Desk, support::has, support::Ran, support::says;

namespace {

const std::string causal = std::string(NDT_SOURCE_DIR) + "/weights/reach_causal.safetensors";
const std::string ahead = std::string(NDT_SOURCE_DIR) + "/weights/reach.safetensors";

nlohmann::json answer(const Desk& desk, const std::string& arguments) {
  const Ran ran = desk.ndt(arguments + " --json");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  return nlohmann::json::parse(ran.out);
}

/// R2 of the behaviour that a stream wrote, over the bins that have one in both files.
double streamed_r2(const Desk& desk) {
  const auto truth = tool::read_float(desk / "reach.h5", "valid_behavior");
  const auto given = tool::read_float(desk / "s.h5", "behavior");
  const std::size_t dims = given.shape[2], bins = truth.shape[1];
  REQUIRE(given.shape == tool::Shape{truth.shape[0], given.shape[1], truth.shape[2]});
  std::vector<const float*> t, g;
  for (std::size_t trial = 0; trial < truth.shape[0]; ++trial) {
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const float* const expected = &truth.values[(trial * bins + bin) * dims];
      const float* const found = &given.values[(trial * given.shape[1] + bin) * dims];
      if (std::isnan(expected[0]) || std::isnan(found[0])) continue;
      t.push_back(expected), g.push_back(found);
    }
  }
  REQUIRE(t.size() > 100);
  return ndt::metrics::r2(ndt::metrics::Picked<float>{t, dims}, ndt::metrics::Picked<float>{g, dims});
}

}  // namespace

TEST_CASE("a read-out in the model file gives in a stream what its fit reported", "[tools][readout]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate reach reach.h5 --conditions 4 --repeats 10 --heldout-neurons 0 --forward-bins 0").status ==
          0);
  REQUIRE(answer(desk, "inspect " + causal)["readout"].is_null());
  for (const std::string& model : {causal, ahead}) {
    for (const std::string options :
         {"", "--features log_rates --history 6 --lag 2", "--features hidden --lag -3", "--kalman --features hidden",
          "--kalman --lag -5", "--kalman --history 2 --lag 4"}) {
      INFO(model << " " << options);
      const auto fitted = answer(desk, "fit-readout " + model + " reach.h5 with.safetensors " + options);
      CHECK(fitted["r2_valid"] > 0.5);
      CHECK(fitted["outputs"] == 2);
      CHECK(fitted["shown_neurons"] == fitted["neurons"]);
      const auto inspected = answer(desk, "inspect with.safetensors");
      CHECK(inspected["readout"]["lag"] == fitted["lag"]);
      CHECK(inspected["readout"]["history"] == fitted["history"]);
      // Converted, it is still there.
      REQUIRE(desk.ndt("convert with.safetensors again.safetensors").status == 0);
      const auto streamed = answer(desk, "stream again.safetensors reach.h5 --key valid_data --out s.h5");
      CHECK(streamed["max_abs_difference"] <= 2e-5);
      CHECK(streamed["behavior_bins"] > 0);
      CHECK(std::abs(streamed_r2(desk) - fitted["r2_valid"].get<double>()) < 1e-4);
    }
  }
}

TEST_CASE("a read-out that cannot be is refused, and nothing written", "[tools][readout]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate reach reach.h5 --conditions 4 --repeats 10").status == 0);
  REQUIRE(desk.ndt("simulate lorenz lorenz.h5 --conditions 2 --repeats 5").status == 0);
  const std::string lorenz = std::string(NDT_SOURCE_DIR) + "/weights/lorenz.safetensors";
  // value(i, spikes in its bin) for every number of behaviour.
  const auto behavior = [&](const char* name, std::size_t dims, auto value) {
    const auto counts = tool::read_float(desk / "reach.h5", "train_data");
    const std::size_t trials = counts.shape[0], bins = counts.shape[1], neurons = counts.shape[2];
    std::vector<float> values(trials * bins * dims);
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float* const row = &counts.values[i / dims * neurons];
      values[i] = value(i, std::accumulate(row, row + neurons, 0.0f));
    }
    tool::write_hdf5(desk / name, {{"train_data", counts.shape, std::span<const float>(counts.values)},
                                   {"valid_data", counts.shape, std::span<const float>(counts.values)},
                                   {"train_behavior", {trials, bins, dims}, std::span<const float>(values)},
                                   {"valid_behavior", {trials, bins, dims}, std::span<const float>(values)}});
  };
  behavior("wide.h5", 65, [](std::size_t i, float) { return static_cast<float>(i % 13); });
  behavior("still.h5", 2, [](std::size_t i, float spikes) { return i % 2 == 0 ? spikes : 7.0f; });
  behavior("huge.h5", 2, [](std::size_t, float spikes) { return std::min(spikes, 20.0f) * 1.6e37f; });
  // Varies, but not in the bins that have both: 34 is the last bin, and with a lag of 1 the first is out.
  const float none = std::numeric_limits<float>::quiet_NaN();
  behavior("apart.h5", 2, [=](std::size_t i, float s) {
    return i < 1000 ? (i % 2 == 0 ? 2.0f : none) : i % 2 ? s : 1;
  });
  behavior("late.h5", 2, [](std::size_t i, float s) { return i % 2 ? s : i / 2 % 35 == 0 ? s : 1.0f; });
  behavior("early.h5", 2, [](std::size_t i, float s) { return i % 2 ? s : i / 2 % 35 == 34 ? s : 1.0f; });
  REQUIRE(desk.ndt("fit-readout " + causal + " late.h5 fitted.safetensors").status == 0);
  REQUIRE(desk.ndt("fit-readout " + causal + " early.h5 fitted.safetensors").status == 0);
  behavior("none.h5", 2, [=](std::size_t i, float s) { return i % 2 ? s : none; });
  CHECK(has(desk.ndt("fit-readout " + causal + " none.h5 o.safetensors").err, "no bin with all of its behaviour"));
  CHECK(has(desk.ndt("fit-readout " + causal + " apart.h5 o.safetensors").err, "dimension 0 of behaviour never"));
  for (const std::string& arguments : {causal + " apart.h5 o.safetensors --kalman",
                                       causal + " late.h5 o.safetensors --lag 1",
                                       causal + " early.h5 o.safetensors --lag -1",
                                       causal + " reach.h5 o.safetensors --history 010",
                                       causal + " reach.h5 o.safetensors --lag -01",
                                       lorenz + " lorenz.h5 o.safetensors",
                                       causal + " lorenz.h5 o.safetensors",
                                       causal + " reach.h5 o.hpp",
                                       causal + " wide.h5 o.safetensors",
                                       causal + " still.h5 o.safetensors",
                                       causal + " huge.h5 o.safetensors",
                                       causal + " reach.h5 o.safetensors --target ''",
                                       causal + " reach.h5 o.safetensors --group ''",
                                       causal + " reach.h5 ''",
                                       causal + " reach.h5 reach.h5",
                                       causal + " reach.h5 o.safetensors --target-group g",
                                       causal + " reach.h5 o.safetensors --target ./o.safetensors",
                                       causal + " reach.h5 o.safetensors --lag 35",
                                       causal + " reach.h5 o.safetensors --lag -35",
                                       causal + " reach.h5 o.safetensors --history 0",
                                       causal + " reach.h5 o.safetensors --history 1025",
                                       causal + " reach.h5 o.safetensors --history 100",
                                       causal + " reach.h5 o.safetensors --features spikes"}) {
    INFO(arguments);
    check_refused(desk.ndt("fit-readout " + arguments));
    CHECK(!std::filesystem::exists(desk / "o.safetensors"));
  }
}

TEST_CASE("behaviour that was held is not counted as decoded", "[tools][readout]") {
  const Desk desk;
  tool::ModelFile model = tool::read_model(std::string(NDT_SOURCE_DIR) + "/weights/tiny.safetensors");
  REQUIRE(answer(desk,
                 "simulate reach reach.h5 --neurons 4 --heldout-neurons 0 --bins 20 --forward-bins 0 --conditions 4 "
                 "--repeats 5")
              .is_object());
  const std::string stream = "stream m.safetensors reach.h5 --key valid_data";
  tool::write_safetensors(model, desk / "m.safetensors");
  const auto good = answer(desk, stream);
  CHECK(good["behavior_bins"] == good["bins"]);
  for (float& weight : model.readout->tensors.at("readout.weight").values) weight = 3e38f;
  tool::write_safetensors(model, desk / "m.safetensors");
  const auto held = answer(desk, stream);
  CHECK(held["held"] > 60);
  CHECK(held["held"].get<int>() + held["behavior_bins"].get<int>() == held["bins"].get<int>());
}

TEST_CASE("a model file with a read-out that is not its own is refused", "[tools][readout]") {
  const tool::ModelFile good = tool::read_model(std::string(NDT_SOURCE_DIR) + "/weights/tiny.safetensors");
  REQUIRE(good.readout);
  // Written with a right hash, so that only the read-out is wrong.
  const auto refused = [&](auto change) {
    tool::ModelFile model = good;
    change(model);
    return support::refusal([&] { tool::parse_model(tool::safetensors_bytes(model), "m"); });
  };
  CHECK(refused([](auto&) {}) == "");
  CHECK(says(refused([](auto& m) { m.tensors.at("decoder.0.bias").values[0] += 1; }), "fitted for another model"));
  CHECK(says(refused([](auto& m) { m.readout->config.fingerprint ^= 1; }), "fitted for another model"));
  CHECK(says(refused([](auto& m) { m.readout->config.history = 4; }), "readout.*", "are expected"));
  CHECK(says(refused([](auto& m) { m.readout->config.history = 0; }), "zero"));
  CHECK(says(refused([](auto& m) { m.readout->config.outputs = 1u << 20u; }), "too large"));
  CHECK(says(refused([](auto& m) { m.readout->config.lag = 5000; }), "too large"));
  CHECK(says(refused([](auto& m) { m.readout->config.gains = 5; }), "too large"));
  CHECK(says(refused([](auto& m) { m.readout->config.kind = ndt::ReadoutKind::kalman; }), "zero"));
  CHECK(says(refused([](auto& m) { m.readout->tensors.erase("readout.bias"); }), "readout.*"));
  CHECK(says(refused([](auto& m) { m.readout->tensors["readout.extra"] = {{1}, {1}, {}}; }), "readout.*"));
  CHECK(says(refused([](auto& m) { m.readout->tensors["readout.extra"] = {{1}, {}, {1}}; }), "readout.*"));
  CHECK(says(refused([](auto& m) { m.readout->tensors["readout.extra"] = {{0}, {}, {}}; }), "readout.*"));
  CHECK(says(refused([](auto& m) {
               m.readout->tensors["readout.biaz"] = m.readout->tensors.at("readout.bias");
               m.readout->tensors.erase("readout.bias");
             }),
             "missing", "readout.bias"));
  CHECK(says(refused([](auto& m) { m.readout->tensors["readout.weight"].values[2] = NAN; }), "NaN"));
  CHECK(says(refused([](auto& m) {
               m.tensors["readout.weight2"] = {{1}, {1}, {}};
               m.readout.reset();
             }),
             "not the model's"));
}
