#include "loaded_model.hpp"

#include <algorithm>

#include "../io/refused.hpp"

namespace tool {

LoadedModel::LoadedModel(const std::filesystem::path& path) : file(read_model(path)), packed(0) {
  const std::vector<float> values = pack(file, path);
  packed = AlignedFloats(values.size());
  std::copy(values.begin(), values.end(), packed.span().begin());
  const ndt::Status status = model.bind({file.config}, packed.span());
  if (!status.ok()) throw Refused(std::string(status.message()), path.string(), "a model that validates");
}

void LoadedModel::forward(const ndt::Outputs<float>& out, const std::int32_t* counts, std::size_t trials,
                          std::size_t bins, std::size_t threads, ndt::LargestCount largest) {
  const std::size_t needed = model.workspace_size(bins, threads);
  if (needed > workspace_size_) {
    workspace_ = AlignedFloats(needed);
    workspace_size_ = needed;
  }
  if (threads > 1) {
    model.forward(out, counts, trials, bins, workspace_.span(), ndt::OpenMP{threads}, largest);
  } else {
    model.forward(out, counts, trials, bins, workspace_.span(), ndt::Serial{}, largest);
  }
}

}  // namespace tool
