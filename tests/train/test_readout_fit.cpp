// Read-outs from data whose answer is known, and against the textbook's form of the filter.
#include <cmath>
#include <vector>

#include <ndt/train/kalman_fit.hpp>
#include <ndt/train/ridge_fit.hpp>

#include "../support/catch.hpp"
#include "../support/noise.hpp"

namespace {

using ndt::metrics::Trials;
using ndt::train::KalmanFilter;
using ndt::train::ReadoutTrials;
using Rows = std::vector<std::vector<double>>;

/// A behaviour that wanders, and features that are a line of it at bin t + lag of behaviour and t of features, plus
/// noise.
struct Recording {
  std::size_t trials, bins, width, outputs;
  std::vector<float> features, behavior;

  Recording(std::size_t n_trials, std::size_t n_bins, std::size_t n_width, std::size_t n_outputs, std::int64_t lag,
            double spread, std::uint64_t seed)
      : trials(n_trials), bins(n_bins), width(n_width), outputs(n_outputs) {
    support::Random random(seed), mixing(99);  // the same mixing for training and validation
    std::vector<double> mix(width * outputs);
    for (double& m : mix) m = mixing.uniform<double>();
    const auto at = [&](std::int64_t bin) { return static_cast<std::size_t>(bin + 20); };
    for (std::size_t trial = 0; trial < trials; ++trial) {
      Rows path(bins + 40, std::vector<double>(outputs));
      for (std::size_t t = 1; t < path.size(); ++t) {
        for (std::size_t o = 0; o < outputs; ++o) {
          path[t][o] = 0.9 * path[t - 1][o] + 0.3 * random.uniform<double>() + (o > 0 ? 0.1 * path[t - 1][o - 1] : 0);
        }
      }
      for (std::size_t t = 0; t < bins; ++t) {
        const auto bin = static_cast<std::int64_t>(t);
        for (std::size_t o = 0; o < outputs; ++o) behavior.push_back(static_cast<float>(5 + path[at(bin)][o]));
        for (std::size_t i = 0; i < width; ++i) {
          double sum = 2 + spread * random.uniform<double>();
          for (std::size_t o = 0; o < outputs; ++o) sum += mix[i * outputs + o] * path[at(bin + lag)][o];
          features.push_back(static_cast<float>(sum));
        }
      }
    }
  }
  ReadoutTrials data() const {
    return {Trials<float>(features.data(), trials, bins, width), Trials<float>(behavior.data(), trials, bins, outputs)};
  }
};

ndt::ReadoutConfig config_of(std::size_t history, std::int64_t lag) {
  ndt::ReadoutConfig config;
  config.history = history, config.lag = lag;
  return config;
}

/// Gauss-Jordan.
Rows inverse(Rows a) {
  const std::size_t n = a.size();
  Rows b(n, std::vector<double>(n));
  for (std::size_t i = 0; i < n; ++i) b[i][i] = 1;
  for (std::size_t k = 0; k < n; ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < n; ++i) pivot = std::abs(a[i][k]) > std::abs(a[pivot][k]) ? i : pivot;
    std::swap(a[k], a[pivot]), std::swap(b[k], b[pivot]);
    const double by = a[k][k];
    for (std::size_t j = 0; j < n; ++j) a[k][j] /= by, b[k][j] /= by;
    for (std::size_t i = 0; i < n; ++i) {
      const double factor = i == k ? 0 : a[i][k];
      for (std::size_t j = 0; j < n; ++j) a[i][j] -= factor * a[k][j], b[i][j] -= factor * b[k][j];
    }
  }
  return b;
}
Rows times(const Rows& a, const Rows& b) {
  Rows c(a.size(), std::vector<double>(b[0].size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t k = 0; k < b.size(); ++k)
      for (std::size_t j = 0; j < b[0].size(); ++j) c[i][j] += a[i][k] * b[k][j];
  return c;
}
Rows turned(const Rows& a) {
  Rows t(a[0].size(), std::vector<double>(a.size()));
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) t[j][i] = a[i][j];
  return t;
}
Rows plus(Rows a, const Rows& b, double factor = 1) {
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < a[0].size(); ++j) a[i][j] += factor * b[i][j];
  return a;
}
/// Mean over rows of the outer products of two sets of rows without their means.
Rows covariance(const Rows& x, const Rows& y) {
  const auto mean = [](const Rows& rows) {
    std::vector<double> m(rows[0].size());
    for (const auto& row : rows)
      for (std::size_t i = 0; i < m.size(); ++i) m[i] += row[i] / static_cast<double>(rows.size());
    return m;
  };
  const auto mx = mean(x), my = mean(y);
  Rows c(mx.size(), std::vector<double>(my.size()));
  for (std::size_t r = 0; r < x.size(); ++r)
    for (std::size_t i = 0; i < mx.size(); ++i)
      for (std::size_t j = 0; j < my.size(); ++j)
        c[i][j] += (x[r][i] - mx[i]) * (y[r][j] - my[j]) / static_cast<double>(x.size());
  return c;
}

}  // namespace

