// R2, ridge regression and its cross-validation against scikit-learn, whose values the golden files hold.
#include <limits>
#include <vector>

#include <ndt/metrics/decoding.hpp>
#include "../support/catch.hpp"
#include "../support/metric_cases.hpp"

namespace {

using namespace ndt::metrics;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("R2 is that of scikit-learn, constant columns included", "[metrics][r2]") {
  for (const support::MetricCase& c : support::metric_cases("r2")) {
    INFO(c.name);
    const auto truth = c.trials("truth"), predicted = c.trials("predicted");
    CHECK(support::relative_error_of_all(r2_of_columns(truth, predicted), c.values("columns")) < 1e-12);
    CHECK(support::relative_error(r2(truth, predicted), c.number("r2")) < 1e-12);
  }
}

TEST_CASE("R2 of parts of an array is that of a copy of the part", "[metrics][r2]") {
  const support::MetricCase c("r2");
  const auto truth = c.trials("truth"), predicted = c.trials("predicted");
  std::vector<double> t, p;
  for (std::size_t row = 3; row < 14; ++row) {
    t.insert(t.end(), truth[row] + 1, truth[row] + 4);
    p.insert(p.end(), predicted[row] + 1, predicted[row] + 4);
  }
  CHECK(r2(truth.bin_range(3, 11).column_range(1, 3), predicted.bin_range(3, 11).column_range(1, 3)) ==
        r2(Trials<double>(t.data(), 11, 3), Trials<double>(p.data(), 11, 3)));
}

TEST_CASE("R2 of a constant that no double holds exactly is still 0 or 1", "[metrics][r2]") {
  const std::vector<double> truth(7, 0.1), other(7, 0.2);
  const Trials<double> t(truth.data(), 7, 1), o(other.data(), 7, 1);
  CHECK(r2(t, t) == 1);
  CHECK(r2(t, o) == 0);
}

TEST_CASE("R2 needs two rows and finite numbers", "[metrics][r2]") {
  const std::vector<double> x = {1, 2, nan, 4};
  const Trials<double> good(x.data(), 2, 1), bad(x.data() + 1, 2, 1);
  CHECK(std::isnan(r2(Trials<double>(x.data(), 1, 2), Trials<double>(x.data(), 1, 2))));
  CHECK_THROWS_AS(r2(good, bad), std::invalid_argument);
  CHECK_THROWS_AS(r2(bad, good), std::invalid_argument);
  CHECK_THROWS_AS(r2(good, Trials<double>(x.data(), 1, 2)), std::invalid_argument);
}

TEST_CASE("ridge regression is that of scikit-learn", "[metrics][ridge]") {
  for (const support::MetricCase& c : support::metric_cases("ridge")) {
    INFO(c.name);
    const auto x = c.trials("x"), y = c.trials("y");
    const LinearFit fit = ridge(x, y, c.number("alpha"));
    // Where features depend on one another, rounding is magnified by the condition of the equations.
    CHECK(support::relative_error_of_all(fit.weights, c.values("weights")) < 1e-9);
    CHECK(support::relative_error_of_all(fit.intercept, c.values("intercept")) < 1e-9);
    CHECK(support::relative_error_of_all(fit.predict(x), c.values("predicted")) < 1e-10);
  }
}

TEST_CASE("sums of parts give the regression of the whole", "[metrics][ridge]") {
  const support::MetricCase c("ridge");
  const auto x = c.trials("x"), y = c.trials("y");
  for (std::size_t split = 0; split <= x.size(); ++split) {
    const RidgeSums none(x.columns, y.columns, mean_row(x, y));
    RidgeSums first = none, second = none;
    first.add(x.bin_range(0, split), y.bin_range(0, split));
    second.add(x.bin_range(split, x.size() - split), y.bin_range(split, x.size() - split));
    first += second;
    CHECK(first.rows() == x.size());
    CHECK(support::relative_error_of_all(first.solve(c.number("alpha")).weights, c.values("weights")) < 1e-12);
  }
}

TEST_CASE("a feature that never varies gets no weight, even without a penalty", "[metrics][ridge]") {
  std::vector<double> x, y;
  for (int i = 0; i < 9; ++i) {
    x.insert(x.end(), {0.1, i * 0.3, 0.1});
    y.push_back(2 + 5 * i * 0.3);
  }
  const LinearFit fit = ridge(Trials<double>(x.data(), 9, 3), Trials<double>(y.data(), 9, 1), 0);
  CHECK(fit.weights[0] == 0);
  CHECK(support::relative_error(fit.weights[1], 5) < 1e-12);
  CHECK(fit.weights[2] == 0);
  CHECK(support::relative_error(fit.intercept[0], 2) < 1e-12);
}

TEST_CASE("cross-validation chooses as scikit-learn does", "[metrics][ridge]") {
  for (const support::MetricCase& c : support::metric_cases("search")) {
    INFO(c.name);
    const auto x = c.trials("x"), y = c.trials("y");
    const auto x_rows = all_rows(x), y_rows = all_rows(y);
    const RidgeSearch search = ridge_search(Picked<double>{x_rows, x.columns}, Picked<double>{y_rows, y.columns},
                                            nlb_alphas(), equal_folds(x_rows.size()));
    CHECK(support::relative_error_of_all(nlb_alphas(), c.values("alphas")) < 1e-14);
    CHECK(support::relative_error(search.alpha, c.number("alpha")) < 1e-14);
    CHECK(support::relative_error_of_all(search.scores, c.values("scores")) < 1e-10);
    const auto predicted = search.fit.predict(x);
    CHECK(support::relative_error(r2(y, Trials<double>(predicted.data(), y.size(), y.columns)), c.number("r2")) <
          1e-10);
  }
}

TEST_CASE("behaviour R2 is that of nlb_tools, with NaN and with masks", "[metrics][decoding]") {
  for (const support::MetricCase& c : support::metric_cases("decoding")) {
    INFO(c.name);
    const auto score = [&](const auto&... masks) {
      return behavior_r2(c.trials("train_rates"), c.trials("train_behavior"), c.trials("eval_rates"),
                         c.trials("eval_behavior"), masks...);
    };
    CHECK(support::relative_error(score(c.integers("train_mask"), c.integers("eval_mask")), c.number("behavior_r2")) <
          1e-10);
    if (c.integers("train_mask").columns == 1) {
      CHECK(support::relative_error(score(), c.number("behavior_r2")) < 1e-10);
    }
  }
}

TEST_CASE("regressions that have no answer are refused", "[metrics][ridge]") {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6}, bad = {1, 2, nan, 4, 5, 6};
  const Trials<double> six(x.data(), 6, 1), three(x.data(), 3, 1), none(x.data(), 0, 1), wrong(bad.data(), 6, 1);
  CHECK_THROWS_AS(ridge(none, none, 1), std::invalid_argument);
  CHECK_THROWS_AS(ridge(six, three, 1), std::invalid_argument);
  CHECK_THROWS_AS(ridge(wrong, six, 1), std::invalid_argument);
  CHECK_THROWS_AS(ridge(six, wrong, 1), std::invalid_argument);
  CHECK_THROWS_AS(ridge(six, six, -1), std::invalid_argument);
  const auto rows = all_rows(three);
  const Picked<double> picked{rows, 1};
  CHECK_THROWS_AS(equal_folds(3), std::invalid_argument);
  CHECK_THROWS_AS(equal_folds(3, 0), std::invalid_argument);
  const auto search = [&](const std::vector<double>& alphas, const std::vector<std::size_t>& ends) {
    return ridge_search(picked, picked, alphas, ends);
  };
  CHECK_NOTHROW(search(nlb_alphas(), {1, 3}));
  CHECK_THROWS_AS(search({}, {1, 3}), std::invalid_argument);
  CHECK_THROWS_AS(search(nlb_alphas(), {3}), std::invalid_argument);
  CHECK_THROWS_AS(search(nlb_alphas(), {2, 2, 3}), std::invalid_argument);
  CHECK_THROWS_AS(search(nlb_alphas(), {1, 2}), std::invalid_argument);
  CHECK_THROWS_AS(search(nlb_alphas(), {1, 4}), std::invalid_argument);
  CHECK_THROWS_AS(behavior_r2(six, six, six, three), std::invalid_argument);
  CHECK_THROWS_AS(behavior_r2(six, six, six, Trials<double>(x.data(), 6, 0)), std::invalid_argument);
  CHECK_THROWS_AS(behavior_r2(wrong, six, six, six), std::invalid_argument);
  const std::vector<std::uint8_t> ones(6, 1);
  const Trials<std::uint8_t> mask(ones.data(), 1, 1), no_mask(ones.data(), 0, 1), two_masks(ones.data(), 1, 2),
      long_mask(ones.data(), 6, 1);
  CHECK_NOTHROW(behavior_r2(six, six, six, six, mask, mask));
  CHECK_THROWS_AS(behavior_r2(six, six, six, six, mask, no_mask), std::invalid_argument);
  CHECK_THROWS_AS(behavior_r2(six, six, six, six, mask, two_masks), std::invalid_argument);
  CHECK_THROWS_AS(behavior_r2(six, six, six, six, long_mask, long_mask), std::invalid_argument);
}

}  // namespace
