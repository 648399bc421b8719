// Every operation of the tape against finite differences in f64, at odd sizes.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <ndt/autograd/activation.hpp>
#include <ndt/autograd/attention.hpp>
#include <ndt/autograd/dropout.hpp>
#include <ndt/autograd/embedding.hpp>
#include <ndt/autograd/layer_norm.hpp>
#include <ndt/autograd/linear.hpp>
#include <ndt/autograd/loss.hpp>
#include <ndt/autograd/scale_norm.hpp>

#include "../support/head.hpp"
#include "../support/noise.hpp"
#include "../support/operation.hpp"
#include "../support/policies.hpp"

using ndt::Extents;
using ndt::Parameters;
using ndt::Tape;
using ndt::Variable;
using support::matrix;
using support::Operation;
using support::vector;

#define NDT_DOUBLE_POLICIES ndt::simd::scalar<double>, ndt::simd::native<double>

TEMPLATE_TEST_CASE("linear has the gradients of finite differences", "[autograd]", NDT_DOUBLE_POLICIES) {
  using V = TestType;
  for (const std::size_t inputs : std::vector<std::size_t>{1, 3, 17}) {
    for (const std::size_t outputs : std::vector<std::size_t>{1, 5, 19, 37}) {
      for (const bool relu : {false, true}) {
        INFO("inputs " << inputs << " outputs " << outputs << " relu " << relu);
        Operation<V>({matrix("w", outputs, inputs), vector("b", outputs)}, {{7, inputs}}, [=](auto& tape, auto& x) {
          return ndt::linear(tape, x[0], 0, 1, {.relu = relu});
        }).check();
      }
    }
  }
}

TEMPLATE_TEST_CASE("a residual and a variable that is read twice get all of their gradients", "[autograd]",
                   NDT_DOUBLE_POLICIES) {
  using V = TestType;
  Operation<V>({matrix("w", 5, 5), vector("b", 5), vector("g", 5), vector("c", 5)}, {{7, 5}}, [](auto& tape, auto& x) {
    auto* const y = ndt::layer_norm(tape, x[0], 2, 3, 1e-5);
    auto* const z = ndt::linear(tape, y, 0, 1, {.residual = x[0]});
    auto* const twice = ndt::linear(tape, z, 0, 1, {.residual = z});
    return ndt::gelu(tape, ndt::linear(tape, twice, 0, 1, {.residual = y}));
  }).check();
}

TEMPLATE_TEST_CASE("norms have the gradients of finite differences", "[autograd]", NDT_DOUBLE_POLICIES) {
  using V = TestType;
  for (const std::size_t width : std::vector<std::size_t>{2, 3, 8, 21, 37}) {
    INFO("width " << width);
    Operation<V>({vector("gain", width), vector("bias", width)}, {{5, width}}, [](auto& tape, auto& x) {
      return ndt::layer_norm(tape, x[0], 0, 1, 1e-5);
    }).check();
    Operation<V>({{.name = "scale"}}, {{5, width}}, [](auto& tape, auto& x) {
      return ndt::scale_norm(tape, x[0], 0, 1e-5);
    }).check();
    // Rows shorter than the clamp are scaled by a constant.
    Operation<V>({{.name = "scale"}}, {{5, width}}, [](auto& tape, auto& x) {
      return ndt::scale_norm(tape, x[0], 0, 1e3);
    }).check();
  }
}

TEMPLATE_TEST_CASE("gelu has the gradient of finite differences", "[autograd]", NDT_DOUBLE_POLICIES) {
  Operation<TestType>({}, {{5, 21}}, [](auto& tape, auto& x) { return ndt::gelu(tape, x[0]); }).check();
}

TEMPLATE_TEST_CASE("attention has the gradients of finite differences for every band", "[autograd]",
                   NDT_DOUBLE_POLICIES) {
  using V = TestType;
  for (const std::size_t bins : std::vector<std::size_t>{1, 6, 19}) {
    for (const ndt::Band& band : support::bands()) {
      for (const double rate : {0.0, 0.3}) {
        INFO("bins " << bins << " back " << band.backward << " forward " << band.forward << " drop " << rate);
        Operation<V>({}, {{2 * bins, 3 * 6}}, [=](auto& tape, auto& x) {
          return ndt::attention(tape, x[0], {2, bins, band, {rate, 7}});
        }).check();
      }
    }
  }
}

TEMPLATE_TEST_CASE("attention in several blocks of rows has the gradients of finite differences", "[autograd]",
                   NDT_DOUBLE_POLICIES) {
  using V = TestType;
  const std::size_t bins = 67;
  const ndt::Band band{9, 4, 0};
  REQUIRE(ndt::WeightBlocks(band, bins).count() > 2);
  Operation<V>({}, {{2 * bins, 3 * 3}}, [=](auto& tape, auto& x) {
    return ndt::attention(tape, x[0], {1, bins, band, {0.2, 7}});
  }).check();
}

