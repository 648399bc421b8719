// ndt/layers/linear.hpp: y = x W^T + b, as torch.nn.Linear.
#pragma once

#include <cstddef>
#include <string_view>

#include "ndt/config.hpp"
#include "ndt/core/dim.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/linear.hpp"

namespace ndt::inline NDT_TARGET {

/// In and Out are Dims: Linear<V, Dim<137>, Dim<128>> and Linear<V, Dim<dyn>, Dim<dyn>> run the same kernel.
template <class V, class In, class Out>
struct Linear {
  using T = typename V::value_type;
  [[no_unique_address]] In inputs;
  [[no_unique_address]] Out outputs;
  const T* weight = nullptr;  ///< (outputs, inputs), packed
  const T* bias = nullptr;    ///< (outputs)

  constexpr Linear(In input_width, Out output_width) noexcept : inputs(input_width), outputs(output_width) {}

  template <class F, class Path>
  constexpr void visit_tensors(F&& f, const Path& path, std::string_view weight_name = ".weight",
                               std::string_view bias_name = ".bias") {
    f(path + weight_name, weight, TensorSpec{Extents(outputs, inputs), Layout::panels, {}});
    f(path + bias_name, bias, TensorSpec{Extents(outputs), Layout::row_major, {}});
  }

  /// What forward adds beside the bias: see kernels::Edge.
  struct Options {
    Rows<const T> residual = {};
    bool relu = false;
  };
  /// y(bins, outputs) from x(bins, inputs), which must not overlap it.
  void forward(Rows<T> y, Rows<const T> x, std::size_t bins, const Options& options = {}) const noexcept {
    NDT_ASSERT(weight != nullptr && bias != nullptr);
    kernels::gemm<V>(y, x, {weight, inputs * kernels::panel_width}, bins, inputs, outputs,
                     {.bias = bias, .residual = options.residual, .relu = options.relu});
  }
};

}  // namespace ndt::inline NDT_TARGET
