// Layer norm against two plain passes, at every tail and where one pass would not do.
#include <algorithm>
#include <cmath>
#include <limits>

#include <ndt/core/dim.hpp>
#include <ndt/kernels/layer_norm.hpp>

#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;
using support::Matrix;

namespace {

template <class T>
struct Case {
  std::size_t bins = 35, width;  // two groups of the most rows that are worked on together, and a few
  T centre = 0, spread = 1;
  std::vector<T> x = support::noise<T>(bins * width, width, centre, spread);
  std::vector<T> gain = support::noise<T>(width, width + 1, T(1), T(0.5));
  std::vector<T> bias = support::noise<T>(width, width + 2);
};

}  // namespace

TEMPLATE_TEST_CASE("layer_norm is right at every width, for rows far from 0 and for flat ones", "[kernels][layer_norm]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  // E[x^2] - E[x]^2 loses everything at 1000; at a spread of 0.003 the epsilon is as large as the variance.
  for (const auto& [centre, spread] : {std::pair<T, T>{0, 1}, {1000, 1}, {0, T(0.003)}}) {
    for (const std::size_t width : support::widths<V>()) {
      INFO("width " << width << " centre " << centre << " spread " << spread);
      const Case<T> c{.width = width, .centre = centre, .spread = spread};
      const Matrix<T> x(c.x, width, 2);
      Matrix<T> y(c.bins, width, 3);
      const Guarded<T> gain(c.gain), bias(c.bias);
      Guarded<T> stats(2 * c.bins);
      kernels::layer_norm<V>(y.rows(), x.rows(), gain.data(), bias.data(), c.bins, width, T(1e-5), stats.data());
      const auto expected = support::reference::layer_norm(c.x, c.gain, c.bias, T(1e-5));
      CHECK(support::worst_in_epsilons(y.values(), expected.y) < 3);
      CHECK(support::worst_in_epsilons(stats, expected.stats) < 3);
      CHECK(y.gaps_untouched());
    }
  }
}

TEMPLATE_TEST_CASE("layer_norm gives the same bits in place, without stats, for one row alone and for a static width",
                   "[kernels][layer_norm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t width : support::widths<V>()) {
    INFO("width " << width);
    const Case<T> c{.width = width, .centre = 10};
    const Matrix<T> x(c.x, width, 1, support::Touch::beginning);
    Matrix<T> y(c.bins, width, 0), alone(c.bins, width, 2), in_place(c.x, width, 5);
    const Guarded<T> gain(c.gain), bias(c.bias);
    Guarded<T> stats(2 * c.bins);
    kernels::layer_norm<V>(y.rows(), x.rows(), gain.data(), bias.data(), c.bins, width, T(1e-5), stats.data());
    kernels::layer_norm<V>(in_place.rows(), in_place.rows(), gain.data(), bias.data(), c.bins, width, T(1e-5));
    for (std::size_t t = 0; t < c.bins; ++t) {
      kernels::layer_norm<V>(alone.rows().from(t), x.rows().from(t), gain.data(), bias.data(), 1, width, T(1e-5));
    }
    CHECK(support::same_bits(in_place.values(), y.values()));
    CHECK(support::same_bits(alone.values(), y.values()));
    CHECK((in_place.gaps_untouched() && alone.gaps_untouched()));
    if (width == 31) {
      kernels::layer_norm<V>(alone.rows(), x.rows(), gain.data(), bias.data(), c.bins, ndt::Dim<31>{}, T(1e-5));
      CHECK(support::same_bits(alone.values(), y.values()));
    }
  }
}

TEMPLATE_TEST_CASE("layer_norm of a constant row is the bias, and NaN stays in its row", "[kernels][layer_norm]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t width : support::widths<V>()) {
    INFO("width " << width);
    Case<T> c{.width = width};
    std::fill_n(c.x.begin(), width, T(3));
    c.x[2 * width - 1] = std::numeric_limits<T>::quiet_NaN();
    const Matrix<T> x(c.x, width, 0);
    Matrix<T> y(c.bins, width, 0), y_last(1, width, 0);
    const Guarded<T> gain(c.gain), bias(c.bias);
    kernels::layer_norm<V>(y.rows(), x.rows(), gain.data(), bias.data(), c.bins, width, T(1e-5));
    kernels::layer_norm<V>(y_last.rows(), x.rows().from(2), gain.data(), bias.data(), 1, width, T(1e-5));
    // A sum of equal small integers is exact, and so is the mean.
    CHECK(std::equal(c.bias.begin(), c.bias.end(), y.rows()[0]));
    CHECK(std::all_of(y.rows()[1], y.rows()[1] + width, [](T v) { return std::isnan(v); }));
    CHECK(std::equal(y.rows()[2], y.rows()[2] + width, y_last.rows()[0]));
  }
}
