// tools/cli/chop.hpp: a recording longer than a model's positions, cut into windows that overlap and are blended.
#pragma once

#include <cstddef>
#include <vector>

namespace tool {

/// Where the windows of `length` bins start, `overlap` bins shared by neighbours. The last one ends with the recording
/// and shares more. A recording of at most `length` bins is one window.
std::vector<std::size_t> window_starts(std::size_t bins, std::size_t length, std::size_t overlap);

/// The share of bin `bin` of a recording in window `window`: rises and falls linearly over what neighbours share, so
/// that the shares of all windows add up to 1 at every bin.
double window_share(const std::vector<std::size_t>& starts, std::size_t length, std::size_t window, std::size_t bin);

}  // namespace tool
