// ndt/stream/latency.hpp: how long steps took, without keeping each of them: a histogram whose buckets grow with the
// value, as Gil Tene's HdrHistogram has them. And a decoder that is watched.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"

namespace ndt::inline NDT_TARGET {

/// Counts of numbers below 2^Bits, of which 2^Digits stand between two powers of two: quantiles are right to 1 in
/// 2^Digits. What is larger is counted in the last bucket; the largest one is kept as it is. No allocation; record() is
/// a few instructions. 15 KB as it is.
template <unsigned Digits = 7, unsigned Bits = 36>
class LatencyHistogram {
 public:
  static_assert(Digits >= 1 && Digits < Bits && Bits <= 63);

  constexpr void record(std::uint64_t ticks) noexcept {
    if (count_ == 0) first_ = ticks;
    ++count_;
    if (ticks > largest_) largest_ = ticks;
    std::uint32_t& bucket = buckets_[bucket_of(ticks)];
    if (bucket != ~std::uint32_t{0}) ++bucket;
  }
  constexpr void clear() noexcept {
    buckets_.fill(0);
    count_ = first_ = largest_ = 0;
  }

  constexpr std::uint64_t count() const noexcept { return count_; }
  constexpr std::uint64_t first() const noexcept { return first_; }
  constexpr std::uint64_t largest() const noexcept { return largest_; }
  /// The smallest number that at least a share `q` of all numbers does not exceed, up to the end of its bucket; 0 if
  /// there are none. 0 < q <= 1.
  constexpr std::uint64_t quantile(double q) const noexcept {
    const double wanted = q * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (buckets_[i] != 0 && static_cast<double>(seen) >= wanted) {
        return i + 1 == buckets_.size() || end_of(i) > largest_ ? largest_ : end_of(i);
      }
    }
    return largest_;
  }

 private:
  static constexpr std::size_t steps = std::size_t{1} << Digits;

  /// Numbers below 2^Digits have a bucket each; behind them every power of two has 2^Digits.
  static constexpr std::size_t bucket_of(std::uint64_t ticks) noexcept {
    if (ticks >> Bits != 0) return buckets - 1;
    if (ticks < steps) return static_cast<std::size_t>(ticks);
    const unsigned shift = static_cast<unsigned>(std::bit_width(ticks)) - 1 - Digits;
    return (shift + 1) * steps + (static_cast<std::size_t>(ticks >> shift) - steps);
  }
  /// The largest number in a bucket.
  static constexpr std::uint64_t end_of(std::size_t bucket) noexcept {
    if (bucket < steps) return bucket;
    const std::size_t shift = bucket / steps - 1;
    return ((static_cast<std::uint64_t>(bucket % steps + steps) + 1) << shift) - 1;
  }

  static constexpr std::size_t buckets = (Bits - Digits + 1) * steps;
  std::array<std::uint32_t, buckets> buckets_{};
  std::uint64_t count_ = 0, first_ = 0, largest_ = 0;
};

/// A decoder with a clock beside it: Clock::ticks() gives a std::uint64_t that never goes backwards, in whatever unit.
/// Who does not want to know uses the decoder itself, and no clock is in the program.
template <class Decoder, class Clock, class Histogram = LatencyHistogram<>>
class WatchedDecoder {
 public:
  /// deadline: ticks that a step may take; more is counted and changes nothing.
  constexpr WatchedDecoder(Decoder& decoder, std::uint64_t deadline) noexcept
      : decoder_(&decoder), deadline_(deadline) {}

  template <class Count>
  const auto& step(const Count* counts) noexcept NDT_NONBLOCKING {
    return watch([&]() -> const auto& { return decoder_->step(counts); });
  }
  const auto& step_missing() noexcept NDT_NONBLOCKING {
    return watch([&]() -> const auto& { return decoder_->step_missing(); });
  }

  constexpr Decoder& decoder() noexcept { return *decoder_; }
  constexpr const Histogram& latency() const noexcept { return latency_; }
  constexpr std::uint64_t missed_deadlines() const noexcept { return missed_; }

 private:
  template <class Step>
  const auto& watch(Step step) noexcept {
    const std::uint64_t start = Clock::ticks();
    const auto& out = step();
    const std::uint64_t took = Clock::ticks() - start;
    latency_.record(took);
    missed_ += took > deadline_ ? 1 : 0;
    return out;
  }

  Decoder* decoder_;
  std::uint64_t deadline_, missed_ = 0;
  Histogram latency_{};
};

}  // namespace ndt::inline NDT_TARGET
