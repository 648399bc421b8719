// Parameters of the recurrent models: numbers(count) is where they come from. How long a bin takes does not depend on
// them, so nobody has trained these.
#pragma once

#include <cstddef>

#include "causal.hpp"
#include "gru.hpp"
#include "lfads.hpp"

namespace bench {

template <class T, class Numbers>
GruWeights<T> random_gru(std::size_t inputs, std::size_t units, Numbers& numbers) {
  return {numbers(3 * units * inputs), numbers(3 * units * units), numbers(3 * units), numbers(3 * units)};
}

template <class T, class Numbers>
LfadsWeights<T> random_lfads(const LfadsShape& shape, Numbers&& numbers) {
  const std::size_t initial = 2 * shape.generator;
  return {random_gru<T>(shape.neurons, shape.encoder, numbers),
          random_gru<T>(shape.neurons, shape.encoder, numbers),
          random_gru<T>(0, shape.generator, numbers),
          {numbers(initial * 2 * shape.encoder), numbers(initial)},
          {numbers(shape.factors * shape.generator), {}},
          {numbers(shape.neurons * shape.factors), numbers(shape.neurons)}};
}

template <class T, class Numbers>
CausalWeights<T> random_causal(const LfadsShape& shape, Numbers&& numbers) {
  return {random_gru<T>(shape.neurons, shape.encoder, numbers),
          {numbers(shape.factors * shape.encoder), {}},
          {numbers(shape.neurons * shape.factors), numbers(shape.neurons)}};
}

}  // namespace bench
