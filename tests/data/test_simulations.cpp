// The synthetic systems: that they are the systems they are called after, and the data what was asked for.
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

#include <ndt/data/chaotic_rnn.hpp>
#include <ndt/data/lorenz.hpp>
#include <ndt/data/reach.hpp>
#include "../support/catch.hpp"

namespace {

namespace data = ndt::data;

double mean_count(const data::Split& split) {
  double sum = 0;
  for (const auto count : split.counts) sum += count;
  return sum / static_cast<double>(split.counts.size());
}

/// Mean of rate - count ln(rate): what a model that knows the rates would score.
double nll_of_truth(const data::Split& split) {
  double sum = 0;
  for (std::size_t i = 0; i < split.truth.size(); ++i) {
    const double rate = static_cast<double>(split.truth[i]);
    sum += rate - (split.counts[i] > 0 ? split.counts[i] * std::log(rate) : 0.0);
  }
  return sum / static_cast<double>(split.truth.size());
}

/// Trials, sizes and who is in which split.
void check_split(const data::Dataset& all, std::size_t conditions, std::size_t repeats) {
  const std::size_t trials = conditions * repeats;
  CHECK(all.conditions == conditions);
  CHECK(all.train.trials + all.valid.trials == trials);
  CHECK(all.valid.trials == trials / 5);
  std::set<std::int64_t> seen;
  for (const data::Split* split : {&all.train, &all.valid}) {
    CHECK(split->counts.size() == split->trials * all.bins * all.neurons);
    CHECK(split->truth.size() == split->trials * all.observed_bins() * all.neurons);
    std::vector<std::size_t> of_condition(conditions);
    for (std::size_t i = 0; i < split->trials; ++i) {
      seen.insert(split->index[i]);
      CHECK(split->condition[i] == split->index[i] / static_cast<std::int64_t>(repeats));
      ++of_condition[static_cast<std::size_t>(split->condition[i])];
    }
    const auto [fewest, most] = std::minmax_element(of_condition.begin(), of_condition.end());
    CHECK(*most - *fewest <= 1);
  }
  CHECK(seen.size() == trials);
}

bool same_values(const data::Split& a, const data::Split& b) {
  return a.counts == b.counts && a.truth == b.truth && a.behavior == b.behavior;
}

}  // namespace

TEST_CASE("the Lorenz system has its derivative, its fixed points and the volume that it loses", "[data][lorenz]") {
  const auto d = data::lorenz_derivative({1, 2, 3});
  CHECK(d[0] == 10.0);
  CHECK(d[1] == 23.0);
  CHECK(std::abs(d[2] + 6.0) < 1e-15);
  const double side = std::sqrt(8.0 / 3 * 27);  // of the fixed points (+-side, +-side, rho - 1)
  for (const double sign : {-1.0, 1.0}) {
    for (const double x : data::lorenz_derivative({sign * side, sign * side, 27})) CHECK(std::abs(x) < 1e-13);
  }
  // The divergence is -(sigma + 1 + beta) everywhere.
  const data::LorenzState at = {3, -5, 20};
  double divergence = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    data::LorenzState up = at, down = at;
    up[i] += 1e-4, down[i] -= 1e-4;
    divergence += (data::lorenz_derivative(up)[i] - data::lorenz_derivative(down)[i]) / 2e-4;
  }
  CHECK(std::abs(divergence + 10 + 1 + 8.0 / 3) < 1e-8);
  // Euler's step follows the derivative.
  const auto next = data::lorenz_step(at, 0.006), slope = data::lorenz_derivative(at);
  for (std::size_t i = 0; i < 3; ++i) CHECK(std::abs(next[i] - at[i] - 0.006 * slope[i]) < 1e-14);
}

