#include "chop.hpp"

namespace tool {

std::vector<std::size_t> window_starts(std::size_t bins, std::size_t length, std::size_t overlap) {
  std::vector<std::size_t> starts = {0};
  const std::size_t step = length - overlap;
  while (starts.back() + length < bins) {
    const std::size_t next = starts.back() + step;
    starts.push_back(next + length > bins ? bins - length : next);
  }
  return starts;
}

namespace {

/// How far window `next` has taken over from the one before it: 0 before what they share, 1 behind it.
double taken_over(const std::vector<std::size_t>& starts, std::size_t length, std::size_t next, std::size_t bin) {
  const std::size_t from = starts[next], to = starts[next - 1] + length;  // they share [from, to)
  if (bin < from) return 0;
  if (bin >= to) return 1;
  return static_cast<double>(bin - from + 1) / static_cast<double>(to - from + 1);
}

}  // namespace

double window_share(const std::vector<std::size_t>& starts, std::size_t length, std::size_t window, std::size_t bin) {
  if (bin < starts[window] || bin >= starts[window] + length) return 0;
  double share = 1;
  // Short steps make more than two windows meet in a bin. Windows hand over one after another, so a window has what
  // it took from those before it and has not yet given to those behind.
  if (window > 0) share *= taken_over(starts, length, window, bin);
  for (std::size_t next = window + 1; next < starts.size() && starts[next] <= bin; ++next) {
    share *= 1 - taken_over(starts, length, next, bin);
  }
  return share;
}

}  // namespace tool
