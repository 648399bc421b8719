// tools/io/model_check.hpp: whether a configuration and tensors belong together.
#pragma once

#include <string>

#include "model_file.hpp"

namespace tool {

/// Throws Refused where the tensors' names and shapes say something else than the configuration does (then both are
/// named), where a tensor is missing, has another shape, or is not part of the model. Reads no values and takes no
/// memory worth mentioning: whatever a configuration claims, the tensors must be there first.
void check_model(const ModelFile& model, const std::string& where);

/// The sizes as a file's tensor has them.
std::vector<std::size_t> shape_of(const ndt::Extents& extents);

/// (3, 4)
std::string shape_text(const std::vector<std::size_t>& shape);

}  // namespace tool
