// ndt/metrics/ridge.hpp: linear regression with a penalty on the size of its weights.
#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include "ndt/metrics/cholesky.hpp"
#include "ndt/metrics/rows.hpp"

namespace ndt::inline NDT_TARGET::metrics {

/// outputs(o) = intercept(o) + sum over f of features(f) weights(f,o).
struct LinearFit {
  std::size_t features = 0, outputs = 0;
  std::vector<double> weights;    ///< (features, outputs)
  std::vector<double> intercept;  ///< (outputs)

  /// out: (outputs); x: (features).
  template <class X>
  void predict(double* out, const X* x) const {
    for (std::size_t o = 0; o < outputs; ++o) out[o] = intercept[o];
    for (std::size_t f = 0; f < features; ++f) {
      const double value = static_cast<double>(x[f]);
      const double* const w = weights.data() + f * outputs;
      for (std::size_t o = 0; o < outputs; ++o) out[o] += value * w[o];
    }
  }
  /// (rows, outputs) for all rows.
  template <RowSet X>
  std::vector<double> predict(const X& x) const {
    require(x.columns == features, "another number of features than was fitted");
    std::vector<double> out(x.size() * outputs);
    for (std::size_t i = 0; i < x.size(); ++i) predict(out.data() + i * outputs, x[i]);
    return out;
  }
};

/// Sums over rows from which a ridge regression is solved for any penalty. Sums of several sets of rows add up, so the
/// folds of a cross-validation read the data once.
class RidgeSums {
 public:
  /// `origin`: a point near the mean of all rows (features, then outputs). Sums are taken from there, because
  /// x^2 - mean^2 would cancel for features that are large and hardly vary.
  RidgeSums(std::size_t features, std::size_t outputs, std::vector<double> origin)
      : features_(features),
        width_(features + outputs),
        origin_(std::move(origin)),
        sum_(width_),
        sums_(width_ * width_) {
    require(origin_.size() == width_, "an origin of another width");
  }

  template <RowSet X, RowSet Y>
  void add(const X& x, const Y& y) {
    require(x.size() == y.size(), "features and outputs with different numbers of rows");
    require(x.columns == features_ && x.columns + y.columns == width_, "another number of features or outputs");
    constexpr std::size_t together = 4;  // rows a pass over the sums, which are larger than the nearest cache
    std::vector<double> block(together * width_);
    for (std::size_t i = 0; i < x.size(); i += together) {
      const std::size_t count = x.size() - i < together ? x.size() - i : together;
      for (std::size_t r = 0; r < together; ++r) {
        double* const row = block.data() + r * width_;
        for (std::size_t c = 0; c < width_; ++c) {
          double value = 0;
          if (r < count) {
            value = c < features_ ? static_cast<double>(x[i + r][c]) : static_cast<double>(y[i + r][c - features_]);
            require(std::isfinite(value), "a feature or an output is NaN or infinite");
            value -= origin_[c];
          }
          row[c] = value;
          sum_[c] += value;
        }
      }
      add_products(block.data());
    }
    rows_ += x.size();
  }

  RidgeSums& operator+=(const RidgeSums& other) {
    require(other.width_ == width_ && other.origin_ == origin_, "sums from another origin");
    for (std::size_t i = 0; i < sum_.size(); ++i) sum_[i] += other.sum_[i];
    for (std::size_t i = 0; i < sums_.size(); ++i) sums_[i] += other.sums_[i];
    rows_ += other.rows_;
    return *this;
  }

  std::size_t rows() const noexcept { return rows_; }
  /// Of column c, features first; and the sum over all rows of the products of what columns i and j <= i have above
  /// their means.
  double mean(std::size_t c) const noexcept { return origin_[c] + sum_[c] / static_cast<double>(rows_); }
  double deviations(std::size_t i, std::size_t j) const noexcept {
    return sums_[i * width_ + j] - sum_[i] * sum_[j] / static_cast<double>(rows_);
  }

  /// Least squares plus alpha times the sum of squared weights; the intercept is not penalised.
  LinearFit solve(double alpha) const {
    require(rows_ > 0, "a regression without rows");
    require(alpha >= 0, "a penalty below 0");
    const std::size_t outputs = width_ - features_;
    std::vector<double> normal(features_ * features_);
    for (std::size_t i = 0; i < features_; ++i) {
      for (std::size_t j = 0; j <= i; ++j) normal[i * features_ + j] = deviations(i, j);
      normal[i * features_ + i] += alpha;
    }
    LinearFit fit{features_, outputs, std::vector<double>(features_ * outputs), std::vector<double>(outputs)};
    for (std::size_t o = 0; o < outputs; ++o) {
      for (std::size_t f = 0; f < features_; ++f) fit.weights[f * outputs + o] = deviations(features_ + o, f);
    }
    Cholesky(std::move(normal), features_).solve(fit.weights.data(), outputs);
    for (std::size_t o = 0; o < outputs; ++o) {
      double intercept = mean(features_ + o);
      for (std::size_t f = 0; f < features_; ++f) intercept -= mean(f) * fit.weights[f * outputs + o];
      fit.intercept[o] = intercept;
    }
    return fit;
  }

 private:
  /// Four rows at once. Only the lower triangle is kept.
  void add_products(const double* block) {
    const double *const a = block, *const b = a + width_, *const c = b + width_, *const d = c + width_;
    for (std::size_t i = 0; i < width_; ++i) {
      double* const row = sums_.data() + i * width_;
      const double ai = a[i], bi = b[i], ci = c[i], di = d[i];
      for (std::size_t j = 0; j <= i; ++j) row[j] += (ai * a[j] + bi * b[j]) + (ci * c[j] + di * d[j]);
    }
  }

  std::size_t features_, width_, rows_ = 0;
  std::vector<double> origin_, sum_, sums_;
};

/// The mean of every feature, then of every output.
template <RowSet X, RowSet Y>
std::vector<double> mean_row(const X& x, const Y& y) {
  std::vector<double> mean(x.columns + y.columns);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t c = 0; c < x.columns; ++c) mean[c] += static_cast<double>(x[i][c]);
    for (std::size_t c = 0; c < y.columns; ++c) mean[x.columns + c] += static_cast<double>(y[i][c]);
  }
  for (double& m : mean) m /= static_cast<double>(x.size());
  return mean;
}

/// scikit-learn's Ridge(alpha): features x (rows, F), outputs y (rows, O). Throws std::invalid_argument for no rows,
/// different numbers of rows, NaN or infinity.
template <RowSet X, RowSet Y>
LinearFit ridge(const X& x, const Y& y, double alpha) {
  require(x.size() == y.size(), "features and outputs with different numbers of rows");
  RidgeSums sums(x.columns, y.columns, mean_row(x, y));
  sums.add(x, y);
  return sums.solve(alpha);
}

}  // namespace ndt::inline NDT_TARGET::metrics
