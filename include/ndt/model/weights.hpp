// ndt/model/weights.hpp: from a checkpoint's tensors to packed weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "ndt/config.hpp"
#include "ndt/core/finite.hpp"
#include "ndt/core/name.hpp"
#include "ndt/core/status.hpp"
#include "ndt/core/tensor_spec.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/model/transformer.hpp"

namespace ndt::inline NDT_TARGET {

namespace detail {

template <class T>
constexpr Status copy_tensor(T* to, const StoredTensor<T>& stored, const Name& name, const TensorSpec& spec) noexcept {
  if (!stored.exists()) return {Error::tensor_missing, name, spec.extents, {}};
  if (stored.extents != spec.extents || stored.values == nullptr) {
    return {Error::tensor_shape, name, spec.extents, stored.extents};
  }
  const std::size_t count = spec.extents.count();
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_finite(stored.values[i])) return {Error::tensor_not_finite, name, {}, Extents(i)};
  }
  if (spec.layout == Layout::panels) {
    const std::size_t N = spec.extents.size[0], K = spec.extents.size[1];
    kernels::pack_transposed(to, Rows<const T>{stored.values, K}, N, K, 0, N);
  } else {
    for (std::size_t i = 0; i < count; ++i) to[i] = stored.values[i];
  }
  return {};
}

/// Learned positions: row t of the table that forward() reads is stored row index[t].
template <class T>
constexpr Status copy_indexed(T* to, const StoredTensor<T>& table, const StoredTensor<T>& index, const Name& name,
                              const TensorSpec& spec) noexcept {
  if (const Status status = copy_tensor(to, table, name, spec); !status.ok()) return status;
  const std::size_t rows = spec.extents.size[0], columns = spec.extents.size[1];
  if (!index.exists()) return {};  // a table alone is read in order
  const Name index_name(spec.row_index);
  if (index.integers == nullptr || index.extents.count() != rows) {
    return {Error::tensor_shape, index_name, Extents(rows, 1), index.extents};
  }
  for (std::size_t t = 0; t < rows; ++t) {
    const std::int64_t row = index.integers[t];
    if (row < 0 || row >= static_cast<std::int64_t>(rows)) {
      return {Error::position_index_out_of_range, index_name, Extents(rows), Extents(static_cast<std::size_t>(row))};
    }
    const T* const from = table.values + static_cast<std::size_t>(row) * columns;
    for (std::size_t i = 0; i < columns; ++i) to[t * columns + i] = from[i];
  }
  return {};
}

/// Packs what visit(f) lists by f(name, pointer, spec) into `memory`, named `where`, of which it takes `needed`.
template <class T, class Source, class Visit>
constexpr Status pack_tensors(std::span<T> memory, std::size_t needed, const char* where, Source& source,
                              Visit&& visit) noexcept {
  if (memory.size() < needed) return {Error::memory_too_small, where, Extents(needed), Extents(memory.size())};
  for (std::size_t i = 0; i < needed; ++i) memory[i] = T(0);
  Status status;
  T* next = memory.data();
  visit([&](const Name& name, const T*, const TensorSpec& spec) {
    if (!status.ok()) return;
    const StoredTensor<T> stored = source(name);
    status = spec.row_index.empty() ? copy_tensor(next, stored, name, spec)
                                    : copy_indexed(next, stored, source(Name(spec.row_index)), name, spec);
    next += packed_count<T>(spec);
  });
  return status;
}

}  // namespace detail

/// Packs every tensor of a model of this shape into `memory` (Transformer::packed_size elements), ready to bind.
/// source(name) gives a StoredTensor in PyTorch's layout, or an empty one. Fails, naming the tensor, if one is missing,
/// has another shape or is not finite; what `memory` holds is then worth nothing. source must be noexcept.
template <class V, class Shape, class Source>
constexpr Status pack_weights(std::span<typename V::value_type> memory, const Shape& shape, Source&& source) noexcept {
  if (const Status status = shape.config.validate(); !status.ok()) return status;
  const Transformer<Shape, V> model(shape);
  return detail::pack_tensors(memory, model.packed_size(), "packed weights", source,
                              [&](auto&& f) { model.visit_tensors(f); });
}

}  // namespace ndt::inline NDT_TARGET
