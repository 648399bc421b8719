// What a rig does to a stream: each case has a defined result and a counter.
#include <limits>

#include <ndt/ndt.hpp>

#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/stream.hpp"

namespace {

using ndt::ModelConfig;
using ndt::PastEnd;
using ndt::StreamConfig;
using ndt::StreamPolicy;
using V = ndt::simd::native<float>;
using Stream = support::Stream<V>;
using Bits = std::vector<std::uint32_t>;

constexpr ModelConfig causal = [] {
  ModelConfig config;
  config.neurons = 6, config.trial_length = 12, config.layers = 2, config.hidden_size = 9, config.max_spikes = 3;
  config.context_forward = 0, config.context_backward = 4, config.pre_norm = config.learnable_position = true;
  return config;
}();
ModelConfig looking_ahead(std::int64_t bins) {
  ModelConfig config = causal;
  config.context_forward = bins;
  return config;
}

Bits bits_of(const ndt::StreamOutput<float>& out) {
  Bits bits;
  for (std::size_t n = 0; n < causal.neurons; ++n) {
    bits.push_back(std::bit_cast<std::uint32_t>(out.log_rates[n]));
    bits.push_back(std::bit_cast<std::uint32_t>(out.rates[n]));
  }
  for (std::size_t i = 0; i < causal.width(); ++i) bits.push_back(std::bit_cast<std::uint32_t>(out.hidden[i]));
  return bits;
}
template <class Decoder>
std::vector<Bits> bits_of_trial(Decoder& decoder, const std::vector<int>& trial) {
  std::vector<Bits> all;
  for (std::size_t t = 0; t * causal.neurons < trial.size(); ++t) {
    all.push_back(bits_of(decoder.step(trial.data() + t * causal.neurons)));
  }
  return all;
}

const std::vector<StreamConfig> all_streams = {
    {StreamPolicy::delayed}, {StreamPolicy::immediate}, {StreamPolicy::windowed}, {StreamPolicy::windowed, {}, 5}};

}  // namespace

TEST_CASE("after reset a decoder gives the bits of a new one, whatever it saw before", "[stream]") {
  for (const std::int64_t ahead : {0, 2}) {
    const support::RandomModel<V> random(looking_ahead(ahead));
    const auto trial = support::random_counts(causal, 12, 1), other = support::random_counts(causal, 7, 2);
    for (const StreamConfig& config : all_streams) {
      Stream fresh(random.model, config), used(random.model, config);
      const auto expected = bits_of_trial(fresh.decoder, trial);
      bits_of_trial(used.decoder, other);
      used.decoder.flush();
      used.decoder.reset();
      CHECK(bits_of_trial(used.decoder, trial) == expected);
      used.decoder.prepare();
      CHECK(bits_of_trial(used.decoder, trial) == expected);
      CHECK(used.decoder.counters().bins == 7 + 12 + 12);
    }
  }
}

TEST_CASE("decoders over one model do not know of each other", "[stream]") {
  const support::RandomModel<V> random(looking_ahead(1));
  const auto one = support::random_counts(causal, 12, 1), two = support::random_counts(causal, 12, 2);
  for (const StreamConfig& config : all_streams) {
    Stream alone(random.model, config), a(random.model, config), b(random.model, config);
    const auto expected = bits_of_trial(alone.decoder, one);
    for (std::size_t t = 0; t < 12; ++t) {
      b.decoder.step(two.data() + t * causal.neurons);
      CHECK(bits_of(a.decoder.step(one.data() + t * causal.neurons)) == expected[t]);
    }
  }
}

namespace {
using Model = ndt::StaticTransformer<causal>;
constexpr float zero_weights[Model{}.packed_size()] = {};
constexpr Model static_model{zero_weights};
using Delayed = ndt::StaticDecoder<Model>;
constinit ndt::StaticState<Delayed> delayed_state;
constinit Delayed delayed_decoder{static_model, delayed_state};

template <StreamConfig Config>
void check_static(const support::RandomModel<V>& random) {
  using Decoder = ndt::StaticDecoder<Model, Config>;
  Model model;
  REQUIRE(model.bind({}, random.parameters.packed()).ok());
  static ndt::StaticState<Decoder> state;
  Decoder decoder{model, state};
  Stream dynamic(random.model, Config);
  CHECK(dynamic.state.size() >= ndt::StaticState<Decoder>::size);
  const auto trial = support::random_counts(causal, 12, 3);
  CHECK(bits_of_trial(decoder, trial) == bits_of_trial(dynamic.decoder, trial));
}
}  // namespace

