// ndt/kernels/compiled.hpp: the tiles of products, most of what there is to compile, once for a program of many files.
// A file that includes this header leaves them to another, which says NDT_COMPILE_PRODUCTS(float) and, where a policy
// of doubles is used, NDT_COMPILE_PRODUCTS(double). They are those of simd::native. That file's flags count for all:
// another instruction set does not link, but -ffp-contract=off must be among them too, and its -O and NDEBUG decide how
// fast and how watchful products are. Same bits; what is lost is that the compiler knows the sizes of a static shape
// when it chooses among the tiles.
#pragma once

#include <cstddef>

#include "ndt/config.hpp"
#include "ndt/core/view.hpp"
#include "ndt/kernels/linear.hpp"
#include "ndt/kernels/packing.hpp"
#include "ndt/kernels/tile.hpp"
#include "ndt/simd.hpp"

/// gemm_registers for every way in which the library multiplies. `what`: template, or extern template.
#define NDT_EVERY_PRODUCT(what, T)                    \
  NDT_PRODUCT(what, T, Rows, Panels, Edge)            \
  NDT_PRODUCT(what, T, Rows, Panels, TrainingEdge)    \
  NDT_PRODUCT(what, T, Columns, Panels, TrainingEdge) \
  NDT_PRODUCT(what, T, Columns, PaddedRows, TrainingEdge)
#define NDT_PRODUCT(what, T, A, B, E)                                                                       \
  what void gemm_registers<simd::native<T>, A<const T>, B<T>, E<T>>(Rows<T>, A<const T>, B<T>, std::size_t, \
                                                                    std::size_t, std::size_t, std::size_t,  \
                                                                    std::size_t, const E<T>&) noexcept;

/// Outside of every namespace, in one file.
#define NDT_COMPILE_PRODUCTS(T)               \
  namespace ndt::inline NDT_TARGET::kernels { \
  NDT_EVERY_PRODUCT(template, T)              \
  }

namespace ndt::inline NDT_TARGET::kernels {

NDT_EVERY_PRODUCT(extern template, float)
NDT_EVERY_PRODUCT(extern template, double)

}  // namespace ndt::inline NDT_TARGET::kernels
