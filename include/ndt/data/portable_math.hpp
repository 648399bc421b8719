// ndt/data/portable_math.hpp: exp, log, sin, cos and tanh with the same bits on every machine and from every compiler.
//
// Libraries differ in the last bit of these functions, and a chaotic system makes another trajectory of that. Here is
// nothing but + - * / and sqrt of doubles, which IEEE 754 rounds correctly, and integers. Two things could still change
// the bits: another order of operations (fast-math, which config.hpp refuses) and a fused multiply-add, which rounds
// once instead of twice. Build with -ffp-contract=off; where that is missing, times() keeps every product that is
// added to something apart, and the functions take their argument as it was rounded. Whoever generates data writes such
// products with times() too, and those that are stored, as inlining may bring a sum to them.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::data {

/// a b, rounded to a double before anything else happens to it.
NDT_INLINE double times(double a, double b) noexcept {
  double product = a * b;
  NDT_HIDE_ORIGIN(product);
  return product;
}

namespace portable_detail {

/// c[0] + c[1] z + c[2] z^2 + ..., by Horner's rule.
template <std::size_t K>
NDT_INLINE double series(const std::array<double, K>& c, double z) noexcept {
  double sum = c[K - 1];
  for (std::size_t i = K - 1; i-- > 0;) sum = times(sum, z) + c[i];
  return sum;
}

// ln 2 and pi / 2 in pieces. All but the last have 33 bits, so that their products with up to 20 bits are exact.
inline constexpr std::array ln2 = {0x1.62e42fef00000p-1, 0x1.473de6af278edp-34};
inline constexpr std::array half_pi = {0x1.921fb54400000p+0, 0x1.0b4611a600000p-34, 0x1.3198a2e000000p-69,
                                       0x1.b839a252049c1p-104};

/// The nearest integer, for |x| < 2^30.
NDT_INLINE int nearest(double x) noexcept { return static_cast<int>(x + (x < 0 ? -0.5 : 0.5)); }

/// 2^k for -1022 <= k <= 1023.
NDT_INLINE double power_of_two(int k) noexcept {
  return std::bit_cast<double>(static_cast<std::uint64_t>(k + 1023) << 52);
}

/// x = k ln 2 + r with |r| <= 0.35, and exp(r) - 1 by its Taylor series.
struct ReducedExp {
  int k;
  double minus_one;
};
NDT_INLINE ReducedExp reduced_exp(double x) noexcept {
  // 1/2! ... 1/14!: the first term left out is below 2^-60 of the sum.
  constexpr std::array<double, 13> inverse_factorial = {1.0 / 2,
                                                        1.0 / 6,
                                                        1.0 / 24,
                                                        1.0 / 120,
                                                        1.0 / 720,
                                                        1.0 / 5040,
                                                        1.0 / 40320,
                                                        1.0 / 362880.,
                                                        1.0 / 3628800.,
                                                        1.0 / 39916800.,
                                                        1.0 / 479001600.,
                                                        1.0 / 6227020800.0,
                                                        1.0 / 87178291200.0};
  const int k = nearest(times(x, 0x1.71547652b82fep+0));  // 1 / ln 2
  const double high = x - times(k, ln2[0]), low = times(k, ln2[1]);
  const double r = high - low;
  const double lost = (high - r) - low;  // what r does not hold
  return {k, r + (times(times(r, r), series(inverse_factorial, r)) + lost)};
}

}  // namespace portable_detail

/// e^x: within 1 ulp, 2 where the result is subnormal.
inline double exp(double x) noexcept {
  using namespace portable_detail;
  NDT_HIDE_ORIGIN(x);
  if (x != x) return x;
  if (x > 709.79) return std::numeric_limits<double>::infinity();
  if (x < -745.14) return 0.0;
  const auto [k, minus_one] = reduced_exp(x);
  const int half = k / 2;  // 2^k itself may be no normal number
  return (1.0 + minus_one) * power_of_two(half) * power_of_two(k - half);
}

/// e^x - 1 without the loss of digits around 0: within 2 ulp. For |x| < 700.
inline double expm1(double x) noexcept {
  using namespace portable_detail;
  NDT_HIDE_ORIGIN(x);
  const auto [k, minus_one] = reduced_exp(x);
  if (k == 0) return minus_one;
  const double scale = power_of_two(k);
  return times(scale, minus_one) + (scale - 1.0);
}

