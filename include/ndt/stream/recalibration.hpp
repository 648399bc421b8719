// ndt/stream/recalibration.hpp: a read-out that is fitted again while it decodes, a little between every two bins.
//
//   ndt::Recalibration<Decoder> recalibration;
//   recalibration.bind(decoder, packed_readout, {.penalty = 10}, memory, readouts);
//   decoder.step(counts);                     // every bin
//   recalibration.observe(behavior);          // where the behaviour that belongs to this output is known
//   recalibration.refit_some();               // bounded work; true when the decoder has just been given new weights
//
// Ridge regression that starts from the read-out there was: of all W it takes the one that makes
//   sum over pairs of forgetting^age |y - W x - b|^2 + penalty |W - W0|^2
// smallest, in double. Pairs wait in a queue; refit_some() adds them to sums of products, and when enough are new
// copies the sums, factorises the copy (Cholesky), solves, and swaps the new weights in whole. For n inputs and m
// outputs a pair takes n^2 / 2 multiply-adds and a refit n^3 / 6, beside which half of the work is for pairs: with the
// options as they are, 256 inputs keep up with a pair every bin and have a new read-out after some 90 calls. More
// inputs want more work a call, or lose pairs.
//
// Of a Kalman filter the line inside is fitted so (ndt/readout/readout.hpp), while the gains stay as they are. Its y is
// what it should have given for the filter to give the behaviour: u + G^-1 (behaviour - x), where line and filter gave
// u and x, and G is that bin's gain on the line. What a right filter leaves over has nothing to do with its inputs, so
// the right line stays where it is (a fit to prediction errors: Ljung 1999, 7.2).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/solve.hpp"
#include "ndt/core/status.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/kernels/reduce.hpp"
#include "ndt/model/binding.hpp"
#include "ndt/readout/config.hpp"
#include "ndt/readout/readout.hpp"
#include "ndt/simd.hpp"
#include "ndt/stream/decoder.hpp"

namespace ndt::inline NDT_TARGET {

struct RecalibrationOptions {
  double penalty = 1;            ///< on the distance from the read-out that there was, but for its bias; > 0
  double forgetting = 1;         ///< weight of a pair against the next one's; 0 < forgetting <= 1
  std::size_t new_pairs = 50;    ///< between two refits
  std::size_t queue = 64;        ///< pairs that can wait; what comes when it is full is dropped and counted
  std::size_t work = 1u << 16u;  ///< multiply-adds of a call of refit_some(), give or take a row (inputs x outputs)
};

struct RecalibrationCounters {
  std::uint64_t pairs = 0;    ///< taken into the queue
  std::uint64_t dropped = 0;  ///< came when it was full, with a bin that was held or has gains of no rank, or with NaN
  std::uint64_t refits = 0;   ///< new read-outs
  std::uint64_t failed = 0;   ///< refits whose result was not finite, which changed nothing
};

template <class Decoder>
class Recalibration {
 public:
  using T = typename Decoder::T;

  constexpr Recalibration() noexcept = default;
  Recalibration(const Recalibration&) = delete;
  Recalibration& operator=(const Recalibration&) = delete;

  /// Doubles that a recalibration of this decoder's read-out needs, and elements of T for the read-outs that it makes.
  static constexpr std::size_t memory_size(const Decoder& decoder, const RecalibrationOptions& options = {}) noexcept {
    Arena<double> arena(nullptr);
    Recalibration none;
    none.measure(decoder, options);
    none.plan(arena);
    return arena.used();
  }
  static constexpr std::size_t readouts_size(const Decoder& decoder) noexcept {
    return 3 * readout_packed_size<V>(decoder.readout(), decoder.model().config());
  }

