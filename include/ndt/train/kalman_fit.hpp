// ndt/train/kalman_fit.hpp: a read-out by a Kalman filter, as used for the velocity of a cursor (Wu et al. 2006; with
// gains computed ahead as Malik et al. 2011).
//
//   x(t) = A x(t-1) + w, w ~ N(0, W)      the behaviour, without its mean
//   z(t) = C x(t) + q,   q ~ N(0, Q)      the inputs, without theirs
//
// The filter's covariance P(t) does not depend on the data, and with S = C^T Q^-1 C
//   x(t) = (I - P(t) S) A x(t-1) + P(t) C^T Q^-1 z(t),   P(t) = V(t) (I + S V(t))^-1,   V(t) = A P(t-1) A^T + W,
// so a decoder needs C^T Q^-1, and for every bin until they settle the two matrices of the first formula.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/metrics/cholesky.hpp"
#include "ndt/metrics/ridge.hpp"
#include "ndt/train/readout_data.hpp"

namespace ndt::inline NDT_TARGET::train {

namespace detail {

/// A small matrix in double, row-major.
struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c) {}
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
};

inline Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      for (std::size_t j = 0; j < b.columns; ++j) c(i, j) += a(i, k) * b(k, j);
    }
  }
  return c;
}
inline Matrix transposed(const Matrix& a) {
  Matrix t(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) t(j, i) = a(i, j);
  }
  return t;
}

/// V (I + S V)^-1 for symmetric V and S that are not negative: with V = L L^T it is L (I + L^T S L)^-1 L^T, where what
/// is inverted is never near singular.
inline Matrix filtered_covariance(const Matrix& v, const Matrix& s) {
  const std::size_t n = v.rows;
  const metrics::Cholesky factor(v.values, n);
  Matrix l(n, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) l(i, j) = factor.lower(i, j);
  }
  Matrix inner = transposed(l) * s * l;
  for (std::size_t i = 0; i < n; ++i) inner(i, i) += 1;
  Matrix right = transposed(l);
  metrics::Cholesky(inner.values, n).solve(right.values.data(), n);
  return l * right;
}

}  // namespace detail

/// A filter in double.
struct KalmanFilter {
  detail::Matrix weight;                            ///< C^T Q^-1 (outputs, inputs)
  std::vector<double> input_mean, mean;             ///< (inputs), (outputs)
  std::vector<double> spread;                       ///< (outputs), the behaviour's standard deviation
  std::vector<detail::Matrix> of_state, of_inputs;  ///< gains (outputs, outputs) of every bin until they settle

  /// Goes on by a bin: x(outputs) is the state, without its mean; inputs(inputs).
  void step(std::vector<double>& x, std::size_t bin, const float* inputs) const {
    const std::size_t n = mean.size(), at = std::min(bin, of_state.size() - 1);
    std::vector<double> u(n), next(n);
    for (std::size_t o = 0; o < n; ++o) {
      for (std::size_t i = 0; i < weight.columns; ++i) {
        u[o] += weight(o, i) * (static_cast<double>(inputs[i]) - input_mean[i]);
      }
    }
    for (std::size_t o = 0; o < n; ++o) {
      for (std::size_t j = 0; j < n; ++j) next[o] += of_state[at](o, j) * x[j] + of_inputs[at](o, j) * u[j];
    }
    x = next;
  }
};

/// The moments of trials, from which a filter follows for any `shrinkage`.
class KalmanMoments {
 public:
  /// Of these trials. Throws std::invalid_argument for fewer than two pairs of bins with behaviour, and
  /// for NaN.
  KalmanMoments(const ReadoutRows& rows, const TrialList& trials)
      : n_(rows.behavior.columns),
        inputs_(rows.inputs.columns),
        bins_(rows.inputs.bins),
        now_(0, 0, {}),
        steps_(0, 0, {}) {
    std::vector<const float*> x, z, before, after;
    for (const std::size_t trial : trials) {
      for (std::size_t bin = 0; bin < rows.behavior.bins; ++bin) {
        const float* const row = rows.behavior.at(trial, bin);
        if (!metrics::is_complete(row, n_)) continue;
        x.push_back(row);
        z.push_back(rows.inputs.at(trial, bin));
        if (bin == 0 || !metrics::is_complete(rows.behavior.at(trial, bin - 1), n_)) continue;
        before.push_back(rows.behavior.at(trial, bin - 1));
        after.push_back(row);
      }
    }
    metrics::require(before.size() >= 2, "fewer than two pairs of neighbouring bins with behaviour");
    // Inputs first: their covariance is the lower triangle's greater part.
    now_ = sums(metrics::Picked<float>{z, inputs_}, metrics::Picked<float>{x, n_});
    steps_ = sums(metrics::Picked<float>{before, n_}, metrics::Picked<float>{after, n_});
  }

