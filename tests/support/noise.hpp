// Numbers that look random and are the same on every machine, which the distributions of the standard library are not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace support {

/// The splitmix64 generator (Steele, Lea & Flood 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// Below `limit`.
  std::size_t below(std::size_t limit) { return static_cast<std::size_t>(bits() % limit); }
  /// Between -1 and 1, with every bit of the mantissa in use.
  template <class T>
  T uniform() {
    if constexpr (sizeof(T) == 4) return static_cast<T>(bits() >> 40) * T(0x1p-23) - T(1);
    return static_cast<T>(bits() >> 11) * T(0x1p-52) - T(1);
  }

 private:
  std::uint64_t state_;
};

/// centre - spread ... centre + spread.
template <class T>
std::vector<T> noise(std::size_t count, std::uint64_t seed, T centre = T(0), T spread = T(1)) {
  Random random(seed);
  std::vector<T> values(count);
  for (T& value : values) value = centre + spread * random.uniform<T>();
  return values;
}

}  // namespace support
