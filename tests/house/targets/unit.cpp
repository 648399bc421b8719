// One of several translation units with the same source and different -m flags: see test_targets.cpp.
#include "unit.hpp"

#include <ndt/ndt.hpp>

#define NDT_TEXT_OF(x) #x
#define NDT_TEXT(x) NDT_TEXT_OF(x)

namespace {

ndt::ModelConfig config_from(const void* bytes) { return *static_cast<const ndt::ModelConfig*>(bytes); }

std::size_t workspace_size(const void* config, std::size_t bins) {
  return ndt::DynamicTransformer<>(ndt::DynamicShape{config_from(config)}).workspace_size(bins);
}

void forward(float* log_rates, const void* config, const float* packed, const std::int64_t* counts, std::size_t trials,
             std::size_t bins, float* workspace, std::size_t size) {
  const ndt::DynamicShape shape{config_from(config)};
  ndt::DynamicTransformer<> model;
  if (!model.bind(shape, {packed, ndt::DynamicTransformer<>(shape).packed_size()}).ok()) return;
  model.forward({.log_rates = log_rates}, counts, trials, bins, std::span<float>(workspace, size));
}

}  // namespace

extern const Unit NDT_UNIT;
const Unit NDT_UNIT = {NDT_TEXT(NDT_TARGET), workspace_size, forward};
