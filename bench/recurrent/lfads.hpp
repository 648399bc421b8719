// Inference of a sequential autoencoder as LFADS is one (Pandarinath et al. 2018), without a controller:
//
//   counts -> a GRU over the window in each direction -> mean and log variance of the generator's first state
//   a sample of it -> a GRU without inputs, bin after bin -> factors -> log rates
//
// Written from the description of the model. Every product that does not have to wait for the bin before is one matrix
// over all bins.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

#include "gru.hpp"
#include "linear.hpp"

namespace bench {

struct LfadsShape {
  std::string_view name;
  std::size_t neurons, encoder, generator, factors;

  /// Multiply-adds, counted as two operations each; what padding adds and the gates' own arithmetic are not counted.
  double flop(std::size_t bins) const {
    const auto number = [](std::size_t n) { return static_cast<double>(n); };
    return 2 * number(bins) * number(products() + recurrent(encoder) * 2 + recurrent(generator)) +
           2 * number(2 * encoder * 2 * generator);
  }
  /// Multiply-adds of a bin outside the recurrences: inputs of both directions, factors, rates.
  std::size_t products() const { return 6 * encoder * neurons + generator * factors + factors * neurons; }
  /// Weights of one recurrence: what it reads for every bin, and its multiply-adds.
  static std::size_t recurrent(std::size_t units) { return 3 * units * units; }
};

/// The parameters, row-major with PyTorch's shapes.
template <class T>
struct LfadsWeights {
  GruWeights<T> forward, backward, generator;  ///< the generator has no weights for inputs
  LinearWeights<T> initial;  ///< (2 generator, 2 encoder): means, then log variances, from the forward, then the
                             ///< backward direction's last state
  LinearWeights<T> factors;  ///< (factors, generator), without a bias
  LinearWeights<T> rates;    ///< (neurons, factors)
};

template <class V>
class Lfads {
  using T = typename V::value_type;

 public:
  /// Plans for windows of up to `bins` bins.
  Lfads(const LfadsShape& shape, const LfadsWeights<T>& weights, std::size_t bins)
      : shape_(shape),
        planned_(bins),
        input_(inputs_of(shape, weights), shape.neurons),
        forward_(weights.forward, shape.encoder),
        backward_(weights.backward, shape.encoder),
        from_forward_(columns_of(weights.initial, shape, 0), shape.encoder),
        from_backward_(columns_of(weights.initial, shape, 1), shape.encoder),
        generator_(weights.generator, shape.generator),
        factors_(weights.factors, shape.generator),
        rates_(weights.rates, shape.factors),
        generator_bias_(input_bias(weights.generator, shape.generator)),
        counts_(bins, shape.neurons),
        gates_(bins, 6 * padded_units(shape.encoder)),
        encoder_states_(2, padded_units(shape.encoder)),
        initial_(1, 2 * shape.generator),
        states_(bins + 1, padded_units(shape.generator)),
        factor_rows_(bins, shape.factors) {}

  /// log_rates(bins, neurons) from counts(bins, neurons), the generator's first state being mean + deviation * noise,
  /// noise (generator) one sample of the posterior, or the mean itself where noise is null.
  void run(T* log_rates, const std::uint8_t* counts, std::size_t bins, const T* noise) noexcept {
    NDT_ASSERT(bins <= planned_);
    for (std::size_t t = 0; t < bins; ++t) {
      std::transform(counts + t * shape_.neurons, counts + (t + 1) * shape_.neurons, counts_[t],
                     [](std::uint8_t count) { return static_cast<T>(count); });
    }
    encode(bins);
    sample(noise);
    for (std::size_t t = 0; t < bins; ++t) {
      generator_.step(states_[t + 1], generator_bias_.data(), states_[t], there_and_back(t));
    }
    factors_(factor_rows_.rows(), states_.rows().from(1), bins);
    rates_({log_rates, shape_.neurons}, factor_rows_.rows(), bins);
  }
  /// What the last run found, (bins, factors).
  ndt::Rows<const T> factors() const noexcept { return factor_rows_.rows(); }

