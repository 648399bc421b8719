// Memory with a forbidden page on both sides: whoever reads or writes past the touching end stops the test.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <new>
#include <vector>

namespace support {

/// The end of a buffer that touches a forbidden page. One that touches with its end starts wherever its size puts it:
/// at any alignment that elements can have.
enum class Touch { end, beginning };
inline constexpr Touch both_ends[] = {Touch::end, Touch::beginning};

/// Whether all bits are set, as in fresh guarded memory. Read as a number that is a NaN which no arithmetic produces.
template <class T>
bool untouched(const T* data, std::size_t count) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(data);
  return std::all_of(bytes, bytes + count * sizeof(T), [](unsigned char byte) { return byte == 0xff; });
}

/// `count` elements, all bits set.
template <class T>
class Guarded {
 public:
  using value_type = T;

  explicit Guarded(std::size_t count, Touch touch = Touch::end) : size_(count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t inner = std::max<std::size_t>(1, (count * sizeof(T) + page - 1) / page) * page;
    length_ = inner + 2 * page;
    void* const block = mmap(nullptr, length_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) throw std::bad_alloc();
    block_ = static_cast<std::byte*>(block);
    if (mprotect(block_ + page, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
    std::memset(block_ + page, 0xff, inner);
    const std::size_t offset = touch == Touch::end ? inner - count * sizeof(T) : 0;
    data_ = reinterpret_cast<T*>(block_ + page + offset);
  }
  explicit Guarded(const std::vector<T>& values, Touch touch = Touch::end) : Guarded(values.size(), touch) {
    std::copy(values.begin(), values.end(), data_);
  }
  ~Guarded() { munmap(block_, length_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return data_[i]; }
  const T& operator[](std::size_t i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  std::byte* block_ = nullptr;
  std::size_t length_ = 0;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace support
