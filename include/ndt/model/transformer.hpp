// ndt/model/transformer.hpp: the Neural Data Transformer's forward pass (Ye & Pandarinath 2021, figure 1; reference:
// src/model.py, NeuralDataTransformer).
//
//   ndt::StaticTransformer<config>   the shape is a type: weights in flash, workspace an array
//   ndt::DynamicTransformer          the shape is data: bind() checks it and the memory
//
// A model is a shape and a pointer to packed weights. It is never written to after it is bound, so any number of
// workspaces, on any number of threads, may use one model at the same time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/name.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/core/status.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/layers/decoder.hpp"
#include "ndt/layers/embedding.hpp"
#include "ndt/layers/encoder_layer.hpp"
#include "ndt/layers/norm.hpp"
#include "ndt/model/binding.hpp"
#include "ndt/model/config.hpp"
#include "ndt/model/shape.hpp"
#include "ndt/simd.hpp"

namespace ndt::inline NDT_TARGET {

/// Where forward() writes, trial after trial; null for what is not wanted.
template <class T>
struct Outputs {
  T* log_rates = nullptr;  ///< (trials, bins, neurons): ln(counts per bin), or the rates themselves if !config.lograte
  T* hidden = nullptr;     ///< (trials, bins, width): the encoder's output after its final norm
  T* layers = nullptr;     ///< (trials, L, bins, width): every layer's output, before the final norm
  T* attention = nullptr;  ///< (trials, L, bins, bins): softmax weights [reader, read], mean over heads
};

/// The largest count that forward() takes as it is; what is above is clipped to it.
enum class LargestCount : std::uint8_t {
  max_spikes,  ///< of recordings, which the reference clips like this
  mask_token,  ///< max_spikes + 1, which stands for a masked count and has the last row of the table
};

template <class Shape, class V = simd::native<float>>
class Transformer {
 public:
  using T = typename V::value_type;
  using value_type = T;
  using shape_type = Shape;
  using vector_type = V;

  /// Bound to nothing: good for its sizes, not for forward().
  constexpr Transformer() noexcept = default;
  constexpr explicit Transformer(const Shape& shape) noexcept : shape_(shape) {}

  /// A model whose shape is a type, over packed weights of exactly its size, usable in constinit.
  template <std::size_t Count>
  requires(std::is_empty_v<Shape>&& Count ==
           model_packed_size<V>(Shape{})) constexpr explicit Transformer(std::span<const T, Count> packed) noexcept
      : packed_(packed.data()) {}
  template <std::size_t Count>
  requires(std::is_empty_v<Shape>&& Count ==
           model_packed_size<V>(Shape{})) constexpr explicit Transformer(const T (&packed)[Count]) noexcept
      : packed_(packed) {}

  /// A model over packed weights that must outlive it. Fails if the configuration or the amount of memory is wrong.
  constexpr Status bind(const Shape& shape, std::span<const T> packed) noexcept {
    if (const Status status = shape.config.validate(); !status.ok()) return status;
    const std::size_t needed = Transformer(shape).packed_size();
    if (packed.size() < needed)
      return {Error::memory_too_small, "packed weights", Extents(needed), Extents(packed.size())};
    shape_ = shape;
    packed_ = packed.data();
    return {};
  }

  constexpr const ModelConfig& config() const noexcept { return shape_.config; }
  constexpr const Shape& shape() const noexcept { return shape_; }
  constexpr const T* packed() const noexcept { return packed_; }

  /// f(name, pointer to packed data, spec) for every weight tensor, in packed order. Names are PyTorch's.
  template <class F>
  constexpr void visit_tensors(F&& f) const {
    auto next = packed_;
    const auto bound = [&](const Name& name, const T*&, const TensorSpec& spec) {
      f(name, next, spec);
      if (next != nullptr) next += packed_count<T>(spec);
    };
    const Name root;
    Embedding<V, Shape>(shape_).visit_tensors(bound, root);
    for (std::size_t i = 0; i < config().layers; ++i) {
      EncoderLayer<V, Shape>(shape_).visit_tensors(bound, Name("transformer_encoder.layers.").append_number(i));
    }
    FinalNorm<V, Shape>(shape_).visit_tensors(bound, Name("transformer_encoder.norm"));
    Decoder<V, Shape>(shape_).visit_tensors(bound, root);
  }