TEST_CASE("the Lorenz set has the paper's size, rates and difficulty", "[data][lorenz]") {
  const auto simulation = data::simulate_lorenz();
  const data::Dataset& all = simulation.data;
  CHECK(all.bins == 50);
  CHECK(all.neurons == 29);
  CHECK(all.train.trials == 1248);
  CHECK(all.valid.trials == 312);
  check_split(all, 65, 24);
  CHECK(std::abs(mean_count(all.train) - 0.125) < 0.002);
  CHECK(std::abs(mean_count(all.valid) - 0.125) < 0.003);
  // At the speed and base rate of LFADS the true rates score about what the best published model does, 0.378.
  CHECK(std::abs(nll_of_truth(all.valid) - 0.32) < 0.01);
  const auto published = data::simulate_lorenz({.mean_rate = 8.2, .speed = 6});
  CHECK(std::abs(nll_of_truth(published.data.valid) - 0.378) < 0.01);
  CHECK(simulation.conversion_factor == 50.0);
}

TEST_CASE("trials of one initial state share its rates and nothing else", "[data][simulation]") {
  const auto check = [](const data::Dataset& all) {
    const std::size_t row = all.bins * all.neurons;
    const auto truth = [&](std::size_t trial) {
      return all.train.truth.begin() + static_cast<std::ptrdiff_t>(trial * row);
    };
    const auto counts = [&](std::size_t trial) {
      return all.train.counts.begin() + static_cast<std::ptrdiff_t>(trial * row);
    };
    const auto length = static_cast<std::ptrdiff_t>(row);
    REQUIRE(all.train.condition[0] == all.train.condition[1]);
    REQUIRE(all.train.condition[0] != all.train.condition.back());
    CHECK(std::equal(truth(0), truth(0) + length, truth(1)));
    CHECK(!std::equal(counts(0), counts(0) + length, counts(1)));
    CHECK(!std::equal(truth(0), truth(0) + length, truth(all.train.trials - 1)));
  };
  check(data::simulate_lorenz({.conditions = 2, .repeats = 5}).data);
  check(data::simulate_chaotic_rnn({.conditions = 2, .repeats = 5}).data);
}

TEST_CASE("the chaotic set has the paper's size, and every unit of every trial goes from 0 to 1",
          "[data][chaotic_rnn]") {
  const auto simulation = data::simulate_chaotic_rnn({.seed = 2});
  const data::Dataset& all = simulation.data;
  CHECK(all.bins == 100);
  CHECK(all.neurons == 50);
  CHECK(all.train.trials == 1040);
  CHECK(all.valid.trials == 260);
  check_split(all, 130, 10);
  CHECK(std::abs(simulation.conversion_factor - 1 / (30 * 0.01)) < 1e-12);
  const std::size_t T = all.bins, N = all.neurons;
  bool full_range = true;
  for (std::size_t trial = 0; trial < all.valid.trials; ++trial) {
    for (std::size_t n = 0; n < N; ++n) {
      float low = 2, high = -2;
      for (std::size_t t = 0; t < T; ++t) {
        const float rate = all.valid.truth[(trial * T + t) * N + n] * static_cast<float>(simulation.conversion_factor);
        low = std::min(low, rate), high = std::max(high, rate);
      }
      full_range = full_range && low == 0.0f && std::abs(high - 1.0f) < 1e-6f;
    }
  }
  CHECK(full_range);
  CHECK(std::abs(mean_count(all.train) / 0.15 - 1) < 0.1);
}

TEST_CASE("the network takes the steps of its equation, with weights of variance 1/N", "[data][chaotic_rnn]") {
  const data::ChaoticRnnOptions options{.neurons = 200, .seed = 2};
  const data::ChaoticRnn network(options);
  const std::size_t N = options.neurons;
  // One column of W at a time, by the step that a unit vector as rates makes from x = 0.
  std::vector<double> weights(N * N);
  for (std::size_t i = 0; i < N; ++i) {
    std::vector<double> x(N), r(N);
    r[i] = 1;
    network.step(x, r);
    for (std::size_t row = 0; row < N; ++row) weights[row * N + i] = x[row] / (0.4 * 1.5);
    CHECK(std::abs(r[3] - std::tanh(x[3])) < 1e-15);
  }
  double sum = 0, squares = 0;
  for (const double w : weights) sum += w, squares += w * w;
  CHECK(std::abs(sum / static_cast<double>(N * N)) < 4 / std::sqrt(200.0) / 200);
  CHECK(std::abs(squares / static_cast<double>(N) - 1) < 4 * std::sqrt(2.0) / 200);  // 1.4 instead of 1.5 is 0.13 away
  // A step from anywhere, against the equation written down again.
  std::vector<double> x(N), r(N), before;
  ndt::RandomStream random({.seed = 5});
  for (std::size_t i = 0; i < N; ++i) x[i] = data::normal(random), r[i] = std::tanh(x[i]);
  before = x;
  const std::vector<double> rates = r;
  network.step(x, r);
  for (std::size_t row = 0; row < N; ++row) {
    double expected = (1 - 0.01 / 0.025) * before[row];
    for (std::size_t i = 0; i < N; ++i) expected += 0.01 / 0.025 * 1.5 * weights[row * N + i] * rates[i];
    CHECK(std::abs(x[row] - expected) < 1e-13);
  }
}

