// The gradient of whole models against finite differences of the loss, and its bits against the number of threads.
#include <algorithm>
#include <cmath>
#include <new>
#include <string>
#include <vector>

#include "../support/matrix.hpp"
#include "../support/policies.hpp"
#include "../support/training.hpp"

using ndt::ModelConfig;
using ndt::Parameters;
using ndt::train::BatchGradient;
using ndt::train::DropoutRates;
using ndt::train::Network;

namespace {

struct Case {
  std::string name;
  ModelConfig config;
};

std::vector<Case> cases() {
  ModelConfig base;
  base.neurons = 5, base.trial_length = 11, base.layers = 2, base.heads = 2, base.hidden_size = 7;
  base.embed_dim = 2, base.max_spikes = 5, base.context_forward = 2, base.context_backward = 3;
  base.learnable_position = true, base.pre_norm = true;
  std::vector<Case> all;
  const auto add = [&](const std::string& name, auto change) {
    all.push_back({name, base});
    change(all.back().config);
  };
  add("base", [](ModelConfig&) {});
  add("post-norm", [](ModelConfig& c) { c.pre_norm = false; });
  add("gelu", [](ModelConfig& c) { c.activation = ndt::Activation::gelu; });
  add("scale norm", [](ModelConfig& c) { c.scale_norm = true; });
  add("rates", [](ModelConfig& c) { c.lograte = false; });
  add("deep decoder", [](ModelConfig& c) { c.decoder_layers = 2; });
  add("full context", [](ModelConfig& c) { c.full_context = true; });
  add("causal", [](ModelConfig& c) { c.context_forward = 0; });
  add("wrap", [](ModelConfig& c) { c.context_wrap_initial = true, c.context_backward = 4; });
  add("sinusoidal", [](ModelConfig& c) { c.learnable_position = false; });
  add("counts", [](ModelConfig& c) { c.embed_dim = 0, c.neurons = 6, c.heads = 3; });
  add("linear embedder", [](ModelConfig& c) { c.embed_dim = 2, c.linear_embedder = true; });
  add("one head", [](ModelConfig& c) { c.heads = 1; });
  return all;
}

/// The loss of a batch, by the same path as the gradient.
template <class V>
struct Model {
  using T = typename V::value_type;
  Parameters<T> parameters;
  Network network;
  BatchGradient<V> gradient;

  explicit Model(const ModelConfig& config, std::uint64_t seed = 1)
      : parameters(ndt::train::parameters_of<T>(config)), network(config, parameters), gradient(network, parameters) {
    support::fill_parameters(parameters, seed);
    if (config.lograte) return;
    // Away from the kink of the last ReLU and the pole of ln(rate).
    for (T& x : parameters.value(parameters.list().back())) x += T(3);
    parameters.repack();
  }
  Model(const Model&) = delete;
  double loss(const support::RandomBatch<T>& batch, const DropoutRates& drop) {
    return gradient.run(batch.batch(), {drop, 9, 4}) / static_cast<double>(batch.count);
  }
};

/// Against central differences of the loss, every parameter of small tensors and a sample of large ones.
template <class V>
void check_gradient(const ModelConfig& config, const DropoutRates& drop) {
  using T = typename V::value_type;
  Model<V> model(config);
  const support::RandomBatch<T> batch(3, config.trial_length, config.neurons, 2);
  model.loss(batch, drop);
  const std::vector<double> analytic(model.gradient.gradient().begin(), model.gradient.gradient().end());
  const double largest = std::abs(*std::max_element(analytic.begin(), analytic.end(),
                                                    [](double a, double b) { return std::abs(a) < std::abs(b); }));
  for (const ndt::Parameter& p : model.parameters.list()) {
    if (!p.trained) continue;
    INFO(p.name);
    const auto value = model.parameters.value(p);
    const std::size_t step = std::max<std::size_t>(1, value.size() / 17);
    for (std::size_t i = 0; i < value.size(); i += step) {
      const double x = value[i], h = 1e-5;
      const auto at = [&](double shifted) {
        value[i] = shifted;
        model.parameters.repack();
        return model.loss(batch, drop);
      };
      const double numeric = (at(x + h) - at(x - h)) / (2 * h);
      at(x);
      CHECK(std::abs(numeric - analytic[p.value + i]) <= 1e-8 * (1 + largest));
    }
  }
}

}  // namespace

TEST_CASE("the gradient of every kind of model is that of finite differences", "[train]") {
  using V = ndt::simd::native<double>;
  for (const Case& c : cases()) {
    DYNAMIC_SECTION(c.name) { check_gradient<V>(c.config, {}); }
  }
}

TEST_CASE("dropout is part of the function whose gradient is computed", "[train]") {
  for (const Case& c : cases()) {
    DYNAMIC_SECTION(c.name) { check_gradient<ndt::simd::native<double>>(c.config, {0.3, 0.2, 0.1}); }
  }
}

