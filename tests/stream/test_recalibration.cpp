// A read-out fitted again while it decodes: the regression that it says it is, a little at a time.
#include <cmath>

#include <ndt/ndt.hpp>
#include <ndt/train/kalman_fit.hpp>

#include "../support/catch.hpp"
#include "../support/readout.hpp"
#include "../support/stream.hpp"

namespace {

using ndt::ModelConfig;
using ndt::ReadoutConfig;
using ndt::RecalibrationOptions;
using V = ndt::simd::native<float>;
using Decoder = ndt::DynamicDecoder<>;
using Recalibration = ndt::Recalibration<Decoder>;

constexpr ModelConfig causal = [] {
  ModelConfig config;
  config.neurons = 7, config.trial_length = 400, config.layers = 1, config.hidden_size = 9, config.max_spikes = 3;
  config.context_forward = 0, config.context_backward = 4, config.pre_norm = config.learnable_position = true;
  return config;
}();

/// A stream with a read-out that is wrong, and behaviour that is a line of what it looks at, with some noise.
struct Session {
  support::RandomModel<V> random{causal};
  support::RandomReadout<V> readout;
  support::Stream<V> stream;
  Decoder& decoder = stream.decoder;
  Recalibration recalibration;
  std::vector<double> memory;
  std::vector<float> readouts, truth;
  support::Random noise{5};
  std::vector<double> state, last;  ///< of a Kalman filter: behaviour without its mean, in the last two bins
  std::size_t bins = 0;
  std::vector<std::vector<double>> x, y;  ///< the pairs, y as it comes out of the line

