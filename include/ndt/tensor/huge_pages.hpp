// ndt/tensor/huge_pages.hpp: pages of 2 MiB for large memory, where the system has them for those who ask.
#pragma once

#include <cstddef>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET {

inline constexpr std::size_t huge_page = std::size_t{1} << 21;

/// For memory on a boundary of huge_page, best before it is touched. Where there are none it is as good, but slower.
inline void ask_for_huge_pages([[maybe_unused]] void* memory, [[maybe_unused]] std::size_t bytes) noexcept {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  if (bytes >= huge_page) static_cast<void>(madvise(memory, bytes, MADV_HUGEPAGE));
#endif
}

}  // namespace ndt::inline NDT_TARGET
