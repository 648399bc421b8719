#include "loaded_model.hpp"

#include <algorithm>

#include "../io/refused.hpp"

namespace tool {

LoadedModel::LoadedModel(const std::filesystem::path& path) : file(read_model(path)) {
  const std::vector<float> values = pack(file, path);
  packed = ndt::Buffer<float>(values.size());
  std::copy(values.begin(), values.end(), packed.begin());
  const ndt::Status status = model.bind({file.config}, packed);
  if (!status.ok()) throw Refused(std::string(status.message()), path.string(), "a model that validates");
}

void LoadedModel::forward(const ndt::Outputs<float>& out, const std::int32_t* counts, std::size_t trials,
                          std::size_t bins, std::size_t threads, ndt::LargestCount largest) {
  const std::size_t needed = model.workspace_size(bins, threads, trials);
  if (needed > workspace_.size()) workspace_ = ndt::Buffer<float>(needed);
  if (threads > 1) {
    model.forward(out, counts, trials, bins, workspace_, ndt::OpenMP{threads}, largest);
  } else {
    model.forward(out, counts, trials, bins, workspace_, ndt::Serial{}, largest);
  }
}

}  // namespace tool