  /// A filter for each of `inflations`. shrinkage: the share of the inputs' mean noise variance that is added to every
  /// one's. inflation: what the noise's covariance is multiplied by. The model takes the noise of neighbouring bins for
  /// independent; that of a transformer's rates is not, and a filter that believed it would trust its inputs too much.
  std::vector<KalmanFilter> filters(double shrinkage, std::span<const double> inflations) const {
    using detail::Matrix;
    const double rows = static_cast<double>(now_.rows()), steps = static_cast<double>(steps_.rows());
    const auto covariance = [](const metrics::RidgeSums& sums, double count, std::size_t i, std::size_t j) {
      return sums.deviations(std::max(i, j), std::min(i, j)) / count;
    };
    Matrix prior(n_, n_);  // of behaviour, and of the filter before the first bin
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) prior(i, j) = covariance(now_, rows, inputs_ + i, inputs_ + j);
    }
    // A = cov(after, before) cov(before)^-1 and W = cov(after) - A cov(before, after).
    Matrix past(n_, n_), cross(n_, n_), noise(n_, n_);
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < n_; ++j) {
        past(i, j) = covariance(steps_, steps, i, j);
        cross(i, j) = covariance(steps_, steps, n_ + j, i);  // (before, after)
        noise(i, j) = covariance(steps_, steps, n_ + i, n_ + j);
      }
    }
    Matrix a = cross;
    metrics::Cholesky(past.values, n_).solve(a.values.data(), n_);
    a = transposed(a);
    subtract(noise, a * cross);
    // C^T = cov(x)^-1 cov(x, z) and Q = cov(z) - C cov(x, z).
    Matrix xz(n_, inputs_);
    for (std::size_t o = 0; o < n_; ++o) {
      for (std::size_t i = 0; i < inputs_; ++i) xz(o, i) = covariance(now_, rows, inputs_ + o, i);
    }
    Matrix ct = xz;
    metrics::Cholesky(prior.values, n_).solve(ct.values.data(), inputs_);
    Matrix q(inputs_, inputs_);
    double trace = 0;
    for (std::size_t i = 0; i < inputs_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) {
        q(i, j) = covariance(now_, rows, i, j);
        for (std::size_t o = 0; o < n_; ++o) q(i, j) -= ct(o, i) * xz(o, j);
      }
      trace += q(i, i);
    }
    for (std::size_t i = 0; i < inputs_; ++i) q(i, i) += shrinkage * trace / static_cast<double>(inputs_);
    Matrix weight = transposed(ct);  // becomes Q^-1 C
    metrics::Cholesky(std::move(q.values), inputs_).solve(weight.values.data(), n_);
    weight = transposed(weight);
    std::vector<KalmanFilter> all;
    for (const double inflation : inflations) {
      KalmanFilter filter{scaled(weight, 1 / inflation), {}, {}, {}, {}, {}};
      for (std::size_t i = 0; i < inputs_; ++i) filter.input_mean.push_back(now_.mean(i));
      for (std::size_t o = 0; o < n_; ++o) {
        filter.mean.push_back(now_.mean(inputs_ + o));
        filter.spread.push_back(std::sqrt(prior(o, o)));
      }
      add_gains(filter, prior, a, noise, ct * transposed(filter.weight), bins_);
      all.push_back(std::move(filter));
    }
    return all;
  }

 private:
  /// S = C^T Q^-1 C; the filter begins with the covariance `ahead`. `most`: gains, of which a trial needs one a bin.
  static void add_gains(KalmanFilter& filter, detail::Matrix ahead, const detail::Matrix& a,
                        const detail::Matrix& noise, const detail::Matrix& s, std::size_t most) {
    using detail::Matrix;
    std::optional<Matrix> last;
    while (filter.of_state.size() < std::min(most, ReadoutConfig::most_gains)) {
      const Matrix p = filtered_covariance(ahead, s);
      Matrix of_state = a;
      subtract(of_state, p * (s * a));
      filter.of_state.push_back(of_state);
      filter.of_inputs.push_back(p);
      if (last && settled(*last, p)) break;
      last = p;
      ahead = a * p * transposed(a);
      for (std::size_t i = 0; i < ahead.values.size(); ++i) ahead.values[i] += noise.values[i];
    }
  }
  static detail::Matrix scaled(detail::Matrix m, double factor) {
    for (double& value : m.values) value *= factor;
    return m;
  }
  template <class X, class Y>
  static metrics::RidgeSums sums(const X& x, const Y& y) {
    metrics::RidgeSums sums(x.columns, y.columns, metrics::mean_row(x, y));
    sums.add(x, y);
    return sums;
  }
  static void subtract(detail::Matrix& from, const detail::Matrix& what) {
    for (std::size_t i = 0; i < from.values.size(); ++i) from.values[i] -= what.values[i];
  }
  /// To what a float can tell, also after a thousand bins of such changes.
  static bool settled(const detail::Matrix& last, const detail::Matrix& p) {
    double change = 0, size = 0;
    for (std::size_t i = 0; i < p.values.size(); ++i) {
      change = std::max(change, std::abs(p.values[i] - last.values[i]));
      size = std::max(size, std::abs(p.values[i]));
    }
    return change <= 1e-11 * size;
  }

  std::size_t n_, inputs_, bins_;
  metrics::RidgeSums now_, steps_;
};

