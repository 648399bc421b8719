// ndt/core/finite.hpp: what is a number.
#pragma once

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// Neither NaN nor infinite: finite numbers, and only they, give 0 here. In constant expressions for those alone.
template <class T>
NDT_INLINE constexpr bool is_finite(T x) noexcept {
  return x - x == T(0);
}

}  // namespace ndt::inline NDT_TARGET