TEMPLATE_TEST_CASE("dropout has the gradient of finite differences, alone and at the edge of a product", "[autograd]",
                   NDT_DOUBLE_POLICIES) {
  using V = TestType;
  Operation<V>({}, {{6, 21}}, [](auto& tape, auto& x) { return ndt::dropout(tape, x[0], {0.4, 1}); }).check();
  const std::vector<ndt::Parameter> list{matrix("w", 21, 5), vector("b", 21)};
  for (const bool relu : {false, true}) {
    Operation<V>(list, {{6, 5}}, [=](auto& tape, auto& x) {
      return ndt::linear(tape, x[0], 0, 1, {.relu = relu, .dropout = {0.4, 1}});
    }).check();
  }
  Operation<V>(list, {{6, 5}, {6, 21}}, [](auto& tape, auto& x) {
    return ndt::linear(tape, x[0], 0, 1, {.residual = x[1], .dropout = {0.4, 1}});
  }).check();
  // The residual's gradient is what comes in, whatever was dropped, and there is another reader of it.
  Operation<V>(list, {{6, 5}, {6, 21}}, [](auto& tape, auto& x) {
    auto* const y = ndt::gelu(tape, x[1]);
    return ndt::linear(
        tape, x[0], 0, 1,
        {.residual = ndt::linear(tape, x[0], 0, 1, {.residual = y, .dropout = {0.4, 1}}), .dropout = {0.3, 2}});
  }).check();
}

TEMPLATE_TEST_CASE("dropout at the edge of a product drops what dropout behind it does", "[autograd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  for (const std::size_t outputs : std::vector<std::size_t>{1, 19, 37, 101}) {
    INFO("outputs " << outputs);
    Parameters<T> parameters({matrix("w", outputs, 5), vector("b", outputs)});
    for (const ndt::Parameter& p : parameters.list()) {
      const std::vector<T> numbers = support::noise<T>(parameters.value(p).size(), 7 + p.value);
      std::copy(numbers.begin(), numbers.end(), parameters.value(p).begin());
    }
    parameters.repack();
    const std::vector<T> input = support::noise<T>(6 * 5, 1);
    const std::vector<std::uint32_t> trials{3, 8};
    const ndt::Dropout drop{0.4, 1};
    // The result and its parameters' gradients, from a gradient of ones.
    const auto run = [&](auto operation) {
      std::vector<T> all, gradient(parameters.trained_size(), T(0));
      Tape<V> tape(parameters);
      tape.start(gradient.data(), {.seed = 5, .step = 2, .trials = trials});
      Variable<T>* const x = tape.variable(6, 5);
      for (std::size_t i = 0; i < input.size(); ++i) x->value[i / 5][i % 5] = input[i];
      Variable<T>* const y = operation(tape, x);
      const auto [rows, accumulate] = tape.sink(y);
      for (std::size_t m = 0; m < 6; ++m) {
        all.insert(all.end(), y->value[m], y->value[m] + outputs);
        std::fill_n(rows[m], outputs, T(1));
      }
      tape.backward();
      all.insert(all.end(), gradient.begin(), gradient.end());
      return all;
    };
    for (const bool relu : {false, true}) {
      const auto fused =
          run([&](auto& tape, auto* x) { return ndt::linear(tape, x, 0, 1, {.relu = relu, .dropout = drop}); });
      const auto apart = run(
          [&](auto& tape, auto* x) { return ndt::dropout(tape, ndt::linear(tape, x, 0, 1, {.relu = relu}), drop); });
      CHECK(fused == apart);  // but for the sign of a zero
    }
  }
}

TEMPLATE_TEST_CASE("the embedding has the gradients of finite differences", "[autograd]", NDT_DOUBLE_POLICIES) {
  using V = TestType;
  // 2 trials of 3 bins and 5 neurons; counts beyond the limit share the last row.
  static const std::vector<std::uint16_t> counts = [] {
    std::vector<std::uint16_t> all;
    for (std::size_t i = 0; i < 30; ++i) all.push_back(static_cast<std::uint16_t>(i * 7 % 6));
    return all;
  }();
  for (const std::size_t E : std::vector<std::size_t>{1, 2, 3}) {
    INFO("columns " << E);
    Operation<V>({{.name = "table", .extents = Extents(6, E)}, {.name = "positions", .extents = Extents(4, 5 * E)}}, {},
                 [](auto& tape, auto&) {
                   auto* const x = ndt::lookup(tape, counts.data(), 6, 5, 0, 4);
                   return ndt::scale_and_shift(tape, x, 1.7, 1, 3);
                 })
        .check();
  }
  Operation<V>({{.name = "positions", .extents = Extents(4, 5), .trained = false}}, {{6, 5}}, [](auto& tape, auto& x) {
    return ndt::scale_and_shift(tape, x[0], 1.7, 0, 3);
  }).check();
}

