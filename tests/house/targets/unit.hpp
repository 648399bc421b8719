// What a unit of test_targets.cpp offers. Plain types only: a class template of the standard library that two units
// with different -m flags instantiate would be merged by the linker, whatever the library under test does.
#pragma once

#include <cstddef>
#include <cstdint>

struct Unit {
  const char* target;  ///< the instruction set that the unit believes it was built for
  std::size_t (*workspace_size)(const void* config, std::size_t bins);
  /// config: a ModelConfig as bytes. packed: weights packed by any unit.
  void (*forward)(float* log_rates, const void* config, const float* packed, const std::int64_t* counts,
                  std::size_t trials, std::size_t bins, float* workspace, std::size_t workspace_size);
};
