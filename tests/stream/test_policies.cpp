// Every policy equals what it promises, at every bin: see ndt/stream/config.hpp. The judge is Transformer::forward.
#include <ndt/ndt.hpp>

#include "../support/catch.hpp"
#include "../support/compare.hpp"
#include "../support/golden.hpp"
#include "../support/stream.hpp"

namespace {

using ndt::ModelConfig;
using ndt::PastEnd;
using ndt::StreamConfig;
using ndt::StreamPolicy;

/// Models of every kind that streaming could treat differently; contexts shorter and longer than the trial.
std::vector<ModelConfig> models() {
  ModelConfig base;
  base.neurons = 5, base.trial_length = 13, base.layers = 3, base.heads = 2, base.hidden_size = 7, base.max_spikes = 4;
  base.embed_dim = 2, base.pre_norm = base.learnable_position = true;
  std::vector<ModelConfig> all;
  const auto add = [&](auto change) {
    ModelConfig config = base;
    change(config);
    all.push_back(config);
  };
  for (const std::int64_t forward : {0, 1, 2, 5, 20}) {
    for (const std::int64_t backward : {0, 1, 3, 30}) {
      add([&](ModelConfig& c) { c.context_forward = forward, c.context_backward = backward; });
    }
  }
  add([](ModelConfig& c) { c.context_forward = 0, c.context_backward = 3, c.pre_norm = false; });
  add([](ModelConfig& c) { c.context_forward = 1, c.context_backward = 3, c.pre_norm = false; });
  add([](ModelConfig& c) { c.context_forward = 0, c.context_backward = 2, c.layers = 1; });
  add([](ModelConfig& c) { c.context_forward = 2, c.context_backward = 2, c.layers = 1, c.heads = 5; });
  add([](ModelConfig& c) { c.context_forward = 0, c.context_backward = 4, c.embed_dim = 0, c.heads = 1; });
  add([](ModelConfig& c) { c.context_forward = 1, c.context_backward = 4, c.scale_norm = true, c.lograte = false; });
  add([](ModelConfig& c) {
    c.context_forward = 0, c.context_backward = 6, c.linear_embedder = true, c.neurons = 6;
    c.activation = ndt::Activation::gelu, c.decoder_layers = 2;
  });
  add([](ModelConfig& c) { c.context_forward = 0, c.context_backward = 20, c.neurons = 19, c.trial_length = 70; });
  add([](ModelConfig& c) { c.context_forward = 3, c.context_backward = 18, c.neurons = 17, c.trial_length = 50; });
  add([](ModelConfig& c) { c.trial_length = 1, c.context_forward = 0; });
  add([](ModelConfig& c) { c.full_context = true; });
  add([](ModelConfig& c) { c.context_forward = -1, c.context_backward = 3; });
  for (const std::int64_t backward : {2, 4, 30}) {
    add([&](ModelConfig& c) {
      c.context_forward = 0, c.context_backward = backward, c.context_wrap_initial = true, c.layers = 2;
    });
    add([&](ModelConfig& c) {
      c.context_forward = 3, c.context_backward = backward, c.context_wrap_initial = true, c.layers = 2;
    });
  }
  return all;
}

std::string text(const ModelConfig& c, const StreamConfig& s) {
  return "forward " + std::to_string(c.context_forward) + ", backward " + std::to_string(c.context_backward) +
         (c.full_context ? ", full" : "") + (c.context_wrap_initial ? ", wrap" : "") + ", layers " +
         std::to_string(c.layers) + ", positions " + std::to_string(c.trial_length) + ", policy " +
         std::to_string(static_cast<int>(s.policy)) + ", window " + std::to_string(s.window);
}

/// Streams a trial and compares every bin that comes out; the bins that came out.
template <class V>
std::size_t compare_trial(ndt::DynamicDecoder<V>& decoder, const std::vector<int>& trial) {
  using T = typename V::value_type;
  const ModelConfig& config = decoder.model().config();
  const std::size_t bins = trial.size() / config.neurons;
  std::size_t came = 0;
  const auto compare = [&](const ndt::StreamOutput<T>& out) {
    CHECK(out.bin == came);
    const auto expected = support::promised(decoder.model(), decoder.config(), trial, came);
    const auto found = support::result_of(out, config);
    CHECK(support::worst_error(found.log_rates, expected.log_rates) <= support::log_rate_bound<T>);
    CHECK(support::worst_error(found.hidden, expected.hidden) <= support::hidden_bound<T>);
    for (std::size_t n = 0; n < config.neurons; ++n) {
      const T rate = config.lograte ? std::exp(expected.log_rates[n]) : expected.log_rates[n];
      CHECK(std::abs(out.rates[n] - rate) <= 2 * support::log_rate_bound<T> * std::max(T(1), rate));
    }
    ++came;
  };
  for (std::size_t t = 0; t < bins; ++t) {
    const ndt::StreamOutput<T>& out = decoder.step(trial.data() + t * config.neurons);
    CHECK(out.ready == (t >= decoder.delay()));
    CHECK(!out.past_end);
    if (out.ready) {
      compare(out);
    } else {
      CHECK(std::isnan(out.log_rates[0]));
    }
  }
  while (decoder.flush().ready) compare(decoder.output());
  return came;
}

}  // namespace

