// torch.nn.GRU (one layer) as fast as one row at a time allows: what the transformer is held against.
//
//   r = s(p_r + W_r h)   z = s(p_z + W_z h)   n = tanh(p_n + r (W_n h + b_n))   h' = (1 - z) n + z h
//
// p, the projection of the input, is known before the recurrence starts and holds every bias but b_n, which r weighs.
// The three sums of a few registers of units are computed side by side and become the gates where they are; weights lie
// in the order in which that reads them. Rows of units are padded with zero weights: the state stays 0 there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

namespace bench {

/// The parameters of one direction under PyTorch's shapes; gates in its order: r, z, n.
template <class T>
struct GruWeights {
  std::vector<T> ih;       ///< (3 H, inputs); empty without inputs
  std::vector<T> hh;       ///< (3 H, H)
  std::vector<T> ih_bias;  ///< (3 H)
  std::vector<T> hh_bias;  ///< (3 H)
};

/// What a row of units takes in memory. A row of gates is three of them.
constexpr std::size_t padded_units(std::size_t units) noexcept {
  return ndt::round_up(units, ndt::kernels::panel_width);
}

/// Rows (3 H, columns) into rows (3 x padded_units, columns), zero where no unit is.
template <class T>
std::vector<T> padded_gates(const std::vector<T>& rows, std::size_t units, std::size_t columns) {
  std::vector<T> padded(3 * padded_units(units) * columns);
  for (std::size_t gate = 0; gate < 3; ++gate) {
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(gate * units * columns), units * columns,
                padded.begin() + static_cast<std::ptrdiff_t>(gate * padded_units(units) * columns));
  }
  return padded;
}

/// Everything that is added to the input's share of the gates, (3 x padded_units): b_i, and b_h of r and z.
template <class T>
std::vector<T> input_bias(const GruWeights<T>& weights, std::size_t units) {
  std::vector<T> sum = weights.ih_bias;
  for (std::size_t i = 0; i < 2 * units; ++i) sum[i] += weights.hh_bias[i];
  return padded_gates(sum, units, 1);
}

/// The recurrence: its weights, packed.
template <class V>
class PackedGru {
  using T = typename V::value_type;
  using reg = typename V::reg;
  static constexpr std::size_t W = V::width;
  /// Registers of units side by side: three sums of each, an element of the state and a temporary.
  static constexpr std::size_t limit = V::registers == 32 ? 8 : 4;

 public:
  PackedGru(const GruWeights<T>& weights, std::size_t units)
      : weight_(3 * units * padded_units(units)), bias_(padded_units(units)), units_(units), row_(padded_units(units)) {
    T* to = weight_.data();
    for_groups(false, [&](std::size_t first, std::size_t registers) {
      for (std::size_t k = 0; k < units; ++k) {
        for (std::size_t gate = 0; gate < 3; ++gate) {
          for (std::size_t unit = first * W; unit < (first + registers) * W; ++unit) {
            *to++ = unit < units ? weights.hh[(gate * units + unit) * units + k] : T(0);
          }
        }
      }
    });
    std::copy_n(weights.hh_bias.begin() + static_cast<std::ptrdiff_t>(2 * units), units, bias_.begin());
  }

  /// One bin: after(padded_units) from before, which it must not overlap, and p(3 x padded_units). Groups of units in
  /// the one or the other direction: results are the same.
  void step(T* after, const T* p, const T* before, bool descending) const noexcept {
    for_groups(descending, [&](std::size_t first, std::size_t registers) NDT_INLINE_LAMBDA {
      with_size(registers, [&](auto size) NDT_INLINE_LAMBDA { this->template units<size>(after, p, before, first); });
    });
  }

 private:
  /// f(first register, registers) for groups as equal as possible.
  template <class F>
  void for_groups(bool descending, F f) const noexcept {
    const std::size_t registers = ndt::divide_up(units_, W), groups = ndt::divide_up(registers, limit);
    for (std::size_t i = 0; i < groups; ++i) {
      const std::size_t group = descending ? groups - 1 - i : i;
      const std::size_t first = registers * group / groups;
      f(first, registers * (group + 1) / groups - first);
    }
  }
  /// f(std::integral_constant) of a number from 1 to `limit`.
  template <class F>
  static NDT_INLINE void with_size(std::size_t size, F f) noexcept {
    [&]<std::size_t... I>(std::index_sequence<I...>) NDT_INLINE_LAMBDA {
      ((size == I + 1 ? f(std::integral_constant<std::size_t, I + 1>{}) : void()), ...);
    }
    (std::make_index_sequence<limit>{});
  }

  /// Q registers of units from register `first` on.
  template <std::size_t Q>
  NDT_NOINLINE void units(T* after, const T* p, const T* before, std::size_t first) const noexcept {
    const T* weight = weight_.data() + 3 * units_ * first * W;
    after += first * W, p += first * W;
    const T *const last = before + first * W, *const bias = bias_.data() + first * W;
    [&]<std::size_t... I>(std::index_sequence<I...>) NDT_INLINE_LAMBDA {
      reg r[Q], z[Q], n[Q];
      ((r[I] = V::load(p + I * W), z[I] = V::load(p + row_ + I * W), n[I] = V::load(bias + I * W)), ...);
      for (std::size_t k = 0; k < units_; ++k, weight += 3 * Q * W) {
        const reg x = V::set(before[k]);
        ((r[I] = V::fma(x, V::load(weight + I * W), r[I])), ...);
        ((z[I] = V::fma(x, V::load(weight + (Q + I) * W), z[I])), ...);
        ((n[I] = V::fma(x, V::load(weight + (2 * Q + I) * W), n[I])), ...);
      }
      ((r[I] = ndt::kernels::sigmoid<V>(r[I])), ...);
      ((z[I] = ndt::kernels::sigmoid<V>(z[I])), ...);
      ((n[I] = ndt::kernels::tanh<V>(V::fma(r[I], n[I], V::load(p + 2 * row_ + I * W)))), ...);
      (V::store(after + I * W, V::fma(z[I], V::load(last + I * W) - n[I], n[I])), ...);
    }
    (std::make_index_sequence<Q>{});
  }

  ndt::Buffer<T> weight_, bias_;
  std::size_t units_, row_;
};

}  // namespace bench
