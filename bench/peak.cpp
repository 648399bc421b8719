#include "peak.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include <ndt/ndt.hpp>

namespace bench {
namespace {

using V = ndt::simd::native<float>;

// Live accumulators hide the latency of a multiply-add; too many spill. Which number is best depends on the core.
template <std::size_t Accumulators>
NDT_NOINLINE double multiply_add_loop(std::size_t rounds) {
  V::reg sums[Accumulators];
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((sums[I] = V::set(static_cast<float>(I))), ...);
    V::reg factor = V::set(0.999f), term = V::set(0.001f);
    for (std::size_t i = 0; i < rounds; ++i) {
      // The compiler may not know that the factors stay the same, or it would take the loop apart.
      asm volatile("" : "+m"(factor), "+m"(term));
      const V::reg f = factor, t = term;
      for (int repeat = 0; repeat < 16; ++repeat) ((sums[I] = V::fma(sums[I], f, t)), ...);
    }
  }
  (std::make_index_sequence<Accumulators>{});
  float total = 0;
  for (const auto& sum : sums) total += V::reduce_add(sum);
  volatile float sink = total;
  (void)sink;
  return 2.0 * 16.0 * static_cast<double>(rounds * Accumulators * V::width);
}

template <std::size_t Accumulators>
double best_of(int threads) {
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt) {
    double flop = 0;
    const auto start = std::chrono::steady_clock::now();
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) reduction(+ : flop) schedule(static, 1)
#endif
    for (int thread = 0; thread < threads; ++thread) flop += multiply_add_loop<Accumulators>(20000);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    best = std::max(best, flop / elapsed.count());
  }
  return best;
}

}  // namespace

double peak_gflops(int threads) {
  static std::array<double, 65> known{};
  double& peak = known[static_cast<std::size_t>(std::clamp(threads, 1, 64))];
  if (peak == 0) {
    peak = std::max(
        {best_of<12>(threads), best_of<14>(threads), best_of<16>(threads), best_of<20>(threads), best_of<24>(threads)});
  }
  return peak;
}

}  // namespace bench
