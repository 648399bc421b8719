// Behaviour comes with the rates: what a read-out gives in a stream is what it gives over whole trials.
#include <limits>

#include <ndt/ndt.hpp>

#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/policies.hpp"
#include "../support/readout.hpp"
#include "../support/stream.hpp"

namespace {

using ndt::ModelConfig;
using ndt::ReadoutConfig;
using ndt::ReadoutFeatures;
using ndt::ReadoutKind;
using ndt::StreamConfig;
using ndt::StreamPolicy;
using Native = ndt::simd::native<float>;

constexpr ModelConfig causal = [] {
  ModelConfig config;
  config.neurons = 6, config.trial_length = 14, config.layers = 2, config.hidden_size = 9, config.max_spikes = 3;
  config.context_forward = 0, config.context_backward = 4, config.pre_norm = config.learnable_position = true;
  return config;
}();
constexpr ReadoutConfig ridge{ReadoutKind::ridge, ReadoutFeatures::log_rates, 2, 3, 1, 0, 0};
constexpr ReadoutConfig kalman{ReadoutKind::kalman, ReadoutFeatures::hidden, 3, 2, 0, 5, 0};

template <class T>
std::vector<T> features_of(const ndt::StreamOutput<T>& out, const ReadoutConfig& readout, const ModelConfig& model) {
  const T* const from = readout.features == ReadoutFeatures::hidden  ? out.hidden
                        : readout.features == ReadoutFeatures::rates ? out.rates
                                                                     : out.log_rates;
  return {from, from + readout.width(model)};
}

}  // namespace

TEMPLATE_TEST_CASE("a read-out in a stream gives at every bin what it gives over the whole trial", "[stream][readout]",
                   NDT_POLICIES) {
  using T = typename TestType::value_type;
  std::size_t compared = 0;
  for (const std::int64_t ahead : {0, 2}) {
    ModelConfig config = causal;
    config.context_forward = ahead;
    const support::RandomModel<TestType> random(config);
    REQUIRE(random.bound());
    const auto trial = support::random_counts(config, config.trial_length, 3);
    for (const ReadoutKind kind : {ReadoutKind::ridge, ReadoutKind::kalman}) {
      for (const ReadoutFeatures features :
           {ReadoutFeatures::rates, ReadoutFeatures::log_rates, ReadoutFeatures::hidden}) {
        for (const std::size_t history : std::vector<std::size_t>{1, 2, 5, 20}) {
          for (const std::size_t outputs : std::vector<std::size_t>{1, 2, 17}) {
            const support::RandomReadout<TestType> readout(
                random.model, {kind, features, outputs, history, static_cast<std::int64_t>(history) - 3,
                               kind == ReadoutKind::kalman ? std::size_t{4} : 0, 0});
            REQUIRE(readout.status.ok());
            for (const StreamPolicy policy : {StreamPolicy::delayed, StreamPolicy::immediate, StreamPolicy::windowed}) {
              support::Stream<TestType> stream(random.model, {policy}, readout.config, readout.packed);
              REQUIRE(stream.status.ok());
              auto& decoder = stream.decoder;
              // Two trials: the second must not remember the first.
              for (int pass = 0; pass < 2; ++pass) {
                decoder.reset();
                std::vector<std::vector<T>> seen;
                std::vector<std::vector<T>> given;
                const auto keep = [&](const ndt::StreamOutput<T>& out) {
                  CHECK(std::isnan(out.behavior[0]) == !out.ready);
                  if (!out.ready) return;
                  CHECK(out.behavior_bin == static_cast<std::int64_t>(out.bin) + readout.config.lag);
                  seen.push_back(features_of(out, readout.config, config));
                  given.push_back({out.behavior, out.behavior + outputs});
                };
                for (std::size_t t = 0; t < config.trial_length; ++t) {
                  keep(decoder.step(trial.data() + t * config.neurons));
                }
                while (decoder.delay() > 0 && decoder.flush().ready) keep(decoder.output());
                REQUIRE(given.size() == config.trial_length);
                const auto expected = readout.expected(seen);
                double worst = 0, largest = 1;
                for (std::size_t t = 0; t < given.size(); ++t) {
                  for (std::size_t o = 0; o < outputs; ++o, ++compared) {
                    largest = std::max(largest, std::abs(expected[t][o]));
                    worst = std::max(worst, std::abs(static_cast<double>(given[t][o]) - expected[t][o]));
                  }
                }
                CHECK(worst <= 100 * static_cast<double>(std::numeric_limits<T>::epsilon()) * largest);
              }
            }
          }
        }
      }
    }
  }
  CHECK(compared > 10000);
}

