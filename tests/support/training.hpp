// A model in training with random parameters, and a batch for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <ndt/autograd/parameters.hpp>
#include <ndt/core/random.hpp>
#include <ndt/train/gradient.hpp>
#include <ndt/train/network.hpp>

namespace support {

/// Numbers that keep activations of every part of the model at a useful size: gains near 1, the rest small.
template <class T>
void fill_parameters(ndt::Parameters<T>& parameters, std::uint64_t seed) {
  for (std::size_t i = 0; i < parameters.list().size(); ++i) {
    const ndt::Parameter& p = parameters.list()[i];
    ndt::RandomStream random({.seed = seed, .item = static_cast<std::uint32_t>(i)});
    const bool gain = p.name.find("norm") != std::string::npos && p.name.find("bias") == std::string::npos;
    for (T& x : parameters.value(p)) x = static_cast<T>(random.uniform(-0.3, 0.3) + (gain ? 1.0 : 0.0));
  }
  parameters.repack();
}

/// Counts with some elements masked to zero and selected for the loss.
template <class T>
struct RandomBatch {
  std::size_t trials, bins, neurons;
  std::vector<std::uint32_t> numbers;
  std::vector<std::uint16_t> inputs;
  std::vector<T> targets, weight;
  std::size_t count = 0;

  RandomBatch(std::size_t B, std::size_t T_bins, std::size_t N, std::uint64_t seed)
      : trials(B), bins(T_bins), neurons(N) {
    ndt::RandomStream random({.seed = seed, .purpose = 77});
    for (std::size_t b = 0; b < B; ++b) numbers.push_back(static_cast<std::uint32_t>(3 * b + 5));
    for (std::size_t i = 0; i < B * bins * N; ++i) {
      const auto target = static_cast<std::uint16_t>(random.below(4));
      const bool selected = random.below(3) == 0;
      targets.push_back(static_cast<T>(target));
      weight.push_back(selected ? T(1) : T(0));
      count += selected;
      inputs.push_back(selected ? std::uint16_t{0} : target);
    }
  }
  ndt::train::Batch<T, std::uint16_t> batch() const {
    return {numbers, bins, inputs.data(), {targets.data(), weight.data()}, count};
  }
};

}  // namespace support
