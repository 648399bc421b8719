// ndt/autograd/parameters.hpp: the tensors that training changes, in the three layouts that its kernels read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/core/parallel_for.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/tensor/buffer.hpp"

namespace ndt::inline NDT_TARGET {

/// One tensor of a model in training.
struct Parameter {
  std::string name{};
  Extents extents{};                  ///< as PyTorch stores it
  Layout layout = Layout::row_major;  ///< panels: a matrix (outputs, inputs) that gemm reads
  bool trained = true;                ///< false: a constant of the model, such as sinusoidal positions

  // Where it lies, in elements; filled in by Parameters.
  std::size_t value = 0;       ///< row-major, in values() and in a gradient
  std::size_t packed = 0;      ///< what forward kernels read
  std::size_t transposed = 0;  ///< a matrix once more, as panels of (outputs, inputs), for the gradient of its input
};

/// All tensors of a model. values() is the truth, in PyTorch's layout; repack() derives the other layouts from it. The
/// packed block has the order and the gaps of inference, so a model binds to it as it is.
template <class T>
class Parameters {
 public:
  explicit Parameters(std::vector<Parameter> list) : list_(std::move(list)) {
    constexpr std::size_t unit = alignment_bytes / sizeof(T);
    by_name_.resize(list_.size());
    std::iota(by_name_.begin(), by_name_.end(), std::size_t{0});
    std::sort(by_name_.begin(), by_name_.end(),
              [&](std::size_t a, std::size_t b) { return list_[a].name < list_[b].name; });
    Arena<T> values(nullptr), packed(nullptr), transposed(nullptr);
    for (const bool trained : {true, false}) {
      for (Parameter& p : list_) {
        if (p.trained == trained) p.value = place(values, p.extents.count());
      }
      if (trained) trained_size_ = values.used();
    }
    for (Parameter& p : list_) {
      const bool matrix = p.layout == Layout::panels;
      const std::size_t N = p.extents.size[0], K = p.extents.size[1];
      p.packed = place(packed, round_up(matrix ? kernels::packed_size(K, N) : p.extents.count(), unit));
      if (matrix) p.transposed = place(transposed, kernels::packed_size(N, K));
    }
    values_ = Buffer<T>(values.used());
    packed_ = Buffer<T>(packed.used());
    transposed_ = Buffer<T>(transposed.used());
  }

  const std::vector<Parameter>& list() const noexcept { return list_; }
  /// The place of a name in list(). Throws std::out_of_range if there is none.
  std::size_t find(std::string_view name) const {
    // Asked once for every tensor: of a model of many layers, a search from the start would take longer than training.
    const auto found = std::lower_bound(by_name_.begin(), by_name_.end(), name, [&](std::size_t i, std::string_view n) {
      return std::string_view(list_[i].name) < n;
    });
    if (found != by_name_.end() && list_[*found].name == name) return *found;
    throw std::out_of_range("no parameter is called " + std::string(name));
  }

  /// Every tensor in PyTorch's layout; gaps between them are zero. What is not trained comes last.
  std::span<T> values() noexcept { return values_; }
  std::span<const T> values() const noexcept { return values_; }
  std::span<T> value(const Parameter& p) noexcept { return values().subspan(p.value, p.extents.count()); }
  std::span<const T> value(const Parameter& p) const noexcept { return values().subspan(p.value, p.extents.count()); }
  /// The first elements of values(): a gradient has as many.
  std::size_t trained_size() const noexcept { return trained_size_; }
  std::span<const T> packed() const noexcept { return packed_; }
  const T* packed(const Parameter& p) const noexcept { return packed_.data() + p.packed; }
  kernels::Panels<T> transposed(const Parameter& p) const noexcept {
    return {transposed_.data() + p.transposed, p.extents.size[0] * kernels::panel_width};
  }
  std::size_t bytes() const noexcept { return (values_.size() + packed_.size() + transposed_.size()) * sizeof(T); }

  /// After a change of values().
  template <class Policy = Serial>
  void repack(const Policy& policy = {}) noexcept {
    policy(list_.size(), [&](std::size_t i, std::size_t) {
      const Parameter& p = list_[i];
      const T* const from = values_.data() + p.value;
      if (p.layout == Layout::panels) {
        const std::size_t N = p.extents.size[0], K = p.extents.size[1];
        const Rows<const T> rows{from, K};
        kernels::pack_transposed(packed_.data() + p.packed, rows, N, K, 0, N);
        kernels::pack_rows(transposed_.data() + p.transposed, rows, N, K, 0, N);
      } else {
        std::copy_n(from, p.extents.count(), packed_.data() + p.packed);
      }
    });
  }

 private:
  static std::size_t place(Arena<T>& arena, std::size_t count) noexcept {
    const std::size_t at = arena.used();
    arena.take(count);
    return at;
  }

  std::vector<Parameter> list_;
  std::vector<std::size_t> by_name_;  ///< places in list_, in the order of names
  std::size_t trained_size_ = 0;
  Buffer<T> values_, packed_, transposed_;
};

}  // namespace ndt::inline NDT_TARGET