  /// For a bound decoder, which has its read-outs from `readouts` from then on; decoder, `memory` and `readouts`,
  /// memory_size() and readouts_size() elements of any content, must outlive its use. `packed`: the read-out to start
  /// from, which is copied. Fails for no read-out, for options out of range and for too little memory,
  /// and then changes nothing.
  Status bind(Decoder& decoder, const T* packed, const RecalibrationOptions& options, std::span<double> memory,
              std::span<T> readouts) noexcept {
    if (!decoder.readout().exists()) return {Error::recalibration_needs_readout, "readout", {}, {}};
    if (!(options.penalty > 0 && options.penalty < 1e300)) return {Error::out_of_range, "penalty", {}, {}};
    if (!(options.forgetting > 0 && options.forgetting <= 1)) return {Error::out_of_range, "forgetting", {}, {}};
    if (options.new_pairs == 0) return {Error::out_of_range, "new_pairs", {}, {}};
    if (options.queue == 0 || options.queue > (1u << 20u)) return {Error::out_of_range, "queue", {}, {}};
    if (options.work == 0) return {Error::out_of_range, "work", {}, {}};
    // Countable in size_t, which has 32 bits on a microcontroller.
    const auto n = static_cast<double>(decoder.readout().inputs(decoder.model().config()) + 1);
    const auto m = static_cast<double>(decoder.readout().outputs);
    if (n * (n + 1 + 2 * m) + m * m + static_cast<double>(options.queue) * (n + m) >
        static_cast<double>(std::numeric_limits<std::size_t>::max() / 64)) {
      return {Error::size_too_large, "recalibration", {}, {}};
    }
    const std::size_t needed = memory_size(decoder, options), size = readouts_size(decoder);
    if (memory.size() < needed) {
      return {Error::memory_too_small, "recalibration", Extents(needed), Extents(memory.size())};
    }
    if (readouts.size() < size) return {Error::memory_too_small, "readouts", Extents(size), Extents(readouts.size())};
    measure(decoder, options);
    for (double& element : memory.first(needed)) element = 0;
    Arena<double> arena(memory.data());
    plan(arena);
    // `packed` may be one of the three, from an earlier time.
    T* const first = readouts.data() + 2 * packed_size_;
    for (std::size_t i = 0; i < packed_size_; ++i) first[i] = packed[i];
    decoder.use_readout(first);
    for (std::size_t i = 0; i < 2 * packed_size_; ++i) readouts[i] = first[i % packed_size_];
    first_ = bound(ReadoutWeights<V>(decoder.readout(), decoder.model().config()), first);
    readouts_ = readouts.data();
    decoder_ = &decoder;
    counters_ = {};
    stage_ = Stage::wait;
    row_ = column_ = pair_row_ = next_ = waiting_ = new_pairs_ = 0;
    finite_ = true;
    return {};
  }

  /// behavior(outputs), which belongs to output().behavior_bin, pairs with what the decoder has just looked at. That
  /// bin is delay() - lag bins back: where it lies ahead, only a behaviour that is intended is known. Costs inputs x
  /// outputs multiply-adds, of a Kalman filter outputs^3 / 3 more. Does nothing before bind().
  void observe(const T* behavior) noexcept {
    if (decoder_ == nullptr) return;
    const StreamOutput<T>& output = decoder_->output();
    if (waiting_ == options_.queue || !output.ready || output.held) return drop();
    double* const pair = queue_ + (next_ + waiting_) % options_.queue * (n_ + m_);
    const std::span<const T> inputs = decoder_->readout_inputs();
    bool good = true;
    const auto put = [&](std::size_t i, T value) {
      pair[i] = static_cast<double>(value);
      good = good && std::abs(pair[i]) < 1e30;  // squares of them add up
    };
    for (std::size_t i = 0; i + 1 < n_; ++i) put(i, inputs[i]);
    pair[n_ - 1] = 1;  // the bias
    for (std::size_t o = 0; o < m_; ++o) put(n_ + o, behavior[o]);
    if (!good || !before_filter(pair + n_)) return drop();
    // What the first read-out leaves over is what is fitted.
    for (std::size_t o = 0; o < m_; ++o) {
      for (std::size_t i = 0; i < n_; ++i) pair[n_ + o] -= static_cast<double>(first(o, i)) * pair[i];
    }
    ++waiting_;
    ++counters_.pairs;
  }

  /// About options.work multiply-adds of what there is to do. True if the decoder has just been given a new read-out.
  bool refit_some() noexcept {
    for (std::size_t done = 0; done < options_.work;) {
      if (stage_ == Stage::wait && pair_row_ == 0 && new_pairs_ >= options_.new_pairs) {
        stage_ = Stage::copy;
        new_pairs_ = 0;
      }
      // The sums must stand still while they are copied; at any other time pairs have half of the work, or all.
      const std::size_t for_pairs = stage_ == Stage::wait ? options_.work : options_.work / 2;
      if (waiting_ != 0 && stage_ != Stage::copy && done < for_pairs) {
        done += add();
        continue;
      }
      switch (stage_) {
        case Stage::wait:
          return false;
        case Stage::copy:
          done += copy();
          break;
        case Stage::factorise:
          done += factorise(options_.work - done);
          break;
        case Stage::forward:
          done += forward();
          break;
        case Stage::backward:
          done += backward();
          break;
        case Stage::write:
          done += write();
          if (stage_ == Stage::wait) return swap();
          break;
      }
    }
    return false;
  }

