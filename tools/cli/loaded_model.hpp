// tools/cli/loaded_model.hpp: a model file, packed and bound, with what is worth saying about it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include <ndt/ndt.hpp>

#include "../io/model_file.hpp"

namespace tool {

/// Floats on a cache line's boundary.
class AlignedFloats {
 public:
  explicit AlignedFloats(std::size_t count) : storage_(count + 16) {}
  std::span<float> span() {
    void* start = storage_.data();
    std::size_t room = storage_.size() * sizeof(float);
    std::align(ndt::alignment_bytes, sizeof(float), start, room);
    return {static_cast<float*>(start), storage_.size() - 16};
  }

 private:
  std::vector<float> storage_;
};

struct LoadedModel {
  explicit LoadedModel(const std::filesystem::path& path);

  const ndt::ModelConfig& config() const { return file.config; }
  /// forward() with as many threads.
  void forward(const ndt::Outputs<float>& out, const std::int32_t* counts, std::size_t trials, std::size_t bins,
               std::size_t threads, ndt::LargestCount largest = ndt::LargestCount::max_spikes);

  ModelFile file;
  AlignedFloats packed;
  ndt::DynamicTransformer<> model;

 private:
  AlignedFloats workspace_{0};
  std::size_t workspace_size_ = 0;
};

}  // namespace tool
