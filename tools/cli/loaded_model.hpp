// tools/cli/loaded_model.hpp: a model file, packed and bound, with what is worth saying about it.
#pragma once

#include <cstddef>
#include <filesystem>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

#include "../io/model_file.hpp"

namespace tool {

struct LoadedModel {
  explicit LoadedModel(const std::filesystem::path& path);

  const ndt::ModelConfig& config() const { return file.config; }
  /// Of kind none, if there is none.
  ndt::ReadoutConfig readout_config() const { return file.readout ? file.readout->config : ndt::ReadoutConfig{}; }
  /// forward() with as many threads.
  void forward(const ndt::Outputs<float>& out, const std::int32_t* counts, std::size_t trials, std::size_t bins,
               std::size_t threads, ndt::LargestCount largest = ndt::LargestCount::max_spikes);

  ModelFile file;
  ndt::Buffer<float> packed;
  ndt::DynamicTransformer<> model;

 private:
  ndt::Buffer<float> workspace_;
};

}  // namespace tool
