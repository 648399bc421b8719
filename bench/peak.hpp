// The limits of this machine for this build's own instruction set, measured in the same process.
#pragma once

#include <cstddef>

namespace bench {

/// GFLOP/s of a plain multiply-add loop on `threads` threads at once: the best over 12 to 24 accumulators.
double peak_gflops(int threads);

/// GFLOP/s of that loop with 12 accumulators during the next 0.1 ms or so.
double loop_gflops(int threads);

/// The sum of a block, read as fast as one thread can.
float read_through(const float* data, std::size_t count) noexcept;

/// Bytes a nanosecond (GB/s) that one thread reads over and over from a block of so many bytes: the best of several.
double read_bandwidth(std::size_t bytes);

/// Multiply-adds and nothing else for about so many nanoseconds; `spin_rounds` are found once for a duration.
std::size_t spin_rounds(double nanoseconds);
void spin(std::size_t rounds) noexcept;

}  // namespace bench
