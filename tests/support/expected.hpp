// What a kernel should give, in a wider type, and how far off rounding may carry it.
#pragma once

#include <cmath>
#include <cstddef>
#include <limits>
#include <type_traits>
#include <vector>

namespace support {

/// The type that judges T.
template <class T>
using Wide = std::conditional_t<sizeof(T) == 4, double, long double>;

template <class T>
inline constexpr T epsilon = std::numeric_limits<T>::epsilon();

/// Results, and the size of the numbers that went into each: one rounding of the kernel moves a result by up to
/// epsilon / 2 times that. Sizes are part of the expectation, so cancellation is neither punished nor a hiding place.
template <class T>
struct Expected {
  std::vector<Wide<T>> value, size;

  void add(Wide<T> v, Wide<T> s) {
    value.push_back(v);
    size.push_back(s);
  }
};

/// max |actual - value| / (epsilon size): the error in roundings, give or take a factor of two. Infinite where only one
/// of the two is NaN or infinite, or where something of size 0 is not met exactly.
template <class T, class A>
double worst_in_epsilons(const A& actual, const Expected<T>& expected) {
  constexpr double never = std::numeric_limits<double>::infinity();
  if (std::size(actual) != expected.value.size()) return never;
  Wide<T> worst = 0;
  for (std::size_t i = 0; i < expected.value.size(); ++i) {
    const Wide<T> a = actual[i], v = expected.value[i];
    if (std::isnan(a) && std::isnan(v)) continue;
    if (a == v) continue;
    const Wide<T> error = std::abs(a - v) / (Wide<T>(epsilon<T>) * expected.size[i]);
    if (!(error < never)) return never;
    if (error > worst) worst = error;
  }
  return static_cast<double>(worst);
}

}  // namespace support