TEST_CASE("ridge finds a line that is there, with its lag and history", "[train][readout]") {
  for (const std::int64_t lag : {0, 3, -2}) {
    // Features of bin t tell of behaviour at t + lag exactly.
    const Recording train(20, 30, 6, 2, lag, 0.01, 1), valid(8, 30, 6, 2, lag, 0.01, 2);
    const auto right = ndt::train::fit_ridge(config_of(1, lag), train.data(), valid.data());
    CHECK(right.r2_train > 0.99);
    CHECK(right.r2_valid > 0.99);
    CHECK(right.config.outputs == 2);
    CHECK(right.weight.size() == 12);
    const auto wrong = ndt::train::fit_ridge(config_of(1, lag + 5), train.data(), valid.data());
    CHECK(wrong.r2_valid < right.r2_valid - 0.1);
  }
  // With noise, more bins know more.
  const Recording train(40, 30, 6, 2, 0, 2.0, 1), valid(20, 30, 6, 2, 0, 2.0, 2);
  const double one = ndt::train::fit_ridge(config_of(1, 0), train.data(), valid.data()).r2_valid;
  const double five = ndt::train::fit_ridge(config_of(5, 0), train.data(), valid.data()).r2_valid;
  CHECK(five > one + 0.03);
}

TEST_CASE("the penalty of ridge is judged by trials that were not seen", "[train][readout]") {
  // Features tell which trial it is and nothing else, and each trial has a behaviour of its own: of another trial the
  // mean is the best guess. Whoever has seen a part of a trial knows the rest, but for what comes and goes in it.
  constexpr std::size_t trials = 4, bins = 50;
  Recording train(trials, bins, 6, 2, 0, 0.01, 1);
  const auto passing = support::noise<float>(train.behavior.size(), 5, 0.0f, 0.3f);
  for (std::size_t row = 0; row < trials * bins; ++row) {
    const auto pattern = support::noise<float>(8, 100 + row / bins);
    for (std::size_t i = 0; i < 6; ++i) train.features[row * 6 + i] = pattern[i];
    for (std::size_t i = 0; i < 2; ++i) train.behavior[row * 2 + i] = pattern[6 + i] + passing[row * 2 + i];
  }
  CHECK(ndt::train::fit_ridge(config_of(1, 0), train.data(), train.data()).penalty > 1);
}

TEST_CASE("the filter is the textbook's, with gains computed ahead", "[train][readout]") {
  for (const std::size_t outputs : std::vector<std::size_t>{1, 2, 3}) {
    const Recording recording(12, 25, 5, outputs, 0, 1.5, 3);
    const ndt::train::ReadoutRows rows(recording.data(), 1, 0);
    const double shrinkage = 0.1, inflations[] = {1, 4};
    const auto filters = ndt::train::KalmanMoments(rows, ndt::train::trials_of(rows)).filters(shrinkage, inflations);
    REQUIRE(filters.size() == 2);
    Rows x, z, before, after;
    const auto row = [](const float* from, std::size_t n) { return std::vector<double>(from, from + n); };
    for (std::size_t trial = 0; trial < 12; ++trial) {
      for (std::size_t t = 0; t < 25; ++t) {
        x.push_back(row(rows.behavior.at(trial, t), outputs));
        z.push_back(row(rows.inputs.at(trial, t), 5));
        if (t > 0) before.push_back(x[x.size() - 2]), after.push_back(x.back());
      }
    }
    const Rows a = times(covariance(after, before), inverse(covariance(before, before)));
    const Rows w = plus(covariance(after, after), times(a, covariance(before, after)), -1);
    const Rows prior = covariance(x, x), c = times(covariance(z, x), inverse(prior));
    for (std::size_t f = 0; f < 2; ++f) {
      Rows q = plus(covariance(z, z), times(c, covariance(x, z)), -1);
      double trace = 0;
      for (std::size_t i = 0; i < 5; ++i) trace += q[i][i];
      for (std::size_t i = 0; i < 5; ++i) q[i][i] += shrinkage * trace / 5;
      for (auto& line : q)
        for (double& value : line) value *= inflations[f];
      const KalmanFilter& filter = filters[f];
      CHECK(filter.of_state.size() < 200);
      std::vector<double> found(outputs);
      Rows state(outputs, {0.0}), p = prior;
      for (std::size_t t = 0; t < 25; ++t) {
        if (t > 0) state = times(a, state), p = plus(times(times(a, p), turned(a)), w);
        // K = P C^T (C P C^T + Q)^-1
        const Rows gain = times(times(p, turned(c)), inverse(plus(times(times(c, p), turned(c)), q)));
        Rows seen(5, {0.0});
        for (std::size_t i = 0; i < 5; ++i) seen[i][0] = z[t][i] - filter.input_mean[i];
        state = plus(state, times(gain, plus(seen, times(c, state), -1)));
        p = plus(p, times(times(gain, c), p), -1);
        filter.step(found, t, rows.inputs.at(0, t));
        for (std::size_t o = 0; o < outputs; ++o) {
          CHECK(std::abs(found[o] - state[o][0]) <= 1e-6 * std::max(1.0, std::abs(state[o][0])));
        }
      }
    }
  }
}

