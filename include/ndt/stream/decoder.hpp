// ndt/stream/decoder.hpp: one bin in, rates out, in bounded time, on whatever a rig delivers.
//
//   using Model = ndt::StaticTransformer<tiny::config>;             // the shape is a type: all memory is static
//   using Decoder = ndt::StaticDecoder<Model>;
//   constexpr Model model{tiny::packed};
//   constinit ndt::StaticState<Decoder> state;
//   constinit Decoder decoder{model, state};
//   const ndt::StreamOutput<float>& out = decoder.step(counts);     // every bin
//
//   ndt::DynamicDecoder<> decoder;                                  // a shape read from a file
//   std::vector<float> state(decoder.state_size(model, {config}));
//   decoder.bind(model, {config}, state);                           // says why not, if not
//
// With a read-out, behaviour comes with the rates: StaticDecoder<Model, {}, arm::readout_config> decoder{model, state,
// arm::readout}, or bind(model, {config, readout_config}, state, readout).
//
// step() cannot fail: what may be wrong with a bin has a defined result and a counter. Decoders share nothing but the
// model, which is never written to.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <type_traits>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/finite.hpp"
#include "ndt/core/status.hpp"
#include "ndt/kernels/elementary.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/model/shape.hpp"
#include "ndt/model/transformer.hpp"
#include "ndt/readout/config.hpp"
#include "ndt/readout/fingerprint.hpp"
#include "ndt/readout/readout.hpp"
#include "ndt/simd.hpp"
#include "ndt/stream/config.hpp"
#include "ndt/stream/row_stream.hpp"
#include "ndt/stream/window_stream.hpp"

namespace ndt::inline NDT_TARGET {

/// What came out of a step. Pointers stay as they are for the decoder's life; what they point to is overwritten by the
/// next step.
template <class T>
struct StreamOutput {
  const T* log_rates = nullptr;   ///< (neurons): ln(counts per bin), or the rates themselves if !config.lograte
  const T* rates = nullptr;       ///< (neurons): counts per bin
  const T* hidden = nullptr;      ///< (width): the encoder's output after its final norm
  const T* behavior = nullptr;    ///< (outputs) of the read-out, in the units that it was fitted to; null without one
  std::int64_t behavior_bin = 0;  ///< the bin of the trial that behavior is an estimate of: bin + lag
  std::size_t bin = 0;    ///< the bin of the trial that they belong to; a window without end stops at the largest
  bool ready = false;     ///< false while a delay fills, and where a stream has stopped: then all are NaN
  bool missing = false;   ///< the bin given now was missing and counted as without spikes
  bool past_end = false;  ///< the bin given now is behind the last that has a position: see PastEnd
  /// The result was not finite: these are the last since reset() that were, else rates of 0; or the behaviour alone was
  /// not: then it is the trial's last that was, else 0.
  bool held = false;
};

/// What happened since the decoder was bound; reset() leaves it.
struct StreamCounters {
  std::uint64_t bins = 0;      ///< given to step() or step_missing()
  std::uint64_t missing = 0;   ///< of those, missing
  std::uint64_t late = 0;      ///< told to late(): they came after their place was taken, and were dropped
  std::uint64_t past_end = 0;  ///< without a position
  std::uint64_t held = 0;      ///< whose result was not finite
  std::uint64_t clipped = 0;   ///< counts above max_spikes, taken as max_spikes; not of dead channels
  std::uint64_t invalid = 0;   ///< counts below 0 or NaN, taken as 0; not of dead channels
};

/// How a stream is served and what is read out, as a type or as data.
template <StreamConfig C, ReadoutConfig R>
struct StaticSetup {
  static constexpr StreamConfig config = C;
  static constexpr ReadoutConfig readout = R;
};
struct DynamicSetup {
  StreamConfig config{};
  ReadoutConfig readout{};
};

template <class Decoder>
struct StaticState;

template <class Shape, class V = simd::native<float>, class Setup = DynamicSetup>
class StreamingDecoder {
  static constexpr bool fixed = std::is_empty_v<Shape> && std::is_empty_v<Setup>;
  static constexpr bool may_read_out() noexcept {
    if constexpr (fixed) return Setup::readout.exists();
    return true;
  }