  /// The parts, over the packed weights: what a stream is made of.
  NDT_INLINE constexpr Embedding<V, Shape> embedding() const noexcept {
    return bound(Embedding<V, Shape>(shape_), packed_);
  }
  NDT_INLINE constexpr EncoderLayer<V, Shape> layer(std::size_t i) const noexcept {
    const EncoderLayer<V, Shape> layer(shape_);
    return bound(layer, packed_ + packed_size_of(Embedding<V, Shape>(shape_)) + i * packed_size_of(layer));
  }
  /// The final norm and the decoder, for rows of x(bins, width): out.hidden and out.log_rates, where wanted, receive
  /// them. spare: (bins, width), hidden: (bins, decoder_hidden).
  void decode(const Outputs<T>& out, Rows<const T> x, Rows<T> spare, Rows<T> hidden, std::size_t bins) const noexcept {
    const T* const packed = packed_ + packed_size_of(Embedding<V, Shape>(shape_)) +
                            config().layers * packed_size_of(EncoderLayer<V, Shape>(shape_));
    const FinalNorm<V, Shape> norm = bound(FinalNorm<V, Shape>(shape_), packed);
    norm.forward(spare, x, bins);
    if (out.hidden != nullptr) copy_rows(out.hidden, spare, 0, bins);
    if (out.log_rates == nullptr) return;
    bound(Decoder<V, Shape>(shape_), packed + packed_size_of(norm))
        .forward({out.log_rates, shape_.neurons()}, spare, hidden, bins);
  }

  /// Elements of T that the packed weights take.
  constexpr std::size_t packed_size() const noexcept { return model_packed_size<V>(shape_); }

  /// Elements of T that forward() needs for trials of at most `bins` bins with a policy of that many workers. Given
  /// room for `trials` of them, it takes several short ones through a layer together, which saves time: as many as
  /// the workspace holds, up to a limit that is counted here too.
  constexpr std::size_t workspace_size(std::size_t bins, std::size_t workers = 1,
                                       std::size_t trials = 1) const noexcept {
    workers = max_size(workers, 1);
    Arena<T> inside(nullptr);
    plan(inside, 1, bins, workers);
    const std::size_t together = min_size(most_together(bins), divide_up(max_size(trials, 1), workers));
    return max_size(inside.used(), workers * serial_size(together, bins));
  }
  constexpr std::size_t workspace_size() const noexcept { return workspace_size(config().trial_length); }
  constexpr std::size_t workspace_bytes(std::size_t bins, std::size_t workers = 1,
                                        std::size_t trials = 1) const noexcept {
    return workspace_size(bins, workers, trials) * sizeof(T);
  }