TEST_CASE("a decoder whose shape is a type gives the bits of one that is data, from static memory", "[stream][bits]") {
  const support::RandomModel<V> random(causal);
  check_static<StreamConfig{StreamPolicy::delayed}>(random);
  check_static<StreamConfig{StreamPolicy::immediate}>(random);
  check_static<StreamConfig{StreamPolicy::windowed, PastEnd::stop, 5}>(random);
  const std::vector<int> counts(causal.neurons, 1);
  CHECK(delayed_decoder.step(counts.data()).ready);
  CHECK(delayed_decoder.output().rates[0] == 1.0f);  // exp(0): all weights are zero
}

TEST_CASE("a bin after flush begins a new trial", "[stream]") {
  for (const std::int64_t ahead : {0, 2, 11}) {
    const support::RandomModel<V> random(looking_ahead(ahead));
    const auto trial = support::random_counts(causal, 12, 1), other = support::random_counts(causal, 7, 2);
    for (const StreamConfig& config : all_streams) {
      for (const std::size_t flushes : std::vector<std::size_t>{1, 40}) {
        Stream fresh(random.model, config), used(random.model, config);
        const auto expected = bits_of_trial(fresh.decoder, trial);
        bits_of_trial(used.decoder, other);
        for (std::size_t i = 0; i < flushes; ++i) used.decoder.flush();
        CHECK(bits_of_trial(used.decoder, trial) == expected);
      }
    }
  }
}

TEST_CASE("nobody waits for more than the rest of a trial", "[stream]") {
  const ModelConfig config = looking_ahead(1'000'000);
  CHECK(StreamConfig{}.delay(config) == config.layers * (config.trial_length - 1));
}

TEST_CASE("counts that are fractions count by their whole part, as in a window", "[stream]") {
  const support::RandomModel<V> random(causal);
  Stream a(random.model, {}), b(random.model, {});
  const std::vector<double> fractions = {0.99999999999, 1.5, 2.9999999999, 1e300, 0, 3};
  const std::vector<int> whole = {0, 1, 2, 3, 0, 3};
  CHECK(bits_of(a.decoder.step(fractions.data())) == bits_of(b.decoder.step(whole.data())));
}

TEST_CASE("a missing bin counts as one without spikes, and says so", "[stream]") {
  const support::RandomModel<V> random(causal);
  auto trial = support::random_counts(causal, 12, 4);
  std::fill_n(trial.begin() + 5 * causal.neurons, causal.neurons, 0);
  for (const StreamConfig& config : all_streams) {
    Stream zeros(random.model, config), missing(random.model, config);
    for (std::size_t t = 0; t < 12; ++t) {
      const auto expected = bits_of(zeros.decoder.step(trial.data() + t * causal.neurons));
      const auto& out =
          t == 5 ? missing.decoder.step_missing() : missing.decoder.step(trial.data() + t * causal.neurons);
      CHECK(bits_of(out) == expected);
      CHECK(out.missing == (t == 5));
    }
    missing.decoder.late();
    CHECK(missing.decoder.counters().missing == 1);
    CHECK(missing.decoder.counters().late == 1);
    CHECK(missing.decoder.counters().bins == 12);
  }
}

TEST_CASE("counts that no table has are clipped and counted", "[stream]") {
  const support::RandomModel<V> random(causal);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> wild = {5, -1, nan, 3, std::numeric_limits<float>::infinity(), 0.5f},
                           tame = {3, 0, 0, 3, 3, 0};
  Stream a(random.model, {}), b(random.model, {});
  CHECK(bits_of(a.decoder.step(wild.data())) == bits_of(b.decoder.step(tame.data())));
  CHECK(a.decoder.counters().clipped == 2);
  CHECK(a.decoder.counters().invalid == 2);
  CHECK(b.decoder.counters().clipped + b.decoder.counters().invalid == 0);
  const std::vector<std::uint64_t> huge(causal.neurons, ~std::uint64_t{0});
  const std::vector<std::int8_t> low(causal.neurons, -128);
  a.decoder.step(huge.data());
  a.decoder.step(low.data());
  CHECK(a.decoder.counters().clipped == 2 + 6);
  CHECK(a.decoder.counters().invalid == 2 + 6);
}

TEST_CASE("a dead channel counts as silent from the next bin on, until it is back", "[stream]") {
  const support::RandomModel<V> random(causal);
  auto trial = support::random_counts(causal, 12, 6);
  Stream masked(random.model, {}), zeroed(random.model, {});
  for (std::size_t t = 0; t < 12; ++t) {
    if (t == 3) masked.decoder.set_alive(2, false);
    if (t == 9) masked.decoder.set_alive(2, true);
    const auto found = bits_of(masked.decoder.step(trial.data() + t * causal.neurons));
    if (t >= 3 && t < 9) trial[t * causal.neurons + 2] = 0;
    CHECK(found == bits_of(zeroed.decoder.step(trial.data() + t * causal.neurons)));
  }
  masked.decoder.set_alive(causal.neurons, false);  // there is no such channel
}

