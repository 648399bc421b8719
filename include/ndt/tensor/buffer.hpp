// ndt/tensor/buffer.hpp: memory that owns itself, on the boundary that kernels like.
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"

namespace ndt::inline NDT_TARGET {

/// `size` elements of a trivial type, all zero, on a 64-byte boundary.
template <class T>
class Buffer {
 public:
  Buffer() noexcept = default;
  explicit Buffer(std::size_t size) : data_(allocate(size)), size_(size) { clear(); }

  T* data() noexcept { return data_.get(); }
  const T* data() const noexcept { return data_.get(); }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data(); }
  T* end() noexcept { return data() + size_; }
  const T* begin() const noexcept { return data(); }
  const T* end() const noexcept { return data() + size_; }
  void clear() noexcept { std::fill_n(data(), size_, T(0)); }

 private:
  static constexpr std::align_val_t alignment{alignment_bytes};
  struct Free {
    void operator()(T* p) const noexcept { ::operator delete[](p, alignment); }
  };
  static T* allocate(std::size_t size) {
    if (size > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_alloc();
    return size == 0 ? nullptr : static_cast<T*>(::operator new[](size * sizeof(T), alignment));
  }

  std::unique_ptr<T[], Free> data_;
  std::size_t size_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
