// Attention inside a band against plain loops with a mask.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "../support/head.hpp"
#include "../support/policies.hpp"
#include "../support/reference.hpp"
#include "../support/widths.hpp"

using support::Head;
using support::Matrix;

namespace {

std::string text(const ndt::Band& band) {
  const auto bins = [](std::size_t n) { return n == ndt::dyn ? std::string("all") : std::to_string(n); };
  return "backward " + bins(band.backward) + " forward " + bins(band.forward) + " wrap " + bins(band.wrap);
}

constexpr std::size_t bin_counts[] = {1, 2, 5, 13, 37, 70};

}  // namespace

TEMPLATE_TEST_CASE("attention is right for every head width, length and band", "[kernels][attention]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  for (const std::size_t width : support::Sizes{1, 3, 8, 17, 101}) {
    for (const std::size_t bins : bin_counts) {
      const Head<TestType> head(bins, width);
      for (const ndt::Band& band : support::bands()) {
        INFO("width " << width << " bins " << bins << " " << text(band));
        const auto expected = support::reference::attention<T>(head.q, head.k, head.v, bins, head.scale, band);
        CHECK(support::worst_in_epsilons(head.run(band, 0, bins), expected.out) < 1);
      }
    }
  }
}

TEMPLATE_TEST_CASE("attention of any range of bins writes their rows alone, with the bits of the whole",
                   "[kernels][attention]", NDT_POLICIES) {
  const std::size_t width = 5;
  for (const std::size_t bins : bin_counts) {
    const Head<TestType> head(bins, width);
    const std::size_t step = bins <= 13 ? 1 : 11;
    for (const ndt::Band& band : support::bands()) {
      const auto whole = head.run(band, 0, bins), none = head.run(band, 0, 0);
      CHECK(support::untouched(none.data(), bins * width));
      for (std::size_t first = 0; first <= bins; first += step) {
        for (std::size_t last = first; last <= bins; last += step) {
          INFO("bins " << bins << " range " << first << " to " << last << " " << text(band));
          auto expected = none;
          std::copy_n(whole.data() + first * width, (last - first) * width, expected.data() + first * width);
          CHECK(support::same_bits(head.run(band, first, last), expected));
        }
      }
    }
  }
}

TEMPLATE_TEST_CASE("attention of a bin reads nothing outside its band, nor another bin's query", "[kernels][attention]",
                   NDT_POLICIES) {
  using T = typename TestType::value_type;
  const T nan = std::numeric_limits<T>::quiet_NaN();
  const std::size_t width = 3;
  for (const std::size_t bins : support::Sizes{5, 13, 37}) {
    const Head<TestType> clean(bins, width);
    for (const ndt::Band& band : support::bands()) {
      const auto expected = clean.run(band, 0, bins);
      std::size_t same = 0;
      for (std::size_t i = 0; i < bins; ++i) {
        auto poisoned = clean;
        for (std::size_t j = 0; j < bins; ++j) {
          const auto at = static_cast<std::ptrdiff_t>(j * width);
          if (j != i) std::fill_n(poisoned.q.begin() + at, width, nan);
          if (support::reference::sees(band, i, j)) continue;
          std::fill_n(poisoned.k.begin() + at, width, nan);
          std::fill_n(poisoned.v.begin() + at, width, nan);
        }
        const auto out = poisoned.run(band, 0, bins);
        same += std::memcmp(out.data() + i * width, expected.data() + i * width, width * sizeof(T)) == 0;
      }
      INFO("bins " << bins << " " << text(band));
      CHECK(same == bins);
    }
  }
}

TEMPLATE_TEST_CASE("attention lets NaN inside a band through to the rows that see it", "[kernels][attention]",
                   NDT_POLICIES) {
  using T = typename TestType::value_type;
  const std::size_t width = 3, bins = 13;
  for (const ndt::Band& band : support::bands()) {
    for (std::size_t j = 0; j < bins; ++j) {
      INFO("key " << j << " " << text(band));
      Head<TestType> head(bins, width);
      head.k[j * width + 1] = std::numeric_limits<T>::quiet_NaN();
      const auto out = head.run(band, 0, bins);
      std::size_t right = 0;
      for (std::size_t i = 0; i < bins; ++i) {
        right += std::isnan(out[i * width]) == support::reference::sees(band, i, j);
      }
      CHECK(right == bins);
    }
  }
}

TEMPLATE_TEST_CASE("attention shows the softmax weights of every row once, inside its band alone",
                   "[kernels][attention]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const std::size_t width = 8;
  for (const std::size_t bins : bin_counts) {
    const Head<TestType> head(bins, width);
    for (const ndt::Band& band : support::bands()) {
      INFO("bins " << bins << " " << text(band));
      std::vector<T> seen(bins * bins, T(0));
      std::vector<int> times(bins * bins, 0);
      const auto collect = [&](std::size_t bin, const T* weights, std::size_t begin, std::size_t end) {
        for (std::size_t j = begin; j < end; ++j) seen[bin * bins + j] = weights[j], ++times[bin * bins + j];
      };
      CHECK(support::same_bits(head.run(band, 0, bins, collect), head.run(band, 0, bins)));
      const auto expected = support::reference::attention<T>(head.q, head.k, head.v, bins, head.scale, band);
      CHECK(support::worst_in_epsilons(seen, expected.weights) < 1);
      std::size_t right = 0;
      for (std::size_t i = 0; i < bins * bins; ++i) {
        right += times[i] == static_cast<int>(support::reference::sees(band, i / bins, i % bins));
      }
      CHECK(right == bins * bins);
    }
  }
}

TEMPLATE_TEST_CASE("weights that are changed meet the values as changed", "[kernels][attention]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  const std::size_t width = 5, bins = 13;
  const Head<TestType> head(bins, width);
  for (const ndt::Band& band : support::bands()) {
    INFO(text(band));
    const auto whole = head.run(band, 0, bins);
    auto doubled = head.run(band, 0, bins, [](std::size_t, T* weights, std::size_t begin, std::size_t end) {
      for (std::size_t j = begin; j < end; ++j) weights[j] = weights[j] + weights[j];
    });
    for (T& x : doubled) x = x / 2;
    CHECK(support::same_bits(doubled, whole));
  }
}