namespace {
using Model = ndt::StaticTransformer<causal>;

template <ReadoutConfig Readout>
void check_static(const support::RandomModel<Native>& random) {
  const support::RandomReadout<Native> data(random.model, Readout);
  // The fingerprint of weights that are only known now cannot be part of a type.
  using Decoder = ndt::StaticDecoder<Model, StreamConfig{}, Readout>;
  Model model;
  REQUIRE(model.bind({}, random.parameters.packed()).ok());
  static ndt::StaticState<Decoder> state;
  static float packed[ndt::readout_packed_size<Native>(Readout, causal)];
  REQUIRE(std::size(packed) == data.packed.size());
  std::copy(data.packed.begin(), data.packed.end(), packed);
  Decoder decoder{model, state, packed};
  CHECK(decoder.validate().error == ndt::Error::readout_of_another_model);

  support::Stream<Native> dynamic(random.model, {}, data.config, data.packed);
  REQUIRE(dynamic.status.ok());
  CHECK(dynamic.decoder.validate().ok());
  const auto trial = support::random_counts(causal, causal.trial_length, 4);
  for (std::size_t t = 0; t < causal.trial_length; ++t) {
    const auto& a = decoder.step(trial.data() + t * causal.neurons);
    const auto& b = dynamic.decoder.step(trial.data() + t * causal.neurons);
    for (std::size_t o = 0; o < Readout.outputs; ++o) {
      CHECK(std::bit_cast<std::uint32_t>(a.behavior[o]) == std::bit_cast<std::uint32_t>(b.behavior[o]));
    }
  }
}
}  // namespace

TEST_CASE("a read-out whose shape is a type gives the bits of one that is data", "[stream][readout][bits]") {
  const support::RandomModel<Native> random(causal);
  check_static<ridge>(random);
  check_static<kalman>(random);
}

TEST_CASE("a read-out that does not belong to the model is refused, with a reason", "[stream][readout]") {
  const support::RandomModel<Native> random(causal, 1), other(causal, 2);
  const support::RandomReadout<Native> good(random.model, ridge);
  ndt::DynamicDecoder<> decoder;
  std::vector<float> state(decoder.state_size(random.model, {{}, good.config}));
  const auto bind = [&](const ReadoutConfig& config, std::span<const float> packed, const auto& model) {
    return decoder.bind(model, {{}, config}, state, packed).error;
  };
  CHECK(bind(good.config, good.packed, random.model) == ndt::Error::none);
  CHECK(bind(good.config, good.packed, other.model) == ndt::Error::readout_of_another_model);
  CHECK(bind(good.config, std::span(good.packed).first(good.packed.size() - 1), random.model) ==
        ndt::Error::memory_too_small);
  const auto changed = [&](auto change) {
    ReadoutConfig config = good.config;
    change(config);
    return bind(config, good.packed, random.model);
  };
  CHECK(changed([](auto& c) { c.outputs = 0; }) == ndt::Error::size_is_zero);
  CHECK(changed([](auto& c) { c.history = 0; }) == ndt::Error::size_is_zero);
  CHECK(changed([](auto& c) { c.kind = ReadoutKind::kalman; }) == ndt::Error::size_is_zero);
  CHECK(changed([](auto& c) { c.outputs = 65; }) == ndt::Error::size_too_large);
  CHECK(changed([](auto& c) { c.history = 1025; }) == ndt::Error::size_too_large);
  CHECK(changed([](auto& c) { c.lag = -1025; }) == ndt::Error::size_too_large);
  CHECK(changed([](auto& c) { c.fingerprint = 0; }) == ndt::Error::readout_of_another_model);
  ModelConfig rates = causal;
  rates.lograte = false;
  const support::RandomModel<Native> of_rates(rates);
  CHECK(bind(good.config, good.packed, of_rates.model) == ndt::Error::readout_needs_log_rates);
  std::vector<float> little(decoder.state_size(random.model, {}));
  CHECK(decoder.bind(random.model, {{}, good.config}, little, good.packed).error == ndt::Error::memory_too_small);
}

