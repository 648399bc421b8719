// ndt/kernels/embedding.hpp: spike counts to the transformer's input.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// What counts of a type are clipped to, in that type: branches on spikes are those that no processor foresees, and
/// integers of up to 32 bits that stay what they are become numbers by the register.
template <class Count>
class CountLimit {
  static_assert(std::is_arithmetic_v<Count>, "counts are integers or floats");

 public:
  NDT_INLINE constexpr explicit CountLimit(std::size_t limit) noexcept : limit_(limit), largest_(largest(limit)) {}

  /// A count as a number between 0 and limit: more than the limit is clipped as the reference does (src/runner.py), so
  /// that no count reads past the embedding table; a fraction is cut off, as a count has none. Less than 0 or NaN,
  /// which no loader lets through, counts as 0.
  NDT_INLINE constexpr std::size_t index(Count count) const noexcept {
    const Count inside = clip(count);
    // A limit that a float rounds up is not to be passed by its counts.
    if constexpr (std::is_floating_point_v<Count>) {
      if (inside == largest_) return limit_;
    }
    return static_cast<std::size_t>(inside);
  }
  /// The same number as an element of the input.
  template <class T>
  NDT_INLINE constexpr T number(Count count) const noexcept {
    if constexpr (std::is_floating_point_v<Count>) {
      return static_cast<T>(index(count));
    } else {
      return static_cast<T>(clip(count));
    }
  }

 private:
  static NDT_INLINE constexpr Count largest(std::size_t limit) noexcept {
    if constexpr (std::is_integral_v<Count>) {
      constexpr Count most = std::numeric_limits<Count>::max();
      if (static_cast<std::uint64_t>(most) <= limit) return most;
    }
    return static_cast<Count>(limit);
  }
  NDT_INLINE constexpr Count clip(Count count) const noexcept {
    const Count positive = count > Count(0) ? count : Count(0);
    return positive < largest_ ? positive : largest_;
  }

  std::size_t limit_;
  Count largest_;
};

/// CountLimit::index of a single count.
template <class Count>
NDT_INLINE constexpr std::size_t clip_count(Count count, std::size_t limit) noexcept {
  return CountLimit<Count>(limit).index(count);
}

/// x(N) = the clipped counts as numbers: EMBED_DIM 0, and the input of the linear embedder.
template <class T, class Count>
void embed_counts(T* x, const Count* counts, std::size_t N, std::size_t limit) noexcept {
  const CountLimit<Count> inside(limit);
  for (std::size_t n = 0; n < N; ++n) x[n] = inside.template number<T>(counts[n]);
}

/// x(N*E) = the rows of table (more than `limit` of them, E) that the counts name, neuron after neuron.
template <class T, class Count>
void embed_lookup(T* x, const Count* counts, const T* table, std::size_t N, std::size_t E, std::size_t limit) noexcept {
  const CountLimit<Count> inside(limit);
  const auto look_up = [&](auto size) NDT_INLINE_LAMBDA {
    for (std::size_t n = 0; n < N; ++n) {
      const T* const row = table + inside.index(counts[n]) * size;
      for (std::size_t e = 0; e < size; ++e) x[n * size + e] = row[e];
    }
  };
  if (E == 1) return look_up(Dim<1>{});
  if (E == 2) return look_up(Dim<2>{});  // the reference's configurations
  look_up(E);
}

/// x(D) = x * scale + positions (D).
template <class V, class Width>
void scale_and_shift(typename V::value_type* x, typename V::value_type scale, const typename V::value_type* positions,
                     Width width) noexcept {
  const auto factor = V::set(scale);
  map<V>(
      x, width, [=](auto v, auto p) NDT_INLINE_LAMBDA { return V::fma(v, factor, p); }, x, positions);
}

}  // namespace ndt::inline NDT_TARGET::kernels
