// ndt/readout/config.hpp: what is read out of a model's activity, such as the velocity of a hand, and how.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/status.hpp"
#include "ndt/model/config.hpp"

namespace ndt::inline NDT_TARGET {

enum class ReadoutKind : std::uint8_t {
  none,
  ridge,   ///< a line: behavior = W inputs + b
  kalman,  ///< a Kalman filter whose state is the behaviour and whose observation is the inputs
};

/// What of a bin is looked at.
enum class ReadoutFeatures : std::uint8_t {
  rates,      ///< (neurons): counts per bin
  log_rates,  ///< (neurons); not of a model that gives rates
  hidden,     ///< (width): the encoder's output after its final norm
};

/// The shape and switches of a read-out. Its inputs are the features of the last H bins, the oldest first; before the
/// first bin of a trial stands that bin itself. A structural type, as ModelConfig.
struct ReadoutConfig {
  ReadoutKind kind = ReadoutKind::none;
  ReadoutFeatures features = ReadoutFeatures::rates;
  std::size_t outputs = 0;  ///< dimensions of the behaviour
  std::size_t history = 1;  ///< H, bins looked at
  std::int64_t lag = 0;     ///< bins by which activity leads behaviour: bin t of one tells of t + lag of the other
  std::size_t gains = 0;    ///< of a Kalman filter: bins until its gain no longer changes
  std::uint64_t fingerprint = 0;  ///< of the model that it was fitted for: see fingerprint()

  static constexpr std::size_t most_outputs = 64, most_history = 1024, most_gains = 4096;

  constexpr bool operator==(const ReadoutConfig&) const noexcept = default;
  constexpr bool exists() const noexcept { return kind != ReadoutKind::none; }
  /// Features of a bin.
  constexpr std::size_t width(const ModelConfig& model) const noexcept {
    return features == ReadoutFeatures::hidden ? model.width() : model.neurons;
  }
  constexpr std::size_t inputs(const ModelConfig& model) const noexcept { return history * width(model); }
  /// Whichever of the three is looked at.
  template <class P>
  constexpr P pick(P rates, P log_rates, P hidden_states) const noexcept {
    return features == ReadoutFeatures::rates ? rates : features == ReadoutFeatures::hidden ? hidden_states : log_rates;
  }

  /// Whether such a read-out of such a model can exist. None at all can.
  constexpr Status validate(const ModelConfig& model) const noexcept {
    if (!exists()) return {};
    struct Size {
      const char* name;
      std::size_t value, least, most;
    };
    const bool filters = kind == ReadoutKind::kalman;
    const Size sizes[] = {{"readout outputs", outputs, 1, most_outputs},
                          {"readout history", history, 1, most_history},
                          {"readout gains", gains, filters ? 1u : 0u, filters ? most_gains : 0}};
    for (const Size& size : sizes) {
      if (size.value < size.least) return {Error::size_is_zero, size.name, {}, {}};
      if (size.value > size.most) return {Error::size_too_large, size.name, Extents(size.most), Extents(size.value)};
    }
    if (inputs(model) > ModelConfig::largest_size) {
      return {Error::size_too_large, "readout inputs", Extents(ModelConfig::largest_size), Extents(inputs(model))};
    }
    const auto most_lag = static_cast<std::int64_t>(most_history);
    if (lag > most_lag || lag < -most_lag) {
      // Of the smallest number there is no opposite.
      const auto bits = static_cast<std::uint64_t>(lag);
      return {Error::size_too_large, "readout lag", Extents(most_history),
              Extents(static_cast<std::size_t>(lag < 0 ? 0 - bits : bits))};
    }
    if (features == ReadoutFeatures::log_rates && !model.lograte) {
      return {Error::readout_needs_log_rates, "readout features", {}, {}};
    }
    return {};
  }
};

}  // namespace ndt::inline NDT_TARGET
