// ndt/autograd/tape.hpp: what was computed, in order, so that gradients can be computed backwards.
//
// An operation computes its result with the kernels of inference and records how the gradient of its result becomes
// gradients of what it read. Operations are appended as they run, so the tape walked backwards is the right order and
// needs no sort. A tape belongs to one thread; work is split by giving each thread its own (train/gradient.hpp).
//
// An operation of your own is a function (see examples/gru):
//
//   Variable<T>* square(Tape<V>& tape, Variable<T>* x) {
//     Variable<T>* y = tape.variable(x->rows, x->columns);
//     ... y->value from x->value ...
//     tape.record(y, [&tape, x, y] {
//       const auto [gradient, accumulate] = tape.sink(x);
//       ... gradient (+)= 2 x->value y->gradient: += if accumulate, else = ...
//     });
//     return y;
//   }
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "ndt/autograd/parameters.hpp"
#include "ndt/config.hpp"
#include "ndt/core/random.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/tensor/buffer.hpp"

namespace ndt::inline NDT_TARGET {

/// A matrix on a tape. Rows lie columns, rounded up to 16, elements apart; so do those of the gradient.
template <class T>
struct Variable {
  Rows<T> value{};
  std::size_t rows = 0, columns = 0;
  Rows<T> gradient{};  ///< null until something has been added to it

  std::size_t size() const noexcept { return rows * value.stride; }
};

/// Memory in pieces that are all given back at once. It grows while the first step runs and stays as it is after that.
class TapeMemory {
 public:
  /// Uninitialised, on a 64-byte boundary.
  void* take(std::size_t bytes) {
    bytes = round_up(bytes, alignment_bytes);
    if (blocks_.empty() || used_ + bytes > blocks_.back().size()) {
      blocks_.emplace_back(max_size(bytes, max_size(total_, smallest_block)));
      total_ += blocks_.back().size();
      used_ = 0;
    }
    void* const piece = blocks_.back().data() + used_;
    used_ += bytes;
    return piece;
  }
  void give_back() {
    if (blocks_.size() > 1) {
      blocks_.clear();
      blocks_.emplace_back(total_);
    }
    used_ = 0;
  }
  std::size_t bytes() const noexcept { return total_; }

 private:
  static constexpr std::size_t smallest_block = std::size_t{1} << 16;
  std::vector<Buffer<std::byte>> blocks_;
  std::size_t used_ = 0, total_ = 0;
};

/// Where the random numbers of a pass come from: a trial draws the same ones whoever works on it.
struct Draws {
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::span<const std::uint32_t> trials{};  ///< the number of every trial of this pass

  RandomPlace place(std::uint32_t purpose, std::size_t trial) const noexcept {
    return {.seed = seed, .purpose = purpose, .item = trials[trial], .step = step};
  }
};

template <class V>
class Tape {
 public:
  using T = typename V::value_type;

  /// One parameter as operations see it.
  struct Weight {
    const T* packed;                ///< what the forward kernel reads
    kernels::Panels<T> transposed;  ///< of a matrix: for the gradient of the input
    T* gradient;                    ///< row-major, to be added to
    std::size_t rows, columns;      ///< of a matrix: outputs, inputs
  };
  /// Where the gradient of a variable goes: added to what is there, or written over memory of any content.
  struct Sink {
    Rows<T> rows;
    bool accumulate;
  };

  /// `parameters` must outlive the tape.
  explicit Tape(const Parameters<T>& parameters) noexcept : parameters_(&parameters) {}
  Tape(Tape&&) = default;
  Tape(const Tape&) = delete;
  Tape& operator=(const Tape&) = delete;

  /// Forgets everything but its memory. gradient: parameters.trained_size() elements that backward() adds to.
  void start(T* gradient, const Draws& draws = {}) {
    nodes_.clear();
    unused_.clear();
    memory_.give_back();
    gradient_ = gradient;
    draws_ = draws;
  }

  /// A new matrix, not initialised.
  Variable<T>* variable(std::size_t rows, std::size_t columns) {
    const std::size_t stride = round_up(columns, kernels::panel_width);
    return new (memory_.take(sizeof(Variable<T>))) Variable<T>{{take<T>(rows * stride), stride}, rows, columns, {}};
  }
  /// Memory that lives until the next start(), not initialised.
  template <class U>
  U* take(std::size_t count) {
    return static_cast<U*>(memory_.take(count * sizeof(U)));
  }
  /// Memory of any content, good until the next call.
  T* scratch(std::size_t count) {
    if (scratch_.size() < count) scratch_ = Buffer<T>(count);
    return scratch_.data();
  }
  Weight weight(std::size_t index) const noexcept {
    const Parameter& p = parameters_->list()[index];
    return {parameters_->packed(p), parameters_->transposed(p), p.trained ? gradient_ + p.value : nullptr,
            p.extents.size[0], p.extents.size[1]};
  }
  const Draws& draws() const noexcept { return draws_; }

  /// backward() is called once y->gradient is complete, if anything reached it. It is kept as bytes: what it captures
  /// must not need a destructor.
  template <class Backward>
  void record(Variable<T>* y, Backward backward) {
    static_assert(std::is_trivially_destructible_v<Backward>);
    void* const kept = new (memory_.take(sizeof(Backward))) Backward(std::move(backward));
    nodes_.push_back({y, kept, [](void* f) { (*static_cast<Backward*>(f))(); }});
  }

  /// The gradient of x as the target of an operation.
  Sink sink(Variable<T>* x) {
    const bool accumulate = x->gradient.data != nullptr;
    if (!accumulate) x->gradient = {reuse(x->size()), x->value.stride};
    return {x->gradient, accumulate};
  }
  /// Adds y's gradient to x's, both of one shape; y's is gone afterwards.
  void pass(Variable<T>* y, Variable<T>* x) {
    if (x->gradient.data == nullptr) {
      x->gradient = std::exchange(y->gradient, {});
      return;
    }
    T* const sum = x->gradient.data;
    kernels::map<V>(
        sum, x->size(), [](auto a, auto b) NDT_INLINE_LAMBDA { return a + b; }, sum, y->gradient.data);
  }

  /// Runs what was recorded, last first. Memory of gradients that nobody will read again is used for others.
  void backward() {
    for (std::size_t i = nodes_.size(); i-- > 0;) {
      Variable<T>* const y = nodes_[i].output;
      if (y->gradient.data == nullptr) continue;
      nodes_[i].run(nodes_[i].backward);
      if (y->gradient.data != nullptr) unused_.push_back({y->gradient.data, y->size()});
      y->gradient = {};
    }
  }
  std::size_t bytes() const noexcept { return memory_.bytes() + scratch_.size() * sizeof(T); }

 private:
  struct Node {
    Variable<T>* output;
    void* backward;
    void (*run)(void*);
  };
  struct Piece {
    T* data;
    std::size_t size;
  };

  T* reuse(std::size_t size) {
    for (std::size_t i = unused_.size(); i-- > 0;) {
      if (unused_[i].size != size) continue;
      T* const data = unused_[i].data;
      unused_[i] = unused_.back();
      unused_.pop_back();
      return data;
    }
    return take<T>(size);
  }

  const Parameters<T>* parameters_;
  T* gradient_ = nullptr;
  Draws draws_;
  TapeMemory memory_;
  Buffer<T> scratch_;
  std::vector<Node> nodes_;
  std::vector<Piece> unused_;
};

}  // namespace ndt::inline NDT_TARGET
