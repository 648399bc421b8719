#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <ndt/core/random.hpp>
#include "../support/catch.hpp"

namespace {

using Block = ndt::Philox::Block;

TEST_CASE("Philox gives the known answers of its authors") {
  // kat_vectors of Random123: philox4x32, 10 rounds.
  CHECK(ndt::Philox{0}({0, 0, 0, 0}) == Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(ndt::Philox{~std::uint64_t{0}}({~0u, ~0u, ~0u, ~0u}) == Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(ndt::Philox{0x299f31d0a4093822}({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("A stream is the words of its place, in order") {
  const ndt::RandomPlace place{.seed = 7, .purpose = 3, .item = 11, .step = 5};
  ndt::RandomStream stream(place);
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word : place.words(block)) CHECK(stream.word() == word);
  }
}

TEST_CASE("Every part of a place changes what is drawn") {
  const ndt::RandomPlace place{.seed = 7, .purpose = 3, .item = 11, .step = 5};
  std::array<ndt::RandomPlace, 5> others{};
  others.fill(place);
  others[1].seed = 8, others[2].purpose = 4, others[3].item = 12, others[4].step = 6;
  for (std::size_t i = 1; i < others.size(); ++i) CHECK(others[i].words(0) != others[0].words(0));
}

TEST_CASE("Uniform numbers fill [0, 1) evenly") {
  ndt::RandomStream stream({.seed = 1});
  constexpr int draws = 100000, cells = 20;
  std::array<int, cells> counts{};
  for (int i = 0; i < draws; ++i) {
    const double u = stream.uniform();
    REQUIRE(u >= 0.0);
    REQUIRE(u < 1.0);
    ++counts[static_cast<std::size_t>(u * cells)];
  }
  double chi2 = 0.0;
  for (const int count : counts) chi2 += (count - draws / cells) * (count - draws / cells) / (draws / double(cells));
  CHECK(chi2 < 43.8);  // 19 degrees of freedom: one in a thousand is above
}

TEST_CASE("Integers below n are equally likely for an n that does not divide 2^32") {
  ndt::RandomStream stream({.seed = 2});
  constexpr int draws = 70000, n = 7;
  std::array<int, n> counts{};
  for (int i = 0; i < draws; ++i) {
    const std::uint32_t k = stream.below(n);
    REQUIRE(k < n);
    ++counts[k];
  }
  double chi2 = 0.0;
  for (const int count : counts) chi2 += (count - draws / n) * (count - draws / n) / (draws / double(n));
  CHECK(chi2 < 22.5);  // 6 degrees of freedom
  // Three quarters of the range: a plain multiplication would give the first third too often.
  const std::uint32_t large = 3u << 30;
  int low = 0;
  for (int i = 0; i < draws; ++i) low += stream.below(large) < large / 3;
  CHECK(std::abs(low - draws / 3.0) < 4 * std::sqrt(draws * 2.0 / 9.0));
}

}  // namespace
