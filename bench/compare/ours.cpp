// The library behind a C interface, so that a Python process can time it beside its peers.
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../shapes.hpp"

namespace {

struct Handle {
  std::map<std::string, std::vector<float>, std::less<>> tensors;
  ndt::DynamicShape shape;
  std::vector<float> packed;
  ndt::Buffer<float> workspace;
  ndt::DynamicTransformer<> model;
};

}  // namespace

extern "C" {

/// A model of one of the measured shapes; null for an unknown name.
void* ndt_create(const char* shape_name) {
  for (const bench::Shape& shape : bench::shapes) {
    if (shape.name != shape_name) continue;
    auto handle = std::make_unique<Handle>();
    handle->shape = {shape.config()};
    return handle.release();
  }
  return nullptr;
}

void ndt_destroy(void* p) { delete static_cast<Handle*>(p); }

/// One weight tensor, row-major, under its PyTorch name.
void ndt_tensor(void* p, const char* name, const float* values, std::size_t count) {
  static_cast<Handle*>(p)->tensors[name].assign(values, values + count);
}

/// After the last tensor. 0 if the model is complete.
int ndt_bind(void* p) {
  Handle& handle = *static_cast<Handle*>(p);
  handle.packed.resize(ndt::DynamicTransformer<>(handle.shape).packed_size());
  const auto source = [&](std::string_view name) {
    ndt::StoredTensor<float> stored;
    ndt::DynamicTransformer<>(handle.shape)
        .visit_tensors([&](const ndt::Name& each, const float*, const ndt::TensorSpec& spec) {
          const auto found = handle.tensors.find(name);
          if (each.view() == name && found != handle.tensors.end() && found->second.size() == spec.extents.count()) {
            stored = {found->second.data(), nullptr, spec.extents};
          }
        });
    return stored;
  };
  if (!ndt::pack_weights<ndt::simd::native<float>>(std::span<float>(handle.packed), handle.shape, source).ok())
    return 1;
  return handle.model.bind(handle.shape, handle.packed).ok() ? 0 : 1;
}

/// log_rates(trials, bins, neurons) from counts of the same shape.
void ndt_forward(void* p, float* log_rates, const std::int32_t* counts, std::size_t trials, std::size_t threads) {
  Handle& handle = *static_cast<Handle*>(p);
  const std::size_t bins = handle.model.config().trial_length;
  threads = threads == 0 ? 1 : threads;
  const std::size_t needed = handle.model.workspace_size(bins, threads);
  if (handle.workspace.size() < needed) handle.workspace = ndt::Buffer<float>(needed);
#ifdef _OPENMP
  if (threads > 1) {
    handle.model.forward({.log_rates = log_rates}, counts, trials, bins, handle.workspace, ndt::OpenMP{threads});
    return;
  }
#endif
  handle.model.forward({.log_rates = log_rates}, counts, trials, bins, handle.workspace);
}
}
