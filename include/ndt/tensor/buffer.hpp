// ndt/tensor/buffer.hpp: memory that owns itself, on the boundary that kernels like.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "ndt/config.hpp"
#include "ndt/core/arena.hpp"
#include "ndt/tensor/huge_pages.hpp"

namespace ndt::inline NDT_TARGET {

/// `size` elements of a trivial type, all zero, on a 64-byte boundary. Large ones ask Linux for huge pages: the
/// matrices of a step of training lie on tens of thousands of small ones, and each must be found when it is first
/// touched again.
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
  static constexpr std::align_val_t alignment(std::size_t bytes) noexcept {
    return std::align_val_t{bytes < huge_page ? alignment_bytes : huge_page};
  }
  struct Free {
    std::size_t bytes = 0;
    void operator()(T* p) const noexcept { ::operator delete[](p, alignment(bytes)); }
  };
  using Pointer = std::unique_ptr<T[], Free>;
  static Pointer allocate(std::size_t size) {
    if (size > static_cast<std::size_t>(PTRDIFF_MAX) / sizeof(T)) throw std::bad_alloc();
    if (size == 0) return nullptr;
    const std::size_t bytes = size * sizeof(T);
    void* const memory = ::operator new[](bytes, alignment(bytes));
    ask_for_huge_pages(memory, bytes);
    return Pointer(static_cast<T*>(memory), Free{bytes});
  }

  Pointer data_;
  std::size_t size_ = 0;
};

}  // namespace ndt::inline NDT_TARGET
