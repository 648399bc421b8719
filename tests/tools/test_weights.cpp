// The models in weights/ have the scores of their cards, and streams of them those of README.md.
#include <cmath>
#include <nlohmann/json.hpp>

#include <ndt/metrics/r2.hpp>

#include "../../tools/io/dataset.hpp"
#include "../../tools/io/hdf5_reader.hpp"
#include "../support/catch.hpp"
#include "desk.hpp"

using support::Desk, support::Ran;

TEST_CASE("trained models have the scores of weights/README.md", "[tools][weights]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate lorenz lorenz.h5").status == 0);
  REQUIRE(desk.ndt("simulate chaotic-rnn chaotic_rnn.h5").status == 0);
  REQUIRE(desk.ndt("simulate reach reach.h5").status == 0);
  struct Card {
    std::string model, data, score;
    double value;
  };
  for (const Card& card : std::vector<Card>{{"lorenz", "lorenz.h5", "r2", 0.9576},
                                            {"lorenz", "lorenz.h5", "bits_per_spike", 0.7516},
                                            {"lorenz_causal", "lorenz.h5", "r2", 0.9063},
                                            {"chaotic_rnn", "chaotic_rnn.h5", "r2", 0.7894},
                                            {"chaotic_rnn", "chaotic_rnn.h5", "bits_per_spike", 0.3721},
                                            {"chaotic_rnn_causal", "chaotic_rnn.h5", "r2", 0.7572},
                                            {"chaotic_rnn_causal", "chaotic_rnn.h5", "bits_per_spike", 0.3818},
                                            {"reach", "reach.h5", "r2", 0.8302},
                                            {"reach", "reach.h5", "co_bps", 0.1566},
                                            {"reach", "reach.h5", "fp_bps", 0.0493},
                                            {"reach", "reach.h5", "behavior_r2", 0.8874},
                                            {"reach_causal", "reach.h5", "r2", 0.7676},
                                            {"reach_causal", "reach.h5", "co_bps", 0.1478}}) {
    INFO(card.model << " " << card.score);
    const Ran ran = desk.ndt("evaluate '" + std::string(NDT_SOURCE_DIR) + "/weights/" + card.model + ".safetensors' " +
                             card.data + " --json --only " + card.score);
    REQUIRE(ran.status == 0);
    CHECK(std::abs(nlohmann::json::parse(ran.out).at(card.score).get<double>() - card.value) < 1e-3);
  }
}

TEST_CASE("policies of a stream cost the R2 that README.md says", "[tools][weights][stream]") {
  const Desk desk;
  struct Row {
    const char *model, *options;
    double r2;
  };
  const auto check = [&](const char* file, const std::vector<Row>& rows) {
    const ndt::data::Dataset data = tool::load_dataset(desk / file);
    const ndt::data::Split& valid = data.valid;
    for (const Row& row : rows) {
      INFO(row.model << " " << row.options);
      REQUIRE(desk.ndt("stream '" + std::string(NDT_SOURCE_DIR) + "/weights/" + row.model + ".safetensors' " + file +
                       " --key valid_data --out out.h5 " + row.options)
                  .status == 0);
      const std::vector<float> rates = tool::read_float(desk / "out.h5", "rates").values;
      REQUIRE(rates.size() == valid.truth.size());
      const auto view = [&](const std::vector<float>& values) {
        return ndt::metrics::Trials<float>(values.data(), valid.trials, data.bins, data.neurons);
      };
      CHECK(std::abs(ndt::metrics::r2(view(valid.truth), view(rates)) - row.r2) < 1e-3);
    }
  };
  REQUIRE(desk.ndt("simulate lorenz lorenz.h5").status == 0);
  check("lorenz.h5", {{"lorenz", "--policy immediate", 0.632},
                      {"lorenz", "--policy windowed --window 25", 0.529},
                      {"lorenz_causal", "--policy immediate", 0.906},
                      {"lorenz_causal", "--policy windowed --window 25", 0.753}});
  REQUIRE(desk.ndt("simulate chaotic-rnn chaotic_rnn.h5").status == 0);
  check("chaotic_rnn.h5",
        {{"chaotic_rnn", "--policy immediate", 0.589}, {"chaotic_rnn_causal", "--policy immediate", 0.757}});
}

TEST_CASE("models that do not look ahead are streamed as they infer", "[tools][weights][stream]") {
  const Desk desk;
  REQUIRE(desk.ndt("simulate lorenz lorenz.h5 --conditions 5 --repeats 5").status == 0);
  const Ran ran = desk.ndt("stream '" + std::string(NDT_SOURCE_DIR) +
                           "/weights/lorenz_causal.safetensors' lorenz.h5 --key valid_data --json");
  REQUIRE(ran.status == 0);
  CHECK(nlohmann::json::parse(ran.out).at("max_abs_difference").get<double>() <= 2e-5);
}
