// One head of attention with its operands in guarded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ndt/core/band.hpp>
#include <ndt/kernels/attention.hpp>

#include "matrix.hpp"
#include "noise.hpp"
#include "product.hpp"

namespace support {

/// Narrower and wider than a block of rows and a register, one-sided, full, and with the initial block opened.
inline std::vector<ndt::Band> bands() {
  const std::size_t all = ndt::dyn;
  return {{all, all, 0}, {all, 0, 0}, {0, all, 0}, {0, 0, 0},   {1, 0, 0}, {0, 1, 0}, {8, 4, 0},
          {3, 17, 0},    {30, 1, 0},  {2, all, 0}, {all, 3, 0}, {4, 0, 4}, {9, 2, 9}, {100, 0, 100}};
}

template <class V>
struct Head {
  using T = typename V::value_type;
  std::size_t bins, width;
  std::vector<T> q, k, v;
  T scale;

  Head(std::size_t T_bins, std::size_t head_width, std::uint64_t seed = 1)
      : bins(T_bins),
        width(head_width),
        q(noise<T>(bins * width, 3 * seed, T(0), T(2))),
        k(noise<T>(bins * width, 3 * seed + 1, T(0), T(2))),
        v(noise<T>(bins * width, 3 * seed + 2)),
        scale(T(1) / std::sqrt(static_cast<T>(width))) {}

  /// Rows [first, last) of the output; the rest stays as fresh memory is. on_weights: see kernels::attention.
  template <class OnWeights>
  std::vector<T> run(const ndt::Band& band, std::size_t first, std::size_t last, OnWeights on_weights) const {
    std::vector<T> v_transposed(v.size());
    for (std::size_t j = 0; j < bins; ++j) {
      for (std::size_t d = 0; d < width; ++d) v_transposed[d * bins + j] = v[j * width + d];
    }
    const Matrix<T> queries(q, width, 2 * width + 1);
    const Guarded<T> keys(panels_of(k, bins, width)), values(panels_of(v_transposed, width, bins));
    Guarded<T> scratch(ndt::kernels::attention_scratch_size<V>(bins));
    Matrix<T> out(bins, width, 3);
    const std::size_t panel = ndt::kernels::panel_width;
    ndt::kernels::attention<V>(
        out.rows(), {queries.rows(), {keys.data(), width * panel}, {values.data(), bins * panel}, bins, width, scale},
        band, first, last, scratch.data(), on_weights);
    if (!out.gaps_untouched()) return {};
    return out.values();
  }
  std::vector<T> run(const ndt::Band& band, std::size_t first, std::size_t last) const {
    return run(band, first, last, [](std::size_t, T*, std::size_t, std::size_t) {});
  }
};

}  // namespace support
