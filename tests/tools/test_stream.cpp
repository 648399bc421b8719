// ndt stream: what comes out bin by bin is what whole windows give.
#include <cmath>
#include <nlohmann/json.hpp>

#include "../../tools/io/hdf5_reader.hpp"
#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/recorded.hpp"
#include "counts_file.hpp"
#include "desk.hpp"

using support::check_refused, support::Desk, support::Ran, support::write_counts;

namespace {

const std::string tiny = std::string(NDT_SOURCE_DIR) + "/weights/tiny.safetensors";  // causal, 20 bins, 4 neurons
const std::string ahead = std::string(NDT_SOURCE_DIR) + "/tests/fixtures/tiny.pth";

nlohmann::json streamed(const Desk& desk, const std::string& arguments) {
  const Ran ran = desk.ndt("stream " + arguments + " --json");
  INFO(ran.err);
  REQUIRE(ran.status == 0);
  nlohmann::json j = nlohmann::json::parse(ran.out);
  // A null compares as less than any number.
  REQUIRE(j.at("max_abs_difference").is_number());
  return j;
}

}  // namespace

TEST_CASE("a stream of a causal model gives the rates of infer, trial by trial", "[tools][stream]") {
  const Desk desk;
  write_counts(desk / "counts.h5", {3, 20, 4});
  REQUIRE(desk.ndt("infer " + tiny + " counts.h5 whole.h5").status == 0);
  const auto whole = tool::read_float(desk / "whole.h5", "log_rates");
  for (const std::string policy : {"", "--policy delayed", "--policy immediate", "--policy windowed"}) {
    INFO(policy);
    const auto j = streamed(desk, tiny + " counts.h5 --out s.h5 --repeat 2 " + policy);
    CHECK(j["bins"] == 120);
    CHECK(j["delay_bins"] == 0);
    CHECK(j["max_abs_difference"] <= 2e-5);
    CHECK(j["p50_us"] > 0);
    CHECK(j["p50_us"] <= j["p99_us"]);
    CHECK(j["p99_us"] <= j["p999_us"]);
    CHECK(j["p999_us"] <= j["max_us"]);
    CHECK(j["first_us"] <= j["max_us"]);
    const auto log_rates = tool::read_float(desk / "s.h5", "log_rates");
    CHECK(log_rates.shape == whole.shape);
    CHECK(support::worst_error(log_rates.values, whole.values) <= 2e-5);
    const auto rates = tool::read_float(desk / "s.h5", "rates");
    CHECK(rates.shape == whole.shape);
    CHECK(std::abs(rates.values[17] - std::exp(whole.values[17])) < 1e-4);
  }
}

TEST_CASE("a delayed stream of a model that looks ahead gives every bin of the whole trial", "[tools][stream]") {
  const Desk desk;
  const Ran inspected = desk.ndt("inspect " + ahead + " --json");
  REQUIRE(inspected.status == 0);
  const auto model = nlohmann::json::parse(inspected.out);
  const auto N = model["neurons"].get<std::size_t>(), T = model["trial_length"].get<std::size_t>();
  REQUIRE(model["context_forward"] > 0);
  write_counts(desk / "counts.h5", {2, T, N});
  REQUIRE(desk.ndt("infer " + ahead + " counts.h5 whole.h5").status == 0);
  const auto j = streamed(desk, ahead + " counts.h5 --out s.h5");
  CHECK(j["delay_bins"] == model["layers"].get<std::size_t>() * model["context_forward"].get<std::size_t>());
  CHECK(j["max_abs_difference"] <= 2e-5);
  CHECK(support::worst_error(tool::read_float(desk / "s.h5", "log_rates").values,
                             tool::read_float(desk / "whole.h5", "log_rates").values) <= 2e-5);
  // At once, it cannot be the same: what lies ahead is not there yet.
  CHECK(streamed(desk, ahead + " counts.h5 --out now.h5 --policy immediate")["max_abs_difference"] <= 2e-5);
  CHECK(support::worst_error(tool::read_float(desk / "now.h5", "log_rates").values,
                             tool::read_float(desk / "whole.h5", "log_rates").values) > 1e-3);
}

