// ndt/stream/window_stream.hpp: the newest bin's output in a trial that is still growing, or in a window that slides.
// Only rows that can have changed and can be seen are computed; the arithmetic is that of Transformer::forward.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/attention.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/layers/attention.hpp"
#include "ndt/layers/encoder_layer.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/stream/config.hpp"

namespace ndt::inline NDT_TARGET {

/// The policies `windowed`, and `immediate` where something looks ahead. In a trial that grows a new bin changes the
/// rows that can see it: F in the first layer, 2F in the second; every layer's rows are kept. In a window that slides
/// every bin's position changes, so nothing is kept but the counts, and rows that the newest bin cannot see are left
/// out. A trial that has outgrown the window slides.
template <class Shape, class V>
class WindowStream {
 public:
  using T = typename V::value_type;
  using Model = Transformer<Shape, V>;

  constexpr WindowStream() noexcept = default;
  /// window: bins, at most trial_length. grows: the first `window` bins keep their positions. state: size() elements,
  /// best on a 64-byte boundary, of any content.
  constexpr WindowStream(const Model& served, std::size_t window, bool grows, T* state) noexcept
      : model_(served), window_(window), grows_(grows), state_(state) {}

  static constexpr std::size_t size(const Model& model, std::size_t window, bool grows) noexcept {
    Arena<T> arena(nullptr);
    WindowStream(model, window, grows, nullptr).plan(arena);
    return arena.used();
  }

  constexpr void reset() noexcept { received_ = 0; }

  /// A bin that only counts as one of those that came before: counts(neurons), clipped.
  void remember(const T* counts) noexcept {
    Arena<T> arena(state_);
    remember(plan(arena), counts);
  }

  /// The next bin: counts(neurons), clipped. Its row comes out into `out`.
  void push(const Outputs<T>& out, const T* counts) noexcept {
    Arena<T> arena(state_);
    const Buffers at = plan(arena);
    remember(at, counts);
    const std::size_t bins = min_size(received_, window_), L = model_.config().layers;
    embed(at, bins);
    for (std::size_t i = 0; i < L; ++i) {
      const EncoderLayer<V, Shape> layer = model_.layer(i);
      const AttentionBuffers<T> attention = attention_of(at, i);
      const Rows<T> x = x_of(at, i), y = x_of(at, i + 1);
      const std::size_t first = first_row(i + 1, bins);
      layer.project(attention, x, at.spare, first_row(i, bins), bins);
      if (grows_) {
        for (std::size_t t = first; t < bins; ++t) kernels::copy<V>(y[t], x[t], model_.shape().width());
      }
      layer.transform(y, attention, at.spare, at.hidden, bins, first, bins, at.scratch, {});
    }
    model_.decode(out, x_of(at, L).from(bins - 1), at.spare, at.hidden, 1);
  }

 private:
  struct Buffers {
    Rows<T> spare, hidden;
    T *scratch, *x, *attention, *counts;
    std::size_t x_size, attention_size;
  };

  void remember(const Buffers& at, const T* counts) noexcept {
    kernels::copy<V>(at.counts + received_ % window_ * model_.shape().neurons(), counts, model_.shape().neurons());
    // Without end, where a stream is.
    if (++received_ == 3 * window_) received_ = 2 * window_;
  }

  /// The first row of layer i's input that is computed for a trial of so many bins, the last of them new; for i = L, of
  /// the output.
  constexpr std::size_t first_row(std::size_t i, std::size_t bins) const noexcept {
    const Band band = model_.config().band();
    const std::size_t L = model_.config().layers;
    std::size_t row = bins - 1;
    if (i == L) return row;
    if (growing()) return band.forward == dyn || i * band.forward >= row ? (i == 0 ? row : 0) : row - i * band.forward;
    for (; i < L && row != 0; ++i) row = band.first(row);
    return row;
  }

  constexpr bool growing() const noexcept { return grows_ && received_ <= window_; }

  constexpr Buffers plan(Arena<T>& arena) const noexcept {
    const Shape& shape = model_.shape();
    const auto rows = [&](std::size_t columns) {
      const std::size_t stride = round_up(columns, kernels::panel_width);
      return Rows<T>{arena.take(window_ * stride), stride};
    };
    // What a trial keeps there is of each layer, and the output's rows beside it.
    const std::size_t kept = grows_ ? model_.config().layers : 1;
    Buffers buffers{};
    buffers.spare = rows(shape.width());
    buffers.hidden = rows(max_size(shape.hidden_size(), ModelConfig::decoder_hidden));
    buffers.scratch = arena.take(kernels::attention_scratch_size<V>(window_));
    buffers.x_size = window_ * round_up(shape.width(), kernels::panel_width);
    buffers.x = arena.take((grows_ ? kept + 1 : kept) * buffers.x_size);
    Arena<T> one(nullptr);
    SelfAttention<V, Shape>(shape).plan(one, window_, window_);
    buffers.attention_size = one.used();
    buffers.attention = arena.take(kept * buffers.attention_size);
    buffers.counts = arena.take(window_ * shape.neurons());
    return buffers;
  }
  constexpr Rows<T> x_of(const Buffers& at, std::size_t i) const noexcept {
    return {at.x + (grows_ ? i * at.x_size : 0), round_up(model_.shape().width(), kernels::panel_width)};
  }
  constexpr AttentionBuffers<T> attention_of(const Buffers& at, std::size_t i) const noexcept {
    Arena<T> arena(at.attention + (grows_ ? i * at.attention_size : 0));
    return SelfAttention<V, Shape>(model_.shape()).plan(arena, window_, window_);
  }

  /// The rows that first_row(0) says, from the counts remembered.
  void embed(const Buffers& at, std::size_t bins) const noexcept {
    const auto rows = [&](std::size_t first, const T* counts, std::size_t count) {
      model_.embedding().forward(x_of(at, 0).from(first), counts, at.spare, first, count, model_.config().max_spikes);
    };
    // The oldest bin of a full ring lies where the next one will.
    const std::size_t N = model_.shape().neurons(), first = first_row(0, bins);
    const std::size_t start = received_ > window_ ? received_ % window_ : 0;
    const std::size_t turn = min_size(window_ - start, bins);
    if (first < turn) rows(first, at.counts + (start + first) * N, turn - first);
    const std::size_t behind = max_size(first, turn);
    if (behind < bins) rows(behind, at.counts + (behind - turn) * N, bins - behind);
  }

  Model model_{};
  std::size_t window_ = 0;
  bool grows_ = false;
  T* state_ = nullptr;
  std::size_t received_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
