// ndt/stream/row_stream.hpp: one bin, one row of work in each layer. What a row saw never changes, so its keys and
// values are kept in rings; a layer that looks ahead gives a row when the last bin that it reads is there.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/layers/attention.hpp"
#include "ndt/layers/encoder_layer.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/stream/config.hpp"

namespace ndt::inline NDT_TARGET {

/// The policy `delayed`, and `immediate` where nothing looks ahead. Time counts bins and, after the last one, the calls
/// that bring out what is late: layer l is given row `time - l * wait` and gives row `time - (l + 1) * wait`.
template <class Shape, class V>
class RowStream {
 public:
  using T = typename V::value_type;
  using Model = Transformer<Shape, V>;

  constexpr RowStream() noexcept = default;
  /// state: size() elements, best on a 64-byte boundary, of any content.
  constexpr RowStream(const Model& served, const StreamConfig& config, T* state) noexcept
      : model_(served),
        wait_(config.wait(served.config())),
        capacity_(ring_size(served.config(), wait_)),
        state_(state) {}

  static constexpr std::size_t size(const Model& model, const StreamConfig& config) noexcept {
    const RowStream stream(model, config, nullptr);
    Arena<T> arena(nullptr);
    stream.plan(arena);
    return arena.used();
  }

  constexpr void reset() noexcept { time_ = received_ = 0; }
  /// Rows that came out since reset().
  constexpr std::size_t given() const noexcept { return time_ < delay() ? 0 : min_size(time_ - delay(), received_); }

  /// The next bin of the trial, which must have a position: counts(neurons), clipped. True if a row came out into
  /// `out`.
  bool push(const Outputs<T>& out, const T* counts) noexcept {
    NDT_ASSERT(received_ < model_.config().trial_length && time_ == received_);
    ++received_;
    return advance(out, counts);
  }
  /// After the last bin: one of the rows that are late. False when there are none. A trial shorter than the delay is
  /// worked off by the first call.
  bool flush(const Outputs<T>& out) noexcept {
    while (given() < received_) {
      if (advance(out, nullptr)) return true;
    }
    return false;
  }

 private:
  struct Buffers {
    T *x, *spare, *hidden, *projected, *scratch, *layers;
    std::size_t layer_size;
  };
  /// What a layer keeps: keys and values, and the rows that wait for the bins ahead of them, with their queries.
  struct Layer {
    AttentionBuffers<T> attention;
    Rows<T> waiting;
  };

  static constexpr std::size_t ring_size(const ModelConfig& config, std::size_t wait) noexcept {
    const std::size_t backward = config.band().backward;
    return backward >= config.trial_length ? config.trial_length : min_size(backward + wait + 1, config.trial_length);
  }
  constexpr std::size_t delay() const noexcept { return model_.config().layers * wait_; }

  constexpr Layer plan_layer(Arena<T>& arena) const noexcept {
    const std::size_t stride = 2 * round_up(model_.shape().width(), kernels::panel_width);
    Layer layer;
    layer.attention = SelfAttention<V, Shape>(model_.shape()).plan(arena, capacity_, 0);
    layer.waiting = {arena.take(wait_ == 0 ? 0 : (wait_ + 1) * stride), stride};
    return layer;
  }
  constexpr Buffers plan(Arena<T>& arena) const noexcept {
    const Shape& shape = model_.shape();
    Buffers buffers{};
    buffers.x = arena.take(shape.width());
    buffers.spare = arena.take(shape.width());
    buffers.hidden = arena.take(max_size(shape.hidden_size(), ModelConfig::decoder_hidden));
    buffers.projected = arena.take(3 * shape.width());
    buffers.scratch = arena.take(round_up(capacity_, kernels::panel_width));
    Arena<T> one(nullptr);
    plan_layer(one);
    buffers.layer_size = one.used();
    buffers.layers = arena.take(model_.config().layers * buffers.layer_size);
    return buffers;
  }

  bool advance(const Outputs<T>& out, const T* counts) noexcept {
    Arena<T> arena(state_);
    const Buffers at = plan(arena);
    const std::size_t D = model_.shape().width();
    const Rows<T> x{at.x, D}, spare{at.spare, D}, hidden{at.hidden, 0};
    std::size_t row = time_++;
    bool there = counts != nullptr;
    if (there) model_.embedding().forward(x, counts, spare, row, 1, model_.config().max_spikes);
    for (std::size_t i = 0; i < model_.config().layers; ++i) {
      const EncoderLayer<V, Shape> layer = model_.layer(i);
      Arena<T> mine(at.layers + i * at.layer_size);
      const Layer kept = plan_layer(mine);
      if (there) project(layer, kept, at, row);
      if (row < wait_) return false;
      row -= wait_;
      there = row < received_;
      if (!there) continue;
      const T* projected = at.projected;
      if (wait_ != 0) {
        T* const waited = kept.waiting[row % (wait_ + 1)];
        kernels::copy<V>(at.x, waited, model_.shape().width());
        projected = waited + kept.waiting.stride / 2;
      }
      const Band band = layer.self_attn.band;
      const std::size_t first = band.first(row), last = band.last(row, min_size(row + wait_ + 1, received_));
      layer.self_attn.attend_ring(at.spare, kept.attention, projected, first % capacity_, last - first + 1, at.scratch);
      layer.finish(x, spare, hidden, 1);
    }
    if (there) model_.decode(out, x, spare, hidden, 1);
    return there;
  }

  /// Row `row` of a layer's input, in at.x: its keys and values go into the ring.
  void project(const EncoderLayer<V, Shape>& layer, const Layer& kept, const Buffers& at,
               std::size_t row) const noexcept {
    const std::size_t D = model_.shape().width(), place = row % capacity_;
    const Rows<T> projected{at.projected, 3 * D};
    layer.self_attn.in_proj.forward(projected, layer.attended({at.x, D}, {at.spare, D}, 1), 1);
    layer.self_attn.keep_in_ring(kept.attention, at.projected, place);
    if (wait_ == 0) return;
    T* const waiting = kept.waiting[row % (wait_ + 1)];
    kernels::copy<V>(waiting, at.x, model_.shape().width());
    kernels::copy<V>(waiting + kept.waiting.stride / 2, at.projected, model_.shape().width());
  }

  Model model_{};
  std::size_t wait_ = 0, capacity_ = 0;
  T* state_ = nullptr;
  std::size_t time_ = 0, received_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