TEST_CASE("scalar code computes the same gradients", "[train]") {
  check_gradient<ndt::simd::scalar<double>>(cases().front().config, {0.3, 0.2, 0.1});
}

#ifdef _OPENMP
TEMPLATE_TEST_CASE("gradient and loss have the same bits for any number of threads", "[train]",
                   ndt::simd::native<float>, ndt::simd::native<double>) {
  using T = typename TestType::value_type;
  const ModelConfig config = cases().front().config;
  const support::RandomBatch<T> batch(21, config.trial_length, config.neurons, 3);
  const DropoutRates drop{0.2, 0.1, 0.2};
  Model<TestType> model(config);
  const double serial = model.gradient.run(batch.batch(), {drop, 1, 2});
  const std::vector<T> expected(model.gradient.gradient().begin(), model.gradient.gradient().end());
  for (const std::size_t threads : std::vector<std::size_t>{1, 2, 3, 5, 8, 11}) {
    CHECK(model.gradient.run(batch.batch(), {drop, 1, 2}, ndt::OpenMP{threads}) == serial);
    CHECK(support::same_bits(model.gradient.gradient(), expected));
  }
}
#endif

TEMPLATE_TEST_CASE("without dropout the forward pass of training has the bits of inference", "[train]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const Case& c : cases()) {
    INFO(c.name);
    Model<V> model(c.config);
    const support::RandomBatch<T> batch(3, c.config.trial_length, c.config.neurons, 5);
    ndt::Tape<V> tape(model.parameters);
    tape.start(nullptr, {.trials = batch.numbers});
    const auto* y = model.network.template forward<V, std::uint16_t>(
        tape, {batch.inputs.data(), batch.trials, batch.bins, c.config.max_spikes}, {});
    ndt::DynamicTransformer<V> inference;
    REQUIRE(inference.bind({c.config}, model.parameters.packed()).ok());
    std::vector<T> expected(batch.inputs.size()), workspace(inference.workspace_size(batch.bins)), found;
    inference.forward({.log_rates = expected.data()}, batch.inputs.data(), batch.trials, batch.bins, workspace);
    for (std::size_t m = 0; m < y->rows; ++m) found.insert(found.end(), y->value[m], y->value[m] + y->columns);
    CHECK(support::same_bits(found, expected));
  }
}

namespace {

/// Runs the first of its tasks and then has no memory left.
struct Breaking {
  static constexpr std::size_t workers() noexcept { return 1; }
  template <class Work>
  void operator()(std::size_t, Work work) const {
    work(std::size_t{0}, std::size_t{0});
    throw std::bad_alloc();
  }
};

}  // namespace

TEST_CASE("a batch that was not finished leaves nothing in the gradient of the next", "[train]") {
  using T = float;
  const ModelConfig config = cases().front().config;
  const support::RandomBatch<T> batch(21, config.trial_length, config.neurons, 3);
  const ndt::train::PassOptions options{{0.2, 0.1, 0.2}, 1, 1};
  Model<ndt::simd::native<T>> model(config), fresh(config);
  CHECK_THROWS_AS(model.gradient.run(batch.batch(), options, Breaking{}), std::bad_alloc);
  CHECK(model.gradient.run(batch.batch(), options) == fresh.gradient.run(batch.batch(), options));
  CHECK(support::same_bits(model.gradient.gradient(), fresh.gradient.gradient()));
}

TEST_CASE("memory is flat after the first step", "[train]") {
  using T = float;
  const ModelConfig config = cases().front().config;
  const support::RandomBatch<T> batch(21, config.trial_length, config.neurons, 3);
  Model<ndt::simd::native<T>> model(config);
  model.gradient.run(batch.batch(), {{0.2, 0.1, 0.2}, 1, 1});
  const std::size_t bytes = model.gradient.bytes();
  for (std::uint32_t step = 2; step < 6; ++step) model.gradient.run(batch.batch(), {{0.2, 0.1, 0.2}, 1, step});
  CHECK(model.gradient.bytes() == bytes);
}

TEST_CASE("losses() gives what run() adds up, element by element", "[train]") {
  using T = double;
  const ModelConfig config = cases().front().config;
  const support::RandomBatch<T> batch(21, config.trial_length, config.neurons, 3);
  Model<ndt::simd::native<T>> model(config);
  const ndt::train::PassOptions options{{0.2, 0.1, 0.2}, 1, 1};
  std::vector<T> losses(batch.targets.size(), -1);
  model.gradient.losses(losses.data(), batch.batch(), options);
  double sum = 0;
  std::size_t zeros = 0;
  for (const T loss : losses) sum += loss, zeros += loss == 0;
  CHECK(sum == Approx(model.gradient.run(batch.batch(), options)).epsilon(1e-12));
  CHECK(zeros == losses.size() - batch.count);
}