TEST_CASE("a result that is not finite is held back: the last one that was finite stays", "[stream]") {
  // A decoder weight so large that a rate overflows where the hidden state is positive.
  support::RandomModel<V> random(causal);
  const ndt::Parameter* weight = nullptr;
  for (const ndt::Parameter& p : random.parameters.list()) {
    if (p.name == "decoder.0.weight") weight = &p;
  }
  REQUIRE(weight != nullptr);
  for (std::size_t i = 0; i < causal.width(); ++i) random.parameters.value(*weight)[i] *= 300.0f;
  random.parameters.repack();
  const auto trial = support::random_counts(causal, 12, 7);
  const auto whole = support::run(random.model, trial, 1, 12);
  Stream s(random.model, {});
  std::vector<float> last(causal.neurons, 0.0f);
  std::size_t held = 0;
  for (std::size_t t = 0; t < 12; ++t) {
    const auto& out = s.decoder.step(trial.data() + t * causal.neurons);
    const auto row = support::row_of(whole, causal, t).log_rates;
    const bool overflows = row[0] > 88.8f;
    CHECK(out.held == overflows);
    CHECK(out.ready);
    held += overflows;
    if (!overflows) last = {out.rates, out.rates + causal.neurons};
    CHECK(std::vector<float>(out.rates, out.rates + causal.neurons) == last);
    for (const float rate : last) CHECK(std::isfinite(rate));
  }
  CHECK(held > 0);
  CHECK(held < 12);
  CHECK(s.decoder.counters().held == held);
  // What is held survives an output without numbers, and a new trial that was not asked for by reset().
  s.decoder.flush();
  CHECK(std::isnan(s.decoder.output().rates[0]));
  for (std::size_t t = 0; t < 12; ++t) {
    const auto& out = s.decoder.step(trial.data() + t * causal.neurons);
    for (std::size_t n = 0; n < causal.neurons; ++n) CHECK(std::isfinite(out.rates[n]));
    for (std::size_t n = 0; n < causal.neurons; ++n) CHECK(std::isfinite(out.log_rates[n]));
  }
}

TEST_CASE("behind the last position a stream stops, starts again or slides, as it was set up", "[stream]") {
  const std::size_t T = causal.trial_length, N = causal.neurons;
  for (const std::int64_t ahead : {0, 2}) {
    const support::RandomModel<V> random(looking_ahead(ahead));
    const auto trial = support::random_counts(causal, 3 * T + 2, 8);
    const auto row = [&](std::size_t t) { return trial.data() + t * N; };
    for (const StreamPolicy policy : {StreamPolicy::delayed, StreamPolicy::immediate}) {
      Stream stops(random.model, {policy, PastEnd::stop}), restarts(random.model, {policy, PastEnd::restart});
      for (std::size_t t = 0; t < T; ++t) {
        stops.decoder.step(row(t));
        restarts.decoder.step(row(t));
      }
      for (std::size_t t = T; t < T + 3; ++t) {
        const auto& out = stops.decoder.step(row(t));
        CHECK(out.past_end);
        CHECK(!out.ready);
        CHECK(std::isnan(out.rates[0]));
      }
      CHECK(stops.decoder.counters().past_end == 3);
      Stream fresh(random.model, {policy});
      for (std::size_t t = T; t < 2 * T; ++t) {
        const auto expected = bits_of(fresh.decoder.step(row(t)));
        const auto& out = restarts.decoder.step(row(t));
        CHECK(bits_of(out) == expected);
        CHECK(out.past_end == (t == T));
      }
      CHECK(restarts.decoder.counters().past_end == 1);

      Stream slides(random.model, {policy, PastEnd::windowed});
      if (policy == StreamPolicy::delayed && ahead > 0) {
        CHECK(slides.status.error == ndt::Error::past_end_with_delay);
        continue;
      }
      for (std::size_t t = 0; t < 3 * T + 2; ++t) {
        const auto& out = slides.decoder.step(row(t));
        const auto expected = support::promised(
            random.model, {t < T ? StreamPolicy::immediate : StreamPolicy::windowed, PastEnd::stop, 0}, trial, t);
        const auto found = support::result_of(out, causal);
        CHECK(out.ready);
        CHECK(out.past_end == (t >= T));
        CHECK(support::worst_error(found.log_rates, expected.log_rates) <= support::log_rate_bound<float>);
      }
    }
  }
}
