// The clock of streams.
#pragma once

#include <chrono>
#include <cstdint>

namespace bench {

struct Nanoseconds {
  static std::uint64_t ticks() noexcept {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                      std::chrono::nanoseconds(1));
  }
};

inline double us(std::uint64_t ns) { return static_cast<double>(ns) * 1e-3; }

}  // namespace bench
