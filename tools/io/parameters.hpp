// tools/io/parameters.hpp: a model file's tensors as parameters in training, and back.
#pragma once

#include <cstddef>
#include <span>

#include <ndt/train/network.hpp>

#include "model_file.hpp"

namespace tool {

/// The tensors of a model that read_model() gave, packed and ready. Learned positions are read through their stored
/// indices, so row t is that of bin t.
ndt::Parameters<float> parameters_of(const ModelFile& model);

/// The row of the stored tensor that row `row` of a parameter stands for: another one for learned positions alone.
std::size_t stored_row(const ModelFile& model, const ndt::Parameter& p, std::size_t row);

/// A parameter's part of `values`, which are laid out like parameters.values().
Tensor tensor_of(const ndt::Parameter& p, std::span<const float> values);

/// A model file's tensors from parameters(); learned positions get the indices 0, 1, ... that PyTorch expects beside
/// them.
Tensors tensors_of(const ndt::ModelConfig& config, const ndt::Parameters<float>& parameters);

}  // namespace tool