/// The natural logarithm: within 1 ulp. -infinity at 0, NaN below.
inline double log(double x) noexcept {
  using namespace portable_detail;
  NDT_HIDE_ORIGIN(x);
  if (!(x > 0)) return x == 0 ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  if (x == std::numeric_limits<double>::infinity()) return x;
  int e = 0;
  if (x < std::numeric_limits<double>::min()) x *= 0x1p54, e = -54;
  // x = 2^e m with m in [sqrt(1/2), sqrt(2)), and ln m = 2 atanh(s), s = (m - 1) / (m + 1).
  const auto bits = std::bit_cast<std::uint64_t>(x);
  e += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffu) | (std::uint64_t{1023} << 52));
  if (m > 0x1.6a09e667f3bcdp+0) m *= 0.5, ++e;
  constexpr std::array<double, 12> two_thirds_and_on = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                                                        2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25};
  const double f = m - 1.0;  // exact
  const double s = f / (2.0 + f), z = times(s, s);
  const double rest = times(z, series(two_thirds_and_on, z));
  // 2 s = f - s f, and s f = f^2 / 2 - s f^2 / 2: the large parts are exact or nearly so, what is rounded is small.
  const double half_square = 0.5 * times(f, f);
  return times(e, ln2[0]) - ((half_square - (times(s, half_square + rest) + times(e, ln2[1]))) - f);
}

namespace portable_detail {

/// x = quarter pi / 2 + r + lost with |r| <= 0.79 and |lost| below half an ulp of r.
struct ReducedAngle {
  int quarter;
  double r, lost;
};
NDT_INLINE ReducedAngle reduced_angle(double x) noexcept {
  NDT_ASSERT(std::fabs(x) < 1e6);
  const int k = nearest(times(x, 0x1.45f306dc9c883p-1));  // 2 / pi
  // The first two differences are exact but for the rounding of the second, which comes back in `lost`.
  const double first = x - times(k, half_pi[0]);
  const double second = times(k, half_pi[1]);
  const double r = first - second;
  const double left = (first - r) - second;
  const double third = times(k, half_pi[2]) - left;
  const double sum = r - third;
  return {k & 3, sum, ((r - sum) - third) - times(k, half_pi[3])};
}

NDT_INLINE double sin_of(const ReducedAngle& a) noexcept {
  constexpr std::array<double, 8> c = {-1.0 / 6,
                                       1.0 / 120,
                                       -1.0 / 5040,
                                       1.0 / 362880,
                                       -1.0 / 39916800,
                                       1.0 / 6227020800.0,
                                       -1.0 / 1307674368000.0,
                                       1.0 / 355687428096000.0};
  const double z = times(a.r, a.r);
  return a.r + (times(times(a.r, z), series(c, z)) + times(a.lost, 1.0 - 0.5 * z));
}

NDT_INLINE double cos_of(const ReducedAngle& a) noexcept {
  constexpr std::array<double, 8> c = {1.0 / 24,
                                       -1.0 / 720,
                                       1.0 / 40320,
                                       -1.0 / 3628800,
                                       1.0 / 479001600,
                                       -1.0 / 87178291200.0,
                                       1.0 / 20922789888000.0,
                                       -1.0 / 6402373705728000.0};
  const double z = times(a.r, a.r), half = 0.5 * z, near = 1.0 - half;
  return near + (((1.0 - near) - half) + (times(times(z, z), series(c, z)) - times(a.r, a.lost)));
}

}  // namespace portable_detail

/// Within 1 ulp for |x| < 1e6, x in radians; no promise beyond.
inline double sin(double x) noexcept {
  using namespace portable_detail;
  NDT_HIDE_ORIGIN(x);
  const ReducedAngle a = reduced_angle(x);
  const double magnitude = a.quarter % 2 == 0 ? sin_of(a) : cos_of(a);
  return a.quarter < 2 ? magnitude : -magnitude;
}

/// Within 1 ulp for |x| < 1e6, x in radians; no promise beyond.
inline double cos(double x) noexcept {
  using namespace portable_detail;
  NDT_HIDE_ORIGIN(x);
  const ReducedAngle a = reduced_angle(x);
  const double magnitude = a.quarter % 2 == 0 ? cos_of(a) : sin_of(a);
  return a.quarter == 0 || a.quarter == 3 ? magnitude : -magnitude;
}

/// Within 3 ulp.
inline double tanh(double x) noexcept {
  if (x != x) return x;
  const double size = std::fabs(x);
  if (size > 22.0) return x < 0 ? -1.0 : 1.0;  // nearer than half an ulp
  const double twice = expm1(2.0 * size);
  const double value = twice / (twice + 2.0);
  return x < 0 ? -value : value;
}

/// IEEE 754 has this one exactly.
inline double sqrt(double x) noexcept { return std::sqrt(x); }

inline constexpr double pi = 0x1.921fb54442d18p+1;

}  // namespace ndt::inline NDT_TARGET::data
