// The cheapest that a recurrence can do for a new bin: one direction, forward in time, its state kept. It is not LFADS,
// whose encoder reads the whole window in both directions, but what remains of it if nothing may be computed twice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <ndt/ndt.hpp>

#include "gru.hpp"
#include "lfads.hpp"
#include "linear.hpp"

namespace bench {

template <class T>
struct CausalWeights {
  GruWeights<T> gru;
  LinearWeights<T> factors;  ///< (factors, units), without a bias
  LinearWeights<T> rates;    ///< (neurons, factors)
};

template <class V>
class CausalGru {
  using T = typename V::value_type;

 public:
  /// Of `shape` the neurons, the encoder's units and the factors.
  CausalGru(const LfadsShape& shape, const CausalWeights<T>& weights)
      : input_({padded_gates(weights.gru.ih, shape.encoder, shape.neurons), input_bias(weights.gru, shape.encoder)},
               shape.neurons),
        gru_(weights.gru, shape.encoder),
        factors_(weights.factors, shape.encoder),
        rates_(weights.rates, shape.factors),
        neurons_(shape.neurons),
        counts_(1, shape.neurons),
        gates_(1, 3 * padded_units(shape.encoder)),
        states_(2, padded_units(shape.encoder)),
        factor_row_(1, shape.factors) {}

  /// Weights, and multiply-adds of a bin.
  static std::size_t products(const LfadsShape& shape) {
    return LfadsShape::recurrent(shape.encoder) + shape.encoder * (3 * shape.neurons + shape.factors) +
           shape.factors * shape.neurons;
  }
  /// log_rates(neurons) of the next bin from its counts(neurons).
  void step(T* log_rates, const std::uint8_t* counts) noexcept {
    std::transform(counts, counts + neurons_, counts_[0], [](std::uint8_t count) { return static_cast<T>(count); });
    input_(gates_.rows(), counts_.rows(), 1);
    gru_.step(states_[1 - newest_], gates_[0], states_[newest_], newest_ != 0);
    newest_ = 1 - newest_;
    factors_(factor_row_.rows(), states_.rows().from(newest_), 1);
    rates_({log_rates, neurons_}, factor_row_.rows(), 1);
  }

 private:
  PackedLinear<V> input_;
  PackedGru<V> gru_;
  PackedLinear<V> factors_, rates_;
  std::size_t neurons_, newest_ = 0;
  Matrix<T> counts_, gates_, states_, factor_row_;
};

}  // namespace bench
