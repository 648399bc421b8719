// The metrics of forecasts against NumPy and scikit-learn, whose values the golden files hold.
#include <limits>
#include <vector>

#include <ndt/metrics/forecast.hpp>
#include "../support/catch.hpp"
#include "../support/metric_cases.hpp"

namespace {

using namespace ndt::metrics;

TEST_CASE("forecast metrics are what their definitions give in NumPy", "[metrics][forecast]") {
  for (const support::MetricCase& c : support::metric_cases("forecast")) {
    INFO(c.name);
    const auto predicted = c.trials("predicted"), counts = c.trials("counts");
    CHECK(support::relative_error(aggregate_r(predicted, counts), c.number("aggregate_r")) < 1e-11);
    CHECK(support::relative_error(pop_rate_r(predicted, counts), c.number("pop_rate_r")) < 1e-11);
    CHECK(support::relative_error(spatial_r(predicted, counts), c.number("spatial_r")) < 1e-11);
    const CosineSimilarity cosine = cosine_similarity(predicted, counts);
    CHECK(support::relative_error(cosine.all_bins, c.number("cosine")) < 1e-12);
    CHECK(support::relative_error(cosine.nonempty_bins, c.number("cosine_nonempty")) < 1e-12);
    const auto heldout = static_cast<std::size_t>(c.golden["heldout"].integers[0]);
    const auto shown = all_rows(predicted.column_range(heldout, predicted.columns - heldout));
    const auto hidden = all_rows(counts.column_range(0, heldout));
    CHECK(support::relative_error(
              ridge_bps(Picked<double>{shown, predicted.columns - heldout}, Picked<double>{hidden, heldout}),
              c.number("ridge_bps")) < 1e-9);
  }
}

TEST_CASE("silence has no correlation and no angle", "[metrics][forecast]") {
  const std::vector<double> zero(12), some = {1, 2, 0, 1, 0, 3, 1, 1, 2, 0, 0, 1};
  const Trials<double> z(zero.data(), 4, 3), s(some.data(), 4, 3);
  CHECK(aggregate_r(s, z) == 0);
  CHECK(pop_rate_r(s, z) == 0);
  CHECK(spatial_r(s, z) == 0);
  CHECK(cosine_similarity(s, z).all_bins == 0);
  CHECK(cosine_similarity(s, z).nonempty_bins == 0);
  CHECK(support::relative_error(aggregate_r(s, s), 1) < 1e-15);
  CHECK(support::relative_error(cosine_similarity(s, s).all_bins, 1) < 1e-15);
  const auto rows = all_rows(s);
  CHECK(std::isnan(ridge_bps(Picked<double>{rows, 3}, Picked<double>{rows, 3})));
}

TEST_CASE("forecasts of another shape are refused", "[metrics][forecast]") {
  const std::vector<double> x(12);
  const Trials<double> a(x.data(), 4, 3), b(x.data(), 3, 4);
  CHECK_THROWS_AS(aggregate_r(a, b), std::invalid_argument);
  CHECK_THROWS_AS(pop_rate_r(a, b), std::invalid_argument);
  CHECK_THROWS_AS(spatial_r(a, b), std::invalid_argument);
  CHECK_THROWS_AS(cosine_similarity(a, b), std::invalid_argument);
  CHECK_THROWS_AS(pearson(std::vector<double>(2), std::vector<double>(3)), std::invalid_argument);
}

}  // namespace
