// What every benchmark reports beside its time, and who registers which.
#pragma once

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdint>
#include <string>

#include <ndt/core/parallel_for.hpp>
#include <ndt/stream/latency.hpp>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "clock.hpp"
#include "peak.hpp"

namespace bench {

/// Runs work() for every iteration and returns the seconds that all of them took. Wall time, taken here: the library
/// would add a suffix to the benchmark's name for it, and processor time leaves out the other threads.
template <class Work>
double seconds_of(benchmark::State& state, Work work) {
  std::chrono::steady_clock::time_point start;
  bool running = false;
  for (auto _ : state) {
    if (!running) start = std::chrono::steady_clock::now(), running = true;
    work();
    benchmark::ClobberMemory();
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count() / static_cast<double>(state.iterations());
}

/// What work took, and the mean GFLOP/s of a loop of plain multiply-adds in turns with it.
struct BesideLoop {
  double seconds, loop_gflops;
};
/// Runs work() for every iteration, and every two milliseconds, untimed, the loop on as many threads: what a shared
/// machine does to the one, it does to the other. Of 0.2 ms of it the second half counts. At first a core with AVX-512
/// holds back instructions that need more current than those before, and some milliseconds later its clock rises, as
/// the loop reads nothing and takes less power than the work.
template <class Work>
BesideLoop beside_loop(benchmark::State& state, int threads, Work work) {
  double worked = 0, since = 0, loops = 0;  // the loops by the time that they stand for
  const auto turn = [&] {
    (void)loop_gflops(threads);
    loops += since * loop_gflops(threads);
    worked += since, since = 0;
  };
  for (auto _ : state) {
    const std::uint64_t start = Nanoseconds::ticks();
    work();
    benchmark::ClobberMemory();
    since += static_cast<double>(Nanoseconds::ticks() - start);
    if (since < 2e6) continue;
    state.PauseTiming();
    turn();
    state.ResumeTiming();
  }
  if (since > 0) turn();
  return {worked * 1e-9 / static_cast<double>(state.iterations()), loops / worked};
}

/// Runs work() for every iteration and returns what each took, in nanoseconds.
template <class Work>
ndt::LatencyHistogram<> latency_of(benchmark::State& state, Work work) {
  ndt::LatencyHistogram<> latency;
  for (auto _ : state) {
    const std::uint64_t start = Nanoseconds::ticks();
    work();
    benchmark::ClobberMemory();
    latency.record(Nanoseconds::ticks() - start);
  }
  return latency;
}

/// gflops, and the share of the peak that as many threads reach with nothing but multiply-adds.
inline void count_flop(benchmark::State& state, double flop, double seconds, int threads) {
  state.counters["gflops"] = flop * 1e-9 / seconds;
  state.counters["of_peak"] = flop * 1e-9 / seconds / peak_gflops(threads);
  state.counters["peak_gflops"] = peak_gflops(threads);
}

/// The same, and the share of what the loop beside the work did.
inline void count_flop(benchmark::State& state, double flop, const BesideLoop& took, int threads) {
  count_flop(state, flop, took.seconds, threads);
  state.counters["of_loop"] = flop * 1e-9 / took.seconds / took.loop_gflops;
}

/// p50_us and p99_us of single calls, and beside them the least that they could take, `floor` microseconds.
inline void count_latency(benchmark::State& state, const ndt::LatencyHistogram<>& latency, double floor) {
  const double p50 = us(latency.quantile(0.5));
  state.counters["p50_us"] = p50;
  state.counters["p99_us"] = us(latency.quantile(0.99));
  state.counters["floor_us"] = floor;
  state.counters["of_floor"] = p50 / floor;
}

/// Elements per nanosecond, for kernels whose arithmetic is not multiply-adds.
inline void count_elements(benchmark::State& state, double elements, double seconds) {
  state.counters["elements_per_ns"] = elements * 1e-9 / seconds;
}

/// Registers NAME/threads:1, :2, :4 ... as far as there are processors; run(state, policy) is one of them.
template <class Run>
void register_for_threads(const std::string& name, benchmark::TimeUnit unit, Run run) {
  const auto full_name = [&](std::size_t threads) { return name + "/threads:" + std::to_string(threads); };
  benchmark::RegisterBenchmark(full_name(1).c_str(), [=](benchmark::State& state) {
    run(state, ndt::Serial{});
  })->Unit(unit);
#ifdef _OPENMP
  const auto processors = static_cast<std::size_t>(omp_get_num_procs());
  for (std::size_t threads = 2; threads <= processors; threads *= 2) {
    const ndt::OpenMP policy{threads};
    benchmark::RegisterBenchmark(full_name(threads).c_str(), [=](benchmark::State& state) {
      run(state, policy);
    })->Unit(unit);
  }
#endif
}

void register_forward();
void register_kernels();
void register_stream();
void register_recalibration();
void register_recurrent();
void register_scaling();
void register_train_step();

}  // namespace bench
