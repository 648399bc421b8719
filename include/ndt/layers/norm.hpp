// ndt/layers/norm.hpp: layer norm, and the scale norm that may stand at the top of the encoder.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/layer_norm.hpp"
#include "ndt/kernels/scale_norm.hpp"

namespace ndt::inline NDT_TARGET {

template <class V, class Width>
struct LayerNorm {
  using T = typename V::value_type;
  [[no_unique_address]] Width width;
  T epsilon;
  const T* gain = nullptr;  ///< (width)
  const T* bias = nullptr;  ///< (width)

  constexpr LayerNorm(Width D, T eps) noexcept : width(D), epsilon(eps) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path) {
    f(path + ".weight", gain, TensorSpec{Extents(width), Layout::row_major, {}});
    f(path + ".bias", bias, TensorSpec{Extents(width), Layout::row_major, {}});
  }
  /// y may be x; both (bins, width).
  void forward(Rows<T> y, Rows<const T> x, std::size_t bins) const noexcept {
    NDT_ASSERT(gain != nullptr && bias != nullptr);
    kernels::layer_norm<V>(y, x, gain, bias, bins, width, epsilon);
  }
};

/// The norm after the last layer, which pre- and post-norm models both have: SCALE_NORM replaces this one alone.
template <class V, class Shape>
struct FinalNorm {
  using T = typename V::value_type;
  [[no_unique_address]] Shape shape;
  LayerNorm<V, decltype(Shape{}.width())> layer_norm;
  const T* scale = nullptr;  ///< one number, of a scale norm

  constexpr explicit FinalNorm(const Shape& s) noexcept
      : shape(s), layer_norm(s.width(), static_cast<T>(s.config.norm_epsilon)) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path) {
    if (shape.config.scale_norm) {
      f(path + ".scale", scale, TensorSpec{});
    } else {
      layer_norm.visit_tensors(f, path);
    }
  }
  /// y may be x; both (bins, width).
  void forward(Rows<T> y, Rows<const T> x, std::size_t bins) const noexcept {
    if (shape.config.scale_norm) {
      NDT_ASSERT(scale != nullptr);
      kernels::scale_norm<V>(y, x, *scale, bins, layer_norm.width, layer_norm.epsilon);
    } else {
      layer_norm.forward(y, x, bins);
    }
  }
};

}  // namespace ndt::inline NDT_TARGET
