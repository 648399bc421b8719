// Gradients for every switch and one hundred optimiser steps, against PyTorch in float64
// (tools/golden/make_training.py).
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <ndt/train/adamw.hpp>
#include <ndt/train/gradient.hpp>
#include <ndt/train/optimizer.hpp>

#include "../support/compare.hpp"
#include "../support/golden.hpp"
#include "../support/policies.hpp"

using support::Golden;

namespace {

Golden training(const char* name) {
  return Golden(std::filesystem::path(NDT_GOLDEN_DIR) / "train" / (std::string(name) + ".golden"));
}

constexpr const char* table = "pos_encoder.pos_embedding.weight";

/// A golden case in training. Learned positions are read through their stored indices.
template <class V>
struct Case {
  using T = typename V::value_type;
  Golden golden;
  ndt::Parameters<T> parameters;
  ndt::train::Network network;
  ndt::train::BatchGradient<V> gradient;
  std::vector<std::uint32_t> trials;
  std::vector<T> counts, weight;

  explicit Case(const std::string& name)
      : golden(support::golden(name)),
        parameters(ndt::train::parameters_of<T>(golden.config())),
        network(golden.config(), parameters),
        gradient(network, parameters) {
    for (const ndt::Parameter& p : parameters.list()) {
      const auto& stored = golden[p.name].values;
      const std::size_t width = p.name == table ? p.extents.size[1] : p.extents.count();
      for (std::size_t i = 0; i < stored.size(); ++i) {
        parameters.value(p)[i] = static_cast<T>(stored[stored_row(p, i / width) * width + i % width]);
      }
    }
    parameters.repack();
  }
  Case(const Case&) = delete;

  std::size_t stored_row(const ndt::Parameter& p, std::size_t row) const {
    return p.name == table ? static_cast<std::size_t>(golden["pos_encoder.pe"].integers[row]) : row;
  }

  /// One backward pass; the mean loss.
  double run(const std::int64_t* inputs, const std::int64_t* labels, std::size_t B, std::size_t bins) {
    const std::size_t size = B * bins * golden.config().neurons;
    trials.resize(B), counts.resize(size), weight.resize(size);
    std::iota(trials.begin(), trials.end(), 0u);
    std::size_t selected = 0;
    for (std::size_t i = 0; i < size; ++i) {
      weight[i] = labels[i] < 0 ? T(0) : T(1);
      counts[i] = labels[i] < 0 ? T(0) : static_cast<T>(labels[i]);
      selected += labels[i] >= 0;
    }
    const ndt::train::Batch<T, std::int64_t> batch{trials, bins, inputs, {counts.data(), weight.data()}, selected};
    return gradient.run(batch, {}) / static_cast<double>(selected);
  }

  /// The largest error of a tensor, over its largest element, of `values` against all trained tensors in a row.
  double error_of_tensors(std::span<const T> values, const std::vector<double>& expected) const {
    double worst = 0;
    std::size_t first = 0;
    for (const auto& [name, p] : sorted()) {
      const std::size_t width = name == table ? p->extents.size[1] : p->extents.count();
      double error = 0, largest = 0;
      for (std::size_t i = 0; i < p->extents.count(); ++i) {
        const double r = expected.at(first + stored_row(*p, i / width) * width + i % width);
        // A bias of all keys alike changes no softmax: its gradient is 0 but for rounding, whose sign Adam follows.
        const bool key_bias = name.ends_with("in_proj_bias") && 3 * i / p->extents.count() == 1;
        if (key_bias && sizeof(T) == 4) continue;
        error = support::worse(error, std::abs(static_cast<double>(values[p->value + i]) - r));
        largest = std::max(largest, std::abs(r));
      }
      worst = support::worse(worst, error / largest);
      first += p->extents.count();
    }
    REQUIRE(first == expected.size());
    return worst;
  }

  std::map<std::string, const ndt::Parameter*> sorted() const {
    std::map<std::string, const ndt::Parameter*> all;
    for (const ndt::Parameter& p : parameters.list()) {
      if (p.trained) all[p.name] = &p;
    }
    return all;
  }

