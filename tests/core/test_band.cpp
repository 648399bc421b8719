// The context of attention against masks written down bin by bin.
#include <cstddef>
#include <cstdint>
#include <limits>

#include <ndt/core/band.hpp>
#include <ndt/model/config.hpp>

#include "../support/catch.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

namespace {

/// The reference's settings, in its own signs.
struct Context {
  std::int64_t backward, forward;
  bool full = false, wrap = false;
};

/// May bin i read bin j? Bins i - backward ... i + forward; backward <= 0 and forward < 0 mean all.
bool may_read(const Context& c, std::int64_t i, std::int64_t j) {
  if (c.full) return true;
  if (c.wrap && c.backward > 0 && i < c.backward && j < c.backward) return true;
  const bool not_too_old = c.backward <= 0 || j >= i - c.backward;
  const bool not_too_new = c.forward < 0 || j <= i + c.forward;
  return not_too_old && not_too_new;
}

/// Whether the band holds what sees(i, j) says, ends inside the bins and never moves backwards.
template <class Sees>
bool agrees(const ndt::Band& band, std::size_t bins, Sees sees) {
  for (std::size_t i = 0; i < bins; ++i) {
    for (std::size_t j = 0; j < bins; ++j) {
      if ((band.first(i) <= j && j <= band.last(i, bins)) != sees(i, j)) return false;
    }
    if (band.last(i, bins) >= bins) return false;
    if (i > 0 && (band.first(i) < band.first(i - 1) || band.last(i, bins) < band.last(i - 1, bins))) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("a band is the window of its fields, the initial block included", "[core][band]") {
  constexpr std::size_t huge = ndt::dyn - 1;
  constexpr std::size_t lengths[] = {0, 1, 2, 3, 5, 12, 40, huge, ndt::dyn};
  for (const std::size_t backward : lengths) {
    for (const std::size_t forward : lengths) {
      for (const std::size_t wrap : {lengths[0], lengths[1], lengths[2], lengths[4], lengths[6], huge}) {
        for (std::size_t bins = 1; bins <= 13; ++bins) {
          INFO("backward " << backward << " forward " << forward << " wrap " << wrap << " bins " << bins);
          const ndt::Band band{backward, forward, wrap};
          CHECK(agrees(band, bins, [&](auto i, auto j) { return support::reference::sees(band, i, j); }));
        }
      }
    }
  }
}

TEST_CASE("a model's band is what the reference's settings mean", "[core][band][config]") {
  using Limits = std::numeric_limits<std::int64_t>;
  constexpr std::int64_t most = Limits::max(), least = Limits::min();
  constexpr std::int64_t settings[] = {least, -1, 0, 1, 3, 4, 20};
  for (const std::int64_t backward : settings) {
    for (const std::int64_t forward : settings) {
      for (const bool full : {false, true}) {
        for (const bool wrap : {false, true}) {
          INFO("backward " << backward << " forward " << forward << " full " << full << " wrap " << wrap);
          const Context context{backward, forward, full, wrap};
          ndt::ModelConfig config;
          config.context_backward = backward, config.context_forward = forward;
          config.full_context = full, config.context_wrap_initial = wrap;
          for (const std::size_t bins : support::Sizes{1, 2, 5, 11}) {
            CHECK(agrees(config.band(), bins, [&](auto i, auto j) {
              return may_read(context, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j));
            }));
          }
        }
      }
    }
  }
  ndt::ModelConfig config;
  config.context_backward = config.context_forward = most;
  config.context_wrap_initial = true;
  CHECK(agrees(config.band(), 9, [](auto, auto) { return true; }));
}
