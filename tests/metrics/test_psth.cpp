// PSTHs, smoothing and the speed of dmfc_rsg against nlb_tools, whose values the golden files hold.
#include <limits>
#include <vector>

#include <ndt/metrics/psth.hpp>
#include <ndt/metrics/speed.hpp>
#include "../support/catch.hpp"
#include "../support/metric_cases.hpp"

namespace {

using namespace ndt::metrics;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

TEST_CASE("PSTH R2 is that of nlb_tools, with jitter and missing bins", "[metrics][psth]") {
  for (const support::MetricCase& c : support::metric_cases("psth_r2")) {
    INFO(c.name);
    const auto psth = c.trials("psth");
    const auto& stored = c.golden["jitter"].integers;
    const std::vector<std::ptrdiff_t> jitter(stored.begin(), stored.end());
    CHECK(support::relative_error(psth_r2(psth, c.trials("rates"), c.conditions(psth.trials), jitter),
                                  c.number("psth_r2")) < 1e-12);
  }
}

TEST_CASE("PSTHs of smoothed counts are those of nlb_tools", "[metrics][psth]") {
  for (const support::MetricCase& c : support::metric_cases("make_psth")) {
    INFO(c.name);
    const auto expected = c.trials("psth");
    PsthOptions options;
    options.kernel_sd = c.number("sd");
    options.align_end = c.name.find("_end") != std::string::npos;
    const Psth psth = make_psth(c.trials("counts"), c.conditions(expected.trials), options);
    CHECK(support::relative_error_of_all(psth.values, c.values("psth")) < 1e-12);
  }
}

TEST_CASE("a PSTH without smoothing is the mean, and NaN for a condition without trials", "[metrics][psth]") {
  const std::vector<int> counts = {0, 1, 2, 3, 4, 6, 7, 9};  // two trials, two bins, two neurons
  const Psth psth = make_psth(Trials<int>(counts.data(), 2, 2, 2), Conditions{{0, 1}, {}, {1}});
  CHECK(std::vector<double>(psth.values.begin(), psth.values.begin() + 4) == std::vector<double>{2, 3.5, 4.5, 6});
  for (std::size_t i = 4; i < 8; ++i) CHECK(std::isnan(psth.values[i]));
  CHECK(std::vector<double>(psth.values.begin() + 8, psth.values.end()) == std::vector<double>{4, 6, 7, 9});
}

TEST_CASE("the Gaussian window has sum 1 and six standard deviations", "[metrics][psth]") {
  for (const double sd : {0.2, 0.5, 1.0, 2.6, 14.0}) {
    const auto window = gaussian_window(sd);
    CHECK(window.size() == static_cast<std::size_t>(6 * sd));
    double sum = 0;
    for (const double w : window) sum += w;
    CHECK(std::abs(sum - 1) < 1e-14);
    for (std::size_t i = 0; i < window.size(); ++i) {
      CHECK(support::relative_error(window[i], window[window.size() - 1 - i]) < 1e-14);
    }
  }
  for (const double bad : {0.1, 0.0, -1.0, nan}) CHECK_THROWS_AS(gaussian_window(bad), std::invalid_argument);
}

TEST_CASE("PSTHs and rates that do not fit are refused", "[metrics][psth]") {
  const std::vector<double> x(24, 1.0);
  const Trials<double> rates(x.data(), 4, 3, 2), psth(x.data(), 2, 3, 2);
  const Conditions good = {{0, 1}, {2, 3}}, beyond = {{0, 4}, {1}};
  CHECK_NOTHROW(psth_r2(psth, rates, good));
  CHECK_THROWS_AS(psth_r2(psth, rates, beyond), std::invalid_argument);
  CHECK_THROWS_AS(make_psth(rates, beyond), std::invalid_argument);
  CHECK_THROWS_AS(psth_r2(psth, rates, Conditions{{0}}), std::invalid_argument);
  CHECK_THROWS_AS(psth_r2(Trials<double>(x.data(), 2, 2, 2), rates, good), std::invalid_argument);
  CHECK_THROWS_AS(psth_r2(psth, rates, good, std::vector<std::ptrdiff_t>{0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(psth_r2(psth, rates, good, std::vector<std::ptrdiff_t>{0, 1, 0, 0}), std::invalid_argument);
  CHECK_THROWS_AS(psth_r2(psth, rates, good, std::vector<std::ptrdiff_t>{0, 0, -1, 0}), std::invalid_argument);
}

TEST_CASE("the correlation of neural speed and produced time is that of nlb_tools", "[metrics][speed]") {
  const support::MetricCase c("speed");
  const auto rates = c.trials("rates"), heldout = c.trials("heldout"), behavior = c.trials("behavior");
  CHECK(support::relative_error(speed_tp_correlation(heldout, rates, behavior), c.number("tp_correlation")) < 1e-11);
  CHECK_THROWS_AS(speed_tp_correlation(heldout, rates, behavior.column_range(0, 3)), std::invalid_argument);
  CHECK_THROWS_AS(speed_tp_correlation(heldout.bin_range(0, 3), rates, behavior), std::invalid_argument);
  CHECK_THROWS_AS(speed_tp_correlation(heldout, rates, behavior.bin_range(0, 3)), std::invalid_argument);
}

}  // namespace