TEST_CASE("a model's fingerprint is the same by every type, and changes with weights and context", "[readout]") {
  const support::RandomModel<Native> random(causal, 1), other(causal, 2);
  const support::RandomModel<ndt::simd::scalar<double>> in_double(causal, 1);
  Model fixed;
  REQUIRE(fixed.bind({}, random.parameters.packed()).ok());
  const std::uint64_t number = ndt::fingerprint(random.model);
  CHECK(ndt::fingerprint(fixed) == number);
  CHECK(ndt::fingerprint(in_double.model) == number);
  CHECK(ndt::fingerprint(other.model) != number);
  ModelConfig longer = causal;
  longer.context_backward = 5;
  const support::RandomModel<Native> sees_more(longer, 1);
  CHECK(ndt::fingerprint(sees_more.model) != number);
}

TEST_CASE("a trial that begins by itself begins the read-out too, and a missing bin is a bin", "[stream][readout]") {
  const support::RandomModel<Native> random(causal);
  const std::size_t T = causal.trial_length, N = causal.neurons;
  const auto trial = support::random_counts(causal, T, 3);
  for (const ReadoutConfig& config : {ridge, kalman}) {
    const support::RandomReadout<Native> readout(random.model, config);
    const auto stream = [&](ndt::PastEnd past_end) {
      return support::Stream<Native>(random.model, {StreamPolicy::delayed, past_end}, readout.config, readout.packed);
    };
    auto restarts = stream(ndt::PastEnd::restart), flushed = stream(ndt::PastEnd::stop);
    REQUIRE(restarts.status.ok());
    std::vector<float> first;
    for (std::size_t t = 0; t < 2 * T; ++t) {
      const float found = restarts.decoder.step(trial.data() + t % T * N).behavior[0];
      if (t < T) first.push_back(found);
      CHECK(found == first[t % T]);
      if (t == T) flushed.decoder.flush();
      CHECK(flushed.decoder.step(trial.data() + t % T * N).behavior[0] == first[t % T]);
    }
    auto zeros = stream(ndt::PastEnd::stop), missing = stream(ndt::PastEnd::stop);
    const std::vector<int> none(N);
    for (std::size_t t = 0; t < T; ++t) {
      const float expected = zeros.decoder.step(t == 4 ? none.data() : trial.data() + t * N).behavior[0];
      const auto& out = t == 4 ? missing.decoder.step_missing() : missing.decoder.step(trial.data() + t * N);
      CHECK(out.behavior[0] == expected);
    }
  }
  // No read-out at all, whatever else its configuration says.
  support::Stream<Native> none(random.model, {}, {.outputs = 2});
  REQUIRE(none.status.ok());
  CHECK(none.decoder.step(trial.data()).behavior == nullptr);
  CHECK(none.decoder.readout_inputs().empty());
}

TEST_CASE("behaviour that would not be finite is held, and a filter goes on from what was", "[stream][readout]") {
  const support::RandomModel<Native> random(causal);
  for (const ReadoutConfig& config : {ridge, kalman}) {
    support::RandomReadout<Native> readout(random.model, config);
    const auto trial = support::random_counts(causal, causal.trial_length, 3);
    const std::vector<float> huge(readout.packed.size(), std::numeric_limits<float>::infinity());
    support::Stream<Native> stream(random.model, {}, readout.config, huge);
    REQUIRE(stream.status.ok());
    auto& decoder = stream.decoder;
    CHECK(decoder.step(trial.data()).held);
    CHECK(decoder.output().behavior[0] == 0.0f);
    CHECK(decoder.counters().held == 1);
    decoder.reset();
    decoder.use_readout(readout.packed.data());
    decoder.step(trial.data());
    const float before = decoder.output().behavior[0];
    CHECK(!decoder.output().held);
    decoder.use_readout(huge.data());
    CHECK(decoder.step(trial.data() + causal.neurons).held);
    CHECK(decoder.output().behavior[0] == before);
    decoder.use_readout(readout.packed.data());
    CHECK(!decoder.step(trial.data() + 2 * causal.neurons).held);
    CHECK(std::isfinite(decoder.output().behavior[0]));
  }
}
