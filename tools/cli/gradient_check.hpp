// tools/cli/gradient_check.hpp: our gradients against recorded ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../io/model_file.hpp"
#include "../io/numbers.hpp"
#include "../io/spikes.hpp"

namespace tool {

struct GradientError {
  double error = 0;          ///< max |g - r| / max(max |r|, 1e-3 G) of the worst tensor, G the largest |r| of all
  std::string worst_tensor;  ///< empty if everything is exact
};

/// One backward pass without dropout: masked counts in, labels (like the counts; -100 for none) as targets. recorded:
/// gradients by state_dict name, of any part of the trained tensors; Refused for names and shapes that the model does
/// not have.
GradientError gradient_error(const ModelFile& model, const SpikeCounts& masked, const std::vector<std::int64_t>& labels,
                             const std::map<std::string, Array<float>>& recorded, std::size_t threads);

}  // namespace tool