TEST_CASE("a gain above 1 keeps the network going, one below lets it die", "[data][chaotic_rnn]") {
  const auto size_after = [](double gain) {
    const data::ChaoticRnnOptions options{.neurons = 100, .gain = gain, .seed = 1};
    const data::ChaoticRnn network(options);
    std::vector<double> x(100, 0.0), r(100);
    ndt::RandomStream random({.seed = 5});
    for (std::size_t i = 0; i < 100; ++i) x[i] = data::normal(random), r[i] = std::tanh(x[i]);
    for (int step = 0; step < 500; ++step) network.step(x, r);
    double squares = 0;
    for (const double rate : r) squares += rate * rate;
    return squares;
  };
  CHECK(size_after(1.5) > 1.0);
  CHECK(size_after(0.5) < 1e-6);
}

TEST_CASE("a minimum-jerk reach covers its distance, and its velocity is its derivative", "[data][reach]") {
  CHECK(data::minimum_jerk(-1) == 0.0);
  CHECK(data::minimum_jerk(0.5) == 0.5);
  CHECK(std::abs(data::minimum_jerk(2) - 1) < 1e-15);
  CHECK(data::minimum_jerk_speed(0.5) == 1.875);
  for (const double u : {0.1, 0.3, 0.7, 0.95}) {
    const double slope = (data::minimum_jerk(u + 1e-5) - data::minimum_jerk(u - 1e-5)) / 2e-5;
    CHECK(std::abs(data::minimum_jerk_speed(u) - slope) < 1e-8);
  }
  const data::Reach reach{.angle = 2.0, .duration = 0.4};
  double x = 0, y = 0;
  for (int i = 0; i < 500; ++i) {
    const auto v = data::hand_velocity(reach, (i + 0.5) * 0.001);
    x += v[0] * 0.001, y += v[1] * 0.001;
  }
  CHECK(std::abs(std::hypot(x, y) - data::reach_distance) < 0.01);
  CHECK(std::abs(std::atan2(y, x) - 2.0) < 1e-6);
}

TEST_CASE("preparation comes before movement, which turns for all reaches alike", "[data][reach]") {
  using Latents = data::ReachLatents;
  const auto size = [](const std::array<double, 2>& v) { return std::hypot(v[0], v[1]); };
  const data::Reach east{.angle = 0, .target_on = -0.6}, north{.angle = 1.5707963267948966, .target_on = -0.6};
  CHECK(size(data::reach_latents(east, -0.61).plane[Latents::preparation]) == 0.0);
  const auto before = data::reach_latents(east, -0.15), during = data::reach_latents(east, 0.15);
  CHECK(size(before.plane[Latents::preparation]) > 0.95);
  CHECK(before.trigger == 0.0);
  CHECK(size(before.plane[Latents::velocity]) == 0.0);
  CHECK(size(during.plane[Latents::preparation]) < 0.01);
  CHECK(during.trigger > 0.2);
  CHECK(size(during.plane[Latents::velocity]) > 0.5);
  // 1.5 turns a second, whatever the direction of the reach.
  for (const auto& reach : {east, north}) {
    const auto angle = [&](double t) {
      const auto v = data::reach_latents(reach, t).plane[Latents::slow_rotation];
      return std::atan2(v[1], v[0]);
    };
    const double turned = std::remainder(angle(0.1) - angle(0.0), 2 * M_PI);
    CHECK(std::abs(turned - 2 * M_PI * 0.15) < 1e-9);
  }
}

