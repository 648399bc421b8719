// The arithmetic of a window, against the figures that the benchmarks are published with.
#include <cmath>

#include <ndt/ndt.hpp>

#include "../support/catch.hpp"
#include "../support/static_shapes.hpp"

namespace {

ndt::ModelConfig published(std::size_t bins, std::size_t neurons, std::size_t layers, std::size_t embed_dim) {
  ndt::ModelConfig c;
  c.trial_length = bins, c.neurons = neurons, c.layers = layers, c.embed_dim = embed_dim, c.full_context = true;
  return c;
}

/// To the digits that are published.
bool is(double flop, double millions, double digit) { return std::abs(flop * 1e-6 - millions) <= digit / 2; }

}  // namespace

TEST_CASE("window_flop gives the published figures", "[model][cost]") {
  CHECK(is(ndt::window_flop(published(70, 202, 6, 0), 70), 210.0, 0.1));
  CHECK(is(ndt::window_flop(published(180, 182, 4, 0), 180), 364.2, 0.1));
  CHECK(is(ndt::window_flop(published(100, 50, 6, 2), 100), 103.7, 0.1));
  CHECK(is(ndt::window_flop(published(50, 29, 6, 2), 50), 20.6, 0.1));
  CHECK(is(ndt::window_flop(published(5, 50, 6, 2), 5), 4.05, 0.01));
}

TEST_CASE("a band costs the pairs inside it, and the last bin its own", "[model][cost]") {
  // 11 bins, 3 back and 2 ahead: 6 in the middle, fewer at both ends.
  const ndt::ModelConfig c = support::base_config();
  const double D = 14, F = 10, L = 2, N = 7;
  const double row = 2 * (L * (4 * D * D + 2 * D * F) + D * N);
  const double pairs = 3 + 4 + 5 + 6 * 6 + 5 + 4;
  CHECK(ndt::window_flop(c, 11) == 11 * row + 4 * L * D * pairs);
  CHECK(ndt::bin_flop(c) == row + 4 * L * D * 4);
}
