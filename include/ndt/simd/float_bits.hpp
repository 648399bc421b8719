// ndt/simd/float_bits.hpp: the parts of a floating-point number (IEEE 754), for powers of two without a table.
#pragma once

#include <cstdint>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// Exponent arithmetic on the bits of an IEEE number. Adding `round_to_int` to a small x leaves the integer nearest to
/// x in the low bits of the sum; with the bias added too, a shift turns it into the number 2^x.
template <class T>
struct float_bits;
template <>
struct float_bits<float> {
  using integer = std::int32_t;
  using bits = std::uint32_t;
  static constexpr int mantissa = 23;
  static constexpr float bias = 127.0f;
  static constexpr float round_to_int = 12582912.0f;  // 1.5 * 2^23
};
template <>
struct float_bits<double> {
  using integer = std::int64_t;
  using bits = std::uint64_t;
  static constexpr int mantissa = 52;
  static constexpr double bias = 1023.0;
  static constexpr double round_to_int = 6755399441055744.0;  // 1.5 * 2^52
};

}  // namespace ndt::inline NDT_TARGET::simd
