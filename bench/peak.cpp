#include "peak.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <limits>
#include <utility>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

namespace bench {
namespace {

using V = ndt::simd::native<float>;

// Live accumulators hide the latency of a multiply-add; too many spill. Which number is best depends on the core.
template <std::size_t Accumulators>
NDT_NOINLINE double multiply_add_loop(std::size_t rounds) {
  V::reg sums[Accumulators];
  [&]<std::size_t... I>(std::index_sequence<I...>) {
    ((sums[I] = V::set(static_cast<float>(I))), ...);
    // The compiler may not know the factors, or it would take the loop apart. Hidden inside the loop they went through
    // memory every time, which cost a fifth of the peak.
    V::reg factor = V::set(0.999f), term = V::set(0.001f);
    asm volatile("" : "+m"(factor), "+m"(term));
    const V::reg f = factor, t = term;
    for (std::size_t i = 0; i < rounds; ++i) {
      asm volatile("");
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

/// GFLOP/s of the loop on so many threads at once.
template <std::size_t Accumulators>
double speed_of_loop(int threads, std::size_t rounds) {
  double flop = 0;
  const auto start = std::chrono::steady_clock::now();
#ifdef _OPENMP
#pragma omp parallel for num_threads(threads) reduction(+ : flop) schedule(static, 1)
#endif
  for (int thread = 0; thread < threads; ++thread) flop += multiply_add_loop<Accumulators>(rounds);
  const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
  return flop / elapsed.count();
}

template <std::size_t Accumulators>
double best_of(int threads) {
  double best = 0;
  for (int attempt = 0; attempt < 5; ++attempt) best = std::max(best, speed_of_loop<Accumulators>(threads, 20000));
  return best;
}

}  // namespace

float read_through(const float* data, std::size_t count) noexcept {
  constexpr std::size_t chains = 8;  // hide the latency of an addition
  V::reg sums[chains];
  for (V::reg& sum : sums) sum = V::set(0.0f);
  for (std::size_t i = 0; i + chains * V::width <= count; i += chains * V::width) {
    for (std::size_t c = 0; c < chains; ++c) sums[c] = sums[c] + V::load(data + i + c * V::width);
  }
  float total = 0;
  for (const V::reg& sum : sums) total += V::reduce_add(sum);
  return total;
}

double read_bandwidth(std::size_t bytes) {
  const ndt::Buffer<float> block(bytes / sizeof(float));
  const std::size_t repeats = std::max<std::size_t>(1, 20'000'000 / bytes);
  double best = 0;
  for (int attempt = 0; attempt < 15; ++attempt) {
    volatile float sink = 0;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t r = 0; r < repeats; ++r) sink = read_through(block.data(), block.size());
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    (void)sink;
    best = std::max(best, static_cast<double>(repeats * block.size() * sizeof(float)) / elapsed.count());
  }
  return best;
}

void spin(std::size_t rounds) noexcept { multiply_add_loop<12>(rounds); }

std::size_t spin_rounds(double nanoseconds) {
  double fastest = std::numeric_limits<double>::infinity();  // nanoseconds a round
  for (int attempt = 0; attempt < 20; ++attempt) {
    const auto start = std::chrono::steady_clock::now();
    spin(1000);
    const std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    fastest = std::min(fastest, elapsed.count() / 1000);
  }
  return std::max<std::size_t>(1, static_cast<std::size_t>(nanoseconds / fastest));
}

double loop_gflops(int threads) {
  static const std::size_t rounds = spin_rounds(1e5);
  return speed_of_loop<12>(threads, rounds);
}

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
