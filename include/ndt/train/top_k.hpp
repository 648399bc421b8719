// ndt/train/top_k.hpp: the loss of the worst predicted elements alone [LOSS.TOPK] (reference: src/model.py, forward).
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::train {

/// Of n elements with these losses, leaves weight 1 to the k largest of those that have it, k = floor(selected * part);
/// of equal ones to the first. The mean is still divided by all that were selected, as the reference does.
template <class T>
void keep_largest(T* weight, const T* losses, std::size_t n, double part) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < n; ++i) {
    if (weight[i] > T(0)) order.push_back(i);
  }
  const auto k = static_cast<std::size_t>(static_cast<double>(order.size()) * part);
  // A total order: what is kept must not depend on how the library selects. NaN counts as the largest of all.
  const auto larger = [losses](std::size_t a, std::size_t b) {
    const bool a_nan = losses[a] != losses[a], b_nan = losses[b] != losses[b];
    if (a_nan != b_nan) return a_nan;
    return losses[a] > losses[b] || (!(losses[a] < losses[b]) && a < b);
  };
  if (k < order.size())
    std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(k), order.end(), larger);
  for (std::size_t i = k; i < order.size(); ++i) weight[order[i]] = T(0);
}

}  // namespace ndt::inline NDT_TARGET::train
