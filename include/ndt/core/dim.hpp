// ndt/core/dim.hpp: a size that is either part of a type or a number in an object. Dim<137> is empty, Dim<dyn> holds
// its value; both convert to size_t, so one kernel source serves static and dynamic shapes.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// Stands for "known only at run time" where a size is expected.
inline constexpr std::size_t dyn = static_cast<std::size_t>(-1);

/// A size known to the compiler. The value given to the constructor must be the one in the type.
template <std::size_t N>
struct Dim {
  constexpr Dim() noexcept = default;
  constexpr explicit Dim([[maybe_unused]] std::size_t value) noexcept { NDT_ASSERT(value == N); }
  NDT_INLINE constexpr operator std::size_t() const noexcept { return N; }
};

/// A size read from data.
template <>
struct Dim<dyn> {
  std::size_t value = 0;
  constexpr Dim() noexcept = default;
  constexpr explicit Dim(std::size_t n) noexcept : value(n) {}
  NDT_INLINE constexpr operator std::size_t() const noexcept { return value; }
};

/// The product stays in the type as long as both factors are there.
template <std::size_t A, std::size_t B>
constexpr auto operator*(Dim<A> a, Dim<B> b) noexcept {
  if constexpr (A == dyn || B == dyn) {
    return Dim<dyn>{static_cast<std::size_t>(a) * static_cast<std::size_t>(b)};
  } else {
    return Dim<A * B>{};
  }
}

constexpr std::size_t divide_up(std::size_t n, std::size_t unit) noexcept { return (n + unit - 1) / unit; }
constexpr std::size_t round_up(std::size_t n, std::size_t unit) noexcept { return divide_up(n, unit) * unit; }
constexpr std::size_t min_size(std::size_t a, std::size_t b) noexcept { return a < b ? a : b; }
constexpr std::size_t max_size(std::size_t a, std::size_t b) noexcept { return a < b ? b : a; }

}  // namespace ndt::inline NDT_TARGET
