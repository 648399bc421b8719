// ndt/data/batches.hpp: which trials are in which batch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/random.hpp"
#include "ndt/data/random_purpose.hpp"

namespace ndt::inline NDT_TARGET::data {

namespace detail {

/// order = a permutation of 0 ... size - 1, each as likely as the others (Fisher & Yates).
inline void permute(std::span<std::uint32_t> order, const RandomPlace& place) noexcept {
  std::iota(order.begin(), order.end(), 0u);
  RandomStream random(place);
  for (std::size_t left = order.size(); left > 1; --left) {
    std::swap(order[left - 1], order[random.below(static_cast<std::uint32_t>(left))]);
  }
}

}  // namespace detail

/// order (trials) = the trials in the order of this epoch.
inline void shuffle_trials(std::span<std::uint32_t> order, std::uint64_t seed, std::size_t epoch) noexcept {
  detail::permute(order, random_place(seed, Purpose::shuffle, 0, epoch));
}

/// Batches in an epoch. The last one may be smaller than the others: like PyTorch's DataLoader, which the reference
/// leaves as it is, no trial is dropped.
constexpr std::size_t batches_of(std::size_t trials, std::size_t batch_size) noexcept {
  return divide_up(trials, batch_size);
}

/// Batch number `batch` < batches_of(order.size(), batch_size).
constexpr std::span<const std::uint32_t> batch_of(std::span<const std::uint32_t> order, std::size_t batch_size,
                                                  std::size_t batch) noexcept {
  const std::size_t begin = batch * batch_size;
  return order.subspan(begin, min_size(batch_size, order.size() - begin));
}

/// A random part of the trials, floor(trials * fraction) of them [DATA.RANDOM_SUBSET_TRIALS]. The reference cuts its
/// held-out and forward counts otherwise than its spikes; indices apply to all alike.
inline std::vector<std::uint32_t> subset_of(std::size_t trials, double fraction, std::uint64_t seed) {
  std::vector<std::uint32_t> order(trials);
  detail::permute(order, random_place(seed, Purpose::subset, 0, 0));
  if (fraction < 1.0) order.resize(static_cast<std::size_t>(static_cast<double>(trials) * fraction));
  return order;
}

}  // namespace ndt::inline NDT_TARGET::data