  /// Log rates, and what else `out` asks for, from counts(trials, bins, neurons) of any integer or floating type.
  /// 1 <= bins <= trial_length: the first positions are used. workspace: workspace_size(bins, policy.workers())
  /// elements or more, best on a 64-byte boundary, of any content. A policy of several workers splits the trials, or
  /// the bins of a single one. The bits of the result depend neither on the policy and the workspace nor on the place
  /// in a batch.
  template <class Count, class Policy = Serial>
  void forward(const Outputs<T>& out, const Count* counts, std::size_t trials, std::size_t bins, std::span<T> workspace,
               const Policy& policy = {},
               LargestCount largest = LargestCount::max_spikes) const noexcept NDT_NONBLOCKING {
    NDT_ASSERT(packed_ != nullptr && bins >= 1 && bins <= config().trial_length);
    NDT_ASSERT(workspace.size() >= workspace_size(bins, policy.workers()));
    if (trials == 0) return;
    if (trials == 1) return pass(out, counts, 1, bins, workspace.data(), policy, largest);
    const std::size_t workers = policy.workers();
    const std::size_t wanted = min_size(most_together(bins), divide_up(trials, workers));
    const std::size_t together = min_size(wanted, trials_in(workspace.size() / workers, bins));
    const std::size_t groups = divide_up(trials, together), size = serial_size(together, bins);
    const std::size_t each = trials / groups, one_more = trials % groups;  // as equal as possible
    policy(groups, [&](std::size_t group, std::size_t worker) {
      const std::size_t first = group * each + min_size(group, one_more);
      pass(trial_of(out, first, bins), counts + first * bins * shape_.neurons(), each + (group < one_more ? 1 : 0),
           bins, workspace.data() + worker * size, Serial{}, largest);
    });
  }

 private:
  struct Buffers {
    Rows<T> x, spare, hidden;
    AttentionBuffers<T> attention[2];
    T* scratch;
    std::size_t scratch_size;
  };

  constexpr Buffers plan(Arena<T>& arena, std::size_t trials, std::size_t bins, std::size_t workers) const noexcept {
    const std::size_t D = shape_.width(), F = shape_.hidden_size();
    const auto rows = [&](std::size_t columns) {
      const std::size_t stride = round_up(columns, kernels::panel_width);
      return Rows<T>{arena.take(trials * bins * stride), stride};
    };
    Buffers buffers{};
    buffers.x = rows(D);
    buffers.spare = rows(D);
    buffers.hidden = rows(max_size(F, ModelConfig::decoder_hidden));
    // While one worker still reads a layer's keys, another may already write the next layer's.
    const SelfAttention<V, Shape> attention(shape_);
    buffers.attention[0] = attention.plan(arena, bins, trials * bins, trials);
    buffers.attention[1] = workers > 1 ? attention.plan(arena, bins, trials * bins, trials) : buffers.attention[0];
    buffers.scratch_size = round_up(kernels::attention_scratch_size<V>(bins), alignment_bytes / sizeof(T));
    buffers.scratch = arena.take(workers * buffers.scratch_size);
    return buffers;
  }
  constexpr std::size_t serial_size(std::size_t trials, std::size_t bins) const noexcept {
    Arena<T> arena(nullptr);
    plan(arena, trials, bins, 1);
    return arena.used();
  }
  /// Trials that go through a layer together: enough rows for the weights that they share, few enough for the caches.
  static constexpr std::size_t most_together(std::size_t bins) noexcept {
    return max_size(1, rows_together / max_size(bins, 1));
  }
  /// How many a worker's part of a workspace has room for. Every further trial takes as much as the second.
  constexpr std::size_t trials_in(std::size_t elements, std::size_t bins) const noexcept {
    const std::size_t one = serial_size(1, bins), each = serial_size(2, bins) - one;
    return elements <= one ? 1 : 1 + (elements - one) / each;
  }

  /// What is not wanted stays null.
  static T* from(T* p, std::size_t elements) noexcept { return p == nullptr ? nullptr : p + elements; }
  Outputs<T> trial_of(const Outputs<T>& out, std::size_t trial, std::size_t bins) const noexcept {
    const std::size_t D = shape_.width(), rows = trial * bins, L = config().layers;
    return {from(out.log_rates, rows * shape_.neurons()), from(out.hidden, rows * D), from(out.layers, L * rows * D),
            from(out.attention, L * rows * bins)};
  }

