// ndt/train/gradient.hpp: the gradient of a batch, split over threads without a trace of it in the bits.
//
// The trials of a batch are dealt to a fixed number of slots. A slot is worked on by one thread, trial after trial, and
// adds to a gradient of its own; in the end the slots are added up in order. Who works on a slot does not matter.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <utility>
#include <vector>

#include "ndt/autograd/loss.hpp"
#include "ndt/autograd/parameters.hpp"
#include "ndt/autograd/tape.hpp"
#include "ndt/config.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/kernels/map.hpp"
#include "ndt/tensor/buffer.hpp"
#include "ndt/train/network.hpp"

namespace ndt::inline NDT_TARGET::train {

/// Some trials with what is to be predicted of them. Matrices are (trials, bins, neurons).
template <class T, class Count>
struct Batch {
  std::span<const std::uint32_t> trials{};  ///< their numbers, which name their random choices
  std::size_t bins = 0;
  const Count* inputs = nullptr;                    ///< masked counts
  Targets<T> targets{};                             ///< counts, and which elements enter the loss
  std::size_t selected = 0;                         ///< how many do, in the whole batch
  LargestCount largest = LargestCount::max_spikes;  ///< of the inputs
};

/// What of a pass has to do with chance.
struct PassOptions {
  DropoutRates dropout{};
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
};

/// Slots of a batch: more threads than this do not help.
inline constexpr std::size_t gradient_slots = 8;

template <class V>
class BatchGradient {
 public:
  using T = typename V::value_type;

  /// Both must outlive this.
  BatchGradient(const Network& network, const Parameters<T>& parameters)
      : network_(&network), parameters_(&parameters), sum_(parameters.trained_size()) {
    for (Buffer<T>& slot : slots_) slot = Buffer<T>(parameters.trained_size());
  }

  /// The summed loss of the batch's selected elements. The gradient of their mean is in gradient() afterwards.
  template <class Count, class Policy = Serial>
  double run(const Batch<T, Count>& batch, const PassOptions& options, const Policy& policy = {}) {
    if (!std::exchange(slots_are_zero_, false)) {  // a batch before was not finished
      for (Buffer<T>& slot : slots_) slot.clear();
    }
    const double loss = for_slots(batch, policy, [&](std::size_t slot, Tape<V>& tape) {
      return pass(batch, options, slot, tape, [&](Variable<T>* y, const Targets<T>& targets, std::size_t) {
        const double sum =
            poisson_loss(tape, y, targets, network_->config().lograte, 1.0 / static_cast<double>(batch.selected));
        tape.backward();
        return sum;
      });
    });
    add_slots(policy);
    slots_are_zero_ = true;
    return loss;
  }
  /// The loss of every element, 0 where not selected, into losses(trials, bins, neurons); the same random choices as
  /// run() makes. No gradient.
  template <class Count, class Policy = Serial>
  void losses(T* losses, const Batch<T, Count>& batch, const PassOptions& options, const Policy& policy = {}) {
    for_slots(batch, policy, [&](std::size_t slot, Tape<V>& tape) {
      return pass(batch, options, slot, tape, [&](Variable<T>* y, const Targets<T>& targets, std::size_t at) {
        return poisson_loss(tape, y, targets, network_->config().lograte, 1.0, losses + at);
      });
    });
  }
  std::span<T> gradient() noexcept { return sum_; }
  /// Memory of tapes and gradients.
  std::size_t bytes() const noexcept {
    std::size_t total = (gradient_slots + 1) * sum_.size() * sizeof(T);
    for (const Tape<V>& tape : tapes_) total += tape.bytes();
    return total;
  }

 private:
  /// Trials that go through the network at once: enough rows for the matrix kernels, few enough for the caches.
  static constexpr std::size_t rows_at_once = 256;

  template <class Count, class Policy, class Work>
  double for_slots([[maybe_unused]] const Batch<T, Count>& batch, const Policy& policy, Work work) {
    NDT_ASSERT(batch.trials.size() > 0 && batch.bins > 0);
    while (tapes_.size() < policy.workers()) tapes_.emplace_back(*parameters_);
    std::array<double, gradient_slots> losses{};
    // A tape may run out of memory, and nothing may leave a policy's parallel part by an exception.
    std::array<std::exception_ptr, gradient_slots> failures{};
    policy(gradient_slots, [&](std::size_t slot, std::size_t worker) {
      try {
        losses[slot] = work(slot, tapes_[worker]);
      } catch (...) {
        failures[slot] = std::current_exception();
      }
    });
    for (const std::exception_ptr& failure : failures) {
      if (failure) std::rethrow_exception(failure);
    }
    double total = 0;
    for (const double loss : losses) total += loss;
    return total;
  }

  /// Takes the trials of a slot through the network, then through head(y, targets, their first element).
  template <class Count, class Head>
  double pass(const Batch<T, Count>& batch, const PassOptions& options, std::size_t slot, Tape<V>& tape, Head head) {
    const std::size_t B = batch.trials.size(), end = B * (slot + 1) / gradient_slots;
    const std::size_t most = max_size(1, rows_at_once / batch.bins);
    double total = 0;
    for (std::size_t first = B * slot / gradient_slots; first < end;) {
      const std::size_t left = end - first, trials = divide_up(left, divide_up(left, most));
      const std::size_t at = first * batch.bins * network_->config().neurons;
      tape.start(slots_[slot].data(), {options.seed, options.step, batch.trials.subspan(first, trials)});
      const std::size_t limit = network_->config().max_spikes + (batch.largest == LargestCount::mask_token ? 1 : 0);
      const Network::Input<Count> input{batch.inputs + at, trials, batch.bins, limit};
      total += head(network_->forward(tape, input, options.dropout),
                    Targets<T>{batch.targets.counts + at, batch.targets.weight + at}, at);
      first += trials;
    }
    return total;
  }

  /// Slots are cleared while they are in the cache.
  template <class Policy>
  void add_slots(const Policy& policy) noexcept {
    constexpr std::size_t piece = 1024;  // of the sum, which stays in the first cache while all slots come by
    for_parts(sum_.size(), policy, [&](std::size_t, std::size_t first, std::size_t count) {
      for (const std::size_t end = first + count; first < end; first += piece) {
        T* const sum = sum_.data() + first;
        const std::size_t n = min_size(piece, end - first);
        for (std::size_t slot = 0; slot < gradient_slots; ++slot) {
          T* const part = slots_[slot].data() + first;
          if (slot == 0) {
            kernels::copy<V>(sum, part, n);
          } else {
            kernels::map<V>(
                sum, n, [](auto a, auto b) NDT_INLINE_LAMBDA { return a + b; }, sum, part);
          }
          std::fill_n(part, n, T(0));
        }
      }
    });
  }

  const Network* network_;
  const Parameters<T>* parameters_;
  std::array<Buffer<T>, gradient_slots> slots_;
  bool slots_are_zero_ = true;
  Buffer<T> sum_;
  std::vector<Tape<V>> tapes_;
};

}  // namespace ndt::inline NDT_TARGET::train
