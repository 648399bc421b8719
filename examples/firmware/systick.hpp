// systick.hpp: how long something took, by the timer that every Cortex-M has.
#pragma once

#include <cstdint>

namespace systick {

struct Registers {
  std::uint32_t control, reload, current;
};
inline constexpr std::uint32_t longest = 0xFFFFFF;  // it has 24 bits, and counts down
inline volatile Registers& registers() { return *reinterpret_cast<volatile Registers*>(0xE000E010); }

inline void start() {
  constexpr std::uint32_t enabled = 1, processor_clock = 4;
  registers().reload = longest;
  registers().current = 0;  // from there the next tick takes it to `reload`
  registers().control = enabled | processor_clock;
}
/// Ticks since start(), if they are not more than `longest`.
inline std::uint32_t ticks() { return (0 - registers().current) & longest; }

/// The longest that something took, in ticks.
class Longest {
 public:
  /// What work() returns.
  template <class Work>
  decltype(auto) of(Work work) {
    start();
    decltype(auto) result = work();
    const std::uint32_t taken = ticks();
    if (taken > ticks_) ticks_ = taken;
    return result;
  }
  std::uint32_t in_ticks() const { return ticks_; }

 private:
  std::uint32_t ticks_ = 0;
};

/// Turns ticks into instructions, where an emulator gives every instruction the same time: the rate is found with a
/// loop whose instructions are known. On a chip a tick is a cycle of the processor, and this means nothing.
class Instructions {
 public:
  Instructions() {
    std::uint32_t count = loops;
    start();
    asm volatile("1: subs %0, %0, #1\n   bne 1b" : "+r"(count) : : "cc");
    ticks_ = ticks();
  }
  std::uint32_t in(std::uint32_t ticks) const {
    return static_cast<std::uint32_t>(std::uint64_t{ticks} * (2 * loops) / ticks_);
  }
  /// Instructions in a thousand ticks: how fine the measure is.
  std::uint32_t in_thousand_ticks() const { return in(1000); }

 private:
  static constexpr std::uint32_t loops = 1'000'000;
  std::uint32_t ticks_;
};

}  // namespace systick