  constexpr const RecalibrationCounters& counters() const noexcept { return counters_; }
  /// The packed read-out in use.
  constexpr const T* packed() const noexcept {
    return counters_.refits == 0 ? first_.linear.weight : made(counters_.refits - 1);
  }

 private:
  enum class Stage : std::uint8_t { wait, copy, factorise, forward, backward, write };
  using V = typename Decoder::Model::vector_type;
  using D = simd::native<double>;

  constexpr void measure(const Decoder& decoder, const RecalibrationOptions& options) noexcept {
    const ModelConfig& model = decoder.model().config();
    options_ = options;
    n_ = decoder.readout().inputs(model) + 1;
    m_ = decoder.readout().outputs;
    packed_size_ = readout_packed_size<V>(decoder.readout(), model);
  }
  constexpr void plan(Arena<double>& arena) noexcept {
    sums_ = arena.take(row_begin(n_));
    factor_ = arena.take(row_begin(n_));
    products_ = arena.take(n_ * m_);
    solution_ = arena.take(n_ * m_);
    gain_ = arena.take(m_ * m_);
    queue_ = arena.take(options_.queue * (n_ + m_));
  }
  /// Where row i of a triangle begins.
  static constexpr std::size_t row_begin(std::size_t i) noexcept { return i * (i + 1) / 2; }
  constexpr T* made(std::uint64_t refit) const noexcept {
    return readouts_ + static_cast<std::size_t>(refit % 2) * packed_size_;
  }
  /// Where weight (o,i) of a packed read-out is, and behind the last i, bias o.
  std::size_t place(std::size_t o, std::size_t i) const noexcept {
    if (i + 1 == n_) return static_cast<std::size_t>(first_.linear.bias - first_.linear.weight) + o;
    return kernels::panel_place(i, o, n_ - 1);
  }
  T first(std::size_t o, std::size_t i) const noexcept { return first_.linear.weight[place(o, i)]; }
  void drop() noexcept { ++counters_.dropped; }

  /// What the line should have given, from the behaviour y(outputs). False if the gains do not tell.
  bool before_filter(double* y) noexcept {
    if (decoder_->readout().kind != ReadoutKind::kalman) return true;
    const Readout<V>& filter = decoder_->running_readout();
    for (std::size_t o = 0; o < m_; ++o) {
      y[o] -= static_cast<double>(filter.behavior()[o]);
      for (std::size_t j = 0; j < m_; ++j) {
        gain_[o * m_ + j] = static_cast<double>(filter.gain()[(2 * o + 1) * m_ + j]);
      }
    }
    if (!solve(gain_, y, m_, std::numeric_limits<float>::epsilon())) return false;
    bool good = true;
    for (std::size_t o = 0; o < m_; ++o) {
      y[o] += static_cast<double>(filter.line()[o]);
      good = good && std::abs(y[o]) < 1e30;
    }
    return good;
  }
  /// y(count) = scale y + factor x.
  static void add_row(double* y, double scale, double factor, const double* x, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) y[i] = scale * y[i] + factor * x[i];
  }
  static double dot(const double* x, const double* y, std::size_t count) noexcept {
    return kernels::sum_of<D>(count, [x, y](std::size_t i, auto lanes)
                                         NDT_INLINE_LAMBDA { return D::load(x + i, lanes) * D::load(y + i, lanes); });
  }