 public:
  using T = typename V::value_type;
  using Model = Transformer<Shape, V>;

  /// Bound to nothing.
  constexpr StreamingDecoder() noexcept = default;
  StreamingDecoder(const StreamingDecoder&) = delete;
  StreamingDecoder& operator=(const StreamingDecoder&) = delete;

  /// Elements of T that a decoder needs: everything that it will ever write to.
  static constexpr std::size_t state_size(const Model& model, const Setup& setup = {}) noexcept {
    Arena<T> arena(nullptr);
    plan(arena, model, setup);
    return arena.used();
  }

  /// A decoder over a bound model, state and packed read-out (if setup.readout has one) that must outlive it. Fails if
  /// the model cannot be served so, if the read-out was fitted for another model, or if the state is too small.
  /// `state`: state_size() elements, best on a 64-byte boundary, of any content.
  constexpr Status bind(const Model& model, const Setup& setup, std::span<T> state,
                        std::span<const T> packed_readout = {}) noexcept {
    if (const Status status = setup.config.validate(model.config()); !status.ok()) return status;
    if (const Status status = setup.readout.validate(model.config()); !status.ok()) return status;
    const std::size_t packed = readout_packed_size<V>(setup.readout, model.config());
    if (packed_readout.size() < packed) {
      return {Error::memory_too_small, "packed readout", Extents(packed), Extents(packed_readout.size())};
    }
    const std::size_t needed = state_size(model, setup);
    if (state.size() < needed) {
      return {Error::memory_too_small, "streaming state", Extents(needed), Extents(state.size())};
    }
    if (const Status status = fits(model, setup.readout); !status.ok()) return status;
    for (T& element : state.first(needed)) element = T(0);
    attach(model, setup, state.data(), packed_readout.data());
    reset();
    return {};
  }
  /// A decoder whose shape and policy are types, over zero memory of its own; usable in constinit.
  constexpr StreamingDecoder(const Model& model, StaticState<StreamingDecoder>& state) noexcept {
    check_types();
    static_assert(!Setup::readout.exists(), "the read-out's packed weights are missing");
    attach(model, {}, state.elements, nullptr);
  }
  /// The same with a read-out. Whether it belongs to these weights is for validate() to say.
  template <std::size_t Count>
  constexpr StreamingDecoder(const Model& model, StaticState<StreamingDecoder>& state,
                             const T (&packed_readout)[Count]) noexcept {
    check_types();
    static_assert(Count == readout_packed_size<V>(Setup::readout, Shape::config), "a read-out of another shape");
    attach(model, {}, state.elements, packed_readout);
  }

  /// Whether the read-out was fitted for the model, which bind() has made sure of: reads all weights once.
  constexpr Status validate() const noexcept { return fits(model_, setup_.readout); }

  /// Begins a trial: from here on everything is as in a new decoder, but for counters and dead channels.
  constexpr void reset() noexcept {
    begin();
    finite_ = false;
    output_.missing = output_.past_end = false;
    blank();
  }

  /// One bin: counts(neurons) of any integer or floating type. Those of dead channels are taken as 0.
  template <class Count>
  const StreamOutput<T>& step(const Count* counts) noexcept NDT_NONBLOCKING {
    const std::size_t N = model_.shape().neurons();
    // Floating counts are compared as they are, so that none rounds up; of them the whole part counts.
    using Compared = std::conditional_t<std::is_floating_point_v<Count>, Count, T>;
    const Compared zero(0), limit = static_cast<Compared>(model_.config().max_spikes);
    std::uint32_t above = 0, invalid = 0;
    for (std::size_t n = 0; n < N; ++n) {
      const Compared count = dead_[n] != T(0) ? zero : static_cast<Compared>(counts[n]);
      above += count > limit ? 1 : 0;
      invalid += count >= zero ? 0 : 1;
      const Compared positive = count > zero ? count : zero;
      counts_[n] = static_cast<T>(static_cast<std::int32_t>(positive < limit ? positive : limit));
    }
    counters_.clipped += above;
    counters_.invalid += invalid;
    output_.missing = false;
    return next();
  }

