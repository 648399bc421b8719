#include <cstdint>
#include <ndt/ndt.hpp>
#include <vector>

std::vector<float> infer(const ndt::ModelConfig& config, std::span<const float> packed,
                         const std::vector<std::int32_t>& counts, std::size_t trials, std::size_t bins) {
  ndt::DynamicTransformer<> model;
  if (const ndt::Status status = model.bind({config}, packed); !status.ok()) return {};  // status says what and where
  if (bins == 0 || bins > config.trial_length || counts.size() != trials * bins * config.neurons) return {};
  std::vector<float> rates(trials * bins * config.neurons), workspace(model.workspace_size(bins, 1, trials));
  model.forward({.log_rates = rates.data()}, counts.data(), trials, bins, workspace);
  if (config.lograte) ndt::kernels::exp_row<ndt::simd::native<float>>(rates.data(), rates.data(), rates.size());
  return rates;  // counts per bin
}
