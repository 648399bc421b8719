// ndt/core/view.hpp: rows of numbers that somebody else owns.
#pragma once

#include <cstddef>
#include <type_traits>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// A row-major matrix that owns nothing: rows lie `stride` elements apart. The number of rows and columns travels
/// beside it, as every kernel needs them in its own way.
template <class T>
struct Rows {
  using read_only = Rows<const T>;
  T* data = nullptr;
  std::size_t stride = 0;

  NDT_INLINE constexpr T* operator[](std::size_t row) const noexcept { return data + row * stride; }
  /// The same matrix without its first `row` rows and first `column` columns.
  NDT_INLINE constexpr Rows from(std::size_t row, std::size_t column = 0) const noexcept {
    return {data + row * stride + column, stride};
  }
  NDT_INLINE constexpr operator Rows<const T>() const noexcept requires(!std::is_const_v<T>) { return {data, stride}; }
};

/// The transpose of such a matrix: element (r, k) lies at data[k * stride + r].
template <class T>
struct Columns {
  using read_only = Columns<const T>;
  T* data = nullptr;
  std::size_t stride = 0;

  /// Without its first `row` rows and first `column` columns.
  NDT_INLINE constexpr Columns from(std::size_t row, std::size_t column = 0) const noexcept {
    return {data + column * stride + row, stride};
  }
  NDT_INLINE constexpr operator Columns<const T>() const noexcept requires(!std::is_const_v<T>) {
    return {data, stride};
  }
};

}  // namespace ndt::inline NDT_TARGET