  /// A bin that did not come: no spikes, which is what masked training taught the model to see through.
  const StreamOutput<T>& step_missing() noexcept NDT_NONBLOCKING {
    for (std::size_t n = 0; n < model_.shape().neurons(); ++n) counts_[n] = T(0);
    ++counters_.missing;
    output_.missing = true;
    return next();
  }

  /// A bin that came when step_missing() had taken its place: it is counted and dropped.
  constexpr void late() noexcept { ++counters_.late; }

  /// After the last bin of a trial, one of the results that a delay holds back; ready is false when there are no more.
  /// The trial is over then: the next bin begins another.
  const StreamOutput<T>& flush() noexcept NDT_NONBLOCKING {
    flushed_ = true;
    output_.missing = output_.past_end = false;
    if constexpr (may_keep_rows()) {
      if (keeps_rows() && rows_.flush(given())) {
        output_.ready = true;
        output_.bin = rows_.given() - 1;
        publish();
        return output_;
      }
    }
    blank();
    return output_;
  }

  /// Takes a channel out, or back in, from the next bin on. Channels that do not exist are ignored.
  constexpr void set_alive(std::size_t neuron, bool alive) noexcept {
    if (neuron < model_.shape().neurons()) dead_[neuron] = alive ? T(0) : T(1);
  }

  /// Touches all weights, all state and the code of a step, so that the first bin finds them in memory; then reset().
  void prepare() noexcept {
    if (model_.packed() == nullptr) return;
    volatile T seen = T(0);
    for (std::size_t i = 0; i < model_.packed_size(); i += alignment_bytes / sizeof(T)) seen = model_.packed()[i];
    (void)seen;
    if constexpr (may_read_out()) {
      const std::size_t size = readout_packed_size<V>(setup_.readout, model_.config());
      for (std::size_t i = 0; i < size; i += alignment_bytes / sizeof(T)) seen = readout_.packed()[i];
    }
    for (std::size_t i = 0; i < state_size(model_, setup_); ++i) {
      volatile T& element = state_[i];
      element = element;
    }
    const StreamCounters before = counters_;
    reset();
    const std::size_t first = min_size(delay() + 1, model_.config().trial_length);
    for (std::size_t bin = 0; bin < first; ++bin) step_missing();
    flush();
    if constexpr (may_have_window()) {
      if (config().past_end == PastEnd::windowed) window_.push(given(), counts_);
    }
    reset();
    counters_ = before;
  }

  /// What the read-out looked at for the last result: (readout inputs), the oldest bin first. Empty without a read-out.
  constexpr std::span<const T> readout_inputs() const noexcept requires(may_read_out()) {
    if (!setup_.readout.exists()) return {};
    return {readout_.inputs(), setup_.readout.inputs(model_.config())};
  }
  /// The read-out itself, for those who fit it again.
  constexpr const Readout<V>& running_readout() const noexcept requires(may_read_out()) { return readout_; }
  /// Another packed read-out of the same shape, which must outlive its use, from the next bin on.
  constexpr void use_readout(const T* packed) noexcept requires(may_read_out()) { readout_.use(packed); }

  constexpr const StreamOutput<T>& output() const noexcept { return output_; }
  constexpr const StreamCounters& counters() const noexcept { return counters_; }
  constexpr const Model& model() const noexcept { return model_; }
  constexpr const StreamConfig& config() const noexcept { return setup_.config; }
  constexpr const ReadoutConfig& readout() const noexcept { return setup_.readout; }
  /// Bins by which the output is late.
  constexpr std::size_t delay() const noexcept { return config().delay(model_.config()); }

 private:
  struct None {
    constexpr void reset() noexcept {}
  };
  static constexpr bool may_keep_rows() noexcept {
    if constexpr (fixed) return Setup::config.keeps_rows(Shape::config);
    return true;
  }
  static constexpr bool may_have_window() noexcept {
    if constexpr (fixed) return Setup::config.has_window(Shape::config);
    return true;
  }
  using Rows_ = std::conditional_t<may_keep_rows(), RowStream<Shape, V>, None>;
  using Window = std::conditional_t<may_have_window(), WindowStream<Shape, V>, None>;
  using Readout_ = std::conditional_t<may_read_out(), Readout<V>, None>;

