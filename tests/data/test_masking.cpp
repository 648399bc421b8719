// The masked objective, held against a slow statement of the reference's convolution and against probabilities.
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include <ndt/data/masking.hpp>
#include "../support/catch.hpp"

namespace {

using ndt::data::MaskDraw;
using ndt::data::MaskMode;
using ndt::data::MaskSettings;
using ndt::data::MaskValues;
using ndt::data::TrialShape;

TrialShape plain(std::size_t bins, std::size_t neurons) { return {bins, neurons, bins, neurons}; }

/// A trial and everything that masking makes of it.
struct Trial {
  TrialShape shape;
  std::vector<std::int32_t> counts, input;
  std::vector<float> target, weight;
  std::size_t selected = 0;

  Trial(const TrialShape& s, std::int32_t count)
      : shape(s), counts(s.elements(), count), input(s.elements(), -7), target(s.elements(), -7.0f) {
    weight.assign(s.elements(), -7.0f);
  }
  void mask(const MaskSettings& settings, const MaskDraw& draw, std::size_t trial, const MaskValues& values) {
    selected =
        ndt::data::mask_trial(ndt::data::MaskedTrial<float, std::int32_t>{input.data(), target.data(), weight.data()},
                              counts.data(), shape, settings, draw, trial, values);
  }
  bool is_selected(std::size_t t, std::size_t n) const { return weight[t * shape.neurons + n] == 1.0f; }
};

std::vector<double> select(const TrialShape& shape, MaskMode mode, const MaskDraw& draw, std::size_t trial = 0) {
  std::vector<double> weight(shape.elements(), -7.0);
  const std::size_t selected = ndt::data::select_elements(weight.data(), shape, mode, draw, trial);
  std::size_t ones = 0;
  for (const double w : weight) {
    CHECK((w == 0.0 || w == 1.0));
    ones += w == 1.0;
  }
  CHECK(selected == ones);
  return weight;
}

/// What the reference does to a row: a convolution with `width` ones over a row padded with width / 2 zeros on both
/// sides, clamped to 1, without its last column where the width is even.
std::vector<double> expanded(const std::vector<double>& row, std::size_t width) {
  std::vector<double> padded(width / 2, 0.0);
  padded.insert(padded.end(), row.begin(), row.end());
  padded.insert(padded.end(), width / 2, 0.0);
  std::vector<double> result;
  for (std::size_t i = 0; i + width <= padded.size(); ++i) {
    double sum = 0.0;
    for (std::size_t k = 0; k < width; ++k) sum += padded[i + k] * 1.0;
    result.push_back(sum < 0.0 ? 0.0 : sum > 1.0 ? 1.0 : sum);
  }
  if (width % 2 == 0) result.pop_back();
  return result;
}

bool within_sigmas(double found, double draws, double probability, double sigmas = 5.0) {
  return std::abs(found - draws * probability) <= sigmas * std::sqrt(draws * probability * (1.0 - probability));
}

TEST_CASE("spans are the reference's convolution of where they begin", "[data][masking]") {
  const std::size_t bins = GENERATE(range(1u, 13u)), width = GENERATE(range(1u, 10u));
  const TrialShape shape = plain(bins, 6);
  const MaskDraw begins{.seed = 3, .step = bins, .ratio = 0.15};
  MaskDraw spans = begins;
  spans.width = width;
  for (std::size_t trial = 0; trial < 20; ++trial) {
    const auto row = [&](const std::vector<double>& weight, std::size_t first, std::size_t stride, std::size_t n) {
      std::vector<double> values;
      for (std::size_t i = 0; i < n; ++i) values.push_back(weight[first + i * stride]);
      return values;
    };
    for (const MaskMode mode : {MaskMode::timestep, MaskMode::full, MaskMode::timestep_only}) {
      const auto before = select(shape, mode, begins, trial), after = select(shape, mode, spans, trial);
      for (std::size_t n = 0; n < 6; ++n) {
        CHECK(row(after, n, 6, bins) == expanded(row(before, n, 6, bins), width));
      }
    }
    const auto before = select(shape, MaskMode::neuron, begins, trial);
    const auto after = select(shape, MaskMode::neuron, spans, trial);
    for (std::size_t t = 0; t < bins; ++t) CHECK(row(after, 6 * t, 1, 6) == expanded(row(before, 6 * t, 1, 6), width));
  }
}

TEST_CASE("a span of even width has one bin more after its beginning", "[data][masking]") {
  std::vector<std::size_t> marked;
  const auto mark = [&](std::size_t i) { marked.push_back(i); };
  ndt::data::detail::mark_span(20, 4, 5, mark);
  CHECK(marked == std::vector<std::size_t>{4, 5, 6, 7});
  marked.clear();
  ndt::data::detail::mark_span(20, 5, 5, mark);
  CHECK(marked == std::vector<std::size_t>{3, 4, 5, 6, 7});
  marked.clear();
  ndt::data::detail::mark_span(6, 30, 5, mark);
  CHECK(marked == std::vector<std::size_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("each mode decides about what it says", "[data][masking]") {
  const TrialShape shape = plain(30, 20);
  const MaskDraw draw{.seed = 5, .step = 1, .ratio = 0.3};
  const auto at = [](const std::vector<double>& w, std::size_t t, std::size_t n) { return w[t * 20 + n]; };
  bool trials_differ = false, bins_differ = false, neurons_differ = false;
  const auto timestep = select(shape, MaskMode::timestep, draw, 0);
  const auto neuron = select(shape, MaskMode::neuron, draw, 0), full = select(shape, MaskMode::full, draw, 0);
  for (std::size_t t = 0; t < 30; ++t) {
    for (std::size_t n = 0; n < 20; ++n) {
      CHECK(at(timestep, t, n) == at(timestep, t, 0));
      CHECK(at(neuron, t, n) == at(neuron, 0, n));
      bins_differ |= at(full, t, n) != at(full, 0, n);
      neurons_differ |= at(full, t, n) != at(full, t, 0);
    }
  }
  CHECK((bins_differ && neurons_differ));
  for (const MaskMode mode : {MaskMode::timestep, MaskMode::neuron, MaskMode::full}) {
    CHECK(select(shape, mode, draw, 0) != select(shape, mode, draw, 1));
  }
  const auto shared = select(shape, MaskMode::timestep_only, draw, 0);
  for (std::size_t trial = 1; trial < 10; ++trial) {
    CHECK(select(shape, MaskMode::timestep_only, draw, trial) == shared);
  }
  MaskDraw next = draw;
  next.step = 2;
  trials_differ = select(shape, MaskMode::timestep_only, next, 0) != shared;
  CHECK(trials_differ);
}

TEST_CASE("elements are selected as often as the ratio says, wherever they are", "[data][masking]") {
  const auto mode = GENERATE(MaskMode::full, MaskMode::timestep, MaskMode::neuron, MaskMode::timestep_only);
  const TrialShape shape = plain(7, 5);
  constexpr std::size_t draws = 20000;
  std::vector<double> times(shape.elements(), 0.0);
  for (std::size_t i = 0; i < draws; ++i) {
    // One trial a step: the draws are independent in every mode.
    std::vector<double> weight(shape.elements());
    ndt::data::select_elements(weight.data(), shape, mode, {.seed = 1, .step = i, .ratio = 0.25}, i % 13);
    for (std::size_t e = 0; e < weight.size(); ++e) times[e] += weight[e];
  }
  double chi2 = 0.0;
  for (const double found : times) {
    CHECK(within_sigmas(found, draws, 0.25));
    chi2 += (found - draws * 0.25) * (found - draws * 0.25) / (draws * 0.25 * 0.75);
  }
  if (mode == MaskMode::full) CHECK(chi2 < 66.6);  // 35 independent cells: one in a thousand is above
}

TEST_CASE("a span of w at ratio r / w selects 1 - (1 - r / w)^w of the bins away from the ends", "[data][masking]") {
  const std::size_t width = GENERATE(1u, 2u, 3u, 4u, 7u);
  constexpr std::size_t draws = 20000;
  const double ratio = 0.25 / static_cast<double>(width);
  double middle = 0.0, first = 0.0, last = 0.0;
  for (std::size_t i = 0; i < draws; ++i) {
    std::vector<float> weight(15);
    ndt::data::select_elements(weight.data(), plain(15, 1), MaskMode::timestep,
                               {.seed = 2, .step = i, .ratio = ratio, .width = width}, 0);
    middle += weight[7], first += weight[0], last += weight[14];
  }
  const auto covered = [&](std::size_t beginnings) { return 1.0 - std::pow(1.0 - ratio, double(beginnings)); };
  CHECK(within_sigmas(middle, draws, covered(width)));
  CHECK(within_sigmas(first, draws, covered(1 + (width - 1) / 2)));  // those that begin here or reach back to here
  CHECK(within_sigmas(last, draws, covered(1 + width / 2)));
}

TEST_CASE("the width of a batch is even over 1 to the largest span, and the ratio is divided by it",
          "[data][masking]") {
  MaskSettings settings;
  settings.ratio = 0.3, settings.max_span = 5, settings.ramp_start = 100, settings.ramp_end = 200;
  constexpr std::size_t draws = 50000;
  std::array<double, 6> times{};
  for (std::size_t i = 0; i < draws; ++i) {
    const MaskDraw draw = ndt::data::draw_mask(settings, 9, i, 1000);
    REQUIRE((draw.width >= 1 && draw.width <= 5));
    REQUIRE(draw.ratio == 0.3 / static_cast<double>(draw.width));
    ++times[draw.width];
  }
  for (std::size_t w = 1; w <= 5; ++w) CHECK(within_sigmas(times[w], draws, 0.2));
  double wide = 0.0;
  for (std::size_t i = 0; i < draws; ++i) wide += ndt::data::draw_mask(settings, 9, i, 150).width > 1;
  CHECK(within_sigmas(wide, draws, 0.5 * 0.8));
  for (std::size_t i = 0; i < 200; ++i) {
    CHECK(ndt::data::draw_mask(settings, 9, i, 100).width == 1);
    CHECK(ndt::data::draw_validation_mask(settings, 9, i).width == 1);
  }
  settings.max_span = 1;
  for (std::size_t i = 0; i < 200; ++i) CHECK(ndt::data::draw_mask(settings, 9, i, 1000).width == 1);
}

TEST_CASE("the ramp is flat, straight and flat", "[data][masking]") {
  MaskSettings settings;
  settings.ramp_start = 600, settings.ramp_end = 1200;
  CHECK(settings.expand_probability(0) == 0.0);
  CHECK(settings.expand_probability(600) == 0.0);
  CHECK(settings.expand_probability(750) == 0.25);
  CHECK(settings.expand_probability(1199) == 599.0 / 600.0);
  CHECK(settings.expand_probability(1200) == 1.0);
  CHECK(settings.expand_probability(100000) == 1.0);
  settings.ramp_end = 600;
  CHECK(settings.expand_probability(599) == 0.0);
  CHECK(settings.expand_probability(600) == 1.0);
}

TEST_CASE("tokens and random counts are drawn for every selected element by itself", "[data][masking]") {
  MaskSettings settings;
  settings.ratio = 0.5, settings.token_ratio = 0.6, settings.random_ratio = 0.3, settings.zero_mask = false;
  const std::uint32_t token = ndt::data::mask_token(settings, 9);
  CHECK(token == 10);
  const MaskValues values{.token = token, .random_below = 4};
  Trial trial(plain(40, 25), 7);
  double selected = 0.0, tokens = 0.0, kept = 0.0, mixed_bins = 0.0;
  std::array<double, 4> random{};
  for (std::size_t i = 0; i < 60; ++i) {
    trial.mask(settings, {.seed = 4, .step = 8, .ratio = settings.ratio}, i, values);
    for (std::size_t t = 0; t < 40; ++t) {
      std::set<std::int32_t> in_bin;
      for (std::size_t n = 0; n < 25; ++n) {
        const std::int32_t value = trial.input[t * 25 + n];
        REQUIRE(trial.target[t * 25 + n] == 7.0f);
        if (!trial.is_selected(t, n)) {
          REQUIRE(value == 7);
          continue;
        }
        ++selected;
        in_bin.insert(value);
        if (value == 10) {
          ++tokens;
        } else if (value == 7) {
          ++kept;
        } else {
          REQUIRE((value >= 0 && value < 4));
          ++random[static_cast<std::size_t>(value)];
        }
      }
      mixed_bins += in_bin.size() > 1;
    }
  }
  CHECK(mixed_bins > 0);
  CHECK(within_sigmas(tokens, selected, 0.6));
  CHECK(within_sigmas(kept, selected, 0.4 * 0.7));
  for (const double found : random) CHECK(within_sigmas(found, selected, 0.4 * 0.3 / 4.0));
}

TEST_CASE("a count as large as the mask token is clipped and not read as one", "[data][masking]") {
  MaskSettings settings;
  settings.ratio = 0.5, settings.token_ratio = 0.5, settings.random_ratio = 0, settings.zero_mask = false;
  const MaskValues values{.token = 10, .largest = 9};
  Trial trial(plain(40, 25), 10);
  trial.mask(settings, {.seed = 4, .step = 8, .ratio = settings.ratio}, 3, values);
  double selected = 0.0, tokens = 0.0;
  for (std::size_t t = 0; t < 40; ++t) {
    for (std::size_t n = 0; n < 25; ++n) {
      const std::int32_t value = trial.input[t * 25 + n];
      REQUIRE(trial.target[t * 25 + n] == 10.0f);  // what is asked for stays
      REQUIRE((value == 9 || (value == 10 && trial.is_selected(t, n))));
      selected += trial.is_selected(t, n);
      tokens += value == 10;
    }
  }
  CHECK(within_sigmas(tokens, selected, 0.5));
}

TEST_CASE("ratios of 0 and 1 are never and always", "[data][masking]") {
  MaskSettings settings;
  Trial trial(plain(20, 10), 3);
  trial.mask(settings, {.ratio = 0.0}, 0, {});
  CHECK(trial.selected == 0);
  CHECK(trial.input == trial.counts);
  trial.mask(settings, {.ratio = 1.0}, 0, {});
  CHECK(trial.selected == 200);
  CHECK(trial.input == std::vector<std::int32_t>(200, 0));
  settings.token_ratio = 0.0, settings.random_ratio = 0.0;
  trial.mask(settings, {.ratio = 1.0}, 0, {});
  CHECK(trial.input == trial.counts);
  settings.random_ratio = 1.0;
  trial.mask(settings, {.ratio = 1.0}, 0, {.random_below = 0});
  CHECK(trial.input == std::vector<std::int32_t>(200, 0));
  trial.mask(settings, {.ratio = 1.0}, 0, {.random_below = 1});
  CHECK(trial.input == std::vector<std::int32_t>(200, 0));
}

TEST_CASE("held-out neurons and forward bins are hidden and in the loss, always", "[data][masking]") {
  const auto mode = GENERATE(MaskMode::full, MaskMode::timestep, MaskMode::neuron, MaskMode::timestep_only);
  MaskSettings settings;
  settings.mode = mode, settings.zero_mask = false, settings.token_ratio = 0.5, settings.random_ratio = 1.0;
  const TrialShape shape{.bins = 9, .neurons = 8, .observed_bins = 6, .held_in = 5};
  for (std::size_t i = 0; i < 50; ++i) {
    Trial trial(shape, 5);
    trial.mask(settings, {.seed = 1, .step = i, .ratio = 0.3, .width = 1 + i % 4}, i, {.token = 9, .random_below = 3});
    std::size_t ones = 0;
    for (std::size_t t = 0; t < 9; ++t) {
      for (std::size_t n = 0; n < 8; ++n) {
        CHECK(trial.target[t * 8 + n] == 5.0f);
        ones += trial.is_selected(t, n);
        if (t < 6 && n < 5) continue;
        CHECK(trial.is_selected(t, n));
        CHECK(trial.input[t * 8 + n] == 0);
      }
    }
    CHECK(trial.selected == ones);
  }
}

TEST_CASE("the mask of a trial depends on seed, step and trial and on nothing else", "[data][masking]") {
  MaskSettings settings;
  settings.token_ratio = 0.6, settings.random_ratio = 0.5;
  const MaskDraw draw{.seed = 7, .step = 3, .ratio = 0.25, .width = 2};
  const MaskValues values{.random_below = 5};
  const auto masked = [&](const MaskDraw& d, std::size_t trial) {
    Trial result(plain(50, 29), 4);
    result.mask(settings, d, trial, values);
    return std::pair(result.input, result.weight);
  };
  std::map<std::size_t, std::pair<std::vector<std::int32_t>, std::vector<float>>> rising;
  for (std::size_t trial = 0; trial < 20; ++trial) rising[trial] = masked(draw, trial);
  for (const std::size_t trial : {17u, 3u, 0u, 19u}) CHECK(masked(draw, trial) == rising[trial]);
  CHECK(rising[0] != rising[1]);
  MaskDraw other = draw;
  other.validation = true;
  CHECK(masked(other, 0) != rising[0]);
  other = draw, other.seed = 8;
  CHECK(masked(other, 0) != rising[0]);
  other = draw, other.step = 4;
  CHECK(masked(other, 0) != rising[0]);
}

TEST_CASE("a word is drawn for an element, whoever is asked before", "[data][masking]") {
  const ndt::RandomPlace place{.seed = 1, .purpose = 2, .item = 3, .step = 4};
  ndt::RandomStream stream(place);
  ndt::data::RandomElements backwards(place);
  std::vector<std::uint32_t> words;
  for (int i = 0; i < 30; ++i) words.push_back(stream.word());
  for (std::size_t i = 30; i-- > 0;) CHECK(backwards[i] == words[i]);
}

TEST_CASE("the unmasked loss hides what is held out, and reproduces the reference's slip on request",
          "[data][masking]") {
  const TrialShape shape{.bins = 3, .neurons = 5, .observed_bins = 2, .held_in = 2};
  Trial trial(shape, 6);
  const ndt::data::MaskedTrial<float, std::int32_t> out{trial.input.data(), trial.target.data(), trial.weight.data()};
  CHECK(ndt::data::unmasked_trial(out, trial.counts.data(), shape, false) == 4);
  CHECK(trial.input == std::vector<std::int32_t>{6, 6, 0, 0, 0, 6, 6, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(trial.weight == std::vector<float>{1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0});
  CHECK(trial.target == std::vector<float>(15, 6.0f));
  CHECK(ndt::data::unmasked_trial(out, trial.counts.data(), shape, true) == 8);
  CHECK(trial.weight == std::vector<float>{1, 1, 0, 1, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0});
  CHECK(trial.target == std::vector<float>{6, 6, 0, 0, 0, 6, 6, 0, 0, 0, 0, 0, 0, 0, 0});
}

TEST_CASE("the largest count is that of the trial", "[data][masking]") {
  const std::vector<float> counts = {0, 3, 2, 0};
  CHECK(ndt::data::largest_count(counts.data(), 4) == 3);
  CHECK(ndt::data::largest_count(counts.data(), 1) == 0);
  CHECK(ndt::data::largest_count(counts.data(), 0) == 0);
}

}  // namespace