TEMPLATE_TEST_CASE("the Poisson loss and its gradient, of log rates and of rates", "[autograd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  const std::size_t rows = 3, N = 21;
  const Parameters<T> none({});
  Tape<V> tape(none);
  for (const bool lograte : {true, false}) {
    tape.start(nullptr);
    Variable<T>* const y = tape.variable(rows, N);
    const std::vector<T> noise = support::noise<T>(rows * N, 5);
    std::vector<T> counts, weight, losses(rows * N, T(-1));
    double expected = 0;
    for (std::size_t i = 0; i < rows * N; ++i) {
      const T x = lograte ? noise[i] : std::abs(noise[i]) + T(0.1);
      y->value[i / N][i % N] = x;
      counts.push_back(static_cast<T>(i % 4));
      weight.push_back(i % 3 == 0 ? T(1) : T(0));
      const double v = static_cast<double>(x), c = static_cast<double>(counts[i]);
      if (i % 3 == 0) expected += lograte ? std::exp(v) - c * v : v - c * std::log(v + 1e-8);
    }
    // What is not selected may be anything.
    y->value[0][1] = std::numeric_limits<T>::infinity();
    const double loss = ndt::poisson_loss(tape, y, {counts.data(), weight.data()}, lograte, 0.25, losses.data());
    const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
    CHECK(loss == Approx(expected).epsilon(tolerance));
    for (std::size_t i = 0; i < rows * N; ++i) {
      const double v = static_cast<double>(y->value[i / N][i % N]), c = static_cast<double>(counts[i]);
      const double slope = i % 3 != 0 ? 0 : 0.25 * (lograte ? std::exp(v) - c : 1 - c / (v + 1e-8));
      CHECK(std::abs(static_cast<double>(y->gradient[i / N][i % N]) - slope) <= tolerance * (1 + std::abs(slope)));
      if (i % 3 != 0) CHECK(losses[i] == T(0));
    }
  }
}

// Finite differences need f64, where rows are not folded together: in f32 rows together are held to rows one by one.
TEMPLATE_TEST_CASE("norms' and softmax' backward passes give rows together the bits that they have one by one",
                   "[autograd]", NDT_POLICIES) {
  using V = TestType;
  using T = typename V::value_type;
  using Const = ndt::Rows<const T>;
  const std::size_t most = 2 * V::width + 3;
  for (const std::size_t width : std::vector<std::size_t>{1, 5, 29, 58}) {
    const auto x = support::noise<T>(most * width, 1), dy = support::noise<T>(most * width, 2),
               gain = support::noise<T>(width, 3), stats = support::noise<T>(2 * most, 4, T(1), T(0.1)),
               p = support::noise<T>(most * width, 5), keep = support::noise<T>(most * width, 6);
    for (const bool option : {false, true}) {  // accumulate, or dropout
      struct Results {
        std::vector<T> dx, dgain, dbias, ds, kept;
      };
      const auto run = [&](std::size_t rows, std::size_t at_once) {
        Results r{dy, std::vector<T>(width, T(1)), std::vector<T>(width, T(2)), dy, std::vector<T>(dy.size())};
        const auto part = [&](const std::vector<T>& all, std::size_t row) {
          return Const{all.data() + row * width, width};
        };
        for (std::size_t row = 0; row < rows; row += at_once) {
          ndt::kernels::layer_norm_backward<V>({r.dx.data() + row * width, width}, part(dy, row), part(x, row),
                                               gain.data(), stats.data() + 2 * row, r.dgain.data(), r.dbias.data(),
                                               at_once, width, option);
          ndt::kernels::softmax_backward<V>({r.ds.data() + row * width, width}, part(p, row),
                                            {r.kept.data() + row * width, width}, option ? part(keep, row) : Const{},
                                            at_once, width, T(0.5));
        }
        return r;
      };
      for (std::size_t rows = 1; rows <= most; ++rows) {
        INFO("width " << width << " option " << option << " rows " << rows);
        const Results together = run(rows, rows), alone = run(rows, 1);
        CHECK(together.dx == alone.dx);
        CHECK(together.dgain == alone.dgain);
        CHECK(together.dbias == alone.dbias);
        CHECK(together.ds == alone.ds);
        CHECK(together.kept == alone.kept);
      }
    }
  }
}
