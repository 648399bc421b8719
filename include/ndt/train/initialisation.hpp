// ndt/train/initialisation.hpp: the values that parameters begin with, by the names of the reference's state_dict
// (reference: src/model.py, and the defaults of the PyTorch modules it is made of).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "ndt/config.hpp"
#include "ndt/core/random.hpp"
#include "ndt/core/status.hpp"
#include "ndt/data/random_purpose.hpp"
#include "ndt/model/config.hpp"
#include "ndt/train/config.hpp"

namespace ndt::inline NDT_TARGET::train {

namespace detail {

template <class T>
void fill_uniform(std::span<T> values, double bound, RandomStream& random) {
  for (T& value : values) value = static_cast<T>(random.uniform(-bound, bound));
}

/// N(0, 1), two at a time (Box & Muller 1958).
template <class T>
void fill_normal(std::span<T> values, RandomStream& random) {
  constexpr double two_pi = 6.28318530717958647692;
  for (std::size_t i = 0; i < values.size(); i += 2) {
    const double length = std::sqrt(-2.0 * std::log(1.0 - random.uniform())), angle = two_pi * random.uniform();
    values[i] = static_cast<T>(length * std::cos(angle));
    if (i + 1 < values.size()) values[i + 1] = static_cast<T>(length * std::sin(angle));
  }
}

/// (bins, 1, width): sines in even columns and cosines in odd ones, of wavelengths from 2 pi to 10000 * 2 pi bins.
template <class T>
void fill_sinusoids(std::span<T> values, std::size_t width, bool offset) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t bin = i / width, column = i % width;
    const double slowness = static_cast<double>(column - column % 2) / static_cast<double>(width);
    const double angle = static_cast<double>(bin + (offset ? 1 : 0)) * std::exp(-std::log(10000.0) * slowness);
    values[i] = static_cast<T>(column % 2 == 0 ? std::sin(angle) : std::cos(angle));
  }
}

/// Adds to each row (of `columns`) a tenth of its count's logarithm, centred and stretched to a range of one.
template <class T>
void add_logarithms(std::span<T> values, std::size_t columns) {
  const std::size_t rows = values.size() / columns;
  if (rows < 2) return;
  double mean = 0.0;
  for (std::size_t row = 0; row < rows; ++row) mean += std::log(static_cast<double>(row + 1));
  mean /= static_cast<double>(rows);
  const double range = std::log(static_cast<double>(rows));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double logarithm = (std::log(static_cast<double>(i / columns + 1)) - mean) / range;
    values[i] = static_cast<T>(static_cast<double>(values[i]) + 0.1 * logarithm);
  }
}

template <class T>
void scale(std::span<T> values, double factor) {
  for (T& value : values) value = static_cast<T>(static_cast<double>(value) * factor);
}

/// FNV-1a, which takes the names of any model here to numbers of their own.
constexpr std::uint32_t number_of(std::string_view name) noexcept {
  std::uint32_t hash = 2166136261u;
  for (const char c : name) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16777619u;
  return hash;
}

}  // namespace detail

