// ndt/train/network.hpp: the Neural Data Transformer on a tape (model/transformer.hpp is the same without one).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ndt/autograd/activation.hpp"
#include "ndt/autograd/attention.hpp"
#include "ndt/autograd/dropout.hpp"
#include "ndt/autograd/embedding.hpp"
#include "ndt/autograd/layer_norm.hpp"
#include "ndt/autograd/linear.hpp"
#include "ndt/autograd/parameters.hpp"
#include "ndt/autograd/scale_norm.hpp"
#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/data/random_purpose.hpp"
#include "ndt/model/config.hpp"
#include "ndt/model/transformer.hpp"

namespace ndt::inline NDT_TARGET::train {

/// Where elements are dropped while training. In brackets the key of the reference's configuration.
struct DropoutRates {
  double layers = 0;     ///< attention weights, both residual paths and the feed-forward layer [DROPOUT]
  double embedding = 0;  ///< the encoder's input [DROPOUT_EMBEDDING]
  double rates = 0;      ///< the decoder's input [DROPOUT_RATES]
};

/// The tensors of a model in training, in the order of its packed weights. Sinusoidal positions are not trained.
template <class T>
std::vector<Parameter> parameters_of(const ModelConfig& config) {
  std::vector<Parameter> list;
  // The list of tensors does not depend on the policy.
  const Transformer<DynamicShape, simd::scalar<T>> model{DynamicShape{config}};
  model.visit_tensors([&](const Name& name, const T*, const TensorSpec& spec) {
    list.push_back({.name = std::string(name.view()),
                    .extents = spec.extents,
                    .layout = spec.layout,
                    .trained = name.view() != "pos_encoder.pe"});
  });
  return list;
}

/// A model as places among its parameters.
class Network {
 public:
  template <class T>
  Network(const ModelConfig& config, const Parameters<T>& parameters) : config_(config) {
    const auto find = [&](const std::string& name) { return parameters.find(name); };
    const auto pair = [&](const std::string& path) { return Pair{find(path + ".weight"), find(path + ".bias")}; };
    if (config.linear_embedder) {
      embedder_ = pair("embedder");
    } else if (config.has_table()) {
      embedder_.weight = find("embedder.0.weight");
    }
    positions_ = find(config.learnable_position ? "pos_encoder.pos_embedding.weight" : "pos_encoder.pe");
    for (std::size_t i = 0; i < config.layers; ++i) {
      const std::string path = "transformer_encoder.layers." + std::to_string(i) + ".";
      layers_.push_back({{find(path + "self_attn.in_proj_weight"), find(path + "self_attn.in_proj_bias")},
                         pair(path + "self_attn.out_proj"),
                         pair(path + "linear1"),
                         pair(path + "linear2"),
                         pair(path + "norm1"),
                         pair(path + "norm2")});
    }
    if (config.scale_norm) {
      norm_.weight = find("transformer_encoder.norm.scale");
    } else {
      norm_ = pair("transformer_encoder.norm");
    }
    decoder_.push_back(pair("decoder.0"));
    if (config.has_deep_decoder()) decoder_.push_back(pair("decoder.2"));
  }

  const ModelConfig& config() const noexcept { return config_; }

  /// What one pass reads: counts(trials, bins, neurons), where they must stay until the backward pass is done.
  template <class Count>
  struct Input {
    const Count* counts;
    std::size_t trials, bins;
    std::size_t limit;  ///< larger counts are clipped to it: max_spikes, or max_spikes + 1 where the mask token is used
  };