  explicit Session(const ReadoutConfig& config)
      : readout(random.model, config),
        stream(random.model, {ndt::StreamPolicy::delayed, ndt::PastEnd::restart}, readout.config, readout.packed) {
    REQUIRE(stream.status.ok());
    truth = support::noise<float>(config.outputs * (config.inputs(causal) + 1), 77);
    state.resize(config.outputs);
  }
  bool filters() const { return readout.config.kind == ndt::ReadoutKind::kalman; }
  ndt::Status bind(const RecalibrationOptions& options) {
    memory.assign(Recalibration::memory_size(decoder, options), std::numeric_limits<double>::quiet_NaN());
    readouts.assign(Recalibration::readouts_size(decoder), std::numeric_limits<float>::quiet_NaN());
    return recalibration.bind(decoder, readout.packed.data(), options, memory, readouts);
  }
  /// A bin, with the behaviour that belongs to it.
  std::vector<float> step() {
    std::vector<int> counts(causal.neurons);
    for (int& c : counts) c = static_cast<int>(noise.below(4));
    decoder.step(counts.data());
    last = state;
    for (std::size_t o = 0; filters() && o < state.size(); ++o) {
      state[o] = static_cast<double>(decoder.output().behavior[o] - readout.tensors.at("readout.mean")[o]);
    }
    ++bins;
    const auto inputs = decoder.readout_inputs();
    std::vector<float> behavior(readout.config.outputs);
    for (std::size_t o = 0; o < behavior.size(); ++o) {
      const float* const w = truth.data() + o * (inputs.size() + 1);
      double sum = static_cast<double>(w[inputs.size()]) + 0.05 * noise.uniform<double>();
      for (std::size_t i = 0; i < inputs.size(); ++i) sum += static_cast<double>(w[i]) * static_cast<double>(inputs[i]);
      behavior[o] = static_cast<float>(sum);
    }
    return behavior;
  }
  void observe(const std::vector<float>& behavior) {
    const auto inputs = decoder.readout_inputs();
    x.emplace_back(inputs.begin(), inputs.end());
    x.back().push_back(1);
    y.push_back(line_of(behavior));
    recalibration.observe(behavior.data());
  }
  /// What the line of the last bin must give for the read-out to give `behavior`. Of filters with two outputs.
  std::vector<double> line_of(const std::vector<float>& behavior) const {
    std::vector<double> given(behavior.begin(), behavior.end());
    if (!filters()) return given;
    const std::size_t at = std::min(bins - 1, readout.config.gains - 1) * 8;
    double g[8], left[2];
    for (std::size_t i = 0; i < 8; ++i) g[i] = static_cast<double>(readout.tensors.at("readout.gain")[at + i]);
    for (std::size_t o = 0; o < 2; ++o) {
      left[o] = given[o] - static_cast<double>(readout.tensors.at("readout.mean")[o]) - g[4 * o] * last[0] -
                g[4 * o + 1] * last[1];
    }
    const double determinant = g[2] * g[7] - g[3] * g[6];
    return {(left[0] * g[7] - left[1] * g[3]) / determinant, (left[1] * g[2] - left[0] * g[6]) / determinant};
  }
  /// Goes on until a refit of the first 120 pairs is done; false if that takes more than `most` bins.
  bool refit(int most) {
    for (int bin = 0; bin < most; ++bin) {
      const auto behavior = step();
      if (x.size() < 120) observe(behavior);
      if (recalibration.refit_some()) return true;
    }
    return false;
  }
  /// Weights (outputs, inputs + 1) by the formula, with plain elimination.
  std::vector<double> expected(double penalty, double forgetting) const {
    const std::size_t n = x[0].size(), m = readout.config.outputs;
    std::vector<double> a(n * n), b(n * m), first(m * n);
    for (std::size_t o = 0; o < m; ++o) {
      for (std::size_t i = 0; i + 1 < n; ++i) first[o * n + i] = readout.tensors.at("readout.weight")[o * (n - 1) + i];
      first[o * n + n - 1] = readout.tensors.at("readout.bias")[o];
    }
    for (std::size_t p = 0; p < x.size(); ++p) {
      const double weight = std::pow(forgetting, static_cast<double>(x.size() - 1 - p));
      for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) a[i * n + j] += weight * x[p][i] * x[p][j];
        for (std::size_t o = 0; o < m; ++o) b[i * m + o] += weight * x[p][i] * y[p][o];
      }
    }
    for (std::size_t i = 0; i + 1 < n; ++i) {
      a[i * n + i] += penalty;
      for (std::size_t o = 0; o < m; ++o) b[i * m + o] += penalty * first[o * n + i];
    }
    for (std::size_t k = 0; k < n; ++k) {
      for (std::size_t i = k + 1; i < n; ++i) {
        const double factor = a[i * n + k] / a[k * n + k];
        for (std::size_t j = k; j < n; ++j) a[i * n + j] -= factor * a[k * n + j];
        for (std::size_t o = 0; o < m; ++o) b[i * m + o] -= factor * b[k * m + o];
      }
    }
    std::vector<double> w(m * n);
    for (std::size_t k = n; k-- > 0;) {
      for (std::size_t o = 0; o < m; ++o) {
        double sum = b[k * m + o];
        for (std::size_t j = k + 1; j < n; ++j) sum -= a[k * n + j] * w[o * n + j];
        w[o * n + k] = sum / a[k * n + k];
      }
    }
    return w;
  }
  /// The read-out in use, applied to the last inputs, against those weights.
  double worst(const std::vector<double>& weights) {
    const std::vector<float> ignored = step();
    const std::size_t outputs = readout.config.outputs;
    double worst = 0;
    for (std::size_t o = 0; o < outputs; ++o) {
      const auto inputs = decoder.readout_inputs();
      double sum = weights[o * (inputs.size() + 1) + inputs.size()];
      for (std::size_t i = 0; i < inputs.size(); ++i) sum += weights[o * (inputs.size() + 1) + i] * inputs[i];
      const double given = line_of({decoder.output().behavior, decoder.output().behavior + outputs})[o];
      worst = std::max(worst, std::abs(sum - given) / std::max(1.0, std::abs(sum)));
    }
    return worst;
  }
};

ReadoutConfig ridge(std::size_t history, std::size_t outputs = 2) {
  return {ndt::ReadoutKind::ridge, ndt::ReadoutFeatures::hidden, outputs, history, 0, 0, 0};
}

}  // namespace

TEST_CASE("the new read-out is the regression that it says it is", "[stream][recalibration]") {
  for (const auto& [history, outputs, penalty, forgetting] :
       std::vector<std::tuple<std::size_t, std::size_t, double, double>>{
           {1, 2, 1.0, 1.0}, {3, 1, 0.01, 1.0}, {2, 17, 30.0, 0.99}, {1, 2, 1e-6, 0.9}}) {
    Session s(ridge(history, outputs));
    RecalibrationOptions options;
    options.penalty = penalty, options.forgetting = forgetting, options.new_pairs = 120;
    REQUIRE(s.bind(options).ok());
    REQUIRE(s.refit(5000));
    CHECK(s.recalibration.counters().refits == 1);
    CHECK(s.worst(s.expected(penalty, forgetting)) < 1e-5);
    // And it is better: far from the truth before, near it now.
    if (penalty <= 1 && forgetting == 1) {
      std::vector<double> truth(s.truth.begin(), s.truth.end());
      CHECK(s.worst(truth) < 0.1);
    }
  }
}

