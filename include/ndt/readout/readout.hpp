// ndt/readout/readout.hpp: behaviour out of a bin's activity. A ridge regression with history, or a Kalman filter in
// which all that does not depend on the data (covariances and gains) was computed when it was fitted
// (ndt/train/kalman_fit.hpp), so that a bin is two products of a matrix and a vector.
#pragma once

#include <cstddef>
#include <limits>
#include <span>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/finite.hpp"
#include "ndt/core/status.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/layers/linear.hpp"
#include "ndt/model/binding.hpp"
#include "ndt/model/config.hpp"
#include "ndt/model/weights.hpp"
#include "ndt/readout/config.hpp"

namespace ndt::inline NDT_TARGET {

/// The tensors of a read-out.
template <class V>
struct ReadoutWeights {
  using T = typename V::value_type;
  ReadoutConfig config{};
  Linear<V, Dim<dyn>, Dim<dyn>> linear{Dim<dyn>(0), Dim<dyn>(0)};  ///< inputs to behaviour, or to what is filtered
  // Of a Kalman filter, whose state is behaviour without its mean:
  const T* gain = nullptr;  ///< (gains, outputs, 2 outputs): on the last state and on linear's result
  const T* mean = nullptr;  ///< (outputs)

  constexpr ReadoutWeights() noexcept = default;
  constexpr ReadoutWeights(const ReadoutConfig& readout, const ModelConfig& shape) noexcept
      : config(readout), linear(Dim<dyn>(readout.inputs(shape)), Dim<dyn>(readout.outputs)) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path) {
    if (!config.exists()) return;
    linear.visit_tensors(f, path);
    if (config.kind != ReadoutKind::kalman) return;
    f(path + ".gain", gain, TensorSpec{Extents(config.gains, config.outputs, 2 * config.outputs)});
    f(path + ".mean", mean, TensorSpec{Extents(config.outputs)});
  }
};

/// Elements of a packed read-out.
template <class V>
constexpr std::size_t readout_packed_size(const ReadoutConfig& readout, const ModelConfig& model) noexcept {
  return packed_size_of(ReadoutWeights<V>(readout, model));
}

/// Packs readout.weight (outputs, inputs), readout.bias (outputs) and, of a Kalman filter, readout.gain (gains,
/// outputs, 2 outputs) and readout.mean (outputs) into `memory`, as pack_weights does for a model.
template <class V, class Source>
constexpr Status pack_readout(std::span<typename V::value_type> memory, const ReadoutConfig& readout,
                              const ModelConfig& model, Source&& source) noexcept {
  if (const Status status = readout.validate(model); !status.ok()) return status;
  ReadoutWeights<V> weights(readout, model);
  return detail::pack_tensors(memory, readout_packed_size<V>(readout, model), "packed readout", source,
                              [&](auto&& f) { weights.visit_tensors(f, Name("readout")); });
}

/// A read-out at work on one stream.
template <class V>
class Readout {
 public:
  using T = typename V::value_type;

  constexpr Readout() noexcept = default;
  /// Over packed weights and state, state_size() elements of zeros, that must outlive it.
  constexpr Readout(const ReadoutConfig& config, const ModelConfig& shape, const T* packed, T* state) noexcept
      : weights_(bound(ReadoutWeights<V>(config, shape), packed)), width_(config.width(shape)) {
    Arena<T> arena(state);
    plan(arena, config, shape);
  }
  static constexpr std::size_t state_size(const ReadoutConfig& config, const ModelConfig& model) noexcept {
    Arena<T> arena(nullptr);
    Readout().plan(arena, config, model);
    return arena.used();
  }

  constexpr void reset() noexcept {
    started_ = false;
    next_ = bin_ = 0;
    for (std::size_t o = 0; o < 2 * outputs(); ++o) state_[o] = T(0);
    blank();
  }
  constexpr void blank() noexcept {
    for (std::size_t o = 0; o < outputs(); ++o) behavior_[o] = std::numeric_limits<T>::quiet_NaN();
  }