  /// Log rates (or rates, if !lograte): a variable of (trials * bins, neurons). The bits are those of inference where
  /// nothing is dropped.
  template <class V, class Count>
  Variable<typename V::value_type>* forward(Tape<V>& tape, const Input<Count>& input, const DropoutRates& drop) const {
    using T = typename V::value_type;
    Variable<T>* x = embed(tape, input);
    x = dropout(tape, x, {drop.embedding, site(0)});
    for (std::size_t i = 0; i < layers_.size(); ++i) x = layer(tape, x, i, input.bins, drop.layers);
    const T epsilon = static_cast<T>(config_.norm_epsilon);
    x = config_.scale_norm ? scale_norm(tape, x, norm_.weight, epsilon) : norm(tape, x, norm_);
    x = dropout(tape, x, {drop.rates, site(1)});
    for (std::size_t i = 0; i < decoder_.size(); ++i) {
      const bool last = i + 1 == decoder_.size();
      x = linear(tape, x, decoder_[i].weight, decoder_[i].bias, {.relu = !last || !config_.lograte});
    }
    return x;
  }

 private:
  struct Pair {
    std::size_t weight = 0, bias = 0;
  };
  struct Layer {
    Pair in_proj, out_proj, linear1, linear2, norm1, norm2;
  };

  /// Random numbers of dropout: two places of the model, then a number for every head and three more in every layer.
  static constexpr std::uint32_t site(std::size_t n) noexcept {
    return static_cast<std::uint32_t>(data::Purpose::dropout) + static_cast<std::uint32_t>(n);
  }

  template <class V, class Count>
  Variable<typename V::value_type>* embed(Tape<V>& tape, const Input<Count>& input) const {
    using T = typename V::value_type;
    const std::size_t rows = input.trials * input.bins, N = config_.neurons;
    Variable<T>* x = config_.has_table() ? lookup(tape, input.counts, rows, N, embedder_.weight, input.limit)
                                         : numbers(tape, input.counts, rows, N, input.limit);
    if (config_.linear_embedder) x = linear(tape, x, embedder_.weight, embedder_.bias);
    return scale_and_shift(tape, x, std::sqrt(static_cast<T>(config_.width())), positions_, input.bins);
  }

  template <class V>
  Variable<typename V::value_type>* norm(Tape<V>& tape, Variable<typename V::value_type>* x, const Pair& at) const {
    return layer_norm(tape, x, at.weight, at.bias, static_cast<typename V::value_type>(config_.norm_epsilon));
  }

  template <class V>
  Variable<typename V::value_type>* layer(Tape<V>& tape, Variable<typename V::value_type>* x, std::size_t i,
                                          std::size_t bins, double rate) const {
    using T = typename V::value_type;
    const Layer& at = layers_[i];
    const std::size_t H = config_.heads, first = 2 + i * (H + 3);
    const bool pre = config_.pre_norm, uses_gelu = config_.activation == Activation::gelu;

    Variable<T>* y = pre ? norm(tape, x, at.norm1) : x;
    y = linear(tape, y, at.in_proj.weight, at.in_proj.bias);
    y = attention(tape, y, {H, bins, config_.band(), {rate, site(first + 3)}});
    x = linear(tape, y, at.out_proj.weight, at.out_proj.bias, {.residual = x, .dropout = {rate, site(first)}});
    if (!pre) x = norm(tape, x, at.norm1);

    y = pre ? norm(tape, x, at.norm2) : x;
    const Dropout hidden{rate, site(first + 1)};
    if (uses_gelu) {
      y = dropout(tape, gelu(tape, linear(tape, y, at.linear1.weight, at.linear1.bias)), hidden);
    } else {
      y = linear(tape, y, at.linear1.weight, at.linear1.bias, {.relu = true, .dropout = hidden});
    }
    x = linear(tape, y, at.linear2.weight, at.linear2.bias, {.residual = x, .dropout = {rate, site(first + 2)}});
    return pre ? x : norm(tape, x, at.norm2);
  }

  ModelConfig config_;
  Pair embedder_, norm_;
  std::size_t positions_ = 0;
  std::vector<Layer> layers_;
  std::vector<Pair> decoder_;
};

}  // namespace ndt::inline NDT_TARGET::train