TEMPLATE_TEST_CASE("every policy equals what it promises, for every model that it can serve", "[stream]",
                   ndt::simd::native<float>, ndt::simd::native<double>, ndt::simd::scalar<float>) {
  std::size_t served = 0, refused = 0;
  for (const ModelConfig& config : models()) {
    const support::RandomModel<TestType> random(config);
    REQUIRE(random.bound());
    std::vector<StreamConfig> streams = {{StreamPolicy::delayed}, {StreamPolicy::immediate}, {StreamPolicy::windowed}};
    for (const std::size_t window : std::vector<std::size_t>{1, 4, 11}) {
      if (window < config.trial_length) streams.push_back({StreamPolicy::windowed, PastEnd::stop, window});
    }
    for (const StreamConfig& stream : streams) {
      INFO(text(config, stream));
      support::Stream<TestType> s(random.model, stream);
      if (!s.status.ok()) {
        ++refused;
        continue;
      }
      ++served;
      // Whole trials, and some that end before anything has come out.
      for (const std::size_t bins : std::vector<std::size_t>{config.trial_length, 1, (config.trial_length + 1) / 2}) {
        s.decoder.reset();
        CHECK(compare_trial(s.decoder, support::random_counts(config, bins, bins)) == bins);
      }
    }
  }
  // Full context and unlimited look-ahead: not delayed. Wrapped models: neither immediate nor windowed (five each).
  CHECK(refused == 2 + 6 * 5);
  CHECK(served > 150);
}

TEMPLATE_TEST_CASE("golden models are streamed as PyTorch computes them", "[stream][golden]", ndt::simd::native<float>,
                   ndt::simd::native<double>) {
  using T = typename TestType::value_type;
  std::size_t served = 0;
  for (const std::string& name : support::golden_names()) {
    const support::Golden golden = support::golden(name);
    const ModelConfig config = golden.config();
    const auto packed = golden.packed<TestType>();
    ndt::DynamicTransformer<TestType> model;
    REQUIRE(model.bind({config}, packed).ok());
    support::Stream<TestType> s(model, {StreamPolicy::delayed});
    if (!s.status.ok()) continue;
    INFO(name);
    ++served;
    const std::size_t bins = golden["counts"].extents.size[1], N = config.neurons;
    std::size_t came = 0;
    const auto compare = [&](const ndt::StreamOutput<T>& out) {
      const auto& all = golden["output"].values;
      const auto first = all.begin() + static_cast<std::ptrdiff_t>(came++ * N);
      CHECK(support::worst_error(std::vector<T>(out.log_rates, out.log_rates + N),
                                 std::vector<double>(first, first + static_cast<std::ptrdiff_t>(N))) <=
            support::log_rate_bound<T>);
    };
    for (std::size_t t = 0; t < bins; ++t) {
      if (s.decoder.step(golden["counts"].integers.data() + t * N).ready) compare(s.decoder.output());
    }
    while (s.decoder.flush().ready) compare(s.decoder.output());
    CHECK(came == bins);
  }
  CHECK(served > 30);
}

TEST_CASE("a stream that a model cannot have is refused, and says why", "[stream]") {
  ModelConfig config;
  config.neurons = 4, config.trial_length = 9, config.max_spikes = 3;
  const auto error = [](const ModelConfig& model, const StreamConfig& stream) { return stream.validate(model).error; };
  CHECK(error(config, {StreamPolicy::delayed}) == ndt::Error::none);
  CHECK(error(config, {StreamPolicy::windowed, PastEnd::stop, 10}) == ndt::Error::window_too_long);
  CHECK(error(config, {StreamPolicy::delayed, PastEnd::windowed}) == ndt::Error::past_end_with_delay);
  CHECK(error(config, {StreamPolicy::immediate, PastEnd::windowed}) == ndt::Error::none);
  ModelConfig full = config;
  full.full_context = true;
  CHECK(error(full, {StreamPolicy::delayed}) == ndt::Error::look_ahead_without_limit);
  ModelConfig wrap = config;
  wrap.context_wrap_initial = true;
  CHECK(error(wrap, {StreamPolicy::immediate}) == ndt::Error::wrap_needs_delayed);
  CHECK(error(wrap, {StreamPolicy::windowed}) == ndt::Error::wrap_needs_delayed);

  const support::RandomModel<ndt::simd::native<float>> random(config);
  ndt::DynamicDecoder<> decoder;
  std::vector<float> state(decoder.state_size(random.model, {}) - 1);
  const ndt::Status status = decoder.bind(random.model, {}, state);
  CHECK(status.error == ndt::Error::memory_too_small);
  CHECK(status.expected == ndt::Extents(state.size() + 1));
  CHECK(status.found == ndt::Extents(state.size()));
}
