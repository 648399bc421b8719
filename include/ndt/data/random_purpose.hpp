// ndt/data/random_purpose.hpp: what training draws random numbers for. Two draws that share seed, item and step differ
// by their purpose, so the list is kept in one place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndt/config.hpp"
#include "ndt/core/random.hpp"

namespace ndt::inline NDT_TARGET::data {

/// In brackets what item and step are. Trials are counted as the data set holds them, not as a batch does.
enum class Purpose : std::uint32_t {
  mask_span = 1000,   ///< span width of a batch [0, step]
  mask_select,        ///< where spans begin [trial, step]; one word an element, bin or neuron
  mask_token,         ///< which selected elements become the mask token [trial, step]; one word an element
  mask_replace,       ///< which of the others become a random count [trial, step]; one word an element
  mask_count,         ///< that random count [trial, step]; one word an element
  valid_mask_select,  ///< the same four for the masks of validation [trial, step]
  valid_mask_token,
  valid_mask_replace,
  valid_mask_count,
  shuffle,         ///< order of the trials [0, epoch]
  subset,          ///< trials of a training set cut short [0, 0]
  initialise,      ///< first values of a parameter [number made of its name, 0]
  dropout = 2000,  ///< one place for each dropout of the model: this, and its number added [trial, step]
};

constexpr RandomPlace random_place(std::uint64_t seed, Purpose purpose, std::size_t item, std::size_t step) noexcept {
  return {seed, static_cast<std::uint32_t>(purpose), static_cast<std::uint32_t>(item),
          static_cast<std::uint32_t>(step)};
}

/// Word number i of a place, for i in rising order at the price of one block for four of them.
class RandomElements {
 public:
  constexpr explicit RandomElements(const RandomPlace& place) noexcept : place_(place) {}
  constexpr std::uint32_t operator[](std::size_t i) noexcept {
    if (i / block_.size() != at_) {
      at_ = i / block_.size();
      block_ = place_.words(static_cast<std::uint32_t>(at_));
    }
    return block_[i % block_.size()];
  }

 private:
  RandomPlace place_;
  Philox::Block block_{};
  std::size_t at_ = static_cast<std::size_t>(-1);
};

/// An event of a given probability: happens(word) for a random word. Never for 0 or less, always for 1 or more.
class Chance {
 public:
  constexpr explicit Chance(double probability) noexcept
      : bound_(!(probability > 0.0) ? 0
               : probability >= 1.0 ? std::uint64_t{1} << 32
                                    : static_cast<std::uint64_t>(probability * 0x1p32 + 0.5)) {}
  constexpr bool operator()(std::uint32_t word) const noexcept { return word < bound_; }
  constexpr bool never() const noexcept { return bound_ == 0; }
  constexpr bool always() const noexcept { return bound_ > 0xffffffffu; }

 private:
  std::uint64_t bound_;
};

}  // namespace ndt::inline NDT_TARGET::data
