// tools/cli/gradient_check.cpp
#include "gradient_check.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ndt/train/gradient.hpp>
#include <ndt/train/top_k.hpp>

#include "../io/model_check.hpp"
#include "../io/parameters.hpp"
#include "../io/refused.hpp"

namespace tool {

namespace {

using V = ndt::simd::native<float>;

/// The gradient of a parameter as PyTorch has it: learned positions row by stored row, which several bins may share.
std::vector<float> as_stored(const ModelFile& model, const ndt::Parameter& p, std::span<const float> gradient) {
  std::vector<float> stored(gradient.size());
  const std::size_t rows = p.extents.rank == 0 ? 1 : p.extents.size[0], width = gradient.size() / rows;
  for (std::size_t row = 0; row < rows; ++row) {
    float* const to = stored.data() + stored_row(model, p, row) * width;
    for (std::size_t i = 0; i < width; ++i) to[i] += gradient[row * width + i];
  }
  return stored;
}

void check_names(const ndt::Parameters<float>& parameters, const std::map<std::string, Array<float>>& recorded) {
  for (const auto& [name, gradient] : recorded) {
    const auto& list = parameters.list();
    const auto found = std::find_if(list.begin(), list.end(), [&key = name](const auto& p) { return p.name == key; });
    if (found == list.end() || !found->trained) {
      throw Refused("a recorded gradient of " + one_line(name), "dataset grad/" + one_line(name),
                    "names of the model's trained tensors are expected");
    }
    const Shape shape = shape_of(found->extents);
    if (gradient.shape != shape) {
      throw Refused("a recorded gradient of shape " + text(gradient.shape), "dataset grad/" + name,
                    text(shape) + " is the tensor's");
    }
  }
}

double largest(const std::vector<float>& values) {
  double most = 0;
  for (const float x : values) most = std::max(most, std::abs(static_cast<double>(x)));
  return most;
}

}  // namespace

GradientError gradient_error(const ModelFile& model, const SpikeCounts& masked, const std::vector<std::int64_t>& labels,
                             const std::map<std::string, Array<float>>& recorded, std::size_t threads) {
  const ndt::Parameters<float> parameters = parameters_of(model);
  check_names(parameters, recorded);
  const ndt::train::Network network(model.config, parameters);
  ndt::train::BatchGradient<V> gradient(network, parameters);

  std::vector<float> targets, weights;
  for (const std::int64_t label : labels) {
    targets.push_back(label < 0 ? 0.0f : static_cast<float>(label));
    weights.push_back(label < 0 ? 0.0f : 1.0f);
  }
  const auto selected = static_cast<std::size_t>(std::count(weights.begin(), weights.end(), 1.0f));
  std::vector<std::uint32_t> trials(masked.trials);
  std::iota(trials.begin(), trials.end(), 0u);
  const ndt::train::Batch<float, std::int32_t> batch{trials,
                                                     masked.bins,
                                                     masked.counts.data(),
                                                     {targets.data(), weights.data()},
                                                     selected,
                                                     ndt::LargestCount::mask_token};
  const ndt::OpenMP policy{threads};
  if (model.loss_topk < 1) {
    std::vector<float> losses(targets.size());
    gradient.losses(losses.data(), batch, {}, policy);
    ndt::train::keep_largest(weights.data(), losses.data(), losses.size(), model.loss_topk);
  }
  gradient.run(batch, {}, policy);

  double all = 0;
  for (const auto& [name, r] : recorded) all = std::max(all, largest(r.values));
  GradientError worst;
  for (const auto& [name, r] : recorded) {
    const ndt::Parameter& p = parameters.list()[parameters.find(name)];
    const std::vector<float> ours = as_stored(model, p, gradient.gradient().subspan(p.value, p.extents.count()));
    const double scale = std::max(largest(r.values), 1e-3 * all);
    for (std::size_t i = 0; i < ours.size(); ++i) {
      double error = std::abs(static_cast<double>(ours[i]) - static_cast<double>(r.values[i]));
      if (error != 0) error = std::isfinite(error) && scale > 0 ? error / scale : INFINITY;
      if (error > worst.error) worst = {error, name};
    }
  }
  return worst;
}

}  // namespace tool
