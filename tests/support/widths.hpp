// Lengths of rows that matter.
#pragma once

#include <cstddef>
#include <vector>

namespace support {

/// For loops over sizes that are written down: a list of plain numbers would be one of int.
using Sizes = std::vector<std::size_t>;

/// Every tail behind zero, one and two registers, and some odd neuron counts.
template <class V>
Sizes widths() {
  Sizes all;
  for (std::size_t width = 1; width <= 2 * V::width + 2; ++width) all.push_back(width);
  for (const std::size_t width : Sizes{31, 101, 137, 202}) all.push_back(width);
  return all;
}

}  // namespace support
