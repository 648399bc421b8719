// Rows in guarded memory with a gap behind each: what kernels see when they work on a slice of something wider.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include <ndt/core/view.hpp>

#include "guarded.hpp"

namespace support {

/// The gaps are NaN when read and remember whether they were written. The last row has none: it ends where the memory
/// does.
template <class T>
class Matrix {
 public:
  Matrix(std::size_t rows, std::size_t width, std::size_t gap, Touch touch = Touch::end)
      : rows_(rows),
        width_(width),
        stride_(width + gap),
        memory_(rows == 0 ? 0 : (rows - 1) * (width + gap) + width, touch) {}
  Matrix(const std::vector<T>& values, std::size_t width, std::size_t gap, Touch touch = Touch::end)
      : Matrix(values.size() / width, width, gap, touch) {
    fill(values);
  }

  void fill(const std::vector<T>& values) {
    for (std::size_t r = 0; r < rows_; ++r) std::copy_n(values.data() + r * width_, width_, rows()[r]);
  }
  ndt::Rows<T> rows() { return {memory_.data(), stride_}; }
  ndt::Rows<const T> rows() const { return {memory_.data(), stride_}; }
  /// The elements without the gaps.
  std::vector<T> values() const {
    std::vector<T> all;
    all.reserve(rows_ * width_);
    for (std::size_t r = 0; r < rows_; ++r) all.insert(all.end(), rows()[r], rows()[r] + width_);
    return all;
  }
  bool gaps_untouched() const {
    for (std::size_t r = 0; r + 1 < rows_; ++r) {
      if (!untouched(rows()[r] + width_, stride_ - width_)) return false;
    }
    return true;
  }

 private:
  std::size_t rows_, width_, stride_;
  Guarded<T> memory_;
};

/// Equality of bits: unlike ==, true for the same NaN and false for 0 and -0.
template <class A, class B>
bool same_bits(const A& a, const B& b) {
  static_assert(sizeof(*std::data(a)) == sizeof(*std::data(b)));
  return std::size(a) == std::size(b) &&
         (std::size(a) == 0 || std::memcmp(std::data(a), std::data(b), std::size(a) * sizeof(*std::data(a))) == 0);
}

}  // namespace support
