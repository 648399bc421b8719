// ndt/stream/recalibration.hpp: a read-out that is fitted again while it decodes, a little between every two bins.
//
//   ndt::Recalibration<Decoder> recalibration;
//   recalibration.bind(decoder, packed_readout, {.penalty = 10}, memory, readouts);
//   decoder.step(counts);                     // every bin
//   recalibration.observe(behavior);          // where the true behaviour of output().behavior_bin is known
//   recalibration.refit_some();               // bounded work; true when the decoder has just been given new weights
//
// Ridge regression that starts from the read-out there was: of all W it takes the one that makes
//   sum over pairs of forgetting^age |y - W x - b|^2 + penalty |W - W0|^2
// smallest, in double. Pairs wait in a queue; refit_some() adds them to sums of products, and when enough are new
// copies the sums, factorises the copy (Cholesky), solves, and swaps the new weights in whole.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/dim.hpp"
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
  std::size_t work = 1u << 16u;  ///< multiply-adds of a call of refit_some(), give or take a row
};

struct RecalibrationCounters {
  std::uint64_t pairs = 0;    ///< taken into the queue
  std::uint64_t dropped = 0;  ///< came when it was full, or had a NaN or infinity
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
    return 2 * readout_packed_size<V>(decoder.readout(), decoder.model().config());
  }

  /// For a bound decoder, which it gives new read-outs from then on and which must outlive it. `packed`: the read-out
  /// that the decoder uses. `memory` and `readouts`: memory_size() and readouts_size() elements of any content. Fails
  /// for a Kalman filter, for no read-out, for options that are no numbers above 0 and for too little memory.
  Status bind(Decoder& decoder, const T* packed, const RecalibrationOptions& options, std::span<double> memory,
              std::span<T> readouts) noexcept {
    if (decoder.readout().kind != ReadoutKind::ridge) return {Error::recalibration_needs_ridge, "readout", {}, {}};
    if (!(options.penalty > 0 && options.penalty < 1e300)) return {Error::not_positive, "penalty", {}, {}};
    if (!(options.forgetting > 0 && options.forgetting <= 1)) return {Error::not_positive, "forgetting", {}, {}};
    if (options.new_pairs == 0) return {Error::not_positive, "new_pairs", {}, {}};
    if (options.queue == 0 || options.queue > (1u << 20u)) return {Error::not_positive, "queue", {}, {}};
    if (options.work == 0) return {Error::not_positive, "work", {}, {}};
    measure(decoder, options);
    const std::size_t needed = memory_size(decoder, options);
    if (memory.size() < needed) {
      return {Error::memory_too_small, "recalibration", Extents(needed), Extents(memory.size())};
    }
    if (readouts.size() < 2 * packed_size_) {
      return {Error::memory_too_small, "readouts", Extents(2 * packed_size_), Extents(readouts.size())};
    }
    for (double& element : memory.first(needed)) element = 0;
    Arena<double> arena(memory.data());
    plan(arena);
    for (std::size_t i = 0; i < 2 * packed_size_; ++i) readouts[i] = packed[i % packed_size_];
    first_packed_ = packed;
    readouts_ = readouts.data();
    decoder_ = &decoder;
    first_ = bound(ReadoutWeights<V>(decoder.readout(), decoder.model().config()), packed);
    counters_ = {};
    stage_ = Stage::add;
    row_ = column_ = next_ = waiting_ = new_pairs_ = 0;
    finite_ = true;
    return {};
  }

  /// behavior(outputs), the true one of output().behavior_bin, pairs with what the decoder has last looked at.
  void observe(const T* behavior) noexcept {
    if (waiting_ == options_.queue) return drop();
    double* const pair = queue_ + (next_ + waiting_) % options_.queue * (n_ + m_);
    const std::span<const T> inputs = decoder_->readout_inputs();
    bool finite = decoder_->output().ready;
    const auto put = [&](std::size_t i, T value) {
      finite = finite && value - value == T(0);
      pair[i] = static_cast<double>(value);
    };
    for (std::size_t i = 0; i + 1 < n_; ++i) put(i, inputs[i]);
    pair[n_ - 1] = 1;  // the bias
    for (std::size_t o = 0; o < m_; ++o) put(n_ + o, behavior[o]);
    if (!finite) return drop();
    // What the first read-out leaves over is what is fitted.
    for (std::size_t o = 0; o < m_; ++o) {
      for (std::size_t i = 0; i < n_; ++i) pair[n_ + o] -= static_cast<double>(first_packed_[place(o, i)]) * pair[i];
    }
    ++waiting_;
    ++counters_.pairs;
  }

  /// About options.work multiply-adds of what there is to do. True if the decoder has just been given a new read-out.
  bool refit_some() noexcept {
    for (std::size_t done = 0; done < options_.work;) {
      if (stage_ == Stage::add && row_ == 0) {
        if (new_pairs_ >= options_.new_pairs) {
          stage_ = Stage::copy;
        } else if (waiting_ == 0) {
          return false;
        }
      }
      const Stage stage = stage_;
      switch (stage) {
        case Stage::add:
          done += add();
          break;
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
          break;
      }
      if (stage == Stage::write && stage_ == Stage::add) return swap();
    }
    return false;
  }

  constexpr const RecalibrationCounters& counters() const noexcept { return counters_; }
  /// The packed read-out in use.
  constexpr const T* packed() const noexcept { return counters_.refits == 0 ? first_packed_ : last_made(); }

 private:
  enum class Stage : std::uint8_t { add, copy, factorise, forward, backward, write };
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
    queue_ = arena.take(options_.queue * (n_ + m_));
  }
  /// Where row i of a triangle begins.
  static constexpr std::size_t row_begin(std::size_t i) noexcept { return i * (i + 1) / 2; }
  constexpr T* made(std::uint64_t refit) const noexcept {
    return readouts_ + static_cast<std::size_t>(refit % 2) * packed_size_;
  }
  constexpr const T* last_made() const noexcept { return made(counters_.refits - 1); }
  /// Where weight (o,i) of a packed read-out is, and behind the last i, bias o.
  std::size_t place(std::size_t o, std::size_t i) const noexcept {
    if (i + 1 == n_) return static_cast<std::size_t>(first_.linear.bias - first_.linear.weight) + o;
    return o / kernels::panel_width * kernels::panel_width * (n_ - 1) + i * kernels::panel_width +
           o % kernels::panel_width;
  }
  void drop() noexcept { ++counters_.dropped; }

  /// y(count) = scale y + factor x.
  static void add_row(double* y, double scale, double factor, const double* x, std::size_t count) noexcept {
    for (std::size_t i = 0; i < count; ++i) y[i] = scale * y[i] + factor * x[i];
  }
  static double dot(const double* x, const double* y, std::size_t count) noexcept {
    return kernels::sum_of<D>(count, [x, y](std::size_t i, auto lanes)
                                         NDT_INLINE_LAMBDA { return D::load(x + i, lanes) * D::load(y + i, lanes); });
  }

  /// Each of these does row row_ of its stage, says what that cost, and goes on to the next.
  std::size_t add() noexcept {
    const double* const pair = queue_ + next_ * (n_ + m_);
    add_row(sums_ + row_begin(row_), options_.forgetting, pair[row_], pair, row_ + 1);
    add_row(products_ + row_ * m_, options_.forgetting, pair[row_], pair + n_, m_);
    const std::size_t cost = row_ + 1 + m_;
    if (++row_ == n_) {
      row_ = 0;
      next_ = (next_ + 1) % options_.queue;
      --waiting_;
      ++new_pairs_;
    }
    return cost;
  }
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
    const double square = row[row_] - dot(row, row, row_);
    row[row_] = square > 0 ? std::sqrt(square) : 0;  // rounding can leave nothing; then its weight stays as it was
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
    const T* const from = first_packed_;
    for (std::size_t o = 0; o < m_; ++o) {
      const double weight = static_cast<double>(from[place(o, row_)]) + solution_[row_ * m_ + o];
      to[place(o, row_)] = static_cast<T>(weight);
      finite_ = finite_ && weight - weight == 0 && std::abs(weight) < 1e30;
    }
    return next_row(Stage::add);
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
    new_pairs_ = 0;
    const bool good = finite_;
    finite_ = true;
    if (!good) {
      ++counters_.failed;
      return false;
    }
    ++counters_.refits;
    decoder_->use_readout(last_made());
    return true;
  }

  Decoder* decoder_ = nullptr;
  RecalibrationOptions options_{};
  RecalibrationCounters counters_{};
  ReadoutWeights<V> first_{};        ///< the read-out that there was
  const T* first_packed_ = nullptr;  ///< the same, packed
  T* readouts_ = nullptr;            ///< two, used in turn
  std::size_t n_ = 0, m_ = 0;        ///< inputs and the bias; outputs
  std::size_t packed_size_ = 0;
  double *sums_ = nullptr, *factor_ = nullptr;        ///< lower triangles (n,n)
  double *products_ = nullptr, *solution_ = nullptr;  ///< (n,m)
  double* queue_ = nullptr;                           ///< of pairs (n + m)
  std::size_t next_ = 0, waiting_ = 0;                ///< pairs in the queue
  std::size_t new_pairs_ = 0;                         ///< added since the last refit
  Stage stage_ = Stage::add;
  std::size_t row_ = 0, column_ = 0;  ///< where the stage is
  bool finite_ = true;
};

}  // namespace ndt::inline NDT_TARGET
