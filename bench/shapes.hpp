// The shapes that are measured, their counts and weights, and how much arithmetic a window of each is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string_view>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

namespace bench {

struct Shape {
  std::string_view name;
  std::size_t bins, neurons, layers, embed_dim;

  ndt::ModelConfig config() const {
    ndt::ModelConfig c;
    c.neurons = neurons, c.trial_length = bins, c.layers = layers, c.embed_dim = embed_dim;
    c.max_spikes = 6, c.full_context = true, c.learnable_position = true, c.pre_norm = true;
    return c;
  }
  /// No look-ahead, all bins before.
  ndt::ModelConfig causal_config() const {
    ndt::ModelConfig c = config();
    c.full_context = false, c.context_forward = 0, c.context_backward = 0;
    return c;
  }
};

inline constexpr std::array<Shape, 5> shapes = {{{"maze700", 70, 202, 6, 0},
                                                 {"mc_maze", 180, 182, 4, 0},
                                                 {"chaotic", 100, 50, 6, 2},
                                                 {"lorenz", 50, 29, 6, 2},
                                                 {"fig5", 5, 50, 6, 2}}};

/// Numbers of the order of trained weights, the same in every run.
inline std::vector<float> random_floats(std::size_t count, float spread, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<float> values(count);
  for (float& v : values) v = spread * (static_cast<float>(engine()) / 2147483648.0f - 1.0f);
  return values;
}

/// A spike in every tenth bin, the same in every run.
inline std::vector<std::uint8_t> random_counts(std::size_t count) {
  std::mt19937 engine(7);
  std::vector<std::uint8_t> counts(count);
  for (auto& each : counts) each = engine() % 10 == 0 ? 1 : 0;
  return counts;
}

/// A model with random weights, its counts and its workspace.
struct Model {
  ndt::Buffer<float> packed;
  ndt::DynamicTransformer<> model;
  std::vector<std::uint8_t> counts;
  std::vector<float> log_rates;
  ndt::Buffer<float> workspace;
  std::size_t trials, bins;

  Model(const Shape& shape, std::size_t batch, std::size_t workers) : Model(shape.config(), batch, workers) {}
  Model(const ndt::ModelConfig& config, std::size_t batch, std::size_t workers)
      : trials(batch), bins(config.trial_length) {
    const ndt::DynamicShape dynamic{config};
    packed = ndt::Buffer<float>(ndt::DynamicTransformer<>(dynamic).packed_size());
    std::vector<float> stored;
    const ndt::Status packing = ndt::pack_weights<ndt::simd::native<float>>(
        std::span<float>(packed), dynamic, [&](std::string_view name) { return stored_tensor(dynamic, name, stored); });
    const ndt::Status binding = model.bind(dynamic, packed);
    if (!packing.ok() || !binding.ok()) std::abort();
    counts = random_counts(batch * bins * config.neurons);
    workspace = ndt::Buffer<float>(model.workspace_size(bins, workers, trials));
    log_rates.resize(counts.size());
  }

  template <class Policy>
  void forward(const Policy& policy) {
    model.forward({.log_rates = log_rates.data()}, counts.data(), trials, bins, workspace, policy);
  }

 private:
  static ndt::StoredTensor<float> stored_tensor(const ndt::DynamicShape& shape, std::string_view name,
                                                std::vector<float>& stored) {
    ndt::StoredTensor<float> tensor;
    ndt::DynamicTransformer<>(shape).visit_tensors(
        [&](const ndt::Name& each, const float*, const ndt::TensorSpec& spec) {
          if (each.view() != name) return;
          stored = random_floats(spec.extents.count(), 0.08f, static_cast<std::uint32_t>(spec.extents.count()));
          if (name.find("norm") != name.npos && name.ends_with("weight")) {
            for (float& gain : stored) gain += 1.0f;
          }
          tensor = {stored.data(), nullptr, spec.extents};
        });
    return tensor;
  }
};

}  // namespace bench
