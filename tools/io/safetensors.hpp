// tools/io/safetensors.hpp: our model file, a tensor file (tensor_file.hpp) of format `ndt` with, in its metadata:
//
//   config          JSON text: the configuration under the reference's keys (model_config.hpp)
//   bin_width       seconds, if known
//   loss_topk       the share of the largest losses that a loss counts, if not all
//   name            an identifier, if any
//   training        how it was trained, if this tool did so (train_config.hpp)
//   readout         JSON text, if behaviour can be read out of it (readout_file.hpp)
#pragma once

#include <string>
#include <string_view>

#include "model_file.hpp"

namespace tool {

/// Whether the bytes begin as a safetensors file does.
bool is_safetensors(std::string_view bytes);

/// Reads a model. Tensors may be F32, F64, F16, BF16 or I64. Throws Refused for anything that is not whole: the hash is
/// compared. Whether tensors and configuration fit is the business of check_model.
ModelFile read_safetensors(std::string_view bytes, const std::string& where);

/// The file's bytes.
std::string safetensors_bytes(const ModelFile& model);

}  // namespace tool
