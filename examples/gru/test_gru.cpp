// The example layer against torch.nn.GRU and finite differences.
#include "gru.hpp"

#include "../../tests/support/compare.hpp"
#include "../../tests/support/golden.hpp"
#include "../../tests/support/operation.hpp"
#include "../../tests/support/policies.hpp"

TEMPLATE_TEST_CASE("the example's GRU is torch.nn.GRU, with its gradients", "[examples]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const double bound = sizeof(T) == 4 ? 1e-5 : 1e-12;
  const support::Golden golden(std::filesystem::path(NDT_GOLDEN_DIR) / "train/gru.golden");
  const auto& sizes = golden["input"].extents.size;
  const std::size_t trials = sizes[0], bins = sizes[1], inputs = sizes[2];
  const std::size_t units = golden["output"].extents.size[2];

  ndt::Parameters<T> parameters(example::gru_parameters(inputs, units));
  for (const ndt::Parameter& p : parameters.list()) {
    const auto& values = golden[p.name].values;
    std::transform(values.begin(), values.end(), parameters.value(p).begin(),
                   [](double x) { return static_cast<T>(x); });
  }
  parameters.repack();
  std::vector<T> gradient(parameters.trained_size());
  ndt::Tape<V> tape(parameters);
  tape.start(gradient.data());
  ndt::Variable<T>* const x = tape.variable(trials * bins, inputs);
  for (std::size_t i = 0; i < x->rows * inputs; ++i) {
    x->value[i / inputs][i % inputs] = static_cast<T>(golden["input"].values[i]);
  }
  ndt::Variable<T>* const h = example::gru(tape, x, 0, bins);
  tape.sink(h);
  for (std::size_t i = 0; i < h->rows * units; ++i) {
    h->gradient[i / units][i % units] = static_cast<T>(golden["weights"].values[i]);
  }
  const auto worst = [](auto at, const std::vector<double>& expected) {
    double error = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      error = support::worse(error,
                             std::abs(static_cast<double>(at(i)) - expected[i]) / std::max(1.0, std::abs(expected[i])));
    }
    return error;
  };
  CHECK(worst([&](std::size_t i) { return h->value[i / units][i % units]; }, golden["output"].values) < bound);
  tape.backward();
  CHECK(worst([&](std::size_t i) { return x->gradient[i / inputs][i % inputs]; }, golden["grad/input"].values) < bound);
  for (const ndt::Parameter& p : parameters.list()) {
    INFO(p.name);
    CHECK(worst([&](std::size_t i) { return gradient[p.value + i]; }, golden["grad/" + p.name].values) < bound);
  }
}

TEST_CASE("the example's GRU has the gradients of finite differences", "[examples]") {
  using V = ndt::simd::native<double>;
  for (const std::size_t units : std::vector<std::size_t>{1, 5, 9}) {
    support::Operation<V>(example::gru_parameters(3, units), {{2 * 4, 3}}, [](auto& tape, auto& x) {
      return example::gru(tape, x[0], 0, 4);
    }).check();
  }
}
