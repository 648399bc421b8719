#include <algorithm>
#include <vector>

#include <ndt/stream/latency.hpp>

#include "../support/catch.hpp"
#include "../support/noise.hpp"

TEST_CASE("quantiles of the histogram are those of the sorted numbers, to one part in a hundred", "[stream]") {
  support::Random random(3);
  for (const std::uint64_t scale : std::vector<std::uint64_t>{10, 1000, 1000000, 3000000000}) {
    ndt::LatencyHistogram<> histogram;
    std::vector<std::uint64_t> all;
    for (int i = 0; i < 20000; ++i) {
      all.push_back(random.below(random.below(scale) + 1));
      histogram.record(all.back());
    }
    CHECK(histogram.count() == all.size());
    CHECK(histogram.first() == all.front());
    std::sort(all.begin(), all.end());
    CHECK(histogram.largest() == all.back());
    for (const double q : {0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
      const std::uint64_t exact = all[static_cast<std::size_t>(std::ceil(q * static_cast<double>(all.size()))) - 1];
      const std::uint64_t found = histogram.quantile(q);
      CHECK(found >= exact);
      CHECK(static_cast<double>(found - exact) <= static_cast<double>(exact) / 128);
    }
    histogram.clear();
    CHECK(histogram.count() == 0);
    CHECK(histogram.quantile(0.5) == 0);
  }
}

TEST_CASE("numbers beyond the histogram are counted, and the largest is kept", "[stream]") {
  ndt::LatencyHistogram<3, 10> histogram;
  histogram.record(5);
  histogram.record(std::uint64_t{1} << 62);
  histogram.record(1023);
  CHECK(histogram.quantile(0.3) == 5);
  CHECK(histogram.quantile(1) == std::uint64_t{1} << 62);
}

namespace {
struct FakeClock {
  static inline std::uint64_t now = 0;
  static std::uint64_t ticks() noexcept { return now; }
};
struct FakeDecoder {
  int steps = 0;
  const int& step(const std::uint64_t* took) noexcept {
    FakeClock::now += *took;
    return ++steps;
  }
  const int& step_missing() noexcept { return ++steps; }
};
}  // namespace

TEST_CASE("a watched decoder knows how long steps took and which were too late", "[stream]") {
  FakeDecoder decoder;
  ndt::WatchedDecoder<FakeDecoder, FakeClock> watched(decoder, 20);
  for (const std::uint64_t took : std::vector<std::uint64_t>{7, 20, 21, 3, 100}) CHECK(watched.step(&took) > 0);
  CHECK(watched.step_missing() == 6);
  CHECK(watched.missed_deadlines() == 2);
  CHECK(watched.latency().count() == 6);
  CHECK(watched.latency().first() == 7);
  CHECK(watched.latency().largest() == 100);
  CHECK(watched.latency().quantile(0.5) == 7);
}