TEST_CASE("a Kalman filter beats a line through one bin where behaviour is smooth", "[train][readout]") {
  const Recording train(40, 40, 6, 2, 0, 2.0, 1), valid(20, 40, 6, 2, 0, 2.0, 2);
  const auto line = ndt::train::fit_ridge(config_of(1, 0), train.data(), valid.data());
  const auto filter = ndt::train::fit_kalman(config_of(1, 0), train.data(), valid.data());
  CHECK(filter.r2_valid > line.r2_valid + 0.03);
  CHECK(filter.config.kind == ndt::ReadoutKind::kalman);
  CHECK(filter.gain.size() == filter.config.gains * 8);
  CHECK(filter.mean.size() == 2);
}

TEST_CASE("another unit of behaviour changes the unit and nothing else", "[train][readout]") {
  const Recording train(20, 30, 6, 2, 0, 0.5, 1), valid(8, 30, 6, 2, 0, 0.5, 2);
  const auto one = ndt::train::fit_kalman(config_of(1, 0), train.data(), valid.data());
  for (const float unit : {0x1p-80f, 0x1p+60f}) {
    const auto in_unit = [unit](Recording recording) {
      for (float& value : recording.behavior) value *= unit;
      return recording;
    };
    const Recording small_train = in_unit(train), small_valid = in_unit(valid);
    const auto other = ndt::train::fit_kalman(config_of(1, 0), small_train.data(), small_valid.data());
    CHECK(std::abs(other.r2_valid - one.r2_valid) < 1e-6);
    REQUIRE(other.gain.size() == one.gain.size());
    const auto near = [](float found, float expected) { return std::abs(found / expected - 1) < 1e-4f; };
    for (std::size_t i = 0; i < one.weight.size(); ++i) CHECK(near(other.weight[i], one.weight[i]));
    for (std::size_t i = 0; i < one.gain.size(); ++i) {
      CHECK(near(other.gain[i] / (i % 4 < 2 ? 1.0f : unit), one.gain[i]));
    }
  }
}

TEST_CASE("bins without behaviour are left out of a fit", "[train][readout]") {
  Recording train(20, 30, 6, 2, 0, 0.01, 1), valid(8, 30, 6, 2, 0, 0.01, 2);
  for (std::size_t i = 0; i < train.behavior.size(); i += 7) train.behavior[i] = std::nanf("");
  for (std::size_t i = 0; i < valid.behavior.size(); i += 5) valid.behavior[i] = std::nanf("");
  CHECK(ndt::train::fit_ridge(config_of(2, 0), train.data(), valid.data()).r2_valid > 0.99);
  CHECK(ndt::train::fit_kalman(config_of(1, 0), train.data(), valid.data()).r2_valid > 0.9);
}

TEST_CASE("data that say nothing are refused", "[train][readout]") {
  const Recording train(20, 30, 6, 2, 0, 0.01, 1), valid(8, 30, 6, 2, 0, 0.01, 2);
  CHECK_THROWS_AS(ndt::train::fit_ridge(config_of(1, 30), train.data(), valid.data()), std::invalid_argument);
  CHECK_THROWS_AS(ndt::train::fit_ridge(config_of(1, -30), train.data(), valid.data()), std::invalid_argument);
  Recording silent = train;
  for (float& value : silent.behavior) value = std::nanf("");
  CHECK_THROWS_AS(ndt::train::fit_ridge(config_of(1, 0), silent.data(), valid.data()), std::invalid_argument);
  CHECK_THROWS_AS(ndt::train::fit_kalman(config_of(1, 0), silent.data(), valid.data()), std::invalid_argument);
  const Recording one(1, 30, 6, 2, 0, 0.01, 1);
  CHECK_THROWS_AS(ndt::train::fit_kalman(config_of(1, 0), one.data(), valid.data()), std::invalid_argument);
}
