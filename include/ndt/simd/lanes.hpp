// ndt/simd/lanes.hpp: what functions that touch memory take in place of a number of lanes.
#pragma once

#include "ndt/config.hpp"

namespace ndt::inline NDT_TARGET::simd {

/// The whole register.
struct all_lanes {};

}  // namespace ndt::inline NDT_TARGET::simd
