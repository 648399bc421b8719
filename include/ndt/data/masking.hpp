// ndt/data/masking.hpp: the masked objective (reference: src/mask.py). Some elements of a trial are selected for the
// loss; most of these are hidden from the input, some become random counts, the rest stay as they are.
//
// A batch draws one span width, then each of its trials is masked by itself: what a trial gets depends on seed, step
// and its place in the data set, and not on the batch around it or on the thread that asks.
//
// What the reference does otherwise, and where it stops:
//   - Random counts are below the largest count of the batch after masking there, so they depend on the batch's other
//     trials and on the mask token, and a batch of zeros is an error. Here the caller names the bound, usually the
//     largest count of the training set. The reference's own bound: hide all trials, then replace_elements with
//     largest_count of all the inputs.
//   - Modes full and timestep_only stop there when a batch has a span wider than 1; here they work.
//   - Mode neuron spreads its mask over the wrong axis there and runs only for batches of 1 trial or of as many trials
//   as
//     bins; here whole neurons of a trial are masked, which is what it does for batches of 1.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/random.hpp"
#include "ndt/data/mask_settings.hpp"
#include "ndt/data/random_purpose.hpp"

namespace ndt::inline NDT_TARGET::data {

/// Sizes of a trial, counts (bins, neurons) row-major. The last columns are held-out neurons and the last rows forward
/// bins: always hidden from the input and always in the loss.
struct TrialShape {
  std::size_t bins = 0;           ///< all of them
  std::size_t neurons = 0;        ///< all of them
  std::size_t observed_bins = 0;  ///< rows before the forward bins
  std::size_t held_in = 0;        ///< columns before the held-out neurons