TEST_CASE("neurons are tuned to direction by a cosine", "[data][reach]") {
  // Where only velocity counts, the log rate over directions is an offset and one cosine: no second harmonic.
  data::ReachNeuron neuron = data::ReachNeuron::draw(3, 7);
  std::complex<double> first = 0, second = 0;
  for (int i = 0; i < 16; ++i) {
    const double angle = i * M_PI / 8;
    data::ReachLatents latents;
    latents.plane[data::ReachLatents::velocity] = {std::cos(angle), std::sin(angle)};
    const double rate = neuron.log_rate(latents);
    first += rate * std::polar(1.0 / 8, angle), second += rate * std::polar(1.0 / 8, 2 * angle);
  }
  CHECK(std::abs(first) > 0.3);
  CHECK(std::abs(second) < 1e-12);
}

TEST_CASE("the reach set has all that evaluation asks for", "[data][reach]") {
  const data::ReachOptions options{.seed = 4};
  const auto simulation = data::simulate_reach(options);
  const data::Dataset& all = simulation.data;
  check_split(all, 8, 50);
  CHECK(all.bins == 45);
  CHECK(all.observed_bins() == 35);
  CHECK(all.heldin_neurons() == 45);
  CHECK(all.valid.behavior.size() == all.valid.trials * 35 * 2);
  CHECK(std::abs(mean_count(all.train) - 0.2) < 0.005);
  // Every direction has the same number of validation trials; its PSTH is the mean of its true rates.
  REQUIRE(all.psth.size() == 8u * 35 * 60);
  std::vector<double> means(all.psth.size());
  for (const data::Split* split : {&all.train, &all.valid}) {
    for (std::size_t i = 0; i < split->truth.size(); ++i) {
      const std::size_t condition = static_cast<std::size_t>(split->condition[i / (35 * 60)]);
      means[condition * 35 * 60 + i % (35 * 60)] += static_cast<double>(split->truth[i]) / 50;
    }
  }
  double worst = 0;
  for (std::size_t i = 0; i < means.size(); ++i) {
    worst = std::max(worst, std::abs(means[i] - static_cast<double>(all.psth[i])));
  }
  CHECK(worst < 1e-6);
  // The hand goes where the condition says, 100 ms after the cortex knows.
  const auto velocity = [&](std::size_t trial, std::size_t bin) { return &all.valid.behavior[(trial * 35 + bin) * 2]; };
  for (std::size_t trial = 0; trial < all.valid.trials; ++trial) {
    const float* v = velocity(trial, 17);  // 0.1 s into the movement, and the lead
    const double angle = std::atan2(v[1], v[0]) - 2 * M_PI * all.valid.condition[trial] / 8;
    CHECK(std::abs(std::remainder(angle, 2 * M_PI)) < 0.5);
    CHECK(velocity(trial, 0)[0] == 0.0f);
  }
}

TEST_CASE("the same seed gives the same data, another one other data", "[data][simulation]") {
  const auto lorenz = [](std::uint64_t seed) {
    return data::simulate_lorenz({.conditions = 2, .repeats = 5, .seed = seed}).data;
  };
  const auto reach = [](std::uint64_t seed) { return data::simulate_reach({.repeats = 5, .seed = seed}).data; };
  CHECK(same_values(lorenz(1).train, lorenz(1).train));
  CHECK(!same_values(lorenz(1).train, lorenz(2).train));
  CHECK(same_values(reach(1).valid, reach(1).valid));
  CHECK(!same_values(reach(1).valid, reach(2).valid));
}

TEST_CASE("options that make no sense are refused", "[data][simulation]") {
  CHECK_THROWS_AS(data::simulate_lorenz({.conditions = 0}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_lorenz({.conditions = 2, .repeats = 2}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_lorenz({.bins = 1u << 20, .neurons = 1u << 10}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_lorenz({.bin_width = 0}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_lorenz({.mean_rate = NAN}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_lorenz({.weight_scale = -1}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_chaotic_rnn({.bin_width = 0.03}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_chaotic_rnn({.max_rate = -1}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_reach({.repeats = 7}), std::invalid_argument);
  CHECK_THROWS_AS(data::simulate_reach({.neurons = 15, .heldout_neurons = 15}), std::invalid_argument);
}