TEST_CASE("of a Kalman filter it is the line that is fitted, to what it should have given", "[stream][recalibration]") {
  for (const std::size_t gains : {1u, 5u, 300u}) {
    Session s({ndt::ReadoutKind::kalman, ndt::ReadoutFeatures::hidden, 2, 2, 0, gains, 0});
    RecalibrationOptions options;
    options.penalty = 0.1, options.new_pairs = 120;
    REQUIRE(s.bind(options).ok());
    REQUIRE(s.refit(390));
    CHECK(s.recalibration.counters().dropped == 0);
    CHECK(s.worst(s.expected(0.1, 1)) < 1e-4);
    // All but the line is as it was.
    const auto rest = [&](const float* packed) {
      const auto weights = ndt::bound(ndt::ReadoutWeights<V>(s.readout.config, causal), packed);
      return std::vector<float>(weights.gain, packed + s.readout.packed.size());
    };
    CHECK(rest(s.recalibration.packed()) == rest(s.readout.packed.data()));
  }
}

namespace {

/// Velocity that comes and goes, and counts of neurons that are tuned to it.
struct Reaching {
  support::Random random{31};
  double v[2] = {};
  std::vector<int> counts = std::vector<int>(causal.neurons);

  void step() {
    const auto normal = [&] {
      double sum = 0;
      for (int i = 0; i < 12; ++i) sum += random.uniform<double>();
      return sum / 2;  // uniform in [-1, 1): variance 1/3 each
    };
    for (double& x : v) x = 0.95 * x + 0.3 * normal();
    for (std::size_t n = 0; n < counts.size(); ++n) {
      const double angle = 6.283 * static_cast<double>(n) / static_cast<double>(counts.size());
      const double drive = 1.5 + std::cos(angle) * v[0] + std::sin(angle) * v[1] + 0.4 * normal();
      counts[n] = static_cast<int>(std::clamp(drive, 0.0, 3.0));
    }
  }
};

}  // namespace

TEST_CASE("a Kalman filter whose line has turned finds back, and a right one stays", "[stream][recalibration]") {
  const support::RandomModel<V> random{causal};
  const ndt::ReadoutConfig wanted{ndt::ReadoutKind::kalman, ndt::ReadoutFeatures::hidden, 2, 1, 0, 1, 0};
  const std::size_t bins = 200, trials = 20, width = wanted.width(causal);
  Reaching world;
  std::vector<float> features, behavior;
  {
    support::Stream<V> plain(random.model, {}, {}, {});
    for (std::size_t trial = 0; trial < 2 * trials; ++trial) {
      plain.decoder.reset();
      for (std::size_t bin = 0; bin < bins; ++bin) {
        world.step();
        const float* const hidden = plain.decoder.step(world.counts.data()).hidden;
        features.insert(features.end(), hidden, hidden + width);
        behavior.insert(behavior.end(), {static_cast<float>(world.v[0]), static_cast<float>(world.v[1])});
      }
    }
  }
  const auto part = [&](std::size_t first) {
    return ndt::train::ReadoutTrials{{features.data() + first * bins * width, trials, bins, width},
                                     {behavior.data() + first * bins * 2, trials, bins, 2}};
  };
  ndt::train::FittedReadout fitted = ndt::train::fit_kalman(wanted, part(0), part(trials));
  REQUIRE(fitted.r2_valid > 0.5);
  fitted.config.fingerprint = ndt::fingerprint(random.model);

  for (const double angle : {0.0, 1.2}) {
    std::vector<float> weight(fitted.weight.size()), bias(2);
    const auto turn = [&](std::vector<float>& to, const std::vector<float>& from, std::size_t columns) {
      const auto c = static_cast<float>(std::cos(angle)), s = static_cast<float>(std::sin(angle));
      for (std::size_t i = 0; i < columns; ++i) {
        to[i] = c * from[i] - s * from[columns + i], to[columns + i] = s * from[i] + c * from[columns + i];
      }
    };
    turn(weight, fitted.weight, width), turn(bias, fitted.bias, 1);
    std::vector<float> packed(ndt::readout_packed_size<V>(fitted.config, causal));
    REQUIRE(ndt::pack_readout<V>(std::span<float>(packed), fitted.config, causal, [&](std::string_view name) {
              const auto stored = [](const std::vector<float>& values, ndt::Extents extents) {
                return ndt::StoredTensor<float>{values.data(), nullptr, extents};
              };
              if (name == "readout.weight") return stored(weight, ndt::Extents(2, width));
              if (name == "readout.bias") return stored(bias, ndt::Extents(2));
              if (name == "readout.mean") return stored(fitted.mean, ndt::Extents(2));
              return stored(fitted.gain, ndt::Extents(fitted.config.gains, 2, 4));
            }).ok());
    support::Stream<V> stream(random.model, {}, fitted.config, packed);
    REQUIRE(stream.status.ok());
    Recalibration recalibration;
    RecalibrationOptions options;
    options.penalty = 1e-3, options.forgetting = 0.999, options.new_pairs = 200;
    std::vector<double> memory(Recalibration::memory_size(stream.decoder, options));
    std::vector<float> readouts(Recalibration::readouts_size(stream.decoder));
    REQUIRE(recalibration.bind(stream.decoder, packed.data(), options, memory, readouts).ok());
    // R2 of ten trials, with what was told of them.
    const auto r2 = [&](bool tell) {
      std::vector<float> truth;
      std::vector<double> given;
      for (std::size_t trial = 0; trial < 10; ++trial) {
        stream.decoder.reset();
        for (std::size_t bin = 0; bin < bins; ++bin) {
          world.step();
          const float v[2] = {static_cast<float>(world.v[0]), static_cast<float>(world.v[1])};
          const float* const decoded = stream.decoder.step(world.counts.data()).behavior;
          truth.insert(truth.end(), v, v + 2), given.insert(given.end(), decoded, decoded + 2);
          if (!tell) continue;
          recalibration.observe(v);
          recalibration.refit_some();
        }
      }
      std::vector<const float*> rows;
      for (std::size_t i = 0; i < truth.size(); i += 2) rows.push_back(truth.data() + i);
      return ndt::metrics::r2(ndt::metrics::Picked<float>{rows, 2},
                              ndt::metrics::Trials<double>(given.data(), rows.size(), 2));
    };
    const double before = r2(false);
    r2(true), r2(true);
    const double after = r2(false);
    INFO("turned by " << angle << ": R2 " << before << ", then " << after << "; fitted " << fitted.r2_valid);
    CHECK((angle == 0 ? before > fitted.r2_valid - 0.05 : before < fitted.r2_valid - 0.3));
    CHECK(after > fitted.r2_valid - 0.05);
    CHECK(recalibration.counters().failed == 0);
  }
}