  /// Row pair_row_ of the sums, for the pair that waits the longest.
  std::size_t add() noexcept {
    const double* const pair = queue_ + next_ * (n_ + m_);
    const std::size_t i = pair_row_;
    add_row(sums_ + row_begin(i), options_.forgetting, pair[i], pair, i + 1);
    add_row(products_ + i * m_, options_.forgetting, pair[i], pair + n_, m_);
    if (++pair_row_ == n_) {
      pair_row_ = 0;
      next_ = (next_ + 1) % options_.queue;
      --waiting_;
      ++new_pairs_;
    }
    return i + 1 + m_;
  }
  /// Each of these does row row_ of its stage, says what that cost, and goes on to the next.
  std::size_t copy() noexcept {
    const double* const from = sums_ + row_begin(row_);
    double* const to = factor_ + row_begin(row_);
    for (std::size_t j = 0; j <= row_; ++j) to[j] = from[j];
    if (row_ + 1 < n_) to[row_] += options_.penalty;
    for (std::size_t o = 0; o < m_; ++o) solution_[row_ * m_ + o] = products_[row_ * m_ + o];
    return next_row(Stage::factorise);
  }
  /// The one stage whose rows are too long for one go.
  std::size_t factorise(std::size_t work) noexcept {
    double* const row = factor_ + row_begin(row_);
    std::size_t cost = 0;
    for (; column_ < row_ && cost < work; ++column_) {
      const double* const other = factor_ + row_begin(column_);
      row[column_] = other[column_] == 0 ? 0 : (row[column_] - dot(row, other, column_)) / other[column_];
      cost += column_ + 1;
    }
    if (column_ < row_) return cost;
    // Where rounding has left nothing the weight stays as it was (as metrics::Cholesky has it).
    const double noise = static_cast<double>(n_) * std::numeric_limits<double>::epsilon() * row[row_];
    const double square = row[row_] - dot(row, row, row_);
    row[row_] = square > noise ? std::sqrt(square) : 0;
    column_ = 0;
    return cost + next_row(Stage::forward);
  }
  std::size_t forward() noexcept {
    const double* const row = factor_ + row_begin(row_);
    double* const x = solution_ + row_ * m_;
    for (std::size_t k = 0; k < row_; ++k) add_row(x, 1, -row[k], solution_ + k * m_, m_);
    divide(x, row[row_]);
    const std::size_t cost = (row_ + 1) * m_;
    next_row(Stage::backward);
    return cost;
  }
  std::size_t backward() noexcept {
    const std::size_t i = n_ - 1 - row_;
    const double* const row = factor_ + row_begin(i);
    double* const x = solution_ + i * m_;
    divide(x, row[i]);
    for (std::size_t k = 0; k < i; ++k) add_row(solution_ + k * m_, 1, -row[k], x, m_);
    next_row(Stage::write);
    return (i + 1) * m_;
  }
  void divide(double* x, double by) const noexcept {
    for (std::size_t o = 0; o < m_; ++o) x[o] = by == 0 ? 0 : x[o] / by;
  }
  std::size_t write() noexcept {
    T* const to = made(counters_.refits);
    for (std::size_t o = 0; o < m_; ++o) {
      const double weight = static_cast<double>(first(o, row_)) + solution_[row_ * m_ + o];
      to[place(o, row_)] = static_cast<T>(weight);
      finite_ = finite_ && std::abs(weight) < 1e30;  // which NaN is not
    }
    return next_row(Stage::wait);
  }
  /// At the end of a stage. Rows cost what a row of a square has.
  std::size_t next_row(Stage then) noexcept {
    const std::size_t cost = row_ + 1 + m_;
    if (++row_ == n_) {
      row_ = 0;
      stage_ = then;
    }
    return cost;
  }
  /// All at once, between two bins.
  bool swap() noexcept {
    const bool good = finite_;
    finite_ = true;
    if (!good) {
      ++counters_.failed;
      return false;
    }
    ++counters_.refits;
    decoder_->use_readout(packed());
    return true;
  }

  Decoder* decoder_ = nullptr;
  RecalibrationOptions options_{};
  RecalibrationCounters counters_{};
  ReadoutWeights<V> first_{};  ///< the read-out that there was
  T* readouts_ = nullptr;      ///< two, used in turn, and the first
  std::size_t n_ = 0, m_ = 0;  ///< inputs and the bias; outputs
  std::size_t packed_size_ = 0;
  double *sums_ = nullptr, *factor_ = nullptr;        ///< lower triangles (n,n)
  double *products_ = nullptr, *solution_ = nullptr;  ///< (n,m)
  double* gain_ = nullptr;                            ///< (m,m), of a Kalman filter
  double* queue_ = nullptr;                           ///< of pairs (n + m)
  std::size_t next_ = 0, waiting_ = 0;                ///< pairs in the queue
  std::size_t new_pairs_ = 0;                         ///< added since the last refit
  Stage stage_ = Stage::wait;
  std::size_t pair_row_ = 0;          ///< of the pair that is being added
  std::size_t row_ = 0, column_ = 0;  ///< where the stage is
  bool finite_ = true;
};

}  // namespace ndt::inline NDT_TARGET
