// ndt/kernels/elementary.hpp: exp and the normal distribution function on registers, for float and double.
// The polynomials are minimax fits of our own; tools/coefficients.py prints them with their errors.
#pragma once

#include <array>
#include <cstddef>
#include <limits>

#include "ndt/config.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET::kernels {

template <class T>
struct elementary_constants;

template <>
struct elementary_constants<float> {
  static constexpr float log2_e = 1.4426950408889634f;
  // ln 2 in two parts: the first has so few bits that n * ln2_high is exact.
  static constexpr float ln2_high = 0.693359375f, ln2_low = -2.12194440054690582767e-4f;
  static constexpr float exp_overflow = 88.72283905206835f;    // ln of the largest number
  static constexpr float exp_underflow = -86.64339756999316f;  // ln 2^-125: smaller results become 0, never denormal
  // relative error 1.9e-9 on |x| <= ln(2)/2
  static constexpr std::array<float, 7> exp = {
      1.0000000005546912417f,   1.0000000363442334584f,    0.49999992074676414991f,  0.16666420071517265416f,
      0.041668226226189249514f, 0.0083748241646532249002f, 0.0013836835331957666848f};
  static constexpr float erfcx_centre = 2.0f, erfcx_limit = 9.5f;
  // relative error 1.3e-8 up to z = 10
  static constexpr std::array<float, 10> erfcx = {
      1.2769783929638302027f,    -0.092763976685054047052f,  -0.16603138963615902322f,  0.16405526732405288611f,
      -0.054204710944428681045f, -0.0080596004511578369941f, 0.0086332697130311419222f, 0.0013137239274804923686f,
      -0.001231875321314204617f, -0.00040171470390026390509f};
};

template <>
struct elementary_constants<double> {
  static constexpr double log2_e = 1.4426950408889634074;
  static constexpr double ln2_high = 0.693147180369123816490, ln2_low = 1.90821492927058770002e-10;
  static constexpr double exp_overflow = 709.782712893383973096;
  static constexpr double exp_underflow = -707.70327135170416;  // ln 2^-1021
  // relative error 3.1e-18 on |x| <= ln(2)/2
  static constexpr std::array<double, 12> exp = {
      0.9999999999999999971,      1.0000000000000000304,    0.5000000000000017702,    0.16666666666666168095,
      0.04166666666649263207,     0.0083333333335594772699, 0.0013888888951261187444, 0.00019841269432399155953,
      0.000024801486480843633038, 2.7557622672665001314e-6, 2.7632308481263712147e-7, 2.4994289226217151205e-8};
  static constexpr double erfcx_centre = 3.75, erfcx_limit = 27.0;
  // relative error 1.1e-17 up to z = 28
  static constexpr std::array<double, 23> erfcx = {
      1.2375126308378275845,      -0.14024059858554667518,    0.0035854154854627325662,    0.082276738490111082916,
      -0.1088039301416570224,     0.092304321161578060716,    -0.058693398591441272292,    0.028362277399445719361,
      -0.0097465795417232757496,  0.0017556260286435418648,   0.00029371359728626981605,   -0.00029015504092522511315,
      0.000051649157227791218663, 0.000022387562631363545022, -0.000011443505109279381657, -9.8091563914779617179e-7,
      1.7487167851354381894e-6,   -4.7043887780772315416e-8,  -2.528785488831219555e-7,    1.5081530324158278139e-8,
      3.2730843318532362622e-8,   -5.6012279385704328743e-10, -2.2891346399890614234e-9};
};

/// c[0] + c[1] x + c[2] x^2 + ... by Horner's rule.
template <class V, std::size_t N>
NDT_INLINE typename V::reg polynomial(const std::array<typename V::value_type, N>& c, typename V::reg x) noexcept {
  auto sum = V::set(c[N - 1]);
  for (std::size_t i = N - 1; i-- > 0;) sum = V::fma(sum, x, V::set(c[i]));
  return sum;
}

namespace detail {

/// e^x as a product of two: 2^n with integral n, and the polynomial. x = n ln 2 + r with |r| <= ln(2)/2.
template <class V>
struct ExpParts {
  typename V::reg exponent, factor;

  NDT_INLINE explicit ExpParts(typename V::reg x) noexcept {
    NDT_KEEP_ORDER
    using C = elementary_constants<typename V::value_type>;
    const auto shift = V::set(simd::float_bits<typename V::value_type>::round_to_int);
    exponent = V::fma(x, V::set(C::log2_e), shift) - shift;
    auto r = V::fma(exponent, V::set(-C::ln2_high), x);
    r = V::fma(exponent, V::set(-C::ln2_low), r);
    factor = polynomial<V>(C::exp, r);
  }
};

}  // namespace detail

/// e^x in every lane, to about one unit in the last place. Infinity above the range, 0 below 2^-125 (float) or 2^-1021
/// (double), NaN for NaN.
template <class V>
NDT_INLINE typename V::reg exp(typename V::reg x) noexcept {
  using T = typename V::value_type;
  using C = elementary_constants<T>;
  const detail::ExpParts<V> parts(x);
  // 2^n overflows one step before e^x does, so the last factor of two is applied apart.
  auto y = V::times_pow2(parts.factor, parts.exponent - V::set(T(1)));
  y = y + y;
  y = V::select_less(V::set(C::exp_overflow), x, V::set(std::numeric_limits<T>::infinity()), y);
  return V::select_less(x, V::set(C::exp_underflow), V::set(T(0)), y);
}

/// The same bits for x <= 0, and for NaN, with less to look after.
template <class V>
NDT_INLINE typename V::reg exp_nonpositive(typename V::reg x) noexcept {
  using T = typename V::value_type;
  const detail::ExpParts<V> parts(x);
  const auto y = V::times_pow2(parts.factor, parts.exponent);
  return V::select_less(x, V::set(elementary_constants<T>::exp_underflow), V::set(T(0)), y);
}

/// The normal distribution function P(X <= x) = erfc(-x / sqrt 2) / 2 in every lane. The tail below 0 keeps its
/// relative precision, as it is computed from erfcx(z) = e^(z^2) erfc(z) = p((z - c)/(z + c)) / (1 + 2z), z = |x| /
/// sqrt 2 (the mapping of Shepherd & Laframboise 1981).
template <class V>
NDT_INLINE typename V::reg normal_cdf(typename V::reg x) noexcept {
  using T = typename V::value_type;
  using C = elementary_constants<T>;
  const auto zero = V::set(T(0)), one = V::set(T(1));
  const auto magnitude = V::max(x, zero - x) * V::set(T(0.70710678118654752440));
  const auto z = V::select_less(V::set(C::erfcx_limit), magnitude, V::set(C::erfcx_limit), magnitude);
  const auto t = V::divide(z - V::set(C::erfcx_centre), z + V::set(C::erfcx_centre));
  const auto scaled = V::divide(polynomial<V>(C::erfcx, t), one + z + z);
  const auto tail = V::set(T(0.5)) * scaled * exp<V>(zero - magnitude * magnitude);
  return V::select_less(x, zero, tail, one - tail);
}

}  // namespace ndt::inline NDT_TARGET::kernels
