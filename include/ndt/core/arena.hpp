// ndt/core/arena.hpp: hands out pieces of memory that the caller owns.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"

namespace ndt::inline NDT_TARGET {

/// Cache line and widest register: pieces of an arena and packed tensors start on such a boundary.
inline constexpr std::size_t alignment_bytes = 64;

/// Bumps through a block of T. With a null base it only counts, so the same code plans memory and hands it out.
template <class T>
class Arena {
 public:
  constexpr explicit Arena(T* base) noexcept : base_(base) {}

  /// `count` elements on the next boundary; null while counting.
  constexpr T* take(std::size_t count) noexcept {
    T* const piece = base_ == nullptr ? nullptr : base_ + used_;
    used_ += round_up(count, alignment_bytes / sizeof(T));
    return piece;
  }
  /// Elements handed out so far, boundaries included.
  constexpr std::size_t used() const noexcept { return used_; }

 private:
  T* base_ = nullptr;
  std::size_t used_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
