// ndt/stream/config.hpp: how a stream of bins is served.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/status.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

/// What the output of a bin equals (within the bounds of README.md, "What is exact"), and what it costs. L layers with
/// a context of F bins ahead and B back; a row is one bin's way through one layer.
enum class StreamPolicy : std::uint8_t {
  delayed,    ///< the trial's own result, L F bins late (see delay()); L rows a bin. Where F is 0 nothing is late
  immediate,  ///< the newest bin's result in the trial as it is so far; up to F + 2F + ... + (L - 1) F + L rows a bin
  windowed,   ///< the newest bin's result in a trial made of the last W bins; up to (L - 1) W + 1 rows a bin
};

/// What happens to the bin after the last that has a position.
enum class PastEnd : std::uint8_t {
  stop,      ///< it and all that follow give NaN, and say so, until reset()
  restart,   ///< it is the first of a new trial. What a delay holds back is lost unless it was flushed
  windowed,  ///< from here on a window as long as the positions slides
};

/// A structural type: a constexpr StreamConfig can be a template argument.
struct StreamConfig {
  StreamPolicy policy = StreamPolicy::delayed;
  PastEnd past_end = PastEnd::stop;
  std::size_t window = 0;  ///< W, bins that `windowed` looks at; 0: as many as have positions

  constexpr bool operator==(const StreamConfig&) const noexcept = default;

  /// Whether keys and values are kept from bin to bin and never change, one row a layer and bin.
  constexpr bool keeps_rows(const ModelConfig& model) const noexcept {
    return policy == StreamPolicy::delayed || (policy == StreamPolicy::immediate && model.band().forward == 0);
  }
  /// Whether every bin is the last of a window that slides.
  constexpr bool slides() const noexcept { return policy == StreamPolicy::windowed; }
  /// Whether the bin behind the last position is the first of a new trial.
  constexpr bool restarts() const noexcept { return !slides() && past_end == PastEnd::restart; }
  /// Whether some bins are served as the last of a window.
  constexpr bool has_window(const ModelConfig& model) const noexcept {
    return !keeps_rows(model) || past_end == PastEnd::windowed;
  }
  constexpr std::size_t window_of(const ModelConfig& model) const noexcept {
    return slides() && window != 0 ? window : model.trial_length;
  }
  /// Bins that a layer waits for before it gives a row: with CONTEXT_WRAP_INITIAL the first rows need all of the block.
  constexpr std::size_t wait(const ModelConfig& model) const noexcept {
    const Band band = model.band();
    const std::size_t wrap = min_size(band.wrap, model.trial_length);
    // Nobody waits for more than the rest of a trial.
    return keeps_rows(model) ? min_size(max_size(band.forward, wrap == 0 ? 0 : wrap - 1), model.trial_length - 1) : 0;
  }
  /// Bins by which the output is late: L F, or, if it is more, L (CONTEXT_BACKWARD - 1) with CONTEXT_WRAP_INITIAL.
  constexpr std::size_t delay(const ModelConfig& model) const noexcept { return model.layers * wait(model); }

  /// Whether a stream can serve the model like this.
  constexpr Status validate(const ModelConfig& model) const noexcept {
    if (const Status status = model.validate(); !status.ok()) return status;
    const Band band = model.band();
    if (policy == StreamPolicy::delayed && band.forward == dyn) {
      return {Error::look_ahead_without_limit, "CONTEXT_FORWARD", {}, {}};
    }
    if (band.wrap != 0 && (policy != StreamPolicy::delayed || past_end == PastEnd::windowed)) {
      return {Error::wrap_needs_delayed, "CONTEXT_WRAP_INITIAL", {}, {}};
    }
    if (window > model.trial_length) {
      return {Error::window_too_long, "window", Extents(model.trial_length), Extents(window)};
    }
    if (past_end == PastEnd::windowed && delay(model) != 0) {
      return {Error::past_end_with_delay, "past_end", Extents(std::size_t{0}), Extents(delay(model))};
    }
    // As for weights: memory must be countable in size_t, which has 32 bits on a microcontroller.
    const auto number = [](std::size_t n) { return static_cast<double>(n); };
    const double rows = number(model.layers + 1) * number(model.trial_length + 16);
    const double elements = 10 * rows * (number(model.width()) + 16 * number(model.heads) + 16) +
                            number(model.trial_length) * (number(model.hidden_size) + number(model.neurons) + 32);
    if (elements > number(std::numeric_limits<std::size_t>::max() / 64)) {
      return {Error::size_too_large, "streaming state", {}, {}};
    }
    return {};
  }
};

}  // namespace ndt::inline NDT_TARGET
