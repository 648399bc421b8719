// The multiply-add peak of this build's own instruction set: what a core can do, measured in the same process.
#pragma once

namespace bench {

/// GFLOP/s of a plain multiply-add loop on `threads` threads at once: the best over 12 to 24 accumulators.
double peak_gflops(int threads);

}  // namespace bench
