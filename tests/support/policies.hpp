// The policies that every kernel is tested with: TEMPLATE_TEST_CASE("...", "[...]", NDT_POLICIES).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include <ndt/simd.hpp>

#include "catch.hpp"

#define NDT_POLICIES \
  ndt::simd::scalar<float>, ndt::simd::native<float>, ndt::simd::scalar<double>, ndt::simd::native<double>

namespace support {

/// The lanes of a register.
template <class V>
std::array<typename V::value_type, V::width> lanes_of(const typename V::reg& v) {
  std::array<typename V::value_type, V::width> lanes{};
  V::store(lanes.data(), v);
  return lanes;
}

/// f(register) for every number, by whole registers and without the kernels that do so: those are tested elsewhere.
template <class V, class F>
std::vector<typename V::value_type> apply(F f, const std::vector<typename V::value_type>& x) {
  std::vector<typename V::value_type> y(x.size());
  for (std::size_t i = 0; i < x.size(); i += V::width) {
    const std::size_t count = std::min(V::width, x.size() - i);
    std::array<typename V::value_type, V::width> lanes{};
    std::copy_n(x.begin() + static_cast<std::ptrdiff_t>(i), count, lanes.begin());
    lanes = lanes_of<V>(f(V::load(lanes.data())));
    std::copy_n(lanes.begin(), count, y.begin() + static_cast<std::ptrdiff_t>(i));
  }
  return y;
}

}  // namespace support
