// tools/cli/submission.hpp: predicted rates as the Neural Latents Benchmark takes them.
#pragma once

#include <filesystem>
#include <string>

#include "prediction.hpp"

namespace tool {

/// Refused where `name` is no name of a group, or there are no held-out neurons or the model was not made for them.
void require_submission(const std::filesystem::path& path, const std::string& name, const Fit& fit);

/// Writes, in group `name`, {train,eval}_rates_{heldin,heldout} and, where the model has forward bins,
/// ..._forward of them: float32 [trials, bins, neurons], counts per bin, gzip. Nothing is left behind when it fails.
void write_submission(const std::filesystem::path& path, const std::string& name, const Fit& fit,
                      const Prediction& train, const Prediction& eval);

}  // namespace tool
