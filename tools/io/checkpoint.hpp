// tools/io/checkpoint.hpp: from what the reference's runner saves to a model.
#pragma once

#include "model_file.hpp"
#include "torch_file.hpp"

namespace tool {

/// The model in a checkpoint of the reference (runner.py, save_checkpoint): configuration, sizes and state_dict. Only
/// tensors of the state_dict are read. Throws Refused if something is missing; whether the tensors fit the
/// configuration is the business of check_model.
ModelFile read_checkpoint(TorchFile& file);

}  // namespace tool