  /// How far `values`, laid out like parameters, are from a golden digest: the worst tensor, relative to its norm.
  double error_of_digest(std::span<const T> values, const std::vector<double>& digest) const {
    REQUIRE(digest.size() == 2 * sorted().size());
    double worst = 0, largest = 0;
    for (std::size_t k = 1; k < digest.size(); k += 2) largest = std::max(largest, std::sqrt(digest[k]));
    std::size_t k = 0;
    for (const auto& [name, p] : sorted()) {
      const std::size_t width = p->name == table ? p->extents.size[1] : p->extents.count();
      double product = 0, squares = 0;
      for (std::size_t i = 0; i < p->extents.count(); ++i) {
        const double x = static_cast<double>(values[p->value + i]);
        const std::size_t at = stored_row(*p, i / width) * width + i % width;
        product += x * std::cos(0.7 * static_cast<double>(at) + 1.0);
        squares += x * x;
      }
      const double norm = std::max(std::sqrt(digest[k + 1]), 1e-3 * largest);
      worst = support::worse(worst, std::abs(product - digest[k]) / norm);
      worst = support::worse(worst, std::abs(squares - digest[k + 1]) / (norm * norm));
      k += 2;
    }
    return worst;
  }
};

}  // namespace

TEMPLATE_TEST_CASE("gradients of every switch are PyTorch's", "[train][golden]", NDT_POLICIES) {
  using V = TestType;
  // Not the contract's measure, which is of single elements: a product with a pattern adds errors up.
  const double bound = sizeof(typename V::value_type) == 4 ? 3e-4 : 1e-11;
  static const Golden golden = training("gradients");
  const std::string name = GENERATE(from_range(support::golden_names()));
  INFO(name);
  Case<V> model(name);
  const auto& counts = model.golden["counts"];
  const double loss = model.run(counts.integers.data(), golden[name + "/labels"].integers.data(),
                                counts.extents.size[0], counts.extents.size[1]);
  const double expected = golden[name + "/loss"].values[0];
  CHECK(std::abs(loss - expected) <= bound * std::max(1.0, std::abs(expected)));
  const auto gradient = model.gradient.gradient();
  CHECK(model.error_of_digest({gradient.data(), gradient.size()}, golden[name + "/gradient"].values) <= bound);
}

TEMPLATE_TEST_CASE("one hundred steps follow PyTorch's in both readings of AdamW", "[train][golden]",
                   ndt::simd::native<double>, ndt::simd::native<float>) {
  using V = TestType;
  using T = typename V::value_type;
  const double bound = sizeof(T) == 4 ? 1e-3 : 1e-9;
  static const Golden golden = training("steps");
  const std::string name = GENERATE(as<std::string>(), "base", "post_norm_gelu", "embed0", "many_switches");
  const std::string reading = GENERATE(as<std::string>(), "torch", "reference");
  INFO(name << " " << reading);
  Case<V> model(name);
  const auto& inputs = golden[name + "/inputs"];
  const auto& labels = golden[name + "/labels"];
  const std::vector<double>& settings = golden["settings"].values;
  ndt::train::TrainConfig config;
  config.reproduce = reading == "reference";
  config.weight_decay = settings[1], config.epsilon = settings[2];
  ndt::train::Optimizer<V> optimizer(model.parameters.trained_size());
  const std::size_t batches = inputs.extents.size[0], size = inputs.extents.count() / batches;
  const std::vector<double>& losses = golden[name + "/" + reading + "/losses"].values;
  double worst = 0;
  for (std::size_t step = 0; step < losses.size(); ++step) {
    const std::size_t at = step % batches * size;
    const double loss = model.run(inputs.integers.data() + at, labels.integers.data() + at, inputs.extents.size[1],
                                  inputs.extents.size[2]);
    worst = support::worse(worst, std::abs(loss - losses[step]) / std::max(1.0, std::abs(losses[step])));
    const std::span<const T> gradient = model.gradient.gradient();
    const double factor = ndt::train::clip_factor(optimizer.norm(gradient), settings[3]);
    optimizer.update(model.parameters.values(), gradient, ndt::train::adamw_step(config, settings[0], step + 1),
                     factor);
    model.parameters.repack();
  }
  CHECK(worst <= bound);
  const auto values = model.parameters.values();
  CHECK(model.error_of_tensors({values.data(), values.size()}, golden[name + "/" + reading + "/weights"].values) <=
        bound);
}
