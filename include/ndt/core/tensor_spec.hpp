// ndt/core/tensor_spec.hpp: what a weight tensor looks like outside (in a checkpoint) and inside (packed).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "ndt/config.hpp"
#include "ndt/core/status.hpp"

namespace ndt::inline NDT_TARGET {

/// How a tensor lies in packed memory: as it comes, or as the panels of its transpose (kernels/packing.hpp).
enum class Layout : std::uint8_t { row_major, panels };

/// One weight tensor. Layers list theirs with visit_tensors(f, path): f(name, pointer to its data, spec).
struct TensorSpec {
  Extents extents{};  ///< as PyTorch stores it
  Layout layout = Layout::row_major;
  std::string_view row_index{};  ///< if not empty: an integer tensor that says which stored row each row comes from
};

/// What a checkpoint offers for a name: floating values or integers, row-major, owned by the source.
template <class T>
struct StoredTensor {
  const T* values = nullptr;
  const std::int64_t* integers = nullptr;
  Extents extents{};

  constexpr bool exists() const noexcept { return values != nullptr || integers != nullptr; }
};

}  // namespace ndt::inline NDT_TARGET
