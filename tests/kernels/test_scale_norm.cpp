// Scale norm: rows divided by their length.
#include <algorithm>
#include <cmath>
#include <limits>

#include <ndt/kernels/scale_norm.hpp>

#include "../support/matrix.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace kernels = ndt::kernels;
using support::Guarded;
using support::Matrix;

TEMPLATE_TEST_CASE("scale_norm is right at every width, above the clamp and below it", "[kernels][scale_norm]",
                   NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const T spread : {T(1), T(1000), T(1e-6)}) {
    for (const std::size_t width : support::widths<V>()) {
      INFO("width " << width << " spread " << spread);
      const auto numbers = support::noise<T>(3 * width, width, T(0), spread);
      const Matrix<T> x(numbers, width, 2);
      Matrix<T> y(3, width, 3), in_place(numbers, width, 1, support::Touch::beginning);
      Guarded<T> norms(3);
      kernels::scale_norm<V>(y.rows(), x.rows(), T(1.3), 3, width, T(1e-4), norms.data());
      kernels::scale_norm<V>(in_place.rows(), in_place.rows(), T(1.3), 3, width, T(1e-4));
      const auto expected = support::reference::scale_norm(numbers, width, T(1.3), T(1e-4));
      CHECK(support::worst_in_epsilons(y.values(), expected.y) < 4);
      CHECK(support::worst_in_epsilons(norms, expected.norms) < 4);
      CHECK(support::same_bits(in_place.values(), y.values()));
      CHECK((y.gaps_untouched() && in_place.gaps_untouched()));
    }
  }
}

TEMPLATE_TEST_CASE("scale_norm leaves a row of zeros at 0 and NaN in its row", "[kernels][scale_norm]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  for (const std::size_t width : support::widths<V>()) {
    INFO("width " << width);
    std::vector<T> numbers(3 * width, T(0));
    numbers[width + width / 2] = nan;
    numbers[2 * width] = T(-2);
    Matrix<T> y(numbers, width, 0);
    Guarded<T> norms(3);
    kernels::scale_norm<V>(y.rows(), y.rows(), T(3), 3, width, T(1e-5), norms.data());
    CHECK(std::all_of(y.rows()[0], y.rows()[0] + width, [](T v) { return v == 0; }));
    CHECK(std::all_of(y.rows()[1], y.rows()[1] + width, [](T v) { return std::isnan(v); }));
    std::vector<T> last(width, T(0));
    last[0] = T(-3);
    CHECK(std::equal(last.begin(), last.end(), y.rows()[2]));
    CHECK((norms[0] == 0 && std::isnan(norms[1]) && norms[2] == 2));
  }
}
