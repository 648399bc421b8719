#include <benchmark/benchmark.h>

#include "counters.hpp"

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  bench::register_kernels();
  bench::register_train_step();
  bench::register_forward();
  bench::register_stream();
  bench::register_recalibration();
  bench::register_recurrent();
  bench::register_scaling();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