 private:
  /// Both directions' share of the input in one matrix.
  static LinearWeights<T> inputs_of(const LfadsShape& shape, const LfadsWeights<T>& weights) {
    LinearWeights<T> both;
    for (const GruWeights<T>* gru : {&weights.forward, &weights.backward}) {
      const std::vector<T> rows = padded_gates(gru->ih, shape.encoder, shape.neurons);
      const std::vector<T> bias = input_bias(*gru, shape.encoder);
      both.weight.insert(both.weight.end(), rows.begin(), rows.end());
      both.bias.insert(both.bias.end(), bias.begin(), bias.end());
    }
    return both;
  }
  /// What one direction adds to the initial condition: the first brings the bias.
  static LinearWeights<T> columns_of(const LinearWeights<T>& initial, const LfadsShape& shape, std::size_t direction) {
    LinearWeights<T> part;
    for (std::size_t row = 0; row < 2 * shape.generator; ++row) {
      const auto from = initial.weight.begin() + static_cast<std::ptrdiff_t>((2 * row + direction) * shape.encoder);
      part.weight.insert(part.weight.end(), from, from + static_cast<std::ptrdiff_t>(shape.encoder));
    }
    if (direction == 0) part.bias = initial.bias;
    return part;
  }

  /// The initial condition from the last states of both directions. One after the other: the weights of one are in a
  /// nearer cache than those of both, which outweighs that two at a time would hide one another's latency.
  void encode(std::size_t bins) noexcept {
    input_(gates_.rows(), counts_.rows(), bins);
    const std::size_t backward_gates = 3 * padded_units(shape_.encoder);
    from_forward_(initial_.rows(), last_state(forward_, bins, [&](std::size_t i) { return gates_[i]; }), 1);
    from_backward_(initial_.rows(),
                   last_state(backward_, bins, [&](std::size_t i) { return gates_[bins - 1 - i] + backward_gates; }), 1,
                   true);
  }
  /// The state of a direction after all bins, gates(i) being those of the i-th bin that it meets.
  template <class Gates>
  ndt::Rows<const T> last_state(const PackedGru<V>& gru, std::size_t bins, Gates gates) noexcept {
    std::fill_n(encoder_states_[0], encoder_states_.stride(), T(0));
    for (std::size_t i = 0; i < bins; ++i) {
      gru.step(encoder_states_[(i + 1) % 2], gates(i), encoder_states_[i % 2], there_and_back(i));
    }
    return encoder_states_.rows().from(bins % 2);
  }
  /// Every other bin reads the weights from their end: it finds there what the bin before has left in the first cache.
  static bool there_and_back(std::size_t bin) noexcept { return bin % 2 != 0; }

  void sample(const T* noise) noexcept {
    const T *const mean = initial_[0], *const log_variance = mean + shape_.generator;
    ndt::kernels::for_lanes<V>(shape_.generator, [&](std::size_t i, auto lanes) NDT_INLINE_LAMBDA {
      auto state = V::load(mean + i, lanes);
      if (noise != nullptr) {
        const auto deviation = ndt::kernels::exp<V>(V::set(T(0.5)) * V::load(log_variance + i, lanes));
        state = V::fma(deviation, V::load(noise + i, lanes), state);
      }
      V::store(states_[0] + i, state, lanes);
    });
  }

  LfadsShape shape_;
  std::size_t planned_;
  PackedLinear<V> input_;
  PackedGru<V> forward_, backward_;
  PackedLinear<V> from_forward_, from_backward_;
  PackedGru<V> generator_;
  PackedLinear<V> factors_, rates_;
  std::vector<T> generator_bias_;
  Matrix<T> counts_, gates_, encoder_states_, initial_, states_, factor_rows_;
};

}  // namespace bench
