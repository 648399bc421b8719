// Matrices and linear layers that own their memory, on the library's kernel.
#pragma once

#include <cstddef>
#include <vector>

#include <ndt/ndt.hpp>
#include <ndt/tensor/buffer.hpp>

namespace bench {

/// Rows on the boundary that kernels like, all zero at the start.
template <class T>
class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t columns)
      : stride_(ndt::round_up(columns, ndt::kernels::panel_width)), data_(rows * stride_) {}
  T* operator[](std::size_t row) noexcept { return data_.data() + row * stride_; }
  std::size_t stride() const noexcept { return stride_; }
  ndt::Rows<T> rows() noexcept { return {data_.data(), stride_}; }
  ndt::Rows<const T> rows() const noexcept { return {data_.data(), stride_}; }

 private:
  std::size_t stride_;
  ndt::Buffer<T> data_;
};

/// torch.nn.Linear's parameters: weight (outputs, inputs), bias (outputs) or empty.
template <class T>
struct LinearWeights {
  std::vector<T> weight, bias;
};

template <class V>
class PackedLinear {
  using T = typename V::value_type;

 public:
  PackedLinear(const LinearWeights<T>& stored, std::size_t inputs)
      : inputs_(inputs),
        outputs_(stored.weight.size() / inputs),
        bias_(stored.bias),
        weight_(ndt::kernels::packed_size(inputs_, outputs_)) {
    ndt::kernels::pack_transposed(weight_.data(), ndt::Rows<const T>{stored.weight.data(), inputs_}, outputs_, inputs_,
                                  0, outputs_);
  }
  /// y(rows, outputs) from x(rows, inputs), or added to it.
  void operator()(ndt::Rows<T> y, ndt::Rows<const T> x, std::size_t rows, bool accumulate = false) const noexcept {
    ndt::kernels::gemm<V>(y, x, {weight_.data(), inputs_ * ndt::kernels::panel_width}, rows, inputs_, outputs_,
                          {.accumulate = accumulate, .bias = bias_.empty() ? nullptr : bias_.data()});
  }

 private:
  std::size_t inputs_, outputs_;
  std::vector<T> bias_;
  ndt::Buffer<T> weight_;
};

}  // namespace bench
