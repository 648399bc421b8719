// tools/io/parameters.cpp
#include "parameters.hpp"

#include <algorithm>

namespace tool {

namespace {

constexpr const char* position_table = "pos_encoder.pos_embedding.weight";
constexpr const char* position_indices = "pos_encoder.pe";

}  // namespace

ndt::Parameters<float> parameters_of(const ModelFile& model, const std::string& where) {
  pack(model, where);  // refuses what does not fit
  ndt::Parameters<float> parameters(ndt::train::parameters_of<float>(model.config));
  for (const ndt::Parameter& p : parameters.list()) {
    const std::vector<float>& stored = model.tensors.find(p.name)->second.values;
    const auto value = parameters.value(p);
    std::copy(stored.begin(), stored.end(), value.begin());
    const auto indices = model.tensors.find(position_indices);
    if (p.name != position_table || indices == model.tensors.end()) continue;
    const std::size_t width = p.extents.size[1];
    for (std::size_t t = 0; t < p.extents.size[0]; ++t) {
      const auto row = static_cast<std::ptrdiff_t>(indices->second.integers[t]) * static_cast<std::ptrdiff_t>(width);
      std::copy_n(stored.begin() + row, width, value.begin() + static_cast<std::ptrdiff_t>(t * width));
    }
  }
  parameters.repack();
  return parameters;
}

Tensors tensors_of(const ndt::ModelConfig& config, const ndt::Parameters<float>& parameters) {
  Tensors tensors;
  for (const ndt::Parameter& p : parameters.list()) {
    Tensor tensor;
    for (std::size_t i = 0; i < p.extents.rank; ++i) tensor.shape.push_back(p.extents.size[i]);
    const auto value = parameters.value(p);
    tensor.values.assign(value.begin(), value.end());
    tensors.emplace(p.name, std::move(tensor));
  }
  if (config.learnable_position) {
    Tensor indices{{config.trial_length, 1}, {}, {}};
    for (std::size_t t = 0; t < config.trial_length; ++t) indices.integers.push_back(static_cast<std::int64_t>(t));
    tensors.emplace(position_indices, std::move(indices));
  }
  return tensors;
}

}  // namespace tool