TEST_CASE("refits go on from all pairs, and each read-out comes in whole", "[stream][recalibration]") {
  Session s(ridge(2));
  RecalibrationOptions options;
  options.new_pairs = 40, options.work = 64;  // a row or two at a time
  REQUIRE(s.bind(options).ok());
  std::vector<float> last = s.readout.packed;
  std::uint64_t refits = 0;
  std::size_t pairs = 0;
  for (int bin = 0; bin < 60000 && refits < 4; ++bin) {
    const auto behavior = s.step();
    if (pairs < (refits + 1) * 40) s.observe(behavior), ++pairs;
    const bool swapped = s.recalibration.refit_some();
    const std::vector<float> now(s.recalibration.packed(), s.recalibration.packed() + s.readout.packed.size());
    CHECK((now == last) == !swapped);
    if (swapped) {
      ++refits;
      CHECK(s.worst(s.expected(1, 1)) < 1e-5);
    }
    last = now;
  }
  CHECK(refits == 4);
  CHECK(s.recalibration.counters().refits == 4);
  CHECK(s.recalibration.counters().pairs == 160);
  CHECK(s.recalibration.counters().dropped == 0);
}

TEST_CASE("a call does a bounded part of the work", "[stream][recalibration]") {
  // By the number of calls that a refit takes: with half of the work in each, about twice as many.
  const auto calls = [](std::size_t work) {
    Session s(ridge(4));
    RecalibrationOptions options;
    options.new_pairs = 60, options.work = work;
    REQUIRE(s.bind(options).ok());
    for (int i = 0; i < 60; ++i) s.observe(s.step());
    std::size_t count = 1;
    while (!s.recalibration.refit_some()) REQUIRE(++count < 1000000);
    return static_cast<double>(count);
  };
  const double once = calls(4000), twice = calls(2000);
  CHECK(twice / once > 1.8);
  CHECK(twice / once < 2.2);
}

TEST_CASE("the smallest call does a row, whatever there is to do", "[stream][recalibration]") {
  // A refit has at least the rows of its five stages, and the entries of the factor come one by one.
  Session s(ridge(4, 17));
  RecalibrationOptions options;
  options.new_pairs = 60, options.work = 1;
  REQUIRE(s.bind(options).ok());
  for (int i = 0; i < 60; ++i) s.observe(s.step());
  const std::size_t n = s.readout.config.inputs(causal) + 1;
  std::size_t count = 1;
  while (!s.recalibration.refit_some()) REQUIRE(++count < 1000000);
  CHECK(count >= 60 * n + 4 * n + n * (n - 1) / 2);
  CHECK(s.worst(s.expected(1, 1)) < 1e-5);
}