  /// Some trials, whose rows share every product of weights. The bins of a single one are split into parts; between
  /// two calls of the policy every part is complete.
  template <class Count, class Policy>
  void pass(const Outputs<T>& out, const Count* counts, std::size_t trials, std::size_t bins, T* workspace,
            const Policy& policy, LargestCount largest) const noexcept {
    Arena<T> arena(workspace);
    const Buffers buffers = plan(arena, trials, bins, policy.workers());
    // A part of a few bins is not worth waking a thread for.
    const std::size_t parts = trials > 1 ? 1 : max_size(1, min_size(policy.workers(), bins / smallest_part));
    const auto first_of = [=](std::size_t part) { return bins * part / parts; };

    const std::size_t L = config().layers, N = shape_.neurons();
    const std::size_t limit = config().max_spikes + (largest == LargestCount::mask_token ? 1 : 0);
    policy(parts, [&](std::size_t part, std::size_t) {
      const std::size_t first = first_of(part), last = first_of(part + 1);
      for (std::size_t t = 0; t < trials; ++t) {
        const std::size_t row = t * bins + first;
        embedding().forward(buffers.x.from(row), counts + row * N, buffers.spare.from(row), first, last - first, limit);
      }
      layer(0).project(buffers.attention[0], buffers.x, buffers.spare, first, last, trials);
    });
    for (std::size_t i = 0; i < L; ++i) {
      policy(parts, [&](std::size_t part, std::size_t worker) {
        const std::size_t first = first_of(part), last = first_of(part + 1), rows = trials * (last - first);
        const EncoderLayer<V, Shape> layer = this->layer(i);
        for (std::size_t t = 0; t < trials; ++t) {
          Rows<T> average;
          if (out.attention != nullptr) {
            average = {out.attention + (t * L + i) * bins * bins, bins};
            for (T* weight = average[first]; weight != average[last]; ++weight) *weight = T(0);
          }
          layer.self_attn.attend(buffers.spare.from(t * bins), layer.self_attn.trial(buffers.attention[i % 2], t), bins,
                                 first, last, buffers.scratch + worker * buffers.scratch_size, average);
        }
        layer.finish(buffers.x.from(first), buffers.spare.from(first), buffers.hidden.from(first), rows);
        if (out.layers != nullptr) {
          for (std::size_t t = 0; t < trials; ++t) {
            copy_rows(out.layers + (t * L + i) * bins * shape_.width(), buffers.x.from(t * bins), first, last);
          }
        }
        if (i + 1 < L) {
          this->layer(i + 1).project(buffers.attention[(i + 1) % 2], buffers.x, buffers.spare, first, last, trials);
        } else {
          decode({from(out.log_rates, first * N), from(out.hidden, first * shape_.width())}, buffers.x.from(first),
                 buffers.spare.from(first), buffers.hidden.from(first), rows);
        }
      });
    }
  }

  void copy_rows(T* to, Rows<const T> from, std::size_t first, std::size_t last) const noexcept {
    const std::size_t D = shape_.width();
    for (std::size_t t = first; t < last; ++t) kernels::copy<V>(to + t * D, from[t], shape_.width());
  }

  static constexpr std::size_t smallest_part = 4, rows_together = 256;

  [[no_unique_address]] Shape shape_{};
  const T* packed_ = nullptr;
};

/// A model whose shape is a type. (GCC 12 crashes on this alias where Config depends on a template parameter: write
/// Transformer<StaticShape<Config>, V> there.)
template <ModelConfig Config, class V = simd::native<float>>
using StaticTransformer = Transformer<StaticShape<Config>, V>;

/// A model whose shape is read from data.
template <class V = simd::native<float>>
using DynamicTransformer = Transformer<DynamicShape, V>;

/// The workspace of a StaticTransformer for trials of up to `Bins` bins, a policy of so many workers and a batch of so
/// many trials, to be placed in static storage.
template <class Model, std::size_t Bins = Model{}.config().trial_length, std::size_t Workers = 1,
          std::size_t Trials = 1>
struct alignas(alignment_bytes) StaticWorkspace {
  typename Model::value_type elements[Model{}.workspace_size(Bins, Workers, Trials)] = {};

  constexpr operator std::span<typename Model::value_type>() noexcept { return elements; }
};

}  // namespace ndt::inline NDT_TARGET