TEST_CASE("recordings longer than the positions start again or slide, as asked", "[tools][stream]") {
  const Desk desk;
  write_counts(desk / "long.h5", {70, 4});
  const auto restarted = streamed(desk, tiny + " long.h5 --out s.h5 --past-end restart");
  CHECK(restarted["past_end"] == 3);
  CHECK(restarted["max_abs_difference"] <= 2e-5);
  CHECK(tool::read_float(desk / "s.h5", "rates").shape == tool::Shape{70, 4});
  for (const std::string options : {"--past-end windowed", "--policy windowed", "--policy windowed --window 7",
                                    "--policy immediate --past-end windowed"}) {
    INFO(options);
    const auto slid = streamed(desk, tiny + " long.h5 --out w.h5 " + options);
    CHECK(slid["max_abs_difference"] <= 2e-5);
    for (const float rate : tool::read_float(desk / "w.h5", "rates").values) CHECK(std::isfinite(rate));
  }
  CHECK(streamed(desk, tiny + " long.h5 --past-end windowed")["past_end"] == 50);
}

TEST_CASE("a paced stream takes the time that a rig would", "[tools][stream]") {
  const Desk desk;
  write_counts(desk / "counts.h5", {2, 20, 4});
  const auto start = std::chrono::steady_clock::now();
  const auto j = streamed(desk, tiny + " counts.h5 --pace 2");
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(78));
  CHECK(j["bins"] == 40);
}

TEST_CASE("a stream that cannot be is refused, with what would do", "[tools][stream]") {
  const Desk desk;
  write_counts(desk / "counts.h5", {2, 20, 4});
  write_counts(desk / "long.h5", {1, 21, 4});
  write_counts(desk / "other.h5", {2, 20, 5});
  for (const std::string& arguments :
       {tiny + " long.h5", tiny + " other.h5", tiny + " counts.h5 --policy windowed --window 21",
        tiny + " counts.h5 --window 5", tiny + " counts.h5 --policy fast", tiny + " counts.h5 --pace -1",
        tiny + " counts.h5 --pace nan", tiny + " counts.h5 --pace 1e-7", tiny + " counts.h5 --out ''",
        tiny + " counts.h5 --repeat 0", tiny + " counts.h5 --out s.txt", tiny + " counts.h5 --out counts.h5",
        ahead + " counts.h5 --past-end windowed"}) {
    INFO(arguments);
    check_refused(desk.ndt("stream " + arguments));
    CHECK(!std::filesystem::exists(desk / "s.txt"));
  }
}

TEST_CASE("the reference's causal model is streamed within the bound, by every policy", "[tools][stream][reference]") {
  const auto folder = support::recorded_results();
  if (!folder) return;
  const Desk desk;
  const std::string files =
      (*folder / "chewie_causal.pth").string() + " " + (*folder / "chewie_causal.h5").string() + " --out s.h5";
  const auto recorded = tool::read_float(*folder / "chewie_causal.h5", "lograte");
  for (const std::string policy : {"delayed", "immediate", "windowed"}) {
    CHECK(streamed(desk, files + " --policy " + policy)["max_abs_difference"] <= 2e-5);
    const auto log_rates = tool::read_float(desk / "s.h5", "log_rates");
    CHECK(log_rates.shape == recorded.shape);
    CHECK(support::worst_error(log_rates.values, recorded.values) <= 2e-5);
  }
  // The others look ahead without limit: delayed cannot serve them, the window can.
  for (const std::string name : {"lorenz_embed", "maze_prenorm", "chaotic_postnorm"}) {
    const std::string model = (*folder / (name + ".pth")).string() + " " + (*folder / (name + ".h5")).string();
    CHECK(streamed(desk, model + " --policy immediate")["max_abs_difference"] <= 2e-5);
  }
}