TEST_CASE("a recalibration begins again from the read-out in use, and one that fails to begin changes nothing",
          "[stream][recalibration]") {
  Session s(ridge(1));
  RecalibrationOptions options;
  s.recalibration.observe(s.truth.data());  // bound to nothing: nothing happens
  CHECK(!s.recalibration.refit_some());
  REQUIRE(s.bind(options).ok());
  while (s.recalibration.counters().refits == 0) s.observe(s.step()), s.recalibration.refit_some();
  RecalibrationOptions more = options;
  more.queue = 4096;
  CHECK(s.recalibration.bind(s.decoder, s.recalibration.packed(), more, s.memory, s.readouts).error ==
        ndt::Error::memory_too_small);
  for (int i = 0; i < 3000; ++i) s.observe(s.step()), s.recalibration.refit_some();
  // Again, in the same memory, from weights that lie in it.
  const std::vector<float> before(s.recalibration.packed(), s.recalibration.packed() + s.readout.packed.size());
  options.work = 1;
  REQUIRE(s.recalibration.bind(s.decoder, s.recalibration.packed(), options, s.memory, s.readouts).ok());
  std::size_t unchanged = 0;
  for (;;) {
    s.observe(s.step());
    const std::vector<float> now(s.recalibration.packed(), s.recalibration.packed() + before.size());
    CHECK(now == before);
    ++unchanged;
    if (s.recalibration.refit_some()) break;
  }
  CHECK(unchanged > 100);
}

TEST_CASE("pairs beyond the queue, before a result or not finite are dropped and counted", "[stream][recalibration]") {
  Session s(ridge(1));
  RecalibrationOptions options;
  options.queue = 3;
  REQUIRE(s.bind(options).ok());
  std::vector<float> behavior(2, 1.0f);
  s.recalibration.observe(behavior.data());  // no bin yet
  CHECK(s.recalibration.counters().dropped == 1);
  behavior = s.step();
  behavior[1] = std::numeric_limits<float>::infinity();
  s.recalibration.observe(behavior.data());
  CHECK(s.recalibration.counters().dropped == 2);
  const std::vector<float> infinite(s.readout.packed.size(), std::numeric_limits<float>::infinity());
  s.decoder.use_readout(infinite.data());
  behavior = s.step();
  behavior.assign(2, 1.0f);
  REQUIRE(s.decoder.output().held);
  s.recalibration.observe(behavior.data());
  CHECK(s.recalibration.counters().dropped == 3);
  s.decoder.use_readout(s.readout.packed.data());
  for (int i = 0; i < 5; ++i) s.observe(s.step());
  CHECK(s.recalibration.counters().pairs == 3);
  CHECK(s.recalibration.counters().dropped == 5);
  CHECK(!s.recalibration.refit_some());
  s.observe(s.step());
  CHECK(s.recalibration.counters().pairs == 4);
}

TEST_CASE("what cannot be fitted again is refused, with a reason", "[stream][recalibration]") {
  Session s(ridge(1));
  const auto refused = [&](auto change) {
    RecalibrationOptions options;
    change(options);
    return s.bind(options).error;
  };
  CHECK(refused([](auto&) {}) == ndt::Error::none);
  CHECK(refused([](auto& o) { o.penalty = 0; }) == ndt::Error::out_of_range);
  CHECK(refused([](auto& o) { o.penalty = std::nan(""); }) == ndt::Error::out_of_range);
  CHECK(refused([](auto& o) { o.forgetting = 1.5; }) == ndt::Error::out_of_range);
  CHECK(refused([](auto& o) { o.queue = 0; }) == ndt::Error::out_of_range);
  CHECK(refused([](auto& o) { o.work = 0; }) == ndt::Error::out_of_range);
  CHECK(refused([](auto& o) { o.new_pairs = 0; }) == ndt::Error::out_of_range);
  REQUIRE(s.bind({}).ok());
  CHECK(
      s.recalibration.bind(s.decoder, s.readout.packed.data(), {}, std::span(s.memory).subspan(1), s.readouts).error ==
      ndt::Error::memory_too_small);
  CHECK(
      s.recalibration.bind(s.decoder, s.readout.packed.data(), {}, s.memory, std::span(s.readouts).subspan(1)).error ==
      ndt::Error::memory_too_small);
  Decoder none;
  CHECK(Recalibration().bind(none, nullptr, {}, {}, {}).error == ndt::Error::recalibration_needs_readout);
}