  constexpr std::size_t elements() const noexcept { return bins * neurons; }
  constexpr bool observed(std::size_t bin, std::size_t neuron) const noexcept {
    return bin < observed_bins && neuron < held_in;
  }
};

/// What all trials of a batch have in common.
struct MaskDraw {
  std::uint64_t seed = 0;
  std::size_t step = 0;
  bool validation = false;  ///< drawn apart from training's
  double ratio = 0.0;       ///< probability that a span begins
  std::size_t width = 1;    ///< of a span, in bins (or neurons, in mode neuron)
};

/// A trial as the loss wants it; each (bins, neurons) row-major.
template <class T, class Count>
struct MaskedTrial {
  Count* input = nullptr;
  T* target = nullptr;  ///< all counts, masked or not
  T* weight = nullptr;  ///< 1 where selected for the loss, else 0
};

/// What stands in the input instead of a count.
struct MaskValues {
  std::uint32_t token = 0;                    ///< 0, or max_spikes + 1: see mask_token
  std::uint32_t random_below = 0;             ///< random counts are 0 ... random_below - 1; always 0 when it is 0
  std::uint32_t largest = ~std::uint32_t{0};  ///< larger counts of the input become this one; targets stay
};

constexpr std::uint32_t mask_token(const MaskSettings& settings, std::size_t max_spikes) noexcept {
  return settings.zero_mask ? 0u : static_cast<std::uint32_t>(max_spikes + 1);
}

/// The draw of a batch of training: with probability expand_probability(update) the width is one of 1 ... max_span,
/// each as likely as the others, and the ratio is divided by it.
constexpr MaskDraw draw_mask(const MaskSettings& settings, std::uint64_t seed, std::size_t step,
                             std::size_t update) noexcept {
  MaskDraw draw{.seed = seed, .step = step, .ratio = settings.ratio};
  RandomStream random(random_place(seed, Purpose::mask_span, 0, step));
  if (settings.max_span > 1 && random.uniform() < settings.expand_probability(update)) {
    draw.width = 1 + random.below(static_cast<std::uint32_t>(settings.max_span));
    draw.ratio = settings.ratio / static_cast<double>(draw.width);
  }
  return draw;
}

/// The draw of a validation, which has no spans (reference: src/runner.py). `step` counts what it likes.
constexpr MaskDraw draw_validation_mask(const MaskSettings& settings, std::uint64_t seed, std::size_t step) noexcept {
  return {.seed = seed, .step = step, .validation = true, .ratio = settings.ratio};
}

namespace detail {

constexpr RandomElements random_elements(const MaskDraw& draw, Purpose purpose, std::size_t trial) noexcept {
  constexpr auto apart =
      static_cast<std::uint32_t>(Purpose::valid_mask_select) - static_cast<std::uint32_t>(Purpose::mask_select);
  const std::uint32_t number = static_cast<std::uint32_t>(purpose) + (draw.validation ? apart : 0u);
  return RandomElements(random_place(draw.seed, static_cast<Purpose>(number), trial, draw.step));
}

/// mark(i) for every i < n in the span that begins at s: s - (width - 1) / 2 ... s + width / 2, one more after it than
/// before it where the width is even. Ends are cut off, spans may overlap.
template <class Mark>
constexpr void mark_span(std::size_t n, std::size_t width, std::size_t s, Mark mark) {
  const std::size_t before = (width - 1) / 2, end = min_size(n, s + width / 2 + 1);
  for (std::size_t i = s < before ? 0 : s - before; i < end; ++i) mark(i);
}

}  // namespace detail

/// weight (bins, neurons) = 1 where the element is selected for the loss, else 0. Returns how many are.
template <class T>
std::size_t select_elements(T* weight, const TrialShape& shape, MaskMode mode, const MaskDraw& draw,
                            std::size_t trial) noexcept {
  const std::size_t bins = shape.observed_bins, held_in = shape.held_in, N = shape.neurons;
  for (std::size_t t = 0; t < shape.bins; ++t) {
    for (std::size_t n = 0; n < N; ++n) weight[t * N + n] = shape.observed(t, n) ? T(0) : T(1);
  }
  const Chance chance(draw.ratio);
  auto random = detail::random_elements(draw, Purpose::mask_select, mode == MaskMode::timestep_only ? 0 : trial);
  const auto mark_bin = [&](std::size_t t) {
    for (std::size_t n = 0; n < held_in; ++n) weight[t * N + n] = T(1);
  };
  const auto mark_neuron = [&](std::size_t n) {
    for (std::size_t t = 0; t < bins; ++t) weight[t * N + n] = T(1);
  };
  switch (mode) {
    case MaskMode::timestep:
    case MaskMode::timestep_only:
      for (std::size_t s = 0; s < bins; ++s) {
        if (chance(random[s])) detail::mark_span(bins, draw.width, s, mark_bin);
      }
      break;
    case MaskMode::neuron:
      for (std::size_t s = 0; s < held_in; ++s) {
        if (chance(random[s])) detail::mark_span(held_in, draw.width, s, mark_neuron);
      }
      break;
    case MaskMode::full:
      for (std::size_t s = 0; s < bins; ++s) {
        for (std::size_t n = 0; n < held_in; ++n) {
          if (!chance(random[s * held_in + n])) continue;
          detail::mark_span(bins, draw.width, s, [&](std::size_t t) { weight[t * N + n] = T(1); });
        }
      }
      break;
  }
  std::size_t selected = 0;
  for (std::size_t i = 0; i < shape.elements(); ++i) selected += weight[i] != T(0);
  return selected;
}

/// input = counts, clipped to values.largest, with the token in place of a selected element with probability
/// token_ratio, each by itself: a selected bin can be hidden in part. 0 for held-out neurons and forward bins.
template <class Count, class T, class Source>
void hide_elements(Count* input, const Source* counts, const T* weight, const TrialShape& shape,
                   const MaskSettings& settings, const MaskDraw& draw, std::size_t trial,
                   const MaskValues& values) noexcept {
  const Chance chance(settings.token_ratio);
  auto random = detail::random_elements(draw, Purpose::mask_token, trial);
  for (std::size_t t = 0, i = 0; t < shape.bins; ++t) {
    for (std::size_t n = 0; n < shape.neurons; ++n, ++i) {
      if (!shape.observed(t, n)) {
        input[i] = Count(0);
      } else if (weight[i] != T(0) && (chance.always() || chance(random[i]))) {
        input[i] = static_cast<Count>(values.token);
      } else {
        input[i] = static_cast<Count>(std::min(static_cast<std::uint32_t>(counts[i]), values.largest));
      }
    }
  }
}

/// After hide_elements: selected elements that are still there become random counts with probability random_ratio.
template <class Count, class T>
void replace_elements(Count* input, const T* weight, const TrialShape& shape, const MaskSettings& settings,
                      const MaskDraw& draw, std::size_t trial, const MaskValues& values) noexcept {
  const Chance hidden(settings.token_ratio), chance(settings.random_ratio);
  if (hidden.always() || chance.never()) return;
  auto token = detail::random_elements(draw, Purpose::mask_token, trial);
  auto replace = detail::random_elements(draw, Purpose::mask_replace, trial);
  auto count = detail::random_elements(draw, Purpose::mask_count, trial);
  for (std::size_t t = 0; t < shape.observed_bins; ++t) {
    for (std::size_t n = 0; n < shape.held_in; ++n) {
      const std::size_t i = t * shape.neurons + n;
      if (weight[i] == T(0) || hidden(token[i]) || !chance(replace[i])) continue;
      // Multiplied and shifted: a count is more likely than another by one part in 2^32 / random_below at most.
      input[i] = static_cast<Count>((std::uint64_t{count[i]} * values.random_below) >> 32);
    }
  }
}

/// The largest count of the trial; 0 where there is none.
template <class Count>
std::uint32_t largest_count(const Count* counts, std::size_t elements) noexcept {
  Count largest(0);
  for (std::size_t i = 0; i < elements; ++i) largest = largest < counts[i] ? counts[i] : largest;
  return static_cast<std::uint32_t>(largest);
}

/// Masks one trial, `trial` being its index in the data set; counts (bins, neurons). Returns the number of selected
/// elements. Their sum over the batch, known before the forward pass, is what the loss is divided by; it can be 0.
template <class T, class Count, class Source>
std::size_t mask_trial(const MaskedTrial<T, Count>& out, const Source* counts, const TrialShape& shape,
                       const MaskSettings& settings, const MaskDraw& draw, std::size_t trial,
                       const MaskValues& values) noexcept {
  const std::size_t selected = select_elements(out.weight, shape, settings.mode, draw, trial);
  hide_elements(out.input, counts, out.weight, shape, settings, draw, trial, values);
  replace_elements(out.input, out.weight, shape, settings, draw, trial, values);
  for (std::size_t i = 0; i < shape.elements(); ++i) out.target[i] = static_cast<T>(counts[i]);
  return selected;
}

/// A trial for the unmasked loss: nothing is hidden but held-out neurons and forward bins, and all the rest is scored.
/// Returns the number of selected elements.
///
/// `reproduce`: the reference leaves out the first held-out neuron alone, and scores the others against zero.
template <class T, class Count, class Source>
std::size_t unmasked_trial(const MaskedTrial<T, Count>& out, const Source* counts, const TrialShape& shape,
                           bool reproduce) noexcept {
  std::size_t selected = 0;
  for (std::size_t t = 0, i = 0; t < shape.bins; ++t) {
    for (std::size_t n = 0; n < shape.neurons; ++n, ++i) {
      const bool seen = shape.observed(t, n);
      const bool scored = seen || (reproduce && t < shape.observed_bins && n > shape.held_in);
      out.input[i] = seen ? static_cast<Count>(counts[i]) : Count(0);
      out.target[i] = reproduce && !seen ? T(0) : static_cast<T>(counts[i]);
      out.weight[i] = scored ? T(1) : T(0);
      selected += scored;
    }
  }
  return selected;
}

}  // namespace ndt::inline NDT_TARGET::data