  struct Buffers {
    T *counts, *dead, *kept, *given, *rows, *window, *readout;
  };

  static constexpr void check_types() noexcept {
    static_assert(fixed, "a shape or policy that is data needs bind");
    static_assert(Setup::config.validate(Shape::config).ok(), "no such stream can exist: see StreamConfig::validate");
    static_assert(Setup::readout.validate(Shape::config).ok(), "no such read-out: see ReadoutConfig::validate");
  }
  static constexpr Status fits(const Model& model, const ReadoutConfig& readout) noexcept {
    if (!readout.exists() || readout.fingerprint == ndt::fingerprint(model)) return {};
    return {Error::readout_of_another_model, "readout", {}, {}};
  }

  static constexpr std::size_t stride_of(std::size_t n) noexcept { return round_up(n, alignment_bytes / sizeof(T)); }
  /// Log rates, rates and hidden states of a bin.
  static constexpr std::size_t output_size(const Model& model) noexcept {
    return 2 * stride_of(model.shape().neurons()) + model.shape().width();
  }
  static constexpr Buffers plan(Arena<T>& arena, const Model& model, const Setup& setup) noexcept {
    const std::size_t N = model.shape().neurons();
    Buffers at{};
    at.counts = arena.take(N);
    at.dead = arena.take(N);
    at.kept = arena.take(output_size(model));   // the last output that was finite,
    at.given = arena.take(output_size(model));  // and what the caller sees
    if constexpr (may_keep_rows()) {
      if (setup.config.keeps_rows(model.config())) at.rows = arena.take(Rows_::size(model, setup.config));
    }
    if constexpr (may_have_window()) {
      if (setup.config.has_window(model.config())) {
        at.window = arena.take(Window::size(model, setup.config.window_of(model.config()), !setup.config.slides()));
      }
    }
    if constexpr (may_read_out()) at.readout = arena.take(Readout_::state_size(setup.readout, model.config()));
    return at;
  }

  /// `state` is all zero.
  constexpr void attach(const Model& model, const Setup& setup, T* state, const T* packed_readout) noexcept {
    model_ = model;
    setup_ = setup;
    state_ = state;
    Arena<T> arena(state);
    const Buffers at = plan(arena, model, setup);
    counts_ = at.counts, dead_ = at.dead, kept_ = at.kept, given_ = at.given;
    if constexpr (may_keep_rows()) rows_ = Rows_(model, setup.config, at.rows);
    if constexpr (may_have_window()) {
      window_ = Window(model, setup.config.window_of(model.config()), !setup.config.slides(), at.window);
    }
    const std::size_t stride = stride_of(model.shape().neurons());
    output_ = {given_, given_ + (model.config().lograte ? stride : 0), given_ + 2 * stride};
    if constexpr (may_read_out()) {
      readout_ = Readout_(setup.readout, model.config(), packed_readout, at.readout);
      if (setup.readout.exists()) output_.behavior = readout_.behavior();
    }
    counters_ = {};
  }

  /// The bin in counts_.
  const StreamOutput<T>& next() noexcept {
    ++counters_.bins;
    if (flushed_) begin();
    output_.past_end = !config().slides() && position_ >= model_.config().trial_length;
    if (output_.past_end) {
      ++counters_.past_end;
      if (config().restarts()) begin();
      if (config().past_end == PastEnd::stop) {
        blank();
        return output_;
      }
    }
    const std::size_t bin = position_;
    if (position_ != dyn) ++position_;
    if (keeps_rows() && bin < model_.config().trial_length) {
      if constexpr (may_keep_rows()) {
        output_.ready = rows_.push(given(), counts_);
        output_.bin = output_.ready ? rows_.given() - 1 : 0;
      }
      if constexpr (may_have_window()) {
        if (config().past_end == PastEnd::windowed) window_.remember(counts_);
      }
    } else if constexpr (may_have_window()) {
      window_.push(given(), counts_);
      output_.ready = true;
      output_.bin = bin;
    }
    if (output_.ready) {
      publish();
    } else {
      blank();
    }
    return output_;
  }

