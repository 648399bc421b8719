// What no program can do without, over what this machine gives: the least time that work can take.
#pragma once

#include <algorithm>
#include <cstddef>

#include <ndt/ndt.hpp>

#include "peak.hpp"

namespace bench {

/// Microseconds of one thread for so much arithmetic and for reading so many bytes `times` over, whichever is longer.
inline double floor_us(double flop, double bytes, double times = 1) {
  const double reading = bytes == 0 ? 0 : times * bytes / read_bandwidth(static_cast<std::size_t>(bytes));
  return std::max(flop / peak_gflops(1), reading) * 1e-3;
}

/// What a bin cannot do without reading: every weight, its rows of positions and table, and the keys and values of
/// `keys` bins. Padding is not counted.
inline double bytes_of_bin(const ndt::DynamicTransformer<>& model, double keys) {
  const ndt::ModelConfig& c = model.config();
  std::size_t numbers = 0;
  model.visit_tensors([&](const ndt::Name& name, const float*, const ndt::TensorSpec& spec) {
    const bool rows = name.view().starts_with("pos_encoder") || name.view().starts_with("embedder");
    numbers += rows ? c.width() : spec.extents.count();
  });
  return sizeof(float) * (static_cast<double>(numbers) + static_cast<double>(2 * c.layers * c.width()) * keys);
}

}  // namespace bench
