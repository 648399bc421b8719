// Learning rates against the reference's own formulas, and against what these are meant to be.
#include <cmath>

#include <ndt/train/schedule.hpp>
#include "../support/catch.hpp"
#include "../support/golden.hpp"

namespace {

using ndt::train::learning_rate;
using ndt::train::Schedule;
using ndt::train::TrainConfig;

bool close(double a, double b) { return std::abs(a - b) <= 1e-14 * std::max(1.0, std::abs(b)); }

TEST_CASE("schedules that reproduce the reference give its rates", "[train][schedule]") {
  const support::Golden golden = support::golden("train/optimizer");
  TrainConfig config;
  config.reproduce = true, config.learning_rate = golden["settings"].values[3], config.num_updates = 40;
  const std::size_t updates = golden["cosine"].extents.size[1];
  REQUIRE(updates == 60);
  const std::size_t cosine_warmups[] = {0, 1, 7}, invsqrt_warmups[] = {1, 7};
  for (std::size_t update = 0; update < updates; ++update) {
    config.schedule = Schedule::cosine;
    for (std::size_t i = 0; i < 3; ++i) {
      config.warmup = cosine_warmups[i];
      const double factor = golden["cosine"].values[i * updates + update];
      CHECK(close(learning_rate(config, update) / config.learning_rate, factor));
    }
    config.schedule = Schedule::inverse_sqrt;
    for (std::size_t i = 0; i < 2; ++i) {
      config.warmup = invsqrt_warmups[i];
      const double factor = golden["invsqrt"].values[i * updates + update];
      CHECK(close(learning_rate(config, update) / config.learning_rate, factor));
    }
    config.scheduled = false;
    CHECK(learning_rate(config, update) == config.learning_rate);
    config.scheduled = true;
  }
}

TEST_CASE("a warm-up begins above zero and reaches the initial rate", "[train][schedule]") {
  TrainConfig config;
  config.learning_rate = 2e-3, config.warmup = 10, config.num_updates = 110;
  for (const Schedule schedule : {Schedule::cosine, Schedule::inverse_sqrt}) {
    config.schedule = schedule;
    CHECK(close(learning_rate(config, 0), 2e-4));
    CHECK(close(learning_rate(config, 4), 1e-3));
    CHECK(close(learning_rate(config, 9), 2e-3));
    for (std::size_t update = 10; update < 110; ++update) {
      CHECK(learning_rate(config, update + 1) <= learning_rate(config, update));
    }
  }
  config.schedule = Schedule::cosine;
  CHECK(close(learning_rate(config, 10), 2e-3));
  CHECK(close(learning_rate(config, 60), 1e-3));
  CHECK(learning_rate(config, 110) == 0.0);
  CHECK(learning_rate(config, 160) == 0.0);
  config.schedule = Schedule::inverse_sqrt;
  CHECK(close(learning_rate(config, 39), 1e-3));  // four times the warm-up
}

TEST_CASE("a schedule without a warm-up begins at the initial rate", "[train][schedule]") {
  TrainConfig config;
  config.learning_rate = 2e-3, config.warmup = 0, config.num_updates = 100;
  for (const Schedule schedule : {Schedule::cosine, Schedule::inverse_sqrt}) {
    config.schedule = schedule;
    CHECK(learning_rate(config, 0) == 2e-3);
  }
}

TEST_CASE("a warm-up longer than the run only rises", "[train][schedule]") {
  TrainConfig config;
  config.learning_rate = 1e-3, config.warmup = 1000, config.num_updates = 100;
  CHECK(close(learning_rate(config, 99), 1e-4));
  config.reproduce = true;
  CHECK(close(learning_rate(config, 99), 0.99e-4));
}

}  // namespace
