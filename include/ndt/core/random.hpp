// ndt/core/random.hpp: random numbers that are a function of where they are used, not of who asked first.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

/// The rounds of Philox on N counters side by side, or on N registers of them: words x, y, z and w of 64 bits, of which
/// the lower halves count, before and after. product(word, m): that of the lower half and m, whole.
template <class Words, std::size_t N, class Product>
NDT_INLINE constexpr void philox_rounds(std::array<Words, N>& x, std::array<Words, N>& y, std::array<Words, N>& z,
                                        std::array<Words, N>& w, std::uint64_t key, Product product) noexcept {
  auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const auto one = [&](std::size_t i) NDT_INLINE_LAMBDA {
      const Words a = product(x[i], 0xD2511F53u), b = product(z[i], 0xCD9E8D57u);
      x[i] = (b >> 32) ^ y[i] ^ low;
      z[i] = (a >> 32) ^ w[i] ^ high;
      y[i] = b;
      w[i] = a;
    };
    // Written out, so that the words stay in registers at any level of optimisation.
    [&]<std::size_t... I>(std::index_sequence<I...>) NDT_INLINE_LAMBDA { (one(I), ...); }
    (std::make_index_sequence<N>{});
    low += 0x9E3779B9, high += 0xBB67AE85;
  }
}

/// Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011): ten rounds turn a key and a counter into four random words. Equal
/// on every machine, and any counter can be asked for at any time, in any order and by any thread.
struct Philox {
  using Block = std::array<std::uint32_t, 4>;
  std::uint64_t key = 0;

  constexpr Block operator()(Block counter) const noexcept {
    std::array<std::uint64_t, 1> x{counter[0]}, y{counter[1]}, z{counter[2]}, w{counter[3]};
    philox_rounds(x, y, z, w, key,
                  [](std::uint64_t word, std::uint32_t m) NDT_INLINE_LAMBDA { return (word & 0xffffffff) * m; });
    const auto lower = [](std::uint64_t word) { return static_cast<std::uint32_t>(word); };
    return {lower(x[0]), lower(y[0]), lower(z[0]), lower(w[0])};
  }
};

/// One place that draws: a seed and three numbers that name the place, such as purpose, trial and step.
struct RandomPlace {
  std::uint64_t seed = 0;
  std::uint32_t purpose = 0;
  std::uint32_t item = 0;
  std::uint32_t step = 0;

  /// The four words number 4 block ... 4 block + 3 of this place.
  constexpr Philox::Block words(std::uint32_t block) const noexcept {
    return Philox{seed}({block, purpose, item, step});
  }
};

/// The words of a place one after the other. At most 2^34 of them.
class RandomStream {
 public:
  constexpr explicit RandomStream(const RandomPlace& place) noexcept : place_(place) {}

  constexpr std::uint32_t word() noexcept {
    if (used_ == block_.size()) {
      block_ = place_.words(next_++);
      used_ = 0;
    }
    return block_[used_++];
  }
  /// One of 2^53 equally spaced numbers in [0, 1).
  constexpr double uniform() noexcept {
    const std::uint64_t high = word() >> 5, low = word() >> 6;
    return static_cast<double>((high << 26) | low) * 0x1p-53;
  }
  constexpr double uniform(double from, double to) noexcept { return from + (to - from) * uniform(); }
  /// An integer in [0, n), n > 0, each as likely as the others (Lemire 2019).
  constexpr std::uint32_t below(std::uint32_t n) noexcept {
    std::uint64_t product = std::uint64_t{word()} * n;
    if (static_cast<std::uint32_t>(product) < n) {
      const std::uint32_t rejected = (0u - n) % n;
      while (static_cast<std::uint32_t>(product) < rejected) product = std::uint64_t{word()} * n;
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  RandomPlace place_;
  Philox::Block block_{};
  std::size_t used_ = 4;
  std::uint32_t next_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