  constexpr void begin() noexcept {
    rows_.reset();
    window_.reset();
    readout_.reset();
    position_ = 0;
    flushed_ = false;
  }
  constexpr bool keeps_rows() const noexcept { return may_keep_rows() && config().keeps_rows(model_.config()); }

  Outputs<T> given() const noexcept { return {given_, given_ + 2 * stride_of(model_.shape().neurons())}; }
  /// Completes what was computed into given(). If it is not finite, the last that was takes its place.
  void publish() noexcept {
    const std::size_t N = model_.shape().neurons(), stride = stride_of(N);
    if (model_.config().lograte) kernels::exp_row<V>(given_ + stride, given_, N);
    const T* const rates = output_.rates;
    std::uint32_t wrong = 0;
    for (std::size_t n = 0; n < N; ++n) wrong += is_finite(rates[n]) && is_finite(given_[n]) ? 0 : 1;
    output_.held = wrong != 0;
    const std::size_t size = output_size(model_);
    if (!output_.held) {
      kernels::copy<V>(kept_, given_, size);
      finite_ = true;
    } else {
      ++counters_.held;
      if (!finite_) {
        // A rate of 0, and a log rate that our exp takes for it.
        for (std::size_t i = 0; i < size; ++i) kept_[i] = T(0);
        const T low = model_.config().lograte ? kernels::elementary_constants<T>::exp_underflow - T(1) : T(0);
        for (std::size_t n = 0; n < N; ++n) kept_[n] = low;
      }
      kernels::copy<V>(given_, kept_, size);
    }
    read_out();
  }
  /// Behaviour from what the caller is about to see. Where that would not be finite the last stays, as held.
  void read_out() noexcept {
    if constexpr (may_read_out()) {
      const ReadoutConfig& readout = setup_.readout;
      if (!readout.exists()) return;
      output_.behavior_bin = static_cast<std::int64_t>(output_.bin) + readout.lag;
      const T* const features = readout.pick(output_.rates, output_.log_rates, output_.hidden);
      if (readout_.push(features)) return;
      counters_.held += output_.held ? 0 : 1;
      output_.held = true;
    }
  }
  constexpr void blank() noexcept {
    output_.ready = output_.held = false;
    output_.bin = 0;
    for (std::size_t i = 0; i < output_size(model_); ++i) given_[i] = std::numeric_limits<T>::quiet_NaN();
    output_.behavior_bin = 0;
    if constexpr (may_read_out()) readout_.blank();
  }

  Model model_{};
  [[no_unique_address]] Setup setup_{};
  T *state_ = nullptr, *counts_ = nullptr, *dead_ = nullptr, *kept_ = nullptr, *given_ = nullptr;
  [[no_unique_address]] Rows_ rows_{};
  [[no_unique_address]] Window window_{};
  [[no_unique_address]] Readout_ readout_{};
  std::size_t position_ = 0;  ///< of the next bin in its trial
  bool flushed_ = false;      ///< the trial is over
  bool finite_ = false;       ///< some output since reset() was
  StreamOutput<T> output_{};
  StreamCounters counters_{};
};

/// A decoder whose shape, policy and read-out are types.
template <class Model, StreamConfig Config = StreamConfig{}, ReadoutConfig Readout = ReadoutConfig{}>
using StaticDecoder =
    StreamingDecoder<typename Model::shape_type, typename Model::vector_type, StaticSetup<Config, Readout>>;

/// A decoder whose shape and policy are data.
template <class V = simd::native<float>>
using DynamicDecoder = StreamingDecoder<DynamicShape, V, DynamicSetup>;

/// The memory of a StaticDecoder, to be placed in static storage: zero, so it takes no room in flash.
template <class Decoder>
struct alignas(alignment_bytes) StaticState {
  static constexpr std::size_t size = Decoder::state_size({});
  typename Decoder::T elements[size] = {};
};

}  // namespace ndt::inline NDT_TARGET
