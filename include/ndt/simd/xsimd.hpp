// ndt/simd/xsimd.hpp: the library, where it is there and knows this processor: NDT_XSIMD is 1 then.
#pragma once

#include "ndt/config.hpp"

#if !defined(NDT_NO_XSIMD) && defined(__has_include)
#if __has_include(<xsimd/xsimd.hpp>)
#include <xsimd/xsimd.hpp>
#endif
#endif

#if defined(XSIMD_VERSION_MAJOR) && !defined(XSIMD_NO_SUPPORTED_ARCHITECTURE)
#define NDT_XSIMD 1
#else
#define NDT_XSIMD 0
#endif
