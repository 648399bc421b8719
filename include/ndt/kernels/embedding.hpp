// ndt/kernels/embedding.hpp: spike counts to the transformer's input.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"

namespace ndt::inline NDT_TARGET::kernels {

/// A count as a number between 0 and limit: more than the limit is clipped as the reference does (src/runner.py), so
/// that no count reads past the embedding table; a fraction is cut off, as a count has none. Less than 0 or NaN, which
/// no loader lets through, counts as 0.
template <class Count>
NDT_INLINE constexpr std::size_t clip_count(Count count, std::size_t limit) noexcept {
  static_assert(std::is_arithmetic_v<Count>, "counts are integers or floats");
  if (!(count > Count(0))) return 0;
  if constexpr (std::is_floating_point_v<Count>) {
    return count >= static_cast<Count>(limit) ? limit : static_cast<std::size_t>(count);
  } else {
    return static_cast<std::uint64_t>(count) >= limit ? limit : static_cast<std::size_t>(count);
  }
}

/// x(N) = the clipped counts as numbers: EMBED_DIM 0, and the input of the linear embedder.
template <class T, class Count>
void embed_counts(T* x, const Count* counts, std::size_t N, std::size_t limit) noexcept {
  for (std::size_t n = 0; n < N; ++n) x[n] = static_cast<T>(clip_count(counts[n], limit));
}

/// x(N*E) = the rows of table (more than `limit` of them, E) that the counts name, neuron after neuron.
template <class T, class Count>
void embed_lookup(T* x, const Count* counts, const T* table, std::size_t N, std::size_t E, std::size_t limit) noexcept {
  for (std::size_t n = 0; n < N; ++n) {
    const T* const row = table + clip_count(counts[n], limit) * E;
    for (std::size_t e = 0; e < E; ++e) x[n * E + e] = row[e];
  }
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
