#include <cstdint>
#include <ndt/ndt.hpp>

#include "tiny.hpp"  // generated: tiny::config and tiny::packed, constexpr

using Model = ndt::StaticTransformer<tiny::config>;
constinit const Model model{tiny::packed};        // a pointer to weights in flash
constinit ndt::StaticWorkspace<Model> workspace;  // all the memory there is, its size known to the compiler
float log_rates[tiny::config.trial_length * tiny::config.neurons];

void infer(const std::uint8_t* counts) {  // counts[bins][neurons]
  model.forward({.log_rates = log_rates}, counts, 1, tiny::config.trial_length, workspace);
}
