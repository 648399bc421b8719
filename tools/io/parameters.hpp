// tools/io/parameters.hpp: a model file's tensors as parameters in training, and back.
#pragma once

#include <string>

#include <ndt/train/network.hpp>

#include "model_file.hpp"

namespace tool {

/// The model's tensors, packed and ready. Learned positions are read through their stored indices, so row t is that of
/// bin t. Throws Refused as pack() does.
ndt::Parameters<float> parameters_of(const ModelFile& model, const std::string& where);

/// A model file's tensors from parameters(); learned positions get the indices 0, 1, ... that PyTorch expects beside
/// them.
Tensors tensors_of(const ndt::ModelConfig& config, const ndt::Parameters<float>& parameters);

}  // namespace tool
