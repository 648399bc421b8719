// ndt/data/chop.hpp: long trials cut into shorter ones (reference: src/dataset.py, batchify).
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/data/dataset.hpp"

namespace ndt::inline NDT_TARGET::data {

namespace detail {

/// array [trials, bins, columns] -> [chunks * trials, length, columns]: the first chunk of every trial, then the second
/// of every one, and so on. An empty array stays empty.
template <class T>
void chop_array(std::vector<T>& array, std::size_t trials, std::size_t bins, std::size_t length) {
  if (array.empty()) return;
  const std::size_t columns = array.size() / (trials * bins);
  std::vector<T> chopped;
  chopped.reserve(trials * (bins / length) * length * columns);
  for (std::size_t chunk = 0; chunk < bins / length; ++chunk) {
    for (std::size_t trial = 0; trial < trials; ++trial) {
      const auto first = array.begin() + static_cast<std::ptrdiff_t>((trial * bins + chunk * length) * columns);
      chopped.insert(chopped.end(), first, first + static_cast<std::ptrdiff_t>(length * columns));
    }
  }
  array = std::move(chopped);
}

/// The same for arrays [trials, ...] of what belongs to a whole trial.
template <class T>
void repeat_array(std::vector<T>& array, std::size_t chunks) {
  const std::vector<T> once = array;
  for (std::size_t chunk = 1; chunk < chunks; ++chunk) array.insert(array.end(), once.begin(), once.end());
}

}  // namespace detail

/// Cuts all trials into chunks of `length` bins, chunk-major as the reference does; bins that are left at the end are
/// dropped, and so are PSTHs, which chunks do not have. Throws std::invalid_argument for lengths beyond a trial and for
/// data with forward bins, which have no place in a chunk.
inline void chop(Dataset& dataset, std::size_t length) {
  const std::size_t bins = dataset.bins;
  if (length == bins) return;
  if (length == 0 || length > bins) throw std::invalid_argument("a chunk longer than a trial");
  if (dataset.forward_bins != 0) throw std::invalid_argument("data with forward bins cannot be chopped");
  for (Split* const split : {&dataset.train, &dataset.valid}) {
    const std::size_t trials = split->trials, chunks = bins / length;
    detail::chop_array(split->counts, trials, bins, length);
    detail::chop_array(split->truth, trials, bins, length);
    detail::chop_array(split->behavior, trials, bins, length);
    detail::repeat_array(split->condition, chunks);
    detail::repeat_array(split->decode_mask, chunks);
    detail::repeat_array(split->index, chunks);
    split->jitter.clear();
    split->trials = trials * chunks;
  }
  dataset.psth.clear();
  dataset.bins = length;
}

/// Leaves the forward bins out [DATA.IGNORE_FORWARD].
inline void drop_forward_bins(Dataset& dataset) {
  const std::size_t bins = dataset.bins, observed = dataset.observed_bins();
  if (observed == bins) return;
  for (Split* const split : {&dataset.train, &dataset.valid}) {
    std::vector<std::uint16_t> kept;
    for (std::size_t trial = 0; trial < split->trials; ++trial) {
      const auto first = split->counts.begin() + static_cast<std::ptrdiff_t>(trial * bins * dataset.neurons);
      kept.insert(kept.end(), first, first + static_cast<std::ptrdiff_t>(observed * dataset.neurons));
    }
    split->counts = std::move(kept);
    split->forward_hidden = false;
  }
  dataset.bins = observed;
  dataset.forward_bins = 0;
}

}  // namespace ndt::inline NDT_TARGET::data