  /// The next bin of the trial, features(width): behavior() is its behaviour from here on. False if a feature or the
  /// behaviour is not finite: then the last one stays, or 0 if there was none. Such features leave no trace; behaviour
  /// leaves none but in the history.
  bool push(const T* features) noexcept {
    if (!all_finite(features, width_)) return hold();
    remember(features);
    const std::size_t n = outputs();
    const bool filters = weights_.config.kind == ReadoutKind::kalman;
    T* const line = filters ? state_ + n : fresh_;
    weights_.linear.forward({line, n}, {inputs(), weights_.linear.inputs}, 1);
    if (filters) {
      const T* const gain = gain_of(min_size(bin_, weights_.config.gains - 1));
      for (std::size_t o = 0; o < n; ++o) {
        T sum(0);
        for (std::size_t i = 0; i < 2 * n; ++i) sum += gain[o * 2 * n + i] * state_[i];
        fresh_[o] = sum;
      }
    }
    const auto shown = [&](std::size_t o) { return filters ? weights_.mean[o] + fresh_[o] : fresh_[o]; };
    for (std::size_t o = 0; o < n; ++o) {
      if (!is_finite(shown(o))) return hold();
    }
    if (bin_ < weights_.config.gains) ++bin_;
    for (std::size_t o = 0; o < n; ++o) {
      if (filters) state_[o] = fresh_[o];
      behavior_[o] = shown(o);
    }
    return true;
  }

  /// (outputs); NaN where there is no result, 0 in a static decoder before the first.
  constexpr const T* behavior() const noexcept { return behavior_; }
  /// (inputs): what the last bin was read out of.
  constexpr const T* inputs() const noexcept { return ring_ + next_ * width_; }
  constexpr std::size_t outputs() const noexcept { return weights_.config.exists() ? weights_.config.outputs : 0; }
  /// Of a Kalman filter, after push(): (outputs), what came out of its line for the last bin, and (outputs, 2 outputs),
  /// the gains of that bin, of which the second half of every row is on the line.
  constexpr const T* line() const noexcept { return state_ + outputs(); }
  constexpr const T* gain() const noexcept { return gain_of(bin_ - 1); }
  constexpr const T* packed() const noexcept { return weights_.linear.weight; }
  /// Other weights of the same shape, from the next bin on.
  constexpr void use(const T* packed) noexcept { weights_ = bound(weights_, packed); }

 private:
  constexpr void plan(Arena<T>& arena, const ReadoutConfig& config, const ModelConfig& model) noexcept {
    if (!config.exists()) return;
    ring_ = arena.take(2 * config.inputs(model));
    state_ = arena.take(2 * config.outputs);
    fresh_ = arena.take(config.outputs);
    behavior_ = arena.take(config.outputs);
  }
  constexpr const T* gain_of(std::size_t bin) const noexcept { return weights_.gain + bin * 2 * outputs() * outputs(); }
  static bool all_finite(const T* x, std::size_t n) noexcept {
    bool finite = true;
    for (std::size_t i = 0; i < n; ++i) finite = finite && is_finite(x[i]);
    return finite;
  }
  /// No behaviour at all is the one answer that moves nothing.
  bool hold() noexcept {
    if (all_finite(behavior_, outputs())) return false;
    for (std::size_t o = 0; o < outputs(); ++o) behavior_[o] = T(0);
    return false;
  }
  /// Every bin is written twice, H rows apart, so that the last H of them always lie in one piece.
  void remember(const T* features) noexcept {
    const std::size_t H = weights_.config.history;
    const auto write = [&](std::size_t row) { kernels::copy<V>(ring_ + row * width_, features, width_); };
    if (!started_) {
      for (std::size_t row = 0; row < 2 * H; ++row) write(row);
      started_ = true;
    }
    write(next_);
    write(next_ + H);
    next_ = next_ + 1 == H ? 0 : next_ + 1;
  }

  ReadoutWeights<V> weights_{};
  std::size_t width_ = 0;
  T *ring_ = nullptr, *state_ = nullptr, *fresh_ = nullptr, *behavior_ = nullptr;
  std::size_t next_ = 0;  ///< the oldest row of the history, which is overwritten next
  std::size_t bin_ = 0;   ///< of the trial, up to the last gain
  bool started_ = false;
};

}  // namespace ndt::inline NDT_TARGET
