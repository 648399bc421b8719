// ndt/core/band.hpp: which bins a bin may look at.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"

namespace ndt::inline NDT_TARGET {

/// The context of attention: bin i reads the bins first(i) ... last(i, T), both included (reference: src/model.py,
/// _get_or_generate_context_mask). Both ends never move backwards as i grows.
struct Band {
  std::size_t backward = dyn;  ///< bins before i; dyn: all of them
  std::size_t forward = dyn;   ///< bins after i; dyn: all of them
  std::size_t wrap = 0;        ///< the first `wrap` bins see one another in full

  constexpr std::size_t first(std::size_t i) const noexcept {
    return i < wrap || backward == dyn || i < backward ? 0 : i - backward;
  }
  constexpr std::size_t last(std::size_t i, std::size_t bins) const noexcept {
    std::size_t end = forward == dyn || forward >= bins - i ? bins - 1 : i + forward;
    if (i < wrap) end = max_size(end, min_size(wrap, bins) - 1);
    return end;
  }
};

}  // namespace ndt::inline NDT_TARGET