/// Fits config.kind kalman to `train`, with the shrinkage and inflation that are best for every fifth trial by a filter
/// of the others, and scores both. Throws std::invalid_argument as KalmanMoments and ReadoutRows, and for a single
/// trial.
inline FittedReadout fit_kalman(ReadoutConfig config, const ReadoutTrials& train, const ReadoutTrials& valid) {
  config.kind = ReadoutKind::kalman;
  config.outputs = train.behavior.columns;
  const ReadoutRows rows(train, config.history, config.lag), others(valid, config.history, config.lag);
  const auto score = [&](const KalmanFilter& filter, const ReadoutRows& of, const TrialList& trials) {
    std::vector<double> x(config.outputs);
    std::size_t bin = 0;
    return readout_r2(
        of, trials, [&] { std::fill(x.begin(), x.end(), 0.0), bin = 0; },
        [&](double* out, const float* inputs) {
          filter.step(x, bin++, inputs);
          for (std::size_t o = 0; o < x.size(); ++o) out[o] = filter.mean[o] + x[o];
        });
  };
  metrics::require(rows.inputs.trials >= 2, "a Kalman filter of fewer than two trials");
  // The first of five, so that there is one.
  const TrialList tried = trials_of(rows, [](std::size_t trial) { return trial % 5 == 0; });
  FittedReadout readout;
  constexpr double inflations[] = {1, 2, 5, 10, 20, 50, 100, 200, 500};
  {
    const KalmanMoments moments(rows, trials_of(rows, [](std::size_t trial) { return trial % 5 != 0; }));
    std::optional<double> best;
    for (int i = 0; i <= 10; ++i) {
      const double shrinkage = std::pow(10.0, -6.0 + i);
      const std::vector<KalmanFilter> filters = moments.filters(shrinkage, inflations);
      for (std::size_t f = 0; f < filters.size(); ++f) {
        double r2 = 0;
        try {
          r2 = score(filters[f], rows, tried);
        } catch (const std::invalid_argument&) {
          continue;  // a filter that runs away
        }
        if (!std::isfinite(r2) || (best && r2 <= *best)) continue;
        best = r2;
        readout.penalty = shrinkage, readout.inflation = inflations[f];
      }
    }
  }
  metrics::require(readout.penalty > 0, "no Kalman filter of these trials can be scored");
  const KalmanFilter filter =
      std::move(KalmanMoments(rows, trials_of(rows)).filters(readout.penalty, {&readout.inflation, 1}).front());
  const auto spread = [&](std::size_t o) { return filter.spread[o] > 0 ? filter.spread[o] : 1.0; };
  config.gains = filter.of_state.size();
  readout.config = config;
  for (std::size_t o = 0; o < config.outputs; ++o) {
    // The gain of inputs has the square of behaviour's unit, the weight its inverse: half of that goes over, so that
    // no unit that a float holds is too large or too small.
    double bias = 0;
    for (std::size_t i = 0; i < filter.weight.columns; ++i) {
      readout.weight.push_back(static_cast<float>(spread(o) * filter.weight(o, i)));
      bias -= spread(o) * filter.weight(o, i) * filter.input_mean[i];
    }
    readout.bias.push_back(static_cast<float>(bias));
    readout.mean.push_back(static_cast<float>(filter.mean[o]));
  }
  for (std::size_t t = 0; t < config.gains; ++t) {
    for (std::size_t o = 0; o < config.outputs; ++o) {
      for (std::size_t j = 0; j < config.outputs; ++j) {
        readout.gain.push_back(static_cast<float>(filter.of_state[t](o, j)));
      }
      for (std::size_t j = 0; j < config.outputs; ++j) {
        readout.gain.push_back(static_cast<float>(filter.of_inputs[t](o, j) / spread(j)));
      }
    }
  }
  readout.r2_train = score(filter, rows, trials_of(rows)), readout.r2_valid = score(filter, others, trials_of(others));
  return readout;
}

}  // namespace ndt::inline NDT_TARGET::train
