// The library behind a C interface, so that a Python process can time it beside its peers.
#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <ndt/train.hpp>

#include "../shapes.hpp"
#include "../training.hpp"

namespace {

struct Handle {
  std::map<std::string, std::vector<float>, std::less<>> tensors;
  ndt::DynamicShape shape;
  std::vector<float> packed;
  ndt::Buffer<float> workspace;
  ndt::DynamicTransformer<> model;
};

/// What train_step of the benchmarks steps through.
struct Training {
  Training(const bench::Shape& shape, const ndt::train::TrainConfig& config, std::size_t threads)
      : dataset(bench::dataset_of(shape, config.batch_size)),
        trainer(shape.config(), config, dataset, ndt::OpenMP{threads}) {}

  ndt::data::Dataset dataset;
  ndt::train::Trainer<ndt::simd::native<float>, ndt::OpenMP> trainer;
};

const bench::Shape* find_shape(std::string_view name) {
  const auto* found = std::find_if(bench::shapes.begin(), bench::shapes.end(),
                                   [&](const bench::Shape& shape) { return shape.name == name; });
  return found == bench::shapes.end() ? nullptr : found;
}

}  // namespace

extern "C" {

/// A model of one of the measured shapes; null for an unknown name.
void* ndt_create(const char* shape_name) {
  const bench::Shape* shape = find_shape(shape_name);
  if (shape == nullptr) return nullptr;
  auto handle = std::make_unique<Handle>();
  handle->shape = {shape->config()};
  return handle.release();
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
  const ndt::OpenMP policy{threads};
  const std::size_t needed = handle.model.workspace_size(bins, policy.workers(), trials);
  if (handle.workspace.size() < needed) handle.workspace = ndt::Buffer<float>(needed);
  handle.model.forward({.log_rates = log_rates}, counts, trials, bins, handle.workspace, policy);
}

/// A trainer of one of the measured shapes, on as many trials as a batch has; null for an unknown name.
void* ndt_training_create(const char* shape_name, std::size_t batch, std::size_t threads, int dropout) {
  const bench::Shape* shape = find_shape(shape_name);
  if (shape == nullptr) return nullptr;
  ndt::train::TrainConfig config = bench::training_of(batch);
  if (dropout == 0) config.dropout = config.dropout_embedding = config.dropout_rates = 0;
  return std::make_unique<Training>(*shape, config, threads).release();
}

void ndt_training_destroy(void* p) { delete static_cast<Training*>(p); }

/// Copies out a weight tensor as it is now, under its PyTorch name. 0 if there is one of that size.
int ndt_training_tensor(void* p, const char* name, float* values, std::size_t count) {
  const auto& parameters = static_cast<Training*>(p)->trainer.parameters();
  for (const ndt::Parameter& parameter : parameters.list()) {
    if (parameter.name != name || parameter.extents.count() != count) continue;
    std::copy_n(parameters.value(parameter).data(), count, values);
    return 0;
  }
  return 1;
}

/// The batch that the next step will draw, each (trials, bins, neurons), with the trials in the data's order: masked
/// counts, all counts, and 1 where an element is in the loss.
void ndt_training_batch(void* p, std::int32_t* inputs, float* targets, float* selected) {
  Training& training = *static_cast<Training*>(p);
  const ndt::train::TrainConfig& config = training.trainer.config();
  const std::size_t step = training.trainer.state().step, largest = 1;  // of the counts: see dataset_of
  const ndt::train::MaskedObjective objective{&training.dataset, &training.dataset.train,
                                              config.mask,       training.trainer.model_config().max_spikes,
                                              largest,           config.reproduce};
  std::vector<std::uint32_t> trials(training.dataset.train.trials);
  std::iota(trials.begin(), trials.end(), 0u);
  ndt::train::MaskedBatch<float> masked;
  const auto batch = masked.mask(objective, trials, ndt::data::draw_mask(config.mask, config.seed, step, step));
  const std::size_t size = training.dataset.train.counts.size();
  std::copy_n(batch.inputs, size, inputs);
  std::copy_n(batch.targets.counts, size, targets);
  std::copy_n(batch.targets.weight, size, selected);
}

/// A step: the mean loss of its batch, and the norm of the gradient before clipping.
void ndt_training_step(void* p, double* loss, double* gradient_norm) {
  const ndt::train::Progress progress = static_cast<Training*>(p)->trainer.step();
  *loss = progress.loss, *gradient_norm = progress.gradient_norm;
}
}
