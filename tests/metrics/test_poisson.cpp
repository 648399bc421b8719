// Likelihoods and bits per spike against nlb_tools, whose values the golden files hold.
#include <limits>
#include <vector>

#include <ndt/metrics/bits_per_spike.hpp>
#include "../support/catch.hpp"
#include "../support/metric_cases.hpp"

namespace {

using namespace ndt::metrics;
constexpr double bound = 1e-11, nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("likelihoods and bits per spike are those of nlb_tools", "[metrics][poisson]") {
  for (const support::MetricCase& c : support::metric_cases("likelihood")) {
    INFO(c.name);
    const auto rates = c.trials("rates"), counts = c.trials("counts");
    CHECK(support::relative_error(poisson_nll(rates, counts).sum, c.number("nll")) < bound);
    CHECK(support::relative_error(bits_per_spike(rates, counts), c.number("bits_per_spike")) < bound);
    CHECK(support::relative_error(poisson_loss(c.trials("log_rates"), counts).mean(), c.number("loss")) < bound);
  }
}

TEST_CASE("co-bps and fp-bps take the last neurons and the last bins", "[metrics][poisson]") {
  for (const support::MetricCase& c : support::metric_cases("cosmoothing")) {
    INFO(c.name);
    CHECK(support::relative_error(co_bps(c.trials("rates"), c.trials("heldout")), c.number("co_bps")) < bound);
    CHECK(support::relative_error(fp_bps(c.trials("rates"), c.trials("forward")), c.number("fp_bps")) < bound);
  }
}

TEST_CASE("float rates and integer counts are used as they are", "[metrics][poisson]") {
  const std::vector<float> rates = {0.25f, 0.5f, 1, 2};
  const std::vector<int> counts = {0, 1, 2, 2};
  const std::vector<double> wide(rates.begin(), rates.end()), real(counts.begin(), counts.end());
  CHECK(bits_per_spike(Trials<float>(rates.data(), 2, 2), Trials<int>(counts.data(), 2, 2)) ==
        bits_per_spike(Trials<double>(wide.data(), 2, 2), Trials<double>(real.data(), 2, 2)));
}

TEST_CASE("the loss of rates has the reference's epsilon", "[metrics][poisson]") {
  const std::vector<double> rates = {0, 0.5}, counts = {2, 1};
  const double expected = -2 * std::log(1e-8) + 0.5 - std::log(0.5 + 1e-8);
  const Total loss = poisson_loss_of_rates(Trials<double>(rates.data(), 1, 2), Trials<double>(counts.data(), 1, 2));
  CHECK(support::relative_error(loss.sum, expected) < bound);
  CHECK(loss.elements == 2);
}

TEST_CASE("nothing counted has no mean, and no spikes no bits", "[metrics][poisson]") {
  const std::vector<double> rates = {1, 2}, counts = {nan, nan};
  const Trials<double> r(rates.data(), 1, 2), c(counts.data(), 1, 2), none(rates.data(), 0, 2);
  CHECK(poisson_nll(r, c).sum == 0);
  CHECK(std::isnan(poisson_nll(r, c).mean()));
  CHECK(std::isnan(bits_per_spike(r, c)));
  CHECK(std::isnan(poisson_nll(none, none).mean()));
  CHECK(std::isnan(bits_per_spike(none, none)));
}

TEST_CASE("impossible rates and counts and other shapes are refused", "[metrics][poisson]") {
  const std::vector<double> good = {1, 2, 3, 4};
  const Trials<double> g(good.data(), 2, 2);
  for (const double bad : {-1.0, nan, std::numeric_limits<double>::infinity()}) {
    const std::vector<double> rates = {1, 1, bad, 1};
    const Trials<double> r(rates.data(), 2, 2);
    CHECK_THROWS_AS(poisson_nll(r, g), std::invalid_argument);
    CHECK_THROWS_AS(bits_per_spike(r, g), std::invalid_argument);
    if (!std::isnan(bad)) {
      CHECK_THROWS_AS(poisson_nll(g, r), std::invalid_argument);
      CHECK_THROWS_AS(bits_per_spike(g, r), std::invalid_argument);
    }
  }
  CHECK_THROWS_AS(poisson_nll(g, Trials<double>(good.data(), 4, 1)), std::invalid_argument);
  CHECK_THROWS_AS(co_bps(g, Trials<double>(good.data(), 1, 1, 3)), std::invalid_argument);
  CHECK_THROWS_AS(fp_bps(g, Trials<double>(good.data(), 1, 3, 2)), std::invalid_argument);
}

}  // namespace
