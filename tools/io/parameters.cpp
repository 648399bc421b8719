// tools/io/parameters.cpp
#include "parameters.hpp"

#include <algorithm>

#include "model_check.hpp"

namespace tool {

namespace {

constexpr const char* position_table = "pos_encoder.pos_embedding.weight";
constexpr const char* position_indices = "pos_encoder.pe";

}  // namespace

std::size_t stored_row(const ModelFile& model, const ndt::Parameter& p, std::size_t row) {
  const auto indices = model.tensors.find(position_indices);
  if (p.name != position_table || indices == model.tensors.end()) return row;
  return static_cast<std::size_t>(indices->second.integers[row]);
}

ndt::Parameters<float> parameters_of(const ModelFile& model) {
  ndt::Parameters<float> parameters(ndt::train::parameters_of<float>(model.config));
  for (const ndt::Parameter& p : parameters.list()) {
    const std::vector<float>& stored = model.tensors.find(p.name)->second.values;
    const auto value = parameters.value(p);
    const std::size_t rows = p.extents.rank == 0 ? 1 : p.extents.size[0], width = value.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const auto from = static_cast<std::ptrdiff_t>(stored_row(model, p, row) * width);
      std::copy_n(stored.begin() + from, width, value.begin() + static_cast<std::ptrdiff_t>(row * width));
    }
  }
  parameters.repack();
  return parameters;
}

Tensor tensor_of(const ndt::Parameter& p, std::span<const float> values) {
  const auto part = values.subspan(p.value, p.extents.count());
  return {shape_of(p.extents), {part.begin(), part.end()}, {}};
}

Tensors tensors_of(const ndt::ModelConfig& config, const ndt::Parameters<float>& parameters) {
  Tensors tensors;
  for (const ndt::Parameter& p : parameters.list()) tensors.emplace(p.name, tensor_of(p, parameters.values()));
  if (config.learnable_position) {
    Tensor indices{{config.trial_length, 1}, {}, {}};
    for (std::size_t t = 0; t < config.trial_length; ++t) indices.integers.push_back(static_cast<std::int64_t>(t));
    tensors.emplace(position_indices, std::move(indices));
  }
  return tensors;
}

}  // namespace tool
