// The kernels once more, as plain loops in a wider type: slow, obvious, and sharing nothing with what they judge.
// Matrices are row-major without gaps. The comments say where the sizes of the expectations come from.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include <ndt/core/band.hpp>

#include "expected.hpp"

namespace support::reference {

/// C(M,N) = A(M,K) W^T, W being (N,K). The size is the sum of the magnitudes of the products: that of a chain of K
/// roundings grows with the square root of K, as long as the signs are mixed.
template <class T>
Expected<T> matmul(const std::vector<T>& a, const std::vector<T>& w, std::size_t M, std::size_t K, std::size_t N) {
  Expected<T> c;
  for (std::size_t m = 0; m < M; ++m) {
    for (std::size_t n = 0; n < N; ++n) {
      Wide<T> sum = 0, size = 0;
      for (std::size_t k = 0; k < K; ++k) {
        const Wide<T> product = Wide<T>(a[m * K + k]) * Wide<T>(w[n * K + k]);
        sum += product, size += std::abs(product);
      }
      c.add(sum, size);
    }
  }
  return c;
}

template <class T>
struct LayerNorm {
  Expected<T> y, stats;  ///< stats: mean and 1 / standard deviation of every row
};

template <class T>
LayerNorm<T> layer_norm(const std::vector<T>& x, const std::vector<T>& gain, const std::vector<T>& bias,
                        T norm_epsilon) {
  const std::size_t D = gain.size();
  const Wide<T> n = static_cast<Wide<T>>(D);
  LayerNorm<T> result;
  for (std::size_t row = 0; row < x.size(); row += D) {
    Wide<T> mean = 0, magnitude = 0, variance = 0;
    for (std::size_t i = 0; i < D; ++i) mean += x[row + i] / n, magnitude += std::abs(x[row + i]) / n;
    for (std::size_t i = 0; i < D; ++i) variance += (x[row + i] - mean) * (x[row + i] - mean) / n;
    const Wide<T> rstd = 1 / std::sqrt(variance + Wide<T>(norm_epsilon));
    // A mean that is off by d adds d^2 to the variance.
    const Wide<T> off = Wide<T>(epsilon<T>) * magnitude * rstd;
    const Wide<T> rstd_size = 1 + off * off / Wide<T>(epsilon<T>);
    result.stats.add(mean, magnitude);
    result.stats.add(rstd, rstd * rstd_size);
    for (std::size_t i = 0; i < D; ++i) {
      const Wide<T> scaled = (x[row + i] - mean) * rstd * gain[i];
      // The rounding of the mean is in every difference.
      result.y.add(scaled + bias[i], std::abs(scaled) * rstd_size + magnitude * rstd * std::abs(Wide<T>(gain[i])) +
                                         std::abs(Wide<T>(bias[i])));
    }
  }
  return result;
}

template <class T>
struct ScaleNorm {
  Expected<T> y, norms;
};

/// No cancellation anywhere: errors are relative.
template <class T>
ScaleNorm<T> scale_norm(const std::vector<T>& x, std::size_t D, T scale, T clamp) {
  ScaleNorm<T> result;
  for (std::size_t row = 0; row < x.size(); row += D) {
    Wide<T> squares = 0;
    for (std::size_t i = 0; i < D; ++i) squares += Wide<T>(x[row + i]) * Wide<T>(x[row + i]);
    const Wide<T> norm = std::sqrt(squares);
    result.norms.add(norm, norm);
    for (std::size_t i = 0; i < D; ++i) {
      const Wide<T> y = x[row + i] * Wide<T>(scale) / std::max(norm, Wide<T>(clamp));
      result.y.add(y, std::abs(y));
    }
  }
  return result;
}

/// softmax(scale * x). `x_sizes` are the sizes of the x, zero where these are exact. An error of the exponent is a
/// relative error of the term, and through the sum one of all terms. Terms below e^-86 may be 0 in float.
template <class T>
Expected<T> softmax(const std::vector<Wide<T>>& x, const std::vector<Wide<T>>& x_sizes, T scale) {
  std::vector<Wide<T>> terms, errors;
  Wide<T> sum = 0, error = 0;
  const Wide<T> largest = x.empty() ? 0 : *std::max_element(x.begin(), x.end());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Wide<T> exponent = (x[i] - largest) * Wide<T>(scale);
    terms.push_back(std::exp(exponent));
    errors.push_back(1 + std::abs(exponent) + 2 * Wide<T>(scale) * x_sizes[i]);
    sum += terms[i], error += terms[i] * errors[i];
  }
  Expected<T> p;
  const Wide<T> vanishing = Wide<T>(std::numeric_limits<T>::min()) * 16 / Wide<T>(epsilon<T>);
  for (std::size_t i = 0; i < x.size(); ++i) {
    p.add(terms[i] / sum, terms[i] / sum * (errors[i] + error / sum) + vanishing);
  }
  return p;
}

/// Whether bin i may read bin j: within the window, or both among the first `wrap`.
inline bool sees(const ndt::Band& band, std::size_t i, std::size_t j) {
  if (i < band.wrap && j < band.wrap) return true;
  if (j <= i) return band.backward == ndt::dyn || i - j <= band.backward;
  return band.forward == ndt::dyn || j - i <= band.forward;
}

template <class T>
struct Attention {
  Expected<T> out;      ///< (T, width)
  Expected<T> weights;  ///< (T, T), 0 where nothing is seen
};

/// softmax(q k^T scale, masked) v of one head.
template <class T>
Attention<T> attention(const std::vector<T>& q, const std::vector<T>& k, const std::vector<T>& v, std::size_t bins,
                       T scale, const ndt::Band& band) {
  const std::size_t width = q.size() / bins;
  const Expected<T> scores = matmul(q, k, bins, width, bins);
  Attention<T> result;
  for (std::size_t i = 0; i < bins; ++i) {
    std::vector<std::size_t> seen;
    std::vector<Wide<T>> x, x_sizes;
    for (std::size_t j = 0; j < bins; ++j) {
      if (!sees(band, i, j)) continue;
      seen.push_back(j), x.push_back(scores.value[i * bins + j]), x_sizes.push_back(scores.size[i * bins + j]);
    }
    const Expected<T> p = softmax<T>(x, x_sizes, scale);
    result.weights.value.resize((i + 1) * bins), result.weights.size.resize((i + 1) * bins);
    for (std::size_t n = 0; n < seen.size(); ++n) {
      result.weights.value[i * bins + seen[n]] = p.value[n];
      result.weights.size[i * bins + seen[n]] = p.size[n];
    }
    for (std::size_t d = 0; d < width; ++d) {
      Wide<T> sum = 0, size = 0;
      for (std::size_t n = 0; n < seen.size(); ++n) {
        const Wide<T> value = v[seen[n] * width + d];
        sum += p.value[n] * value, size += (p.value[n] + p.size[n]) * std::abs(value);
      }
      result.out.add(sum, size);
    }
  }
  return result;
}

/// P(X <= x) of the standard normal distribution.
template <class W>
W normal_cdf(W x) {
  return std::erfc(-x / std::sqrt(W(2))) / 2;
}

}  // namespace support::reference