/// values (shape, as PyTorch stores it) = what the parameter `name` begins with, for a seed. A parameter's values
/// depend on its name and on nothing that was filled before. With D the width, F the feed-forward size, L the layers:
///
///   embedder.0.weight         U(-0.1, 0.1); with spike_log_init U(-0.01, 0.01) around a logarithmic scale
///   embedder.{weight,bias}    U(-1/sqrt(N), 1/sqrt(N))
///   pos_embedding.weight      N(0, 1), far larger than the embeddings
///   pos_encoder.pe            sinusoids; no parameter, but kept with them
///   in_proj_weight            U of Xavier over (3 D, D) as one matrix; its bias is 0
///   out_proj.weight           U(-1/sqrt(D), 1/sqrt(D)); its bias is 0
///   linear1, linear2          weight and bias U(-1/sqrt(inputs), 1/sqrt(inputs))
///   norms                     1 and 0; the scale norm sqrt(D)
///   decoder.0                 weight U(-0.1, 0.1), bias 0; decoder.2 as linear1
///
/// fixup_init (T-Fixup, Huang et al. 2020) multiplies out_proj, linear1 and linear2 by 0.67 L^(-1/4), and with
/// fixup_values the value rows of in_proj by sqrt(2) times that: the root makes up for Xavier's bound, which is
/// that of the three projections together. The reference asks for a value projection by a name that its attention does
/// not have, so there it stays as it is, and with `reproduce` here.
///
/// Layers begin alike with identical_layers: the reference makes one and copies it.
///
/// Throws std::invalid_argument for a name that no model has, or values that are not of the shape.
template <class T>
void initialise(std::string_view name, const Extents& shape, std::span<T> values, const ModelConfig& model,
                const TrainConfig& config) {
  if (values.size() != shape.count() || values.empty()) {
    throw std::invalid_argument("initialise: the values of " + std::string(name) + " are not of its shape");
  }
  constexpr std::string_view layers = "transformer_encoder.layers.";
  const bool of_layer = name.starts_with(layers);
  const std::size_t dot = of_layer ? name.find('.', layers.size()) : std::string_view::npos;
  if (of_layer && dot == std::string_view::npos) throw std::invalid_argument("initialise: " + std::string(name));
  const std::string_view in_layer = of_layer ? name.substr(dot + 1) : std::string_view();

  const std::string_view drawn_as = of_layer && config.identical_layers ? in_layer : name;
  RandomStream random(data::random_place(config.seed, data::Purpose::initialise, detail::number_of(drawn_as), 0));
  const auto root_bound = [](std::size_t inputs) { return 1.0 / std::sqrt(static_cast<double>(inputs)); };
  const std::size_t columns = shape.rank == 0 ? 1 : shape.size[shape.rank - 1];
  const double fixup = config.fixup_init ? 0.67 * std::pow(static_cast<double>(model.layers), -0.25) : 1.0;

  if (name == "embedder.0.weight") {
    detail::fill_uniform(values, config.spike_log_init ? 0.01 : 0.1, random);
    if (config.spike_log_init) detail::add_logarithms(values, columns);
  } else if (name == "embedder.weight" || name == "embedder.bias") {
    detail::fill_uniform(values, root_bound(model.neurons), random);
  } else if (name == "pos_encoder.pos_embedding.weight") {
    detail::fill_normal(values, random);
  } else if (name == "pos_encoder.pe") {
    detail::fill_sinusoids(values, columns, model.position_offset);
  } else if (name == "decoder.0.weight") {
    detail::fill_uniform(values, 0.1, random);
  } else if (name == "decoder.2.weight" || name == "decoder.2.bias") {
    detail::fill_uniform(values, root_bound(ModelConfig::decoder_hidden), random);
  } else if (in_layer == "self_attn.in_proj_weight") {
    const std::size_t width = columns;
    detail::fill_uniform(values, std::sqrt(6.0 / static_cast<double>(width + 3 * width)), random);
    if (config.fixup_init && config.fixup_values && !config.reproduce) {
      detail::scale(values.subspan(2 * values.size() / 3), fixup * std::sqrt(2.0));
    }
  } else if (in_layer == "self_attn.out_proj.weight" || in_layer == "linear1.weight" || in_layer == "linear2.weight") {
    detail::fill_uniform(values, fixup * root_bound(columns), random);
  } else if (in_layer == "linear1.bias") {
    detail::fill_uniform(values, root_bound(model.width()), random);
  } else if (in_layer == "linear2.bias") {
    detail::fill_uniform(values, root_bound(model.hidden_size), random);
  } else if (name == "transformer_encoder.norm.scale") {
    for (T& value : values) value = static_cast<T>(std::sqrt(static_cast<double>(model.width())));
  } else if (name == "decoder.0.bias" || in_layer == "self_attn.in_proj_bias" ||
             in_layer == "self_attn.out_proj.bias") {
    for (T& value : values) value = T(0);
  } else if (name == "transformer_encoder.norm.weight" || in_layer == "norm1.weight" || in_layer == "norm2.weight") {
    for (T& value : values) value = T(1);
  } else if (name == "transformer_encoder.norm.bias" || in_layer == "norm1.bias" || in_layer == "norm2.bias") {
    for (T& value : values) value = T(0);
  } else {
    throw std::invalid_argument("initialise: no model has a parameter " + std::string(name));
  }
}

}  // namespace ndt::inline NDT_TARGET::train
