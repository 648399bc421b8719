// The recurrent models of the benchmarks against plain loops over PyTorch's formulas.
#include <cmath>
#include <cstdint>
#include <vector>

#include "../../bench/recurrent/random_weights.hpp"
#include "../support/compare.hpp"
#include "../support/expected.hpp"
#include "../support/noise.hpp"
#include "../support/policies.hpp"

namespace {

using support::Wide;

template <class T>
using Row = std::vector<Wide<T>>;

/// W x + b; without a bias if b is empty.
template <class T>
Row<T> linear(const std::vector<T>& weight, const std::vector<T>& bias, const Row<T>& x, std::size_t outputs) {
  Row<T> y(outputs);
  for (std::size_t i = 0; i < outputs; ++i) {
    if (!bias.empty()) y[i] = bias[i];
    for (std::size_t k = 0; k < x.size(); ++k) y[i] += Wide<T>(weight[i * x.size() + k]) * x[k];
  }
  return y;
}

/// The formulas of torch.nn.GRU's documentation.
template <class T>
Row<T> gru(const bench::GruWeights<T>& w, const Row<T>& x, const Row<T>& h) {
  const std::size_t H = h.size();
  const Row<T> p = linear(w.ih, w.ih_bias, x, 3 * H), g = linear(w.hh, w.hh_bias, h, 3 * H);
  const auto sigmoid = [](Wide<T> v) { return 1 / (1 + std::exp(-v)); };
  Row<T> next(H);
  for (std::size_t i = 0; i < H; ++i) {
    const Wide<T> r = sigmoid(p[i] + g[i]), z = sigmoid(p[H + i] + g[H + i]);
    next[i] = (1 - z) * std::tanh(p[2 * H + i] + r * g[2 * H + i]) + z * h[i];
  }
  return next;
}

template <class T>
struct Window {
  Row<T> factors, log_rates;  ///< (bins, factors), (bins, neurons)
};

template <class T>
Window<T> lfads(const bench::LfadsShape& shape, const bench::LfadsWeights<T>& w, const std::vector<Row<T>>& counts,
                const std::vector<T>& noise) {
  Row<T> forward(shape.encoder), backward(shape.encoder);
  for (std::size_t t = 0; t < counts.size(); ++t) forward = gru(w.forward, counts[t], forward);
  for (std::size_t t = counts.size(); t-- > 0;) backward = gru(w.backward, counts[t], backward);
  forward.insert(forward.end(), backward.begin(), backward.end());
  const Row<T> initial = linear(w.initial.weight, w.initial.bias, forward, 2 * shape.generator);
  Row<T> state(shape.generator);
  for (std::size_t i = 0; i < state.size(); ++i) {
    state[i] = initial[i];
    if (!noise.empty()) state[i] += std::exp(initial[state.size() + i] / 2) * noise[i];
  }
  Window<T> window;
  for (std::size_t t = 0; t < counts.size(); ++t) {
    state = gru(w.generator, {}, state);
    const Row<T> factors = linear(w.factors.weight, w.factors.bias, state, shape.factors);
    const Row<T> rates = linear(w.rates.weight, w.rates.bias, factors, shape.neurons);
    window.factors.insert(window.factors.end(), factors.begin(), factors.end());
    window.log_rates.insert(window.log_rates.end(), rates.begin(), rates.end());
  }
  return window;
}

/// Counts of 0 to 3, as bytes and as the rows that the loops read.
template <class T>
struct Counts {
  std::vector<std::uint8_t> bytes;
  std::vector<Row<T>> rows;

  Counts(std::size_t bins, std::size_t neurons) {
    support::Random random(3);
    for (std::size_t t = 0; t < bins; ++t) {
      rows.emplace_back();
      for (std::size_t n = 0; n < neurons; ++n) {
        bytes.push_back(static_cast<std::uint8_t>(random.below(4)));
        rows.back().push_back(bytes.back());
      }
    }
  }
};

/// Numbers that leave the gates between their ends.
template <class T>
auto numbers() {
  return
      [seed = std::uint64_t{1}](std::size_t count) mutable { return support::noise<T>(count, seed++, T(0), T(0.4)); };
}

// Odd sizes, sizes of whole panels, and one unit.
const std::vector<bench::LfadsShape> shapes = {{"", 1, 1, 1, 1},     {"", 5, 7, 3, 2},     {"", 19, 16, 33, 5},
                                               {"", 30, 17, 64, 18}, {"", 50, 64, 64, 40}, {"", 3, 49, 80, 4}};

}  // namespace

TEMPLATE_TEST_CASE("the autoencoder of the benchmarks is what plain loops give", "[bench]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  for (const bench::LfadsShape& shape : shapes) {
    for (const std::size_t bins : std::vector<std::size_t>{1, 2, 9}) {
      INFO(shape.neurons << " neurons, " << shape.encoder << " and " << shape.generator << " units, " << bins
                         << " bins");
      const auto weights = bench::random_lfads<T>(shape, numbers<T>());
      const Counts<T> counts(bins, shape.neurons);
      bench::Lfads<TestType> model(shape, weights, 9);
      for (const std::vector<T>& noise : {std::vector<T>{}, support::noise<T>(shape.generator, 7)}) {
        const Window<T> expected = lfads(shape, weights, counts.rows, noise);
        std::vector<T> log_rates(bins * shape.neurons), factors;
        model.run(log_rates.data(), counts.bytes.data(), bins, noise.empty() ? nullptr : noise.data());
        for (std::size_t t = 0; t < bins; ++t) {
          factors.insert(factors.end(), model.factors()[t], model.factors()[t] + shape.factors);
        }
        CHECK(support::worst_error(log_rates, expected.log_rates) < support::log_rate_bound<T>);
        CHECK(support::worst_error(factors, expected.factors) < support::log_rate_bound<T>);
      }
    }
  }
}

TEMPLATE_TEST_CASE("a step of the causal GRU is the next bin of plain loops", "[bench]", NDT_POLICIES) {
  using T = typename TestType::value_type;
  for (const bench::LfadsShape& shape : shapes) {
    INFO(shape.neurons << " neurons, " << shape.encoder << " units");
    const auto weights = bench::random_causal<T>(shape, numbers<T>());
    const Counts<T> counts(9, shape.neurons);
    bench::CausalGru<TestType> model(shape, weights);
    Row<T> state(shape.encoder);
    for (std::size_t t = 0; t < 9; ++t) {
      state = gru(weights.gru, counts.rows[t], state);
      const Row<T> factors = linear(weights.factors.weight, weights.factors.bias, state, shape.factors);
      std::vector<T> log_rates(shape.neurons);
      model.step(log_rates.data(), counts.bytes.data() + t * shape.neurons);
      CHECK(support::worst_error(log_rates, linear(weights.rates.weight, weights.rates.bias, factors, shape.neurons)) <
            support::log_rate_bound<T>);
    }
  }
}
